//! k-fold over whole groups.

use rand::seq::SliceRandom;
use thalweg_data::{Rows, Split};
use thalweg_optim::random::{Stream, stream};

use super::deal::{by, check_counts, share, shuffled, splits};
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
/// Groups are sorted by size and taken in rounds of `folds`; a round is shuffled. A repeat that would divide the groups
/// like an earlier one is drawn again, in rounds twice as long each time. (Strictly largest-first, as in scikit-learn's
/// `GroupKFold`, gives the same folds again wherever sizes differ.) Fold sizes differ by at most the size of the largest
/// group. Classes are not balanced.
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
        let mut divisions: Vec<Vec<usize>> = Vec::with_capacity(self.repeats);
        for repeat in 0..self.repeats as u64 {
            let mut rng = stream(seed, "group", repeat);
            let fresh = (0..REDRAWS)
                .map(|redraw| assign(&sizes, self.folds, self.folds << redraw, &mut rng))
                .find(|division| !divisions.contains(division));
            divisions.push(fresh.ok_or(SplitError::RepeatsAlike {
                repeats: self.repeats,
                folds: self.folds,
                count: sizes.len(),
                unit: "group",
            })?);
        }
        let of_rows =
            |division: Vec<usize>| -> Vec<usize> { group_of.iter().map(|&group| division[group]).collect() };
        Ok(divisions.into_iter().flat_map(|division| splits(&of_rows(division), self.folds)).collect())
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

/// How often a division is drawn before it is said that there is no other.
const REDRAWS: usize = 24;

/// The fold of each group; folds are numbered by their first group, so equal divisions are equal vectors.
fn assign(sizes: &[usize], folds: usize, round_len: usize, rng: &mut Stream) -> Vec<usize> {
    // The first shuffle decides which of equal groups comes first, the others the order within a round.
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    order.shuffle(rng);
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group as usize]));
    let mut fold_of = vec![0; sizes.len()];
    let mut rows_in = vec![0; folds];
    for round in order.chunks_mut(round_len) {
        round.shuffle(rng);
        for &group in &*round {
            let lightest = (0..folds).min_by_key(|&fold| rows_in[fold]).unwrap_or(0);
            fold_of[group as usize] = lightest;
            rows_in[lightest] += sizes[group as usize];
        }
    }
    let mut number = vec![usize::MAX; folds];
    let mut next = 0;
    for fold in &mut fold_of {
        if number[*fold] == usize::MAX {
            number[*fold] = next;
            next += 1;
        }
        *fold = number[*fold];
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
