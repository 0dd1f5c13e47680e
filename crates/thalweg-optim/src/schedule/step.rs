//! Steps down at equal distances.

use super::FRACTION;
use super::length::Length;
use super::shape::{Field, Info, Shape};

/// γ^⌊t/n⌋: after every n steps the rate is multiplied by γ.
///
/// `torch.optim.lr_scheduler.StepLR` computes the same with its `step_size` counted in calls. By default the rate drops
/// to a tenth at 30 %, 60 % and 90 % of the training.
///
/// Source: He et al., *Deep residual learning for image recognition* (2016).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// n.
    pub every: Length,
    /// γ.
    pub gamma: f64,
}

impl Default for Step {
    fn default() -> Self {
        Self { every: Length::Percent(30.0), gamma: 0.1 }
    }
}

pub(super) static INFO: Info = Info {
    name: "step",
    title: "Step",
    summary: "multiplies the rate by γ after every n steps",
    formula: "γ^⌊t/n⌋",
    source: "He et al. 2016",
};

impl Shape for Step {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::period("every", "n", &mut self.every),
            Field::number("gamma", "γ", FRACTION, &mut self.gamma),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        self.gamma.powf((step / self.every.steps()) as f64)
    }
}
