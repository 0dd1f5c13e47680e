//! Exponential decay.

use super::FRACTION;
use super::shape::{Field, Info, Shape};
use super::span::Span;

/// γ^(t/n): the rate falls by γ over any n steps, and goes on falling.
///
/// `torch.optim.lr_scheduler.ExponentialLR` is n = 1 step; `optax.exponential_decay` has n as `transition_steps`. The
/// default falls to a hundredth by the end of the training.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    /// n.
    pub steps: Span,
    /// γ.
    pub gamma: f64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { steps: Span::ALL, gamma: 0.01 }
    }
}

pub(super) static INFO: Info = Info {
    name: "exponential",
    title: "Exponential",
    summary: "falls by the factor γ over any n steps",
    formula: "γ^(t/n)",
    source: "as PyTorch's ExponentialLR",
};

impl Shape for Exponential {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::period("steps", "n", &mut self.steps),
            Field::number("gamma", "γ", FRACTION, &mut self.gamma),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        self.gamma.powf(step as f64 / self.steps.steps() as f64)
    }
}
