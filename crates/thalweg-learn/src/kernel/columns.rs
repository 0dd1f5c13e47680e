//! Sums over the columns of a matrix with a row per sample or position.

use thalweg_optim::Real;
use thalweg_optim::kernel::{Isa, Kernel};

/// Columns that are worked on at once: with a fixed number of them, a row's part is a register or two.
pub(crate) const BLOCK: usize = 16;

/// Rows that are added up before they are added to the sums: chains of additions stay short, in time and in rounding.
const AT_ONCE: usize = 8;

/// Work over the columns of a matrix that is written for `B` of them.
pub(crate) trait ByColumns {
    /// Does it for the columns from `first` on.
    fn block<const B: usize>(&mut self, first: usize);

    /// Does it for all `n` columns.
    #[inline(always)]
    fn all(&mut self, n: usize) {
        let whole = n - n % BLOCK;
        for first in (0..whole).step_by(BLOCK) {
            self.block::<BLOCK>(first);
        }
        for first in whole..n {
            self.block::<1>(first);
        }
    }
}

/// The `B` numbers of a row from column `first` on.
#[inline(always)]
pub(crate) fn part<T: Copy, const B: usize>(row: &[T], first: usize) -> [T; B] {
    row[first..first + B].try_into().expect("a slice of B numbers")
}

/// The same numbers, to be written.
#[inline(always)]
pub(crate) fn part_mut<T, const B: usize>(row: &mut [T], first: usize) -> &mut [T; B] {
    (&mut row[first..first + B]).try_into().expect("a slice of B numbers")
}

/// What `K` sums are made of. A closure will do if it is short; a long one would stay a function of its own, compiled for
/// no CPU level.
pub(crate) trait Terms<T, const B: usize, const K: usize> {
    /// The `row`-th terms.
    fn of(&self, row: usize) -> [[T; B]; K];
}

impl<T, const B: usize, const K: usize, F: Fn(usize) -> [[T; B]; K]> Terms<T, B, K> for F {
    #[inline(always)]
    fn of(&self, row: usize) -> [[T; B]; K] {
        self(row)
    }
}

/// `K` sums over `rows` rows of `B` numbers each, in one pass.
#[inline(always)]
pub(crate) fn sum_rows<T: Real, const B: usize, const K: usize>(
    rows: usize,
    terms: impl Terms<T, B, K>,
) -> [[T; B]; K] {
    let mut sums = [[T::ZERO; B]; K];
    let add = |sums: &mut [[T; B]; K], terms: [[T; B]; K]| {
        for k in 0..K {
            for j in 0..B {
                sums[k][j] += terms[k][j];
            }
        }
    };
    // The rest is added one by one.
    for first in (0..rows).step_by(AT_ONCE) {
        let last = (first + AT_ONCE).min(rows);
        let whole = last - first == AT_ONCE;
        let mut eight = if whole { [[T::ZERO; B]; K] } else { sums };
        for row in first..last {
            add(&mut eight, terms.of(row));
        }
        if whole {
            add(&mut sums, eight);
        } else {
            sums = eight;
        }
    }
    sums
}

/// `sums[j]` ← Σᵣ `term(r, j)`, for terms that are not written by blocks of columns; the sums of [`sum_rows`].
#[inline(always)]
pub(crate) fn sum_columns<T: Real>(rows: usize, sums: &mut [T], term: impl Fn(usize, usize) -> T) {
    sums.fill(T::ZERO);
    let whole = rows - rows % AT_ONCE;
    for first in (0..whole).step_by(AT_ONCE) {
        for (j, sum) in sums.iter_mut().enumerate() {
            let eight = (first..first + AT_ONCE).fold(T::ZERO, |eight, row| eight + term(row, j));
            *sum += eight;
        }
    }
    for row in whole..rows {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += term(row, j);
        }
    }
}

/// `sums[j]` ← Σᵢ `rows[i][j]`.
#[derive(Debug)]
pub struct ColumnSums<'a, T> {
    /// The matrix, as wide as there are sums.
    pub rows: &'a [T],
    /// The sums.
    pub sums: &'a mut [T],
}

impl<T: Real> Kernel for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let n = self.sums.len();
        self.all(n);
    }
}

impl<T: Real> ByColumns for ColumnSums<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let n = self.sums.len();
        let x = self.rows;
        let [sums] = sum_rows::<T, B, 1>(x.len() / n, |row| [part(&x[row * n..][..n], first)]);
        *part_mut(self.sums, first) = sums;
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::kernel::{levels, run_on};

    use super::*;

    #[test]
    fn every_level_agrees_with_the_plain_twin() {
        for (rows, n) in [(0, 3), (1, 1), (7, 5), (8, 16), (29, 17), (64, 33)] {
            let x: Vec<f64> = (0..rows * n).map(|i| (i as f64 * 0.37).sin()).collect();
            for &level in levels() {
                let mut sums = vec![f64::NAN; n];
                run_on(level, ColumnSums { rows: &x, sums: &mut sums });
                for (j, sum) in sums.iter().enumerate() {
                    let plain: f64 = (0..rows).map(|i| x[i * n + j]).sum();
                    assert!((sum - plain).abs() < 1e-13, "{rows}×{n}, column {j}, {level:?}");
                }
            }
        }
    }
}
