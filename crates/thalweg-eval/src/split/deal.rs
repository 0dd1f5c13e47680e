//! What the shuffling splitters share.

use rand::seq::SliceRandom;
use thalweg_data::Split;
use thalweg_optim::random::stream;

use super::SplitError;

/// `0..len` in the order of the stream `(seed, purpose, index)`.
pub(super) fn shuffled(len: usize, seed: u64, purpose: &str, index: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(&mut stream(seed, purpose, index));
    order
}

/// The most repeats that are allowed: a slip of the hand should not fill the memory.
const MOST_REPEATS: usize = 10_000;

/// Refuses fewer than 2 folds, no repeat or far too many, and more folds than rows.
pub(super) fn check_counts(rows: usize, folds: usize, repeats: usize) -> Result<(), SplitError> {
    if folds < 2 {
        return Err(SplitError::TooFewFolds { folds });
    }
    if repeats == 0 {
        return Err(SplitError::NoRepeats);
    }
    if repeats > MOST_REPEATS {
        return Err(SplitError::TooManyRepeats { repeats, most: MOST_REPEATS });
    }
    if rows < 2 {
        return Err(SplitError::TooFewRows { rows });
    }
    if folds > rows {
        return Err(SplitError::MoreFoldsThanRows { folds, rows });
    }
    Ok(())
}

/// Refuses repeats where every fold is a single row.
pub(super) fn check_repeats_differ(rows: usize, folds: usize, repeats: usize) -> Result<(), SplitError> {
    if repeats > 1 && folds == rows {
        return Err(SplitError::RepeatsAlike { repeats, folds, count: rows, unit: "row" });
    }
    Ok(())
}

/// Deals `order` like cards: its p-th row goes to fold p mod `folds`. Any `folds` neighbours in `order` thus lie in
/// different folds, and fold sizes differ by at most one.
pub(super) fn deal(order: &[u32], folds: usize) -> Vec<usize> {
    let mut fold_of = vec![0; order.len()];
    for (place, &row) in order.iter().enumerate() {
        fold_of[row as usize] = place % folds;
    }
    fold_of
}

/// One split per fold: its rows are the test part, all others the training part.
pub(super) fn splits(fold_of: &[usize], folds: usize) -> Vec<Split> {
    (0..folds).map(|fold| by(fold_of.len(), |row| fold_of[row] == fold)).collect()
}

/// The split whose test part holds the rows for which `is_test` says so.
pub(super) fn by(len: usize, is_test: impl Fn(usize) -> bool) -> Split {
    let (test, train): (Vec<u32>, Vec<u32>) = (0..len as u32).partition(|&row| is_test(row as usize));
    Split::new(len, train, test)
}

/// How many of `len` things (rows, groups) make about `fraction`: rounded, at least one, and one is always left.
pub(super) fn share(len: usize, fraction: f64) -> Result<usize, SplitError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(SplitError::FractionOutOfRange { fraction });
    }
    if len < 2 {
        return Err(SplitError::NoHoldout { rows: len, reason: "there must be at least 2" });
    }
    Ok(((len as f64 * fraction).round() as usize).clamp(1, len - 1))
}
