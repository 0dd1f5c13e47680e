//! Steps down at chosen points.

use super::FRACTION;
use super::length::Length;
use super::shape::{Field, Info, Shape, Slot};

/// γ^(number of milestones ≤ t): at each milestone the rate is multiplied by γ.
///
/// `torch.optim.lr_scheduler.MultiStepLR` and `optax.piecewise_constant_schedule` compute the same. The default drops
/// the rate to a tenth at half and at three quarters of the training, as He et al. do on CIFAR-10.
///
/// Source: He et al., *Deep residual learning for image recognition* (2016).
#[derive(Debug, Clone, PartialEq)]
pub struct MultiStep {
    /// When; the order does not matter, and a point that is named twice counts twice.
    pub milestones: Vec<Length>,
    /// γ.
    pub gamma: f64,
}

impl Default for MultiStep {
    fn default() -> Self {
        Self { milestones: vec![Length::Percent(50.0), Length::Percent(75.0)], gamma: 0.1 }
    }
}

pub(super) static INFO: Info = Info {
    name: "multi-step",
    title: "Multi-step",
    summary: "multiplies the rate by γ at each of some milestones m",
    formula: "γ^#{m ≤ t}",
    source: "He et al. 2016",
};

impl Shape for MultiStep {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field { name: "milestones", symbol: "m", slot: Slot::Lengths(&mut self.milestones) },
            Field::number("gamma", "γ", FRACTION, &mut self.gamma),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let passed = self.milestones.iter().filter(|milestone| milestone.steps() <= step).count();
        self.gamma.powf(passed as f64)
    }
}
