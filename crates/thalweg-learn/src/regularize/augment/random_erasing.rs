//! Random erasing.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::cutout::Area;
use crate::nn::Shape;

/// With probability p, fills a rectangle of an image with noise. Its area is a share from [s/10, s) of the image's, its
/// aspect ratio from [0.3, 1/0.3) with an even logarithm, its place any at which it fits (Zhong et al. 2020, with p = 0.5
/// and shares from 0.02 to 0.4). The noise is normal with the mean and deviation of the training pixels; the paper's is
/// uniform over their range. A rectangle that is longer than the image is shortened.
pub(crate) struct RandomErasing;

impl Technique for RandomErasing {
    fn info(&self) -> &Info {
        &Info {
            name: "random-erasing",
            family: Family::Augmentation,
            summary: "fills a random rectangle of some images with noise",
            formula: "with probability p: noise on a share from [s/10, s) of the image",
            source: "Zhong et al. 2020",
            settings: &[
                Setting { key: "chance", symbol: "p", range: Range::SHARE, default: 0.5 },
                Setting { key: "area", symbol: "s", range: Range::INSIDE, default: 0.33 },
            ],
            strengths: &[0.25, 0.5],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (mean, deviation) = scene.finds.pixels(scene);
        Some(Box::new(Erase { chance: values[0], area: values[1], mean, deviation }))
    }
}

#[derive(Debug)]
struct Erase {
    chance: f64,
    area: f64,
    mean: f32,
    deviation: f32,
}

/// The longest side over the shortest.
const ASPECT: f64 = 1.0 / 0.3;

impl Alter for Erase {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let shape = batch.train.shape;
        let Shape::Image { height, width, channels } = shape else { return };
        for (row, x) in batch.x.chunks_exact_mut(shape.len()).enumerate() {
            let mut draws = Draws::new(Draws::key(key, row as u64));
            if !draws.chance(self.chance) {
                continue;
            }
            let pixels = draws.between(self.area / 10.0, self.area) * (height * width) as f64;
            let aspect = libm::pow(ASPECT, draws.between(-1.0, 1.0));
            let side = |length: f64, most: usize| (length.round() as usize).clamp(1, most);
            let (tall, wide) =
                (side((pixels * aspect).sqrt(), height), side((pixels / aspect).sqrt(), width));
            let (top, left) = (draws.below(height - tall + 1), draws.below(width - wide + 1));
            let area = Area { top, left, bottom: top + tall, right: left + wide };
            area.each_row(width, channels, |range| {
                x[range].iter_mut().for_each(|x| *x = self.mean + self.deviation * draws.normal());
            });
        }
    }
}
