//! The rows of a batch, copied together from all training rows.

use super::fit::Samples;
use crate::kernel::rows::gather;
use crate::nn::Targets;

/// What a training does not let in: data have one truth a row, and what is soft is made of a batch.
const NO_SOFT: &str = "samples have codes or numbers, not distributions";

/// The rows of a batch, copied together.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) x: Vec<f32>,
    pub(super) classes: Vec<u32>,
    pub(super) values: Vec<f32>,
}

impl Gathered {
    pub(super) fn new(train: &Samples<'_>, batch: usize) -> Self {
        let mut gathered = Self { x: Vec::with_capacity(batch * train.shape.len()), ..Self::default() };
        match train.targets {
            Targets::Classes(_) => gathered.classes.reserve(batch),
            Targets::Values(_) => gathered.values.reserve(batch),
            Targets::Soft(_) => unreachable!("{NO_SOFT}"),
        }
        gathered
    }

    pub(super) fn fill(&mut self, train: &Samples<'_>, rows: &[u32]) {
        gather(train.x, train.shape.len(), rows, &mut self.x);
        match train.targets {
            Targets::Classes(codes) => {
                self.classes.clear();
                self.classes.extend(rows.iter().map(|&row| codes[row as usize]));
            }
            Targets::Values(values) => {
                self.values.clear();
                self.values.extend(rows.iter().map(|&row| values[row as usize]));
            }
            Targets::Soft(_) => unreachable!("{NO_SOFT}"),
        }
    }

    pub(super) fn samples(&self, train: &Samples<'_>) -> Samples<'_> {
        let targets = match train.targets {
            Targets::Classes(_) => Targets::Classes(&self.classes),
            Targets::Values(_) => Targets::Values(&self.values),
            Targets::Soft(_) => unreachable!("{NO_SOFT}"),
        };
        Samples { shape: train.shape, x: &self.x, targets }
    }
}
