//! Jitter.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::means_and_deviations;

/// x ← x + σ·sⱼ·n, with n normal and sⱼ the standard deviation of column j of the training rows: every column is disturbed
/// in its own measure, the 0/1 columns of categories, too. With probability p for each row; the others stay.
pub(crate) struct Jitter;

impl Technique for Jitter {
    fn info(&self) -> &Info {
        &Info {
            name: "jitter",
            family: Family::Augmentation,
            summary: "normal noise on each column of a table, in the measure of the column",
            formula: "xⱼ ← xⱼ + σ·std(xⱼ)·n with probability p a row, n from N(0, 1)",
            source: "An 1996",
            settings: &[
                Setting { key: "deviation", symbol: "σ", range: Range::NON_NEGATIVE, default: 0.1 },
                Setting { key: "chance", symbol: "p", range: Range::SHARE, default: 1.0 },
            ],
            strengths: &[0.05, 0.1, 0.3],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_table("for images use input-noise, or one of shift, crop and cutout")
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (_, mut deviations) = means_and_deviations(scene);
        deviations.iter_mut().for_each(|deviation| *deviation *= values[0] as f32);
        Some(Box::new(Jittering { deviations, chance: values[1] }))
    }
}

#[derive(Debug)]
struct Jittering {
    deviations: Vec<f32>,
    chance: f64,
}

impl Alter for Jittering {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        for (row, x) in batch.x.chunks_exact_mut(self.deviations.len()).enumerate() {
            let mut draws = Draws::new(Draws::key(key, row as u64));
            if draws.chance(self.chance) {
                x.iter_mut()
                    .zip(&self.deviations)
                    .for_each(|(x, deviation)| *x += deviation * draws.normal());
            }
        }
    }
}
