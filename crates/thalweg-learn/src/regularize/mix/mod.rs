//! Rows mixed with rows, and their targets with them.

pub(super) mod cutmix;
pub(super) mod mixup;

use super::draws::Draws;
use super::plan::Batch;

/// What is mixed in a step: one share for all rows, each with the row that lies some places further on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Partners {
    /// λ, of the row itself.
    share: f64,
    /// From 1 to the number of rows − 1. Batches are shuffled, so the place says nothing.
    shift: usize,
}

impl Partners {
    /// λ from Beta(α, α); nothing to mix in a batch of one row.
    fn draw(alpha: f64, rows: usize, draws: &mut Draws) -> Option<Self> {
        let share = draws.beta(alpha);
        (rows >= 2).then(|| Self { share, shift: 1 + draws.below(rows - 1) })
    }

    /// The place of a row's partner.
    fn of(self, row: usize, rows: usize) -> usize {
        (row + self.shift) % rows
    }

    /// Mixes the targets: a share of each row's own, the rest its partner's.
    fn mix_targets(self, batch: &mut Batch<'_>, old_values: &mut [f32]) {
        let rows = batch.rows.len();
        let share = self.share as f32;
        batch.share.fill(share);
        for (row, second) in batch.second.iter_mut().enumerate() {
            *second = batch.classes[self.of(row, rows)];
        }
        let old = &mut old_values[..batch.values.len()];
        old.copy_from_slice(batch.values);
        for (row, value) in batch.values.iter_mut().enumerate() {
            *value = share * *value + (1.0 - share) * old[self.of(row, rows)];
        }
    }
}
