//! Adam.

use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::real::Real;
use crate::rule::{Info, Rule};

/// m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/√(v+ε) · √(1−β₂ᵗ)/(1−β₁ᵗ) · m.
///
/// The `torch` dialect adds ε outside the corrected root: W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε), as algorithm 1 of
/// the paper does.
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

/// η/(1−β₁ᵗ), the decays, 1/√(1−β₂ᵗ) and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    scale: T,
    epsilon: Epsilon<T>,
}

impl Rule for Adam {
    const INFO: Info = Info {
        name: "adam",
        title: "Adam",
        summary: "momentum over RMSprop, both corrected for their start at zero",
        paper: "Kingma & Ba 2015",
        formula: ByDialect {
            torch: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε)",
            textbook: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η/√(v+ε) · √(1−β₂ᵗ)/(1−β₁ᵗ) · m",
        },
        learning_rate: ByDialect { torch: 1e-3, textbook: 1e-3 },
        torch_call: "torch.optim.Adam(model.parameters(), lr={lr})",
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn preset(dialect: Dialect) -> Self {
        let place = match dialect {
            Dialect::Torch => Place::Outside,
            Dialect::Textbook => Place::Inside,
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, place }
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64) -> Coefficients<T> {
        let t = i32::try_from(step).unwrap_or(i32::MAX);
        Coefficients {
            rate: T::from_f64(learning_rate / (1.0 - self.beta1.powi(t))),
            beta1: T::from_f64(self.beta1),
            rest1: T::from_f64(1.0 - self.beta1),
            beta2: T::from_f64(self.beta2),
            rest2: T::from_f64(1.0 - self.beta2),
            scale: T::from_f64(1.0 / (1.0 - self.beta2.powi(t)).sqrt()),
            epsilon: Epsilon::new(self.epsilon, self.place),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v]: &mut [T; 2]) -> T {
        *m = c.beta1 * *m + c.rest1 * g;
        *v = c.beta2 * *v + c.rest2 * g * g;
        w - c.rate * *m / c.epsilon.scaled_root(*v, c.scale)
    }
}
