//! A linear warm-up times any schedule.

use super::anneal::{Anneal, progress};
use super::length::Length;
use super::shape::{Field, Info, Shape, Slot};
use super::{FRACTION, Schedule};

/// (s + (1 − s)·t/n for t < n, then 1) × the schedule `times`, which counts its steps from the same start.
///
/// With `times` constant it is `torch.optim.lr_scheduler.LinearLR` (whose default s is 1/3) or `optax.linear_schedule`;
/// the product is torch's `ChainedScheduler`. For a schedule that begins only when the warm-up is over, make a
/// [`Sequence`](super::Sequence) of the two. With s = 0 (the default) the first step has the rate 0.
///
/// Source: Goyal et al., *Accurate, large minibatch SGD* (2017).
#[derive(Debug, Clone, PartialEq)]
pub struct WarmUp {
    /// n.
    pub steps: Length,
    /// s: the first factor.
    pub start: f64,
    /// What is warmed up.
    pub times: Box<Schedule>,
}

impl Default for WarmUp {
    fn default() -> Self {
        Self { steps: Length::Percent(5.0), start: 0.0, times: Box::default() }
    }
}

pub(super) static INFO: Info = Info {
    name: "warm-up",
    title: "Linear warm-up",
    summary: "rises from s to 1 over n steps, times another schedule r",
    formula: "min(1, s + (1−s)·t/n) · r(t)",
    source: "Goyal et al. 2017",
};

impl Shape for WarmUp {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::length("steps", "n", &mut self.steps),
            Field::number("start", "s", FRACTION, &mut self.start),
            Field { name: "times", symbol: "r", slot: Slot::Schedule(&mut self.times) },
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let rise = Anneal::Linear.between(self.start, 1.0, progress(step, self.steps.steps()));
        rise * self.times.shape().factor(step)
    }
}
