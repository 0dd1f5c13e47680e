//! Lion.

use super::average::Average;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::sign::sign;

/// c = β₁m + (1−β₁)g; W ← W − η(sign(c) + λW); m ← β₂m + (1−β₂)g.
///
/// The step looks at a faster average than the one that is kept. `keras` lets W shrink before it moves, which is the same
/// up to rounding; `optax` has λ = 0.001 by default. `torch` does not have it: its dialect is the textbook's. As all steps
/// have one size, a good η is some 3 to 10 times smaller than Adam's, and a good λ as much larger (the paper's advice).
///
/// Source: Chen et al., *Symbolic discovery of optimization algorithms* (2023); η and λ by default as in its authors' code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lion {
    /// β₁, of the step.
    pub beta1: f64,
    /// β₂, of the average.
    pub beta2: f64,
    /// λ, decoupled.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, what the step looks at, what is kept, and ηλ: taken off W, as f32 would round 1−ηλ
/// alike in every step.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    step: Average<T>,
    kept: Average<T>,
    decay: T,
}

impl Method for Lion {
    const INFO: Info = Info {
        name: "lion",
        title: "Lion",
        summary: "steps of one size, against the sign of momentum mixed with the newest gradient",
        paper: "Chen et al. 2023",
        formula: ByDialect::same("c = β₁m + (1−β₁)g; W ← W − η(sign(c) + λW); m ← β₂m + (1−β₂)g"),
        learning_rate: ByDialect { torch: 1e-4, keras: 1e-3, optax: 1e-3, textbook: 1e-4 },
        calls: ByDialect {
            torch: None,
            keras: Some("keras.optimizers.Lion({lr})"),
            optax: Some("optax.lion({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let weight_decay = if dialect == Dialect::Optax { 1e-3 } else { 0.0 };
        Self { beta1: 0.9, beta2: 0.99, weight_decay }
    }
}

impl Rule for Lion {
    const STATES: &'static [&'static str] = &["gradient_average"];

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::ZERO]
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        Coefficients {
            rate: T::from_f64(learning_rate),
            step: Average::new(self.beta1),
            kept: Average::new(self.beta2),
            decay: T::from_f64(learning_rate * self.weight_decay),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m]: &mut [T; 1]) -> T {
        let mut mixed = *m;
        c.step.take_in(&mut mixed, g);
        c.kept.take_in(m, g);
        w - (c.decay * w + c.rate * sign(mixed))
    }
}
