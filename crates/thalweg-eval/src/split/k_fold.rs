//! Shuffled k-fold.

use thalweg_data::{Rows, Split};

use super::deal::{by, check_counts, check_repeats_differ, deal, share, shuffled, splits};
use super::{Policy, SplitError, Splitter, SplitterRow};

pub(super) const ROW: SplitterRow = SplitterRow {
    policy: Policy::KFold,
    name: "k-fold",
    summary: "shuffles the rows and deals them into k folds; each fold is the test part once",
    chosen_for: "a number as target, no groups, no time",
    needs: |_| Ok(()),
    build: |spec| Ok(Box::new(KFold { folds: spec.folds, repeats: spec.repeats })),
};

/// Shuffled k-fold: fold sizes differ by at most one; each row is in one test part per repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KFold {
    /// The number of folds, at least 2.
    pub folds: usize,
    /// How often the shuffle is drawn anew, at least 1.
    pub repeats: usize,
}

impl Splitter for KFold {
    fn name(&self) -> &'static str {
        ROW.name
    }

    fn split(&self, rows: &Rows<'_>, seed: u64) -> Result<Vec<Split>, SplitError> {
        check_counts(rows.len, self.folds, self.repeats)?;
        check_repeats_differ(rows.len, self.folds, self.repeats)?;
        let fold_of = |repeat| deal(&shuffled(rows.len, seed, "k-fold", repeat), self.folds);
        Ok((0..self.repeats as u64).flat_map(|repeat| splits(&fold_of(repeat), self.folds)).collect())
    }

    fn holdout(&self, rows: &Rows<'_>, fraction: f64, seed: u64) -> Result<Split, SplitError> {
        let count = share(rows.len, fraction)?;
        let mut is_test = vec![false; rows.len];
        for &row in &shuffled(rows.len, seed, "k-fold holdout", 0)[..count] {
            is_test[row as usize] = true;
        }
        Ok(by(rows.len, |row| is_test[row]))
    }
}
