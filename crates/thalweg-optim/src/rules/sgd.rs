//! Stochastic gradient descent.

use crate::hyper::{ByDialect, Dialect, Hyper};
use crate::real::Real;
use crate::rule::{Info, Rule};

/// W ← W − ηg.
///
/// Full-batch, mini-batch and single-sample descent are this method with batch size n, B and 1. Both dialects agree.
///
/// Source: Robbins & Monro, *A stochastic approximation method* (1951).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sgd;

impl Rule for Sgd {
    const INFO: Info = Info {
        name: "sgd",
        title: "SGD",
        summary: "a step against the gradient",
        paper: "Robbins & Monro 1951",
        formula: ByDialect { torch: "W ← W − ηg", textbook: "W ← W − ηg" },
        learning_rate: ByDialect { torch: 1e-3, textbook: 1e-2 },
        torch_call: "torch.optim.SGD(model.parameters(), lr={lr})",
    };
    const HYPER: &'static [Hyper<Self>] = &[];
    const STATES: &'static [&'static str] = &[];

    type State<T: Real> = [T; 0];
    type Coefficients<T: Real> = T;

    fn preset(_dialect: Dialect) -> Self {
        Self
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64) -> T {
        T::from_f64(learning_rate)
    }

    #[inline(always)]
    fn update<T: Real>(&rate: &T, w: T, g: T, _state: &mut [T; 0]) -> T {
        w - rate * g
    }
}
