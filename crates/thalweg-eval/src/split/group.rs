//! k-fold over whole groups.

use rand::seq::SliceRandom;
use thalweg_data::{Rows, Split};
use thalweg_optim::random::stream;

use super::deal::{by, check_counts, check_repeats_differ, share, shuffled, splits};
use super::{Policy, SplitError, Splitter, SplitterRow};

pub(super) const ROW: SplitterRow = SplitterRow {
    policy: Policy::Group,
    name: "group",
    summary: "k-fold over whole groups: no group is in both parts",
    chosen_for: "a --group column, no time",
    needs: |rows| group_of_rows(rows).map(|_| ()),
    build: |spec| Ok(Box::new(GroupKFold { folds: spec.folds, repeats: spec.repeats })),
};

/// Group k-fold: whole groups are dealt, each to the fold with the fewest rows so far, large groups first.
///
/// Groups are sorted by size and taken in rounds of `folds`; a round is shuffled, so that repeats differ even where all
/// sizes do. (Strictly largest-first, as in scikit-learn's `GroupKFold`, would give such data the same folds again.)
/// Fold sizes differ by at most the size of the largest group. Classes are not balanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKFold {
    /// The number of folds, at least 2, at most the number of groups.
    pub folds: usize,
    /// How often the shuffle is drawn anew, at least 1.
    pub repeats: usize,
}

impl Splitter for GroupKFold {
    fn name(&self) -> &'static str {
        ROW.name
    }

    fn split(&self, rows: &Rows<'_>, seed: u64) -> Result<Vec<Split>, SplitError> {
        let (group_of, sizes) = number(group_of_rows(rows)?);
        check_counts(rows.len, self.folds, self.repeats)?;
        if self.folds > sizes.len() {
            return Err(SplitError::MoreFoldsThanGroups { folds: self.folds, groups: sizes.len() });
        }
        check_repeats_differ(sizes.len(), self.folds, self.repeats, "group")?;
        let one_repeat = |repeat| {
            let fold_of_group = assign(&sizes, self.folds, seed, repeat);
            let fold_of: Vec<usize> = group_of.iter().map(|&group| fold_of_group[group]).collect();
            splits(&fold_of, self.folds)
        };
        Ok((0..self.repeats as u64).flat_map(one_repeat).collect())
    }

    /// Of the shuffled groups, each that brings the rows taken closer to the fraction is taken; if every group is at
    /// least twice too large, the smallest is.
    fn holdout(&self, rows: &Rows<'_>, fraction: f64, seed: u64) -> Result<Split, SplitError> {
        let (group_of, sizes) = number(group_of_rows(rows)?);
        let wanted = share(rows.len, fraction)?;
        if sizes.len() < 2 {
            let reason = "they are all of one group, and a group is never divided";
            return Err(SplitError::NoHoldout { rows: rows.len, reason });
        }
        let is_test = draw(&sizes, wanted, seed);
        Ok(by(rows.len, |row| is_test[group_of[row]]))
    }
}

/// The group codes of `rows`.
fn group_of_rows<'a>(rows: &'a Rows<'_>) -> Result<&'a [u32], SplitError> {
    let groups = rows.groups.as_deref().ok_or(SplitError::GroupsMissing)?;
    assert_eq!(groups.len(), rows.len, "a group per row");
    Ok(groups)
}

/// Numbers the groups that occur 0, 1, … by ascending code: the number per row, and the rows per number.
fn number(groups: &[u32]) -> (Vec<usize>, Vec<usize>) {
    let mut codes = groups.to_vec();
    codes.sort_unstable();
    codes.dedup();
    let group_of: Vec<usize> =
        groups.iter().map(|code| codes.partition_point(|known| known < code)).collect();
    let mut sizes = vec![0; codes.len()];
    for &group in &group_of {
        sizes[group] += 1;
    }
    (group_of, sizes)
}

/// The fold of each group.
fn assign(sizes: &[usize], folds: usize, seed: u64, repeat: u64) -> Vec<usize> {
    // Two shuffles of one stream: which of equal groups comes first, then the order within a round.
    let mut rng = stream(seed, "group", repeat);
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    order.shuffle(&mut rng);
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group as usize]));
    let mut fold_of = vec![0; sizes.len()];
    let mut rows_in = vec![0; folds];
    for round in order.chunks_mut(folds) {
        round.shuffle(&mut rng);
        for &group in &*round {
            let lightest = (0..folds).min_by_key(|&fold| rows_in[fold]).unwrap_or(0);
            fold_of[group as usize] = lightest;
            rows_in[lightest] += sizes[group as usize];
        }
    }
    fold_of
}

/// Groups of about `wanted` rows: at least one group, and one is always left.
fn draw(sizes: &[usize], wanted: usize, seed: u64) -> Vec<bool> {
    let order = shuffled(sizes.len(), seed, "group holdout", 0);
    let mut taken = vec![false; sizes.len()];
    let (mut rows, mut groups) = (0_usize, 0);
    for &group in &order {
        let size = sizes[group as usize];
        if groups + 1 < sizes.len() && (rows + size).abs_diff(wanted) < rows.abs_diff(wanted) {
            taken[group as usize] = true;
            rows += size;
            groups += 1;
        }
    }
    if groups == 0 {
        // Every group is at least twice as large as what is wanted: take the smallest (ties: the shuffle).
        let smallest = order.iter().min_by_key(|&&group| sizes[group as usize]);
        taken[smallest.map_or(0, |&group| group as usize)] = true;
    }
    taken
}
