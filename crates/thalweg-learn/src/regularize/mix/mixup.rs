//! Mixup.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::Partners;

/// Trains on λx + (1 − λ)x′ with the targets λy + (1 − λ)y′, where x′ is another row of the batch and λ one number of
/// Beta(α, α) for the step (Zhang et al. 2018, and their code). Classes become mixtures of two, numbers are mixed.
pub(crate) struct Mixup;

impl Technique for Mixup {
    fn info(&self) -> &Info {
        &Info {
            name: "mixup",
            family: Family::Labels,
            summary: "trains on mixtures of two rows and of their targets",
            formula: "x ← λx + (1 − λ)x′, y ← λy + (1 − λ)y′, λ from Beta(α, α)",
            source: "Zhang et al. 2018",
            settings: &[Setting { key: "alpha", symbol: "α", range: Range::POSITIVE, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.4],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_no_codes()?;
        site.want_two_rows("it mixes rows of a step")
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
        let rows = batch.rows.len();
        let Some(partners) = Partners::draw(self.alpha, rows, &mut Draws::new(key)) else { return };
        let (width, share) = (batch.width(), partners.share as f32);
        let old = &mut self.x[..batch.x.len()];
        old.copy_from_slice(batch.x);
        for (row, x) in batch.x.chunks_exact_mut(width).enumerate() {
            let other = &old[partners.of(row, rows) * width..][..width];
            x.iter_mut().zip(other).for_each(|(x, &other)| *x = share * *x + (1.0 - share) * other);
        }
        partners.mix_targets(batch, 0..rows, &mut self.values);
    }

    fn mixes(&self) -> bool {
        true
    }
}
