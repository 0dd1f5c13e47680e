//! RMSprop.

use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// G ← γG + (1−γ)g²; W ← W − η/√(G+ε) · g.
///
/// The `torch` dialect adds ε outside the root, η/(√G + ε), and calls γ `alpha` with default 0.99 (the lecture: 0.9).
///
/// Source: Hinton, Srivastava & Swersky, *Neural networks for machine learning*, lecture 6e (2012).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// γ.
    pub alpha: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε is added.
    pub place: Place,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, the average and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    average: Average<T>,
    epsilon: Epsilon<T>,
}

impl Method for RmsProp {
    const INFO: Info = Info {
        name: "rmsprop",
        title: "RMSprop",
        summary: "divides each step by the root of a moving average of squared gradients",
        paper: "Hinton 2012, lecture 6e",
        formula: ByDialect {
            torch: "G ← γG + (1−γ)g²; W ← W − η/(√G + ε) · g",
            keras: "G ← γG + (1−γ)g²; W ← W − η/√(G+ε) · g",
            optax: "G ← γG + (1−γ)g²; W ← W − η/√(G+ε) · g",
            textbook: "G ← γG + (1−γ)g²; W ← W − η/√(G+ε) · g",
        },
        learning_rate: ByDialect { torch: 1e-2, keras: 1e-3, optax: 1e-3, textbook: 1e-3 },
        calls: ByDialect {
            torch: Some("torch.optim.RMSprop(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.RMSprop({lr})"),
            optax: Some("optax.rmsprop({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "alpha", symbol: "γ", range: Range::DECAY, field: |rule| &mut rule.alpha },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];
    fn preset(dialect: Dialect) -> Self {
        let (alpha, epsilon, place) = match dialect {
            Dialect::Torch => (0.99, 1e-8, Place::Outside),
            Dialect::Keras => (0.9, 1e-7, Place::Inside),
            Dialect::Optax | Dialect::Textbook => (0.9, 1e-8, Place::Inside),
        };
        Self { alpha, epsilon, place }
    }
}

impl Rule for RmsProp {
    const STATES: &'static [&'static str] = &["square_average"];
    const TORCH_STATES: Option<&'static [TorchState]> =
        Some(&[TorchState::STEPS, TorchState::slot("square_avg", "square_average")]);

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::ZERO]
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        Coefficients {
            rate: T::from_f64(learning_rate),
            average: Average::new(self.alpha),
            epsilon: Epsilon::new(self.epsilon, self.place),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [squares]: &mut [T; 1]) -> T {
        c.average.take_in_square(squares, g);
        w - c.rate * g / c.epsilon.root(*squares)
    }
}
