//! AdaBelief.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;

/// m ← β₁m + (1−β₁)g; s ← β₂s + (1−β₂)(g−m)² + ε′; W ← W − η/(1−β₁ᵗ) · m / (√(s/(1−β₂ᵗ)) + ε).
///
/// [`Adam`](super::Adam) that divides by how far the gradient strays from its own average: long steps where it does what
/// m believes. ε′ is added to the state at every step, so that it sums up to ε′/(1−β₂). The paper has ε′ = ε and, as Adam,
/// 1e-8; `optax`, as the authors' later code, 1e-16 for both. `torch` and `keras` do not have it.
///
/// Source: Zhuang, Tang, Ding et al., *AdaBelief optimizer: adapting stepsizes by the belief in observed gradients* (2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaBelief {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// ε′.
    pub epsilon_root: f64,
}

impl Default for AdaBelief {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η/(1−β₁ᵗ), the averages, ε′, 1/√(1−β₂ᵗ) and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    second: Average<T>,
    epsilon_root: T,
    scale: T,
    epsilon: Epsilon<T>,
}

impl Method for AdaBelief {
    const INFO: Info = Info {
        name: "adabelief",
        title: "AdaBelief",
        summary: "Adam that divides by how far the gradient strays from its average",
        paper: "Zhuang et al. 2020",
        formula: ByDialect::same(
            "m ← β₁m + (1−β₁)g; s ← β₂s + (1−β₂)(g−m)² + ε′; W ← W − η/(1−β₁ᵗ) · m / (√(s/(1−β₂ᵗ)) + ε)",
        ),
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect { optax: Some("optax.adabelief({lr})"), ..ByDialect::same(None) },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "epsilon_root",
            symbol: "ε′",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.epsilon_root,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let epsilon = if dialect == Dialect::Optax { 1e-16 } else { 1e-8 };
        Self { beta1: 0.9, beta2: 0.999, epsilon, epsilon_root: epsilon }
    }
}

impl Rule for AdaBelief {
    const STATES: &'static [&'static str] = &["gradient_average", "deviation_average"];

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let scale = 1.0 / correction(self.beta2, step).sqrt();
        Coefficients {
            rate: T::from_f64(learning_rate / correction(self.beta1, step)),
            first: Average::new(self.beta1),
            second: Average::new(self.beta2),
            epsilon_root: T::from_f64(self.epsilon_root),
            scale: T::from_f64(scale),
            epsilon: Epsilon::corrected(self.epsilon, Place::Outside, scale),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, s]: &mut [T; 2]) -> T {
        c.first.take_in(m, g);
        c.second.take_in_square(s, g - *m);
        *s += c.epsilon_root;
        w - c.rate * *m / c.epsilon.scaled_root(*s, c.scale)
    }
}
