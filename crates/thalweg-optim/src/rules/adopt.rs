//! ADOPT.

use super::average::Average;
use super::epsilon::beside_root;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;

/// ĝ = clip(g / max(√v, ε), ±k^¼); m ← β₁m + (1−β₁)ĝ; W ← W − ηm; v ← β₂v + (1−β₂)g², with k = t − 1.
///
/// [`Adam`](super::Adam) that divides g by the v of the gradients before it, and averages after that: so it converges for
/// any β₂. The first step (k = 0) only sets v ← g²; W does not move. The form is the paper's clipped one, its
/// recommendation. `optax` has the same; `torch` and `keras` do not have it.
///
/// Source: Taniguchi, Harada, Minegishi et al., *ADOPT: modified Adam can converge with any β₂ with the optimal rate*
/// (2024), algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adopt {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
}

impl Default for Adopt {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, the averages, ε and k^¼.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    second: Average<T>,
    epsilon: T,
    limit: T,
}

impl Method for Adopt {
    const INFO: Info = Info {
        name: "adopt",
        title: "ADOPT",
        summary: "Adam that divides by the gradients before this one, and averages after",
        paper: "Taniguchi et al. 2024",
        formula: ByDialect::same(
            "ĝ = clip(g / max(√v, ε), ±(t−1)^¼); m ← β₁m + (1−β₁)ĝ; W ← W − ηm; \
             v ← β₂v + (1−β₂)g² (first: v ← g²)",
        ),
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect { optax: Some("optax.contrib.adopt({lr})"), ..ByDialect::same(None) },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];

    fn preset(_: Dialect) -> Self {
        Self { beta1: 0.9, beta2: 0.9999, epsilon: 1e-6 }
    }
}

impl Rule for Adopt {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        // At the first step the limit is 0, so m stays 0, and v forgets its start.
        let first = step == 1;
        Coefficients {
            rate: T::from_f64(learning_rate),
            first: Average::new(self.beta1),
            second: Average::new(if first { 0.0 } else { self.beta2 }),
            epsilon: beside_root(self.epsilon),
            limit: T::from_f64((step.saturating_sub(1) as f64).powf(0.25)),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v]: &mut [T; 2]) -> T {
        let normalized = (g / v.sqrt().max(c.epsilon)).min(c.limit).max(-c.limit);
        c.first.take_in(m, normalized);
        c.second.take_in_square(v, g);
        w - c.rate * *m
    }
}
