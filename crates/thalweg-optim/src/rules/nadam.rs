//! NAdam.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::{TorchKind, TorchState};

/// μₜ = β₁(1 − ½·0.96^(ψt)), Πₜ = μ₁⋯μₜ; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
/// W ← W − η((1−μₜ)/(1−Πₜ) · g + μₜ₊₁/(1−Πₜ₊₁) · m) / (√(v/(1−β₂ᵗ)) + ε).
///
/// [`Adam`](super::Adam) with the re-parametrized look-ahead of [`Nag`](super::Nag): the step takes the coming momentum's
/// share of m, and the gradient itself. All dialects are this formula and differ in ψ, which warms the momentum up: 0.004
/// in `torch` and the report; 1 in `keras` (fixed there), whose warm-up is over after some 100 steps; none in `optax`,
/// where μ = β₁ — that is any ψ from 1000 on, to the last bit. Unlike in its Adam, Keras adds ε after the correction.
///
/// Source: Dozat, *Incorporating Nesterov momentum into Adam* (2016), algorithm 8 of the report. (Its algorithm 2, printed
/// in the workshop's paper, averages m with μₜ too and has no ψ of its own.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NAdam {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// ψ.
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// What g and m are multiplied by, the averages, 1/√(1−β₂ᵗ) and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    of_gradient: T,
    of_average: T,
    first: Average<T>,
    second: Average<T>,
    scale: T,
    epsilon: Epsilon<T>,
}

impl NAdam {
    /// μ of a step.
    fn momentum(&self, step: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * 0.96_f64.powf(self.momentum_decay * step as f64))
    }
}

const SCHEDULED: &str = "μₜ = β₁(1 − ½·0.96^(ψt)), Πₜ = μ₁⋯μₜ; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                         W ← W − η((1−μₜ)/(1−Πₜ) · g + μₜ₊₁/(1−Πₜ₊₁) · m) / (√(v/(1−β₂ᵗ)) + ε)";

impl Method for NAdam {
    const INFO: Info = Info {
        name: "nadam",
        title: "NAdam",
        summary: "Adam with Nesterov's look-ahead and a momentum that warms up",
        paper: "Dozat 2016",
        formula: ByDialect {
            optax: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                    W ← W − η((1−β₁)/(1−β₁ᵗ) · g + β₁/(1−β₁ᵗ⁺¹) · m) / (√(v/(1−β₂ᵗ)) + ε)",
            ..ByDialect::same(SCHEDULED)
        },
        learning_rate: ByDialect { torch: 2e-3, keras: 1e-3, optax: 2e-3, textbook: 2e-3 },
        calls: ByDialect {
            torch: Some("torch.optim.NAdam(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Nadam({lr})"),
            optax: Some("optax.nadam({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "momentum_decay",
            symbol: "ψ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.momentum_decay,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon, momentum_decay) = match dialect {
            Dialect::Torch | Dialect::Textbook => (1e-8, 4e-3),
            Dialect::Keras => (1e-7, 1.0),
            Dialect::Optax => (1e-8, 1e3),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, momentum_decay }
    }
}

impl Rule for NAdam {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];
    const SCALARS: &'static [&'static str] = &["momentum_product"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState { torch: "mu_product", own: "momentum_product", kind: TorchKind::Shared },
        TorchState::slot("exp_avg", "gradient_average"),
        TorchState::slot("exp_avg_sq", "square_average"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn initial_scalars(&self, scalars: &mut [f64]) {
        scalars[0] = 1.0;
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, scalars: &mut [f64]) -> Coefficients<T> {
        let (now, next) = (self.momentum(step), self.momentum(step + 1));
        scalars[0] *= now;
        let product = scalars[0];
        let scale = 1.0 / correction(self.beta2, step).sqrt();
        Coefficients {
            of_gradient: T::from_f64(learning_rate * (1.0 - now) / (1.0 - product)),
            of_average: T::from_f64(learning_rate * next / (1.0 - product * next)),
            first: Average::new(self.beta1),
            second: Average::new(self.beta2),
            scale: T::from_f64(scale),
            epsilon: Epsilon::corrected(self.epsilon, Place::Outside, scale),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v]: &mut [T; 2]) -> T {
        c.first.take_in(m, g);
        c.second.take_in_square(v, g);
        w - (c.of_gradient * g + c.of_average * *m) / c.epsilon.scaled_root(*v, c.scale)
    }
}
