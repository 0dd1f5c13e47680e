//! Feature masking.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::{FOR_IMAGES, means_and_deviations};
use crate::kernel::draw::Bits;

/// Sets each number of each row to its column's mean over the training rows (0 in standardized columns) with probability
/// p. Each column is masked by itself: of a category's 0/1 columns, some may be while others are not.
pub(crate) struct FeatureMask;

impl Technique for FeatureMask {
    fn info(&self) -> &Info {
        &Info {
            name: "feature-mask",
            family: Family::Augmentation,
            summary: "replaces some numbers of each row of a table by their column's mean",
            formula: "xⱼ ← mean(xⱼ) with probability p",
            source: "Vincent et al. 2008",
            settings: &[Setting { key: "rate", symbol: "p", range: Range::DECAY, default: 0.1 }],
            strengths: &[0.05, 0.1, 0.3],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_table(FOR_IMAGES)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (means, _) = means_and_deviations(scene);
        Some(Box::new(Masking { means, rate: values[0] }))
    }
}

#[derive(Debug)]
struct Masking {
    means: Vec<f32>,
    rate: f64,
}

impl Alter for Masking {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        for (row, x) in batch.x.chunks_exact_mut(self.means.len()).enumerate() {
            let bits = Bits::new(Draws::key(key, row as u64), self.rate);
            for (column, (x, &mean)) in x.iter_mut().zip(&self.means).enumerate() {
                *x = if bits.drops(column) { mean } else { *x };
            }
        }
    }
}
