//! RandAugment.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::Affine;
use super::contrast::stretch;
use crate::nn::Shape;

/// Does n operations to each image, each drawn evenly from the list, all at the magnitude m (Cubuk et al. 2020).
///
/// The list holds what makes sense for pixels that are any numbers, with the reach that torchvision's `RandAugment` has at
/// m = 30, in either direction: nothing; rotation by 30°; slants by 0.3 sideways and upwards; shifts by 0.45 of the side
/// down and to the right; brightness by 0.9 of the training pixels' deviation; contrast by 0.9; sharpness by 0.9 (away from the
/// image's 3×3 mean, or towards it). Left out are those that need a range of 256 values (posterize, solarize,
/// equalize, auto-contrast) or three channels (colour).
pub(crate) struct RandAugment;

impl Technique for RandAugment {
    fn info(&self) -> &Info {
        const MAGNITUDE: Range = Range::between(0.0, 30.0);
        const COUNT: Range = Range::between(1.0, 10.0).whole();
        &Info {
            name: "randaugment",
            family: Family::Augmentation,
            summary: "does some of nine operations to each image, all of one magnitude",
            formula: "n operations of the list, each at m/30 of its reach",
            source: "Cubuk et al. 2020",
            settings: &[
                Setting { key: "magnitude", symbol: "m", range: MAGNITUDE, default: 9.0 },
                Setting { key: "count", symbol: "n", range: COUNT, default: 2.0 },
            ],
            strengths: &[3.0, 9.0, 15.0],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (_, deviation) = scene.finds.pixels(scene);
        Some(Box::new(Operations {
            part: values[0] / 30.0,
            count: values[1] as usize,
            deviation,
            image: vec![0.0; scene.train.shape.len()],
        }))
    }
}

/// What can be done to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Nothing,
    Rotate,
    SlantSideways,
    SlantUpwards,
    ShiftDown,
    ShiftRight,
    Brightness,
    Contrast,
    Sharpness,
}

const OPERATIONS: [Operation; 9] = [
    Operation::Nothing,
    Operation::Rotate,
    Operation::SlantSideways,
    Operation::SlantUpwards,
    Operation::ShiftDown,
    Operation::ShiftRight,
    Operation::Brightness,
    Operation::Contrast,
    Operation::Sharpness,
];

#[derive(Debug)]
struct Operations {
    /// m/30.
    part: f64,
    count: usize,
    deviation: f32,
    image: Vec<f32>,
}

impl Alter for Operations {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let shape = batch.train.shape;
        for (row, x) in batch.x.chunks_exact_mut(shape.len()).enumerate() {
            let mut draws = Draws::new(Draws::key(key, row as u64));
            for _ in 0..self.count {
                let operation = OPERATIONS[draws.below(OPERATIONS.len())];
                let way = if draws.chance(0.5) { self.part } else { -self.part };
                operation.run(x, shape, way, self.deviation, &mut self.image);
            }
        }
    }
}

impl Operation {
    /// Does it by `way`, from −1 to 1 of its reach; `before` is memory for an image.
    fn run(self, x: &mut [f32], shape: Shape, way: f64, deviation: f32, before: &mut [f32]) {
        let Shape::Image { height, width, .. } = shape else { return };
        let mut warp = |affine: Affine, x: &mut [f32]| {
            before.copy_from_slice(x);
            affine.apply(before, x, height, width);
        };
        match self {
            Self::Nothing => {}
            Self::Rotate => warp(Affine::rotation(30.0 * way), x),
            Self::SlantSideways => warp(Affine::shear(0.0, 0.3 * way), x),
            Self::SlantUpwards => warp(Affine::shear(0.3 * way, 0.0), x),
            Self::ShiftDown => warp(Affine::shift(0.45 * way * height as f64, 0.0), x),
            Self::ShiftRight => warp(Affine::shift(0.0, 0.45 * way * width as f64), x),
            Self::Brightness => {
                let light = 0.9 * way as f32 * deviation;
                x.iter_mut().for_each(|x| *x += light);
            }
            Self::Contrast => stretch(x, 1.0 + 0.9 * way as f32),
            Self::Sharpness => {
                before.copy_from_slice(x);
                sharpen(before, x, shape, 0.9 * way as f32);
            }
        }
    }
}

/// x ← x + amount·(x − the mean of the 3×3 pixels about x, of those within the image).
fn sharpen(image: &[f32], out: &mut [f32], shape: Shape, amount: f32) {
    let Shape::Image { height, width, channels } = shape else { return };
    for (place, out) in out.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (place / width, place % width);
        let (rows, columns) =
            (y.saturating_sub(1)..(y + 2).min(height), x.saturating_sub(1)..(x + 2).min(width));
        let count = (rows.len() * columns.len()) as f32;
        for (channel, out) in out.iter_mut().enumerate() {
            let at = |y: usize, x: usize| image[(y * width + x) * channels + channel];
            let sum: f32 =
                rows.clone().flat_map(|y| columns.clone().map(move |x| (y, x))).map(|(y, x)| at(y, x)).sum();
            *out += amount * (at(y, x) - sum / count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(operation: Operation, way: f64) -> Vec<f32> {
        let mut image: Vec<f32> = (0..16).map(|i| ((i * 7) % 5) as f32).collect();
        operation.run(&mut image, Shape::image(4, 4, 1), way, 2.0, &mut [0.0; 16]);
        image
    }

    #[test]
    fn each_operation_but_the_first_changes_an_image_and_none_does_at_magnitude_0() {
        let image = done(Operation::Nothing, 1.0);
        for operation in OPERATIONS {
            assert_eq!(done(operation, 0.0), image, "{operation:?}");
            for way in [-1.0, 1.0] {
                assert_eq!(done(operation, way) == image, operation == Operation::Nothing, "{operation:?}");
            }
        }
        assert_eq!(done(Operation::Brightness, 0.5)[0], image[0] + 0.9);
    }

    #[test]
    fn sharpening_leaves_an_even_image_as_it_is() {
        let image = [3.0; 12];
        let mut out = image;
        sharpen(&image, &mut out, Shape::image(3, 2, 2), 0.9);
        assert_eq!(out, image);
        // One bright pixel of four: 1 + ½·(1 − ¼).
        let mut out = [1.0, 0.0, 0.0, 0.0];
        sharpen(&[1.0, 0.0, 0.0, 0.0], &mut out, Shape::image(2, 2, 1), 0.5);
        assert_eq!(out, [1.375, -0.125, -0.125, -0.125]);
    }
}
