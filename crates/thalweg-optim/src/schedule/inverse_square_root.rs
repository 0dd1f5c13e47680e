//! Inverse square root decay with warm-up.

use super::length::Length;
use super::shape::{Field, Info, Shape};

/// min((t+1)/w, √(w/(t+1))): up to 1 at step w − 1, then down with the root of the steps, without an end.
///
/// Vaswani et al. write d^(−½)·min(s^(−½), s·w^(−3/2)) for step s = t + 1: the same, with the peak d^(−½)·w^(−½) as the
/// learning rate. A warm-up of 0 steps counts as one of 1.
///
/// Source: Vaswani et al., *Attention is all you need* (2017).
#[derive(Debug, Clone, PartialEq)]
pub struct InverseSquareRoot {
    /// w.
    pub warm_up: Length,
}

impl Default for InverseSquareRoot {
    /// The paper's 4,000 of 100,000 steps.
    fn default() -> Self {
        Self { warm_up: Length::Percent(4.0) }
    }
}

pub(super) static INFO: Info = Info {
    name: "inverse-square-root",
    title: "Inverse square root",
    summary: "rises over w steps, then falls with the root of the steps",
    formula: "min((t+1)/w, √(w/(t+1)))",
    source: "Vaswani et al. 2017",
};

impl Shape for InverseSquareRoot {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::length("warm-up", "w", &mut self.warm_up)]
    }

    fn factor(&self, step: u64) -> f64 {
        let (warm_up, count) = (self.warm_up.steps().max(1) as f64, step as f64 + 1.0);
        (count / warm_up).min((warm_up / count).sqrt())
    }
}
