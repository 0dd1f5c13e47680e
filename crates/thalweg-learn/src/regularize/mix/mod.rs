//! Rows mixed with rows, and their targets with them.

pub(super) mod cutmix;
pub(super) mod manifold_mixup;
pub(super) mod mixup;
#[cfg(test)]
mod tests;

use std::ops::Range;

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

    /// Mixes the targets of the rows of a part of the batch: a share of each row's own, the rest its partner's.
    fn mix_targets(self, batch: &mut Batch<'_>, part: Range<usize>, old_values: &mut [f32]) {
        let (first, rows, share) = (part.start, part.len(), self.share as f32);
        batch.share[part.clone()].fill(share);
        if !batch.classes.is_empty() {
            for row in 0..rows {
                batch.second[first + row] = batch.classes[first + self.of(row, rows)];
            }
        }
        if !batch.values.is_empty() {
            let values = &mut batch.values[part];
            let old = &mut old_values[..rows];
            old.copy_from_slice(values);
            for (row, value) in values.iter_mut().enumerate() {
                *value = share * *value + (1.0 - share) * old[self.of(row, rows)];
            }
        }
    }
}
