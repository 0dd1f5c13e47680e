//! Brighter and darker images.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;

/// Adds b·s to every pixel of an image, with b from [−d, d) and s the standard deviation of the training pixels, so that it
/// means the same for pixels from 0 to 1, from 0 to 255, and standardized. Values are not cut off at the ends of their range.
pub(crate) struct Brightness;

impl Technique for Brightness {
    fn info(&self) -> &Info {
        &Info {
            name: "brightness",
            family: Family::Augmentation,
            summary: "makes images brighter or darker by a random amount",
            formula: "x ← x + b·s, b from [−d, d), s the training pixels' deviation",
            source: "Howard 2013",
            settings: &[Setting { key: "reach", symbol: "d", range: Range::NON_NEGATIVE, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.5],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (_, deviation) = scene.finds.pixels(scene);
        Some(Box::new(Brighten { reach: values[0] * f64::from(deviation) }))
    }
}

#[derive(Debug)]
struct Brighten {
    reach: f64,
}

impl Alter for Brighten {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let width = batch.width();
        for (row, x) in batch.x.chunks_exact_mut(width).enumerate() {
            let light = Draws::new(Draws::key(key, row as u64)).between(-self.reach, self.reach) as f32;
            x.iter_mut().for_each(|x| *x += light);
        }
    }
}
