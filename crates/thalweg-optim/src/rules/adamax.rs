//! Adamax.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Place, under_root};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// m ← β₁m + (1−β₁)g; u ← max(β₂u, |g|); W ← W − η/(1−β₁ᵗ) · m/u.
///
/// [`Adam`](super::Adam) with the maximum norm in place of the root mean square: no root, and u needs no correction. The
/// paper has no ε; its dialect, the `textbook`, divides by u + ε with ε = 0, as `keras` does with 1e-7. `torch` and `optax`
/// add ε inside the maximum: u ← max(β₂u, |g| + ε).
///
/// Source: Kingma & Ba, *Adam: a method for stochastic optimization* (2015), algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adamax {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε is added: inside the maximum or outside.
    pub place: Place,
}

impl Default for Adamax {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η/(1−β₁ᵗ), the average, β₂ and ε; one of the two is zero.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    beta2: T,
    inside: T,
    outside: T,
}

impl Method for Adamax {
    const INFO: Info = Info {
        name: "adamax",
        title: "Adamax",
        summary: "Adam that divides by the largest recent gradient",
        paper: "Kingma & Ba 2015",
        formula: ByDialect {
            torch: "m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); W ← W − η/(1−β₁ᵗ) · m/u",
            keras: "m ← β₁m + (1−β₁)g; u ← max(β₂u, |g|); W ← W − η/(1−β₁ᵗ) · m/(u + ε)",
            optax: "m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); W ← W − η/(1−β₁ᵗ) · m/u",
            textbook: "m ← β₁m + (1−β₁)g; u ← max(β₂u, |g|); W ← W − η/(1−β₁ᵗ) · m/(u + ε)",
        },
        learning_rate: ByDialect { torch: 2e-3, keras: 1e-3, optax: 2e-3, textbook: 2e-3 },
        calls: ByDialect {
            torch: Some("torch.optim.Adamax(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Adamax({lr})"),
            optax: Some("optax.adamax({lr})"),
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
            Dialect::Torch | Dialect::Optax => (1e-8, Place::Inside),
            Dialect::Keras => (1e-7, Place::Outside),
            Dialect::Textbook => (0.0, Place::Outside),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, place }
    }
}

impl Rule for Adamax {
    const STATES: &'static [&'static str] = &["gradient_average", "largest_gradient"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("exp_avg", "gradient_average"),
        TorchState::slot("exp_inf", "largest_gradient"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        // u is not corrected: before and after are one.
        let (inside, outside) = match self.place {
            Place::Inside => (under_root(self.epsilon), T::ZERO),
            Place::Outside | Place::BeforeCorrection => (T::ZERO, under_root(self.epsilon)),
        };
        Coefficients {
            rate: T::from_f64(learning_rate / correction(self.beta1, step)),
            first: Average::new(self.beta1),
            beta2: T::from_f64(self.beta2),
            inside,
            outside,
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, u]: &mut [T; 2]) -> T {
        c.first.take_in(m, g);
        *u = (g.abs() + c.inside).max(c.beta2 * *u);
        w - c.rate * *m / (*u + c.outside)
    }
}
