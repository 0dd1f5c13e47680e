//! Adadelta.

use super::epsilon::under_root;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// G ← γG + (1−γ)g²; Δ = √(H+ε)/√(G+ε) · g; W ← W − ηΔ; H ← γH + (1−γ)Δ².
///
/// The textbook form has no learning rate: η is a multiplier that is 1 there. All packages compute the same, and their H,
/// too, averages Δ without η; γ is 0.9 by default in `torch` and `optax` (the paper's experiments use 0.95), and η is
/// 0.001 in `keras`.
///
/// Source: Zeiler, *ADADELTA: an adaptive learning rate method* (2012).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adadelta {
    /// γ.
    pub rho: f64,
    /// ε.
    pub epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, γ, 1−γ and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    rho: T,
    rest: T,
    epsilon: T,
}

impl Method for Adadelta {
    const INFO: Info = Info {
        name: "adadelta",
        title: "Adadelta",
        summary: "scales each step by past steps over past gradients; needs no learning rate",
        paper: "Zeiler 2012",
        formula: ByDialect {
            torch: "G ← γG + (1−γ)g²; Δ = √(H+ε)/√(G+ε) · g; W ← W − ηΔ; H ← γH + (1−γ)Δ²",
            keras: "G ← γG + (1−γ)g²; Δ = √(H+ε)/√(G+ε) · g; W ← W − ηΔ; H ← γH + (1−γ)Δ²",
            optax: "G ← γG + (1−γ)g²; Δ = √(H+ε)/√(G+ε) · g; W ← W − ηΔ; H ← γH + (1−γ)Δ²",
            textbook: "G ← γG + (1−γ)g²; Δ = √(H+ε)/√(G+ε) · g; W ← W − Δ; H ← γH + (1−γ)Δ²",
        },
        learning_rate: ByDialect { torch: 1.0, keras: 1e-3, optax: 1.0, textbook: 1.0 },
        calls: ByDialect {
            torch: Some("torch.optim.Adadelta(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Adadelta({lr})"),
            optax: Some("optax.adadelta({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "rho", symbol: "γ", range: Range::DECAY, field: |rule| &mut rule.rho },
        Hyper { name: "epsilon", symbol: "ε", range: Range::POSITIVE, field: |rule| &mut rule.epsilon },
    ];
    fn preset(dialect: Dialect) -> Self {
        let (rho, epsilon) = match dialect {
            Dialect::Torch | Dialect::Optax => (0.9, 1e-6),
            Dialect::Keras => (0.95, 1e-7),
            Dialect::Textbook => (0.95, 1e-6),
        };
        Self { rho, epsilon }
    }
}

impl Rule for Adadelta {
    const STATES: &'static [&'static str] = &["square_average", "step_square_average"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("square_avg", "square_average"),
        TorchState::slot("acc_delta", "step_square_average"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        Coefficients {
            rate: T::from_f64(learning_rate),
            rho: T::from_f64(self.rho),
            rest: T::from_f64(1.0 - self.rho),
            epsilon: under_root(self.epsilon),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [squares, steps]: &mut [T; 2]) -> T {
        *squares = c.rho * *squares + c.rest * g * g;
        let delta = (*steps + c.epsilon).sqrt() / (*squares + c.epsilon).sqrt() * g;
        *steps = c.rho * *steps + c.rest * delta * delta;
        w - c.rate * delta
    }
}
