//! Rows to columns.
#![allow(
    unsafe_code,
    reason = "squares of registers are read and written through pointers that are checked once per call"
)]

use super::vector::{Vector, WIDEST};
use super::{Isa, Kernel, dispatch};
use crate::real::Real;

/// Aᵀ: `to[j·rows + i] = from[i·columns + j]`.
pub fn transpose<T: Real>(from: &[T], rows: usize, columns: usize, to: &mut [T]) {
    dispatch(Transpose { from, rows, columns, to, to_row: rows });
}

/// Aᵀ, with its rows a distance apart that may be longer than they are: `to[j·to_row + i] = from[i·columns + j]`.
#[derive(Debug)]
pub struct Transpose<'a, T> {
    /// A, row-major.
    pub from: &'a [T],
    /// Rows of A.
    pub rows: usize,
    /// Columns of A.
    pub columns: usize,
    /// Aᵀ.
    pub to: &'a mut [T],
    /// The distance between its rows.
    pub to_row: usize,
}

impl<T: Real> Kernel for Transpose<'_, T> {
    type Output = ();

    /// Squares as wide as a register, in registers; what is left of rows and columns, one by one.
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { from, rows, columns, to, to_row } = self;
        if rows == 0 || columns == 0 {
            return;
        }
        // Saturating: a size that wraps around must not pass.
        assert!(from.len() >= rows.saturating_mul(columns), "the matrix is too short");
        assert!(to_row >= rows, "rows of the transposed matrix would lie over each other");
        assert!(
            to.len() >= (columns - 1).saturating_mul(to_row).saturating_add(rows),
            "the room for the transposed matrix is too short"
        );
        let lanes = I::Vector::<T>::LANES;
        let (whole_rows, whole_columns) = (rows - rows % lanes, columns - columns % lanes);
        for j in (0..whole_columns).step_by(lanes) {
            for i in (0..whole_rows).step_by(lanes) {
                // SAFETY: rows i to i + lanes and columns j to j + lanes exist in A, which is long enough, as is the room for
                // its transposed. The level is the one that is running.
                unsafe {
                    let (from, to) =
                        (from.as_ptr().add(i * columns + j), to.as_mut_ptr().add(j * to_row + i));
                    square::<I, T>(from, columns, to, to_row);
                }
            }
        }
        for i in 0..rows {
            let done = if i < whole_rows { whole_columns } else { 0 };
            for j in done..columns {
                to[j * to_row + i] = from[i * columns + j];
            }
        }
    }
}

/// A square as wide as a register.
///
/// Its rows are shuffled like two halves of a pack of cards, log₂ lanes times: each time, an element at row i and column j,
/// written as one number of bits i j, moves to where these bits are turned by one.
///
/// # Safety
/// `from` must be readable and `to` writable for a register at each of as many rows as it has lanes.
#[inline(always)]
unsafe fn square<I: Isa, T: Real>(from: *const T, from_row: usize, to: *mut T, to_row: usize) {
    let lanes = I::Vector::<T>::LANES;
    // SAFETY: promised by the caller; the level is the one that is running.
    unsafe {
        let mut rows = [I::Vector::<T>::splat(T::ZERO); WIDEST];
        for (i, row) in rows[..lanes].iter_mut().enumerate() {
            *row = I::Vector::<T>::load(from.add(i * from_row));
        }
        for _ in 0..lanes.ilog2() {
            let before = rows;
            for i in 0..lanes / 2 {
                (rows[2 * i], rows[2 * i + 1]) = before[i].zip(before[lanes / 2 + i]);
            }
        }
        for (i, row) in rows[..lanes].iter().enumerate() {
            row.store(to.add(i * to_row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};

    fn check<T: Real>(rows: usize, columns: usize, beyond: usize) {
        let from: Vec<T> = (0..rows * columns).map(|i| T::from_f64(i as f64)).collect();
        let (to_row, untouched) = (rows + beyond, T::from_f64(-1.0));
        for &level in levels() {
            let mut to = vec![untouched; columns * to_row];
            run_on(level, Transpose { from: &from, rows, columns, to: &mut to, to_row });
            for (j, row) in to.chunks(to_row.max(1)).enumerate() {
                for (i, &value) in row.iter().enumerate() {
                    let expected = if i < rows { from[i * columns + j] } else { untouched };
                    assert!(value == expected, "{rows}×{columns} at {i}, {j} on {level:?}");
                }
            }
        }
    }

    #[test]
    fn rows_become_columns_on_every_level() {
        for (rows, columns) in
            [(0, 3), (3, 0), (1, 1), (4, 4), (16, 16), (5, 7), (17, 35), (64, 33), (40, 48)]
        {
            for beyond in [0, 5] {
                check::<f32>(rows, columns, beyond);
                check::<f64>(rows, columns, beyond);
            }
        }
    }
}
