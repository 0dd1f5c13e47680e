//! Images of more and less contrast.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;

/// Multiplies the distance of every number of an image from the image's mean by (1 + c)ᵘ, with u from [−1, 1).
pub(crate) struct Contrast;

impl Technique for Contrast {
    fn info(&self) -> &Info {
        &Info {
            name: "contrast",
            family: Family::Augmentation,
            summary: "gives images more or less contrast, by a random factor",
            formula: "x ← m + (x − m)·(1 + c)ᵘ, u from [−1, 1), m the image's mean",
            source: "Howard 2013",
            settings: &[Setting { key: "share", symbol: "c", range: Range::NON_NEGATIVE, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.5],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn alter(&self, values: &[f64], _scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        Some(Box::new(Contrasting { most: 1.0 + values[0] }))
    }
}

#[derive(Debug)]
struct Contrasting {
    most: f64,
}

impl Alter for Contrasting {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let width = batch.width();
        for (row, x) in batch.x.chunks_exact_mut(width).enumerate() {
            let power = Draws::new(Draws::key(key, row as u64)).between(-1.0, 1.0);
            stretch(x, libm::pow(self.most, power) as f32);
        }
    }
}

/// x ← m + (x − m)·factor.
pub(super) fn stretch(image: &mut [f32], factor: f32) {
    let mean = image.iter().sum::<f32>() / image.len() as f32;
    image.iter_mut().for_each(|x| *x = mean + (*x - mean) * factor);
}
