//! Exponential decay.

use super::FRACTION;
use super::length::Length;
use super::shape::{Field, Info, Shape};

/// max(γ^(t/n), m): the rate falls by γ over any n steps, down to the factor m.
///
/// `torch.optim.lr_scheduler.ExponentialLR` is n = 1 step; `optax.exponential_decay` has n as `transition_steps`
/// and m as `end_value` over the rate. The
/// default falls to a hundredth by the end of the training.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    /// n.
    pub steps: Length,
    /// γ.
    pub gamma: f64,
    /// m.
    pub minimum: f64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { steps: Length::ALL, gamma: 0.01, minimum: 0.0 }
    }
}

pub(super) static INFO: Info = Info {
    name: "exponential",
    title: "Exponential",
    summary: "falls by the factor γ over any n steps, down to m",
    formula: "max(γ^(t/n), m)",
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
            Field::number("minimum", "m", FRACTION, &mut self.minimum),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        self.gamma.powf(step as f64 / self.steps.steps() as f64).max(self.minimum)
    }
}
