//! Cutout.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use crate::nn::Shape;

/// Sets a square of s pixels to 0 in each image. Its middle is any pixel, each as often, so that a part of the square may
/// lie outside (DeVries & Taylor 2017, with s = 16 at 32×32 for CIFAR-10).
pub(crate) struct Cutout;

impl Technique for Cutout {
    fn info(&self) -> &Info {
        &Info {
            name: "cutout",
            family: Family::Augmentation,
            summary: "blanks a square at a random place of each image",
            formula: "0 within a square of s pixels about a random pixel",
            source: "DeVries & Taylor 2017",
            settings: &[Setting { key: "pixels", symbol: "s", range: Range::COUNT, default: 4.0 }],
            strengths: &[2.0, 4.0, 8.0],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)?;
        super::fits(values[0], "pixels", site)
    }

    fn alter(&self, values: &[f64], _scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        Some(Box::new(Cut { side: values[0] as usize }))
    }
}

#[derive(Debug)]
struct Cut {
    side: usize,
}

impl Alter for Cut {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let shape = batch.train.shape;
        let Shape::Image { height, width, channels } = shape else { return };
        for (row, x) in batch.x.chunks_exact_mut(shape.len()).enumerate() {
            let mut draws = Draws::new(Draws::key(key, row as u64));
            let middle = (draws.below(height), draws.below(width));
            let square = Area::about(middle, (self.side, self.side), (height, width));
            square.each_row(width, channels, |range| x[range].fill(0.0));
        }
    }
}

/// A rectangle of pixels within an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Area {
    pub(in super::super) top: usize,
    pub(in super::super) left: usize,
    pub(in super::super) bottom: usize,
    pub(in super::super) right: usize,
}

impl Area {
    /// The rectangle of these sides about a pixel, as far as it lies within the image. Of an even side, one pixel more lies
    /// before the middle than behind it.
    pub(in super::super) fn about(
        (y, x): (usize, usize),
        (tall, wide): (usize, usize),
        (height, width): (usize, usize),
    ) -> Self {
        let (top, left) = (y.saturating_sub(tall / 2), x.saturating_sub(wide / 2));
        let bottom = (y + tall - tall / 2).min(height);
        let right = (x + wide - wide / 2).min(width);
        Self { top, left, bottom, right }
    }

    /// Pixels in it.
    pub(in super::super) fn len(self) -> usize {
        (self.bottom - self.top) * (self.right - self.left)
    }

    /// The numbers of each of its rows of pixels.
    pub(in super::super) fn each_row(
        self,
        width: usize,
        channels: usize,
        mut visit: impl FnMut(std::ops::Range<usize>),
    ) {
        for y in self.top..self.bottom {
            visit((y * width + self.left) * channels..(y * width + self.right) * channels);
        }
    }
}
