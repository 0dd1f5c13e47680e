//! Cosine decay with warm restarts.

use super::anneal::{Anneal, progress};
use super::length::Length;
use super::shape::{Field, Info, Shape};
use crate::hyper::Range;

/// Cosine decay to f over n steps, then again from the top over n·k steps, then over n·k², …
///
/// `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` computes the same (n is its `T_0`, k its `T_mult`, f its
/// `eta_min` over the rate). The default makes five equal cycles.
///
/// Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017).
#[derive(Debug, Clone, PartialEq)]
pub struct WarmRestarts {
    /// n: the first cycle.
    pub steps: Length,
    /// k: how much longer each cycle is than the one before.
    pub multiplier: u64,
    /// f (`final` in settings): the factor that each cycle falls towards.
    pub last: f64,
}

impl Default for WarmRestarts {
    fn default() -> Self {
        Self { steps: Length::Percent(20.0), multiplier: 1, last: 0.0 }
    }
}

pub(super) static INFO: Info = Info {
    name: "warm-restarts",
    title: "Cosine with warm restarts",
    summary: "falls to f along half a cosine over n, n·k, n·k², … steps, each time from the top",
    formula: "f + (1−f)·(1+cos(πu/c))/2 at step u of a cycle of c = n·kⁱ",
    source: "Loshchilov and Hutter 2017",
};

impl Shape for WarmRestarts {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::period("steps", "n", &mut self.steps),
            Field::whole("multiplier", "k", 1, 1000, &mut self.multiplier),
            Field::number("final", "f", Range::NON_NEGATIVE, &mut self.last),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let (within, cycle) = place(step, self.steps.steps(), self.multiplier);
        Anneal::Cosine.between(1.0, self.last, progress(within, cycle))
    }
}

/// The step within its cycle, and the cycle's length: in whole numbers, for a logarithm would miss the borders.
fn place(step: u64, first: u64, multiplier: u64) -> (u64, u64) {
    if multiplier == 1 {
        return (step % first, first);
    }
    let (mut within, mut cycle) = (step, first);
    // Cycles at least double: no more than 64 of them fit.
    while within >= cycle {
        within -= cycle;
        let Some(next) = cycle.checked_mul(multiplier) else { return (within, u64::MAX) };
        cycle = next;
    }
    (within, cycle)
}
