//! CutMix.

use thalweg_optim::Range;

use super::super::augment::cutout::Area;
use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::Partners;
use crate::nn::Shape;

/// Puts a box from another image of the batch into each image, and mixes the targets by the box's area (Yun et al. 2019):
/// λ₀ from Beta(α, α) makes the sides √(1 − λ₀) of the image's, the middle is any pixel, the box is clipped at the edges, and
/// the targets' λ is 1 − (area of the *clipped* box)/(area of the image). One box a step, as their code has it.
pub(crate) struct CutMix;

impl Technique for CutMix {
    fn info(&self) -> &Info {
        &Info {
            name: "cutmix",
            family: Family::Labels,
            summary: "puts a box of another image into each, and mixes the targets by its area",
            formula: "y ← λy + (1 − λ)y′, λ = 1 − box/image; sides √(1 − λ₀), λ₀ from Beta(α, α)",
            source: "Yun et al. 2019",
            settings: &[Setting { key: "alpha", symbol: "α", range: Range::POSITIVE, default: 1.0 }],
            strengths: &[0.2, 1.0],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images("use mixup")?;
        site.want_two_rows("it mixes images of a step")
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let width = scene.train.shape.len();
        let (x, old) = (vec![0.0; scene.batch * width], vec![0.0; scene.batch]);
        Some(Box::new(Mixing { alpha: values[0], x, values: old }))
    }
}

#[derive(Debug)]
struct Mixing {
    alpha: f64,
    x: Vec<f32>,
    values: Vec<f32>,
}

impl Alter for Mixing {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let (rows, len) = (batch.rows.len(), batch.width());
        let Shape::Image { height, width, channels } = batch.train.shape else { return };
        let mut draws = Draws::new(key);
        let Some(partners) = Partners::draw(self.alpha, rows, &mut draws) else { return };
        let cut = (1.0 - partners.share).sqrt();
        let side = |pixels: usize| (cut * pixels as f64) as usize;
        let middle = (draws.below(height), draws.below(width));
        let area = Area::about(middle, (side(height), side(width)), (height, width));
        let old = &mut self.x[..batch.x.len()];
        old.copy_from_slice(batch.x);
        for (row, x) in batch.x.chunks_exact_mut(len).enumerate() {
            let other = &old[partners.of(row, rows) * len..][..len];
            area.each_row(width, channels, |range| x[range.clone()].copy_from_slice(&other[range]));
        }
        let share = 1.0 - area.len() as f64 / (height * width) as f64;
        Partners { share, ..partners }.mix_targets(batch, 0..rows, &mut self.values);
    }

    fn mixes(&self) -> bool {
        true
    }
}
