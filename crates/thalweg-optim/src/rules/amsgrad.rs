//! AMSGrad.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; v̂ ← max(v̂, v); W ← W − η/√(v̂+ε) · m.
///
/// [`Adam`](super::Adam) that never forgets its largest v, so that no element's rate grows again. The paper's algorithm 2
/// has neither ε nor a correction for the start at zero; the `textbook` has ε inside the root as in its other rules. The
/// packages correct: `torch` and `keras` keep the largest raw v, and correct that by the step's 1−β₂ᵗ (ε as in their Adam);
/// `optax` keeps the largest corrected v/(1−β₂ᵗ), which lets the first steps' v, corrected most, weigh for ever.
///
/// Source: Reddi, Kale & Kumar, *On the convergence of Adam and beyond* (2018).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AmsGrad {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε is added.
    pub place: Place,
    /// What is corrected for the start at zero.
    pub corrected: Corrected,
}

/// What [`AmsGrad`] corrects for the start at zero, beside m.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrected {
    /// Nothing, and m neither.
    Nothing,
    /// The largest v so far, each step anew.
    Largest,
    /// Each v, before it is compared with the largest.
    Each,
}

impl Default for AmsGrad {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η with the correction of m, the averages, those of v and of the largest root, and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    second: Average<T>,
    scale_of_each: T,
    scale_of_root: T,
    epsilon: Epsilon<T>,
}

impl Method for AmsGrad {
    const INFO: Info = Info {
        name: "amsgrad",
        title: "AMSGrad",
        summary: "Adam whose divisor never shrinks",
        paper: "Reddi, Kale & Kumar 2018",
        formula: ByDialect {
            torch: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; v̂ ← max(v̂, v); \
                    W ← W − η/(1−β₁ᵗ) · m / (√(v̂/(1−β₂ᵗ)) + ε)",
            keras: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; v̂ ← max(v̂, v); \
                    W ← W − η · √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v̂ + ε)",
            optax: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; v̂ ← max(v̂, v/(1−β₂ᵗ)); \
                    W ← W − η/(1−β₁ᵗ) · m / (√v̂ + ε)",
            textbook: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; v̂ ← max(v̂, v); W ← W − η/√(v̂+ε) · m",
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect {
            torch: Some("torch.optim.Adam(model.parameters(), lr={lr}, amsgrad=True)"),
            keras: Some("keras.optimizers.Adam({lr}, amsgrad=True)"),
            optax: Some("optax.amsgrad({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon, place, corrected) = match dialect {
            Dialect::Torch => (1e-8, Place::Outside, Corrected::Largest),
            Dialect::Keras => (1e-7, Place::BeforeCorrection, Corrected::Largest),
            Dialect::Optax => (1e-8, Place::Outside, Corrected::Each),
            Dialect::Textbook => (1e-8, Place::Inside, Corrected::Nothing),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, place, corrected }
    }
}

impl Rule for AmsGrad {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average", "largest_square_average"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("exp_avg", "gradient_average"),
        TorchState::slot("exp_avg_sq", "square_average"),
        TorchState::slot("max_exp_avg_sq", "largest_square_average"),
    ]);

    type State<T: Real> = [T; 3];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 3] {
        [T::ZERO; 3]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (first, second) = (correction(self.beta1, step), correction(self.beta2, step));
        let (rate, scale_of_each, scale_of_root) = match self.corrected {
            Corrected::Nothing => (learning_rate, 1.0, 1.0),
            Corrected::Largest => (learning_rate / first, 1.0, 1.0 / second.sqrt()),
            Corrected::Each => (learning_rate / first, 1.0 / second, 1.0),
        };
        Coefficients {
            rate: T::from_f64(rate),
            first: Average::new(self.beta1),
            second: Average::new(self.beta2),
            scale_of_each: T::from_f64(scale_of_each),
            scale_of_root: T::from_f64(scale_of_root),
            epsilon: Epsilon::corrected(self.epsilon, self.place, scale_of_root),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v, largest]: &mut [T; 3]) -> T {
        c.first.take_in(m, g);
        c.second.take_in_square(v, g);
        *largest = (c.scale_of_each * *v).max(*largest);
        w - c.rate * *m / c.epsilon.scaled_root(*largest, c.scale_of_root)
    }
}
