//! Sums over the columns of a matrix with a row per sample or position.

use thalweg_optim::Real;
use thalweg_optim::kernel::{Isa, Kernel};

/// Rows that are added up before they are added to the sums: chains of additions stay short, in time and in rounding.
const AT_ONCE: usize = 8;

/// `sums[j]` ← Σᵢ f(i-th row)\[j\]. `term(r, j)` gives the number of row r in column j.
#[inline(always)]
pub(crate) fn sum_columns<T: Real>(rows: usize, sums: &mut [T], term: impl Fn(usize, usize) -> T) {
    sums.fill(T::ZERO);
    let whole = rows - rows % AT_ONCE;
    for first in (0..whole).step_by(AT_ONCE) {
        for (j, sum) in sums.iter_mut().enumerate() {
            let at = |r| term(first + r, j);
            *sum += ((at(0) + at(1)) + (at(2) + at(3))) + ((at(4) + at(5)) + (at(6) + at(7)));
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
    fn run<I: Isa>(self) {
        let (n, x) = (self.sums.len(), self.rows);
        let rows = x.len() / n.max(1);
        let x = &x[..rows * n];
        sum_columns(rows, self.sums, |row, column| x[row * n + column]);
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
