//! Adam.

use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/√(v+ε) · √(1−β₂ᵗ)/(1−β₁ᵗ) · m.
///
/// `torch` and `optax` add ε outside the corrected root: W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε), as algorithm 1 of
/// the paper does; `keras` adds it outside before the correction, the paper's «ε̂».
///
/// Source: Kingma & Ba, *Adam: a method for stochastic optimization* (2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε is added.
    pub place: Place,
}

impl Default for Adam {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η/(1−β₁ᵗ), the averages, 1/√(1−β₂ᵗ) and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    second: Average<T>,
    scale: T,
    epsilon: Epsilon<T>,
}

impl Method for Adam {
    const INFO: Info = Info {
        name: "adam",
        title: "Adam",
        summary: "momentum over RMSprop, both corrected for their start at zero",
        paper: "Kingma & Ba 2015",
        formula: ByDialect {
            torch: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε)",
            keras: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η · √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)",
            optax: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε)",
            textbook: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/√(v+ε) · √(1−β₂ᵗ)/(1−β₁ᵗ) · m",
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect {
            torch: Some("torch.optim.Adam(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Adam({lr})"),
            optax: Some("optax.adam({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon, place) = match dialect {
            Dialect::Torch | Dialect::Optax => (1e-8, Place::Outside),
            Dialect::Keras => (1e-7, Place::BeforeCorrection),
            Dialect::Textbook => (1e-8, Place::Inside),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, place }
    }
}

impl Rule for Adam {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("exp_avg", "gradient_average"),
        TorchState::slot("exp_avg_sq", "square_average"),
    ]);

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
            scale: T::from_f64(scale),
            epsilon: Epsilon::corrected(self.epsilon, self.place, scale),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, state: &mut [T; 2]) -> T {
        w - c.step(g, state)
    }
}

impl<T: Real> Coefficients<T> {
    /// What W is lessened by.
    #[inline(always)]
    pub(super) fn step(&self, g: T, [m, v]: &mut [T; 2]) -> T {
        self.first.take_in(m, g);
        self.second.take_in_square(v, g);
        self.rate * *m / self.epsilon.scaled_root(*v, self.scale)
    }
}

/// 1 − βᵗ: what an average that started at zero lacks after `step` steps.
pub(crate) fn correction(beta: f64, step: u64) -> f64 {
    1.0 - beta.powi(i32::try_from(step).unwrap_or(i32::MAX))
}
