//! Shuffled k-fold with each class dealt evenly.

use thalweg_data::{Rows, Split};

use super::deal::{by, check_counts, check_repeats_differ, deal, share, shuffled, splits};
use super::{Policy, SplitError, Splitter, SplitterRow};

pub(super) const ROW: SplitterRow = SplitterRow {
    policy: Policy::Stratified,
    name: "stratified",
    summary: "k-fold with each class dealt evenly over the folds",
    chosen_for: "classes as target, no groups, no time",
    needs: |rows| classes(rows).map(|_| ()),
    build: |spec| Ok(Box::new(StratifiedKFold { folds: spec.folds, repeats: spec.repeats })),
};

/// Stratified k-fold: over the folds, the counts of each class differ by at most one, and so do the fold sizes (the
/// allocation of scikit-learn's `StratifiedKFold`).
///
/// How: rows are shuffled, sorted by class (keeping the shuffle within a class), and dealt like cards. A class with
/// fewer rows than folds is refused, where scikit-learn warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StratifiedKFold {
    /// The number of folds, at least 2.
    pub folds: usize,
    /// How often the shuffle is drawn anew, at least 1.
    pub repeats: usize,
}

impl Splitter for StratifiedKFold {
    fn name(&self) -> &'static str {
        ROW.name
    }

    fn split(&self, rows: &Rows<'_>, seed: u64) -> Result<Vec<Split>, SplitError> {
        let classes = classes(rows)?;
        check_counts(rows.len, self.folds, self.repeats)?;
        for (class, members) in count(classes) {
            if members < self.folds {
                return Err(SplitError::SmallClass { class, members, folds: self.folds });
            }
        }
        check_repeats_differ(rows.len, self.folds, self.repeats)?;
        let fold_of = |repeat| deal(&by_class(classes, seed, "stratified", repeat), self.folds);
        Ok((0..self.repeats as u64).flat_map(|repeat| splits(&fold_of(repeat), self.folds)).collect())
    }

    /// Each class gives its share by largest remainders, but always keeps one row to fit on: a class with a single row
    /// stays in training.
    fn holdout(&self, rows: &Rows<'_>, fraction: f64, seed: u64) -> Result<Split, SplitError> {
        let classes = classes(rows)?;
        let total = share(rows.len, fraction)?;
        let quotas = quotas(&count(classes), total, fraction);
        if quotas.iter().sum::<usize>() == 0 {
            let reason = "no class has more than one row, and each keeps one to fit on";
            return Err(SplitError::NoHoldout { rows: rows.len, reason });
        }
        let mut is_test = vec![false; rows.len];
        let order = by_class(classes, seed, "stratified holdout", 0);
        for (members, quota) in
            order.chunk_by(|&a, &b| classes[a as usize] == classes[b as usize]).zip(quotas)
        {
            for &row in &members[..quota] {
                is_test[row as usize] = true;
            }
        }
        Ok(by(rows.len, |row| is_test[row]))
    }
}

/// The class codes of `rows`.
fn classes<'a>(rows: &'a Rows<'_>) -> Result<&'a [u32], SplitError> {
    let classes = rows.classes.as_deref().ok_or(SplitError::ClassesMissing)?;
    assert_eq!(classes.len(), rows.len, "a class per row");
    Ok(classes)
}

/// The classes that occur, ascending, each with its number of rows.
fn count(classes: &[u32]) -> Vec<(u32, usize)> {
    let mut sorted = classes.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|members| (members[0], members.len())).collect()
}

/// The rows by ascending class, shuffled within each.
fn by_class(classes: &[u32], seed: u64, purpose: &str, index: u64) -> Vec<u32> {
    let mut order = shuffled(classes.len(), seed, purpose, index);
    order.sort_by_key(|&row| classes[row as usize]);
    order
}

/// How many rows each class gives so that they sum to `total` (less, if the one row that each class keeps does not
/// allow it): the whole part of its share first, then one more to the largest remainders (ties: the larger class, then
/// the lower code), round after round.
fn quotas(counts: &[(u32, usize)], total: usize, fraction: f64) -> Vec<usize> {
    let share = |class: usize| counts[class].1 as f64 * fraction;
    let mut quotas: Vec<usize> =
        (0..counts.len()).map(|class| (share(class).floor() as usize).min(counts[class].1 - 1)).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by(|&a, &b| {
        share(b).fract().total_cmp(&share(a).fract()).then(counts[b].1.cmp(&counts[a].1)).then(a.cmp(&b))
    });
    let mut left = total.saturating_sub(quotas.iter().sum());
    while left > 0 {
        let before = left;
        for &class in &by_remainder {
            if left > 0 && quotas[class] + 1 < counts[class].1 {
                quotas[class] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    quotas
}
