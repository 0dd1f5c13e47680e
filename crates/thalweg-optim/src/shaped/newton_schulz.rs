//! The orthogonal factor of a matrix, nearly: what Muon steps along.
//!
//! ```text
//! A ← X·Xᵀ;  B ← bA + cA²;  X ← aX + B·X          (five times, X at most as high as wide)
//! ```
//! An odd polynomial of the singular values: (a, b, c) are chosen to lift small ones fast, so those that started above
//! about 0.003 end near 1, between 0.68 and 1.21, not at 1 itself.
//!
//! 1. aX is added through the diagonal of B, which saves a pass.
//! 2. X·Xᵀ needs Xᵀ row by row: it is written into the memory that takes the next X.
//!
//! Source: Jordan et al., *Muon: an optimizer for hidden layers in neural networks* (2024).

use super::product::{plain, product};
use crate::kernel::transpose::transpose;
use crate::real::Real;
use crate::threads::Threads;

/// a, b and c of the source.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// How many numbers [`orthogonalize`] works in beside the matrix.
pub(super) fn scratch_len(rows: usize, columns: usize) -> usize {
    rows * columns + 2 * rows * rows
}

/// Makes the rows of X nearly orthonormal; its norm must be at most 1. Returns where the result lies: in `x` or in the
/// first numbers of `scratch`.
pub(super) fn orthogonalize<'a, T: Real>(
    threads: &Threads,
    (rows, columns): (usize, usize),
    steps: u64,
    x: &'a mut [T],
    scratch: &'a mut [T],
) -> &'a [T] {
    debug_assert!(rows <= columns, "the matrix must not be higher than wide");
    let [first, second, third] = COEFFICIENTS.map(T::from_f64);
    let (mut other, rest) = scratch.split_at_mut(rows * columns);
    let (a, rest) = rest.split_at_mut(rows * rows);
    let b = &mut rest[..rows * rows];
    let mut x = x;
    for _ in 0..steps {
        transpose(x, rows, columns, other);
        product(threads, (rows, columns, rows), plain(x, columns), other, a);
        product(threads, (rows, rows, rows), plain(a, rows), a, b);
        for (b, &a) in b.iter_mut().zip(&*a) {
            *b = second * a + third * *b;
        }
        b.iter_mut().step_by(rows + 1).for_each(|b| *b += first);
        product(threads, (rows, rows, columns), plain(b, rows), x, other);
        std::mem::swap(&mut x, &mut other);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The singular values of a diagonal matrix are its entries: each follows the polynomial alone.
    #[test]
    fn singular_values_land_in_the_stated_band() {
        let n = 40;
        let start: Vec<f64> = (0..n).map(|i| 0.003_f64.powf(f64::from(i) / 39.0)).collect();
        let mut x = vec![0.0; 40 * 50];
        start.iter().enumerate().for_each(|(i, &s)| x[i * 50 + i] = s);
        let mut scratch = vec![f64::NAN; scratch_len(40, 50)];
        let out = orthogonalize(&Threads::default(), (40, 50), 5, &mut x, &mut scratch);
        for (i, row) in out.chunks_exact(50).enumerate() {
            for (j, &value) in row.iter().enumerate() {
                if i == j {
                    assert!((0.68..=1.21).contains(&value), "{} became {value}", start[i]);
                } else {
                    assert!(value.abs() < 1e-12);
                }
            }
        }
    }
}
