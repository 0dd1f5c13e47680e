//! Random crops of the padded image.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use crate::nn::Shape;

/// Pads each image by p pixels on each side, with zeros or with its own mirror image (without the edge twice), and cuts a
/// part of its former size out, each place as often (He et al. 2016 for CIFAR-10, with p = 4 at 32×32).
pub(crate) struct Crop;

impl Technique for Crop {
    fn info(&self) -> &Info {
        const PADDING: Range = Range::COUNT;
        &Info {
            name: "crop",
            family: Family::Augmentation,
            summary: "pads images and cuts their former size out at a random place",
            formula: "whole pixels y, x from {−p, …, p}; outside 0, or reflected if r = 1",
            source: "He et al. 2016",
            settings: &[
                Setting { key: "padding", symbol: "p", range: PADDING, default: 2.0 },
                Setting { key: "reflect", symbol: "r", range: Range::SWITCH, default: 0.0 },
            ],
            strengths: &[1.0, 2.0, 4.0],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)?;
        super::fits(values[0], "padding", site)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (padding, reflect) = (values[0] as usize, values[1] != 0.0);
        Some(Box::new(Cropping { padding, reflect, image: vec![0.0; scene.train.shape.len()] }))
    }
}

#[derive(Debug)]
struct Cropping {
    padding: usize,
    reflect: bool,
    image: Vec<f32>,
}

impl Alter for Cropping {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let (shape, places) = (batch.train.shape, 2 * self.padding + 1);
        for (row, x) in batch.x.chunks_exact_mut(shape.len()).enumerate() {
            let mut draws = Draws::new(Draws::key(key, row as u64));
            let (top, left) = (draws.below(places), draws.below(places));
            if (top, left) != (self.padding, self.padding) {
                self.image.copy_from_slice(x);
                crop(&self.image, x, shape, self.padding, (top, left), self.reflect);
            }
        }
    }
}

/// `out` ← the part of the padded image whose corner lies at `corner`, counted from the padding's.
pub(super) fn crop(
    image: &[f32],
    out: &mut [f32],
    shape: Shape,
    padding: usize,
    corner: (usize, usize),
    reflect: bool,
) {
    let Shape::Image { height, width, channels } = shape else { return };
    for (place, out) in out.chunks_exact_mut(channels).enumerate() {
        let y = source(place / width + corner.0, padding, height, reflect);
        let x = source(place % width + corner.1, padding, width, reflect);
        match (y, x) {
            (Some(y), Some(x)) => out.copy_from_slice(&image[(y * width + x) * channels..][..channels]),
            _ => out.fill(0.0),
        }
    }
}

/// The place in an image's side that one in the padded side shows. The padding is less than the side.
fn source(place: usize, padding: usize, side: usize, reflect: bool) -> Option<usize> {
    let last = side - 1;
    if place < padding {
        return reflect.then_some(padding - place);
    }
    let place = place - padding;
    if place <= last { Some(place) } else { reflect.then_some(2 * last - place) }
}
