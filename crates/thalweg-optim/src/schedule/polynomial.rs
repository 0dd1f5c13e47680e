//! Polynomial decay; linear decay with power 1.

use super::anneal::progress;
use super::length::Length;
use super::shape::{Field, Info, Shape};
use crate::hyper::Range;

/// f + (1 − f)·(1 − t/n)^p for t < n, then f.
///
/// `torch.optim.lr_scheduler.PolynomialLR` is f = 0; `optax.polynomial_schedule` has f as `end_value` over
/// `init_value`. With p = 1 (the default) it is linear decay.
///
/// Source: Chen et al., *DeepLab* (2017), with p = 0.9.
#[derive(Debug, Clone, PartialEq)]
pub struct Polynomial {
    /// n.
    pub steps: Length,
    /// p.
    pub power: f64,
    /// f (`final` in settings): the factor at the end.
    pub last: f64,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self { steps: Length::ALL, power: 1.0, last: 0.0 }
    }
}

pub(super) static INFO: Info = Info {
    name: "polynomial",
    title: "Polynomial",
    summary: "falls to f over n steps; a straight line with power 1",
    formula: "f + (1−f)·(1−t/n)^p, f from t = n on",
    source: "Chen et al. 2017",
};

impl Shape for Polynomial {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::length("steps", "n", &mut self.steps),
            Field::number("power", "p", Range::NON_NEGATIVE, &mut self.power),
            Field::number("final", "f", Range::NON_NEGATIVE, &mut self.last),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let steps = self.steps.steps();
        if step >= steps {
            return self.last;
        }
        self.last + (1.0 - self.last) * (1.0 - progress(step, steps)).powf(self.power)
    }
}
