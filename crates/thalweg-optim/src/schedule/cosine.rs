//! Cosine decay.

use super::anneal::{Anneal, progress};
use super::length::Length;
use super::shape::{Field, Info, Shape};
use crate::hyper::Range;

/// f + (1 − f)·((1 + cos(πt/n))/2)^p for t < n, then f.
///
/// `torch.optim.lr_scheduler.CosineAnnealingLR` has f as `eta_min` over the rate, and rises again after n steps;
/// `optax.cosine_decay_schedule` stays at f (its `alpha`), as here,
/// and has p as `exponent`.
///
/// Source: Loshchilov and Hutter, *SGDR* (2017), without its restarts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosine {
    /// n.
    pub steps: Length,
    /// f (`final` in settings): the factor at the end.
    pub last: f64,
    /// p.
    pub power: f64,
}

impl Default for Cosine {
    fn default() -> Self {
        Self { steps: Length::ALL, last: 0.0, power: 1.0 }
    }
}

pub(super) static INFO: Info = Info {
    name: "cosine",
    title: "Cosine",
    summary: "falls to f over n steps along half a cosine",
    formula: "f + (1−f)·((1+cos(πt/n))/2)^p, f from t = n on",
    source: "Loshchilov and Hutter 2017",
};

impl Shape for Cosine {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::length("steps", "n", &mut self.steps),
            Field::number("final", "f", Range::NON_NEGATIVE, &mut self.last),
            Field::number("power", "p", Range::NON_NEGATIVE, &mut self.power),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let steps = self.steps.steps();
        if step >= steps {
            return self.last;
        }
        let fall = Anneal::Cosine.between(1.0, 0.0, progress(step, steps));
        self.last + (1.0 - self.last) * fall.powf(self.power)
    }
}
