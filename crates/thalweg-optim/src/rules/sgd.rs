//! Stochastic gradient descent.

use crate::hyper::{ByDialect, Dialect, Hyper};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// W ← W − ηg.
///
/// Full-batch, mini-batch and single-sample descent are this method with batch size n, B and 1. All dialects agree.
///
/// Source: Robbins & Monro, *A stochastic approximation method* (1951).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sgd;

impl Method for Sgd {
    const INFO: Info = Info {
        name: "sgd",
        title: "SGD",
        summary: "a step against the gradient",
        paper: "Robbins & Monro 1951",
        formula: ByDialect::same("W ← W − ηg"),
        learning_rate: ByDialect { torch: 1e-3, keras: 1e-2, optax: 1e-2, textbook: 1e-2 },
        calls: ByDialect {
            torch: Some("torch.optim.SGD(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.SGD({lr})"),
            optax: Some("optax.sgd({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[];
    fn preset(_dialect: Dialect) -> Self {
        Self
    }
}

impl Rule for Sgd {
    const STATES: &'static [&'static str] = &[];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[]);

    type State<T: Real> = [T; 0];
    type Coefficients<T: Real> = T;

    fn initial<T: Real>(&self) -> [T; 0] {
        []
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> T {
        T::from_f64(learning_rate)
    }

    #[inline(always)]
    fn update<T: Real>(&rate: &T, w: T, g: T, _state: &mut [T; 0]) -> T {
        w - rate * g
    }
}
