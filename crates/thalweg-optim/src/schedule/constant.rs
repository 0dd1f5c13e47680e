//! A constant learning rate.

use super::shape::{Field, Info, Shape};
use crate::hyper::Range;

/// c, always. With c = 1 (the default) it is no schedule at all; another c is of use in a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// c.
    pub factor: f64,
}

impl Default for Constant {
    fn default() -> Self {
        Self { factor: 1.0 }
    }
}

pub(super) static INFO: Info = Info {
    name: "constant",
    title: "Constant",
    summary: "the same rate in every step",
    formula: "c",
    source: "as PyTorch's ConstantLR",
};

impl Shape for Constant {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::number("factor", "c", Range::NON_NEGATIVE, &mut self.factor)]
    }

    fn factor(&self, _step: u64) -> f64 {
        self.factor
    }
}
