//! Matrix products shared out among threads by rows, which changes no bit.

use crate::kernel::dispatch;
use crate::kernel::matmul::{MatMul, Start};
use crate::real::Real;
use crate::threads::Threads;

/// Multiplications from which on a second thread pays for its waking.
const PARALLEL_FROM: usize = 1 << 20;

/// A matrix factor, row-major or the transpose of such.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left<'a, T> {
    pub(super) values: &'a [T],
    /// The distance between its rows and between its columns.
    pub(super) strides: (usize, usize),
}

/// A row-major matrix of `columns` columns as it lies.
pub(super) fn plain<T>(values: &[T], columns: usize) -> Left<'_, T> {
    Left { values, strides: (columns, 1) }
}

/// The transpose of a row-major matrix of `columns` columns.
pub(super) fn transposed<T>(values: &[T], columns: usize) -> Left<'_, T> {
    Left { values, strides: (1, columns) }
}

/// C ← A·B with A of m × k and B of k × n, row-major.
pub(super) fn product<T: Real>(
    threads: &Threads,
    (m, k, n): (usize, usize, usize),
    a: Left<'_, T>,
    b: &[T],
    c: &mut [T],
) {
    if m < 32 || threads.count() == 1 || m * k * n < PARALLEL_FROM {
        let Left { values, strides } = a;
        dispatch(MatMul { m, n, k, a: values, a_strides: strides, b, start: Start::Zero, c });
        return;
    }
    let half = (m / 2).next_multiple_of(8);
    let (top, bottom) = c[..m * n].split_at_mut(half * n);
    let below = Left { values: &a.values[half * a.strides.0..], ..a };
    let mut parts = [(half, a, top), (m - half, below, bottom)];
    threads.run(&mut parts, |(m, a, c)| product(threads, (*m, k, n), *a, b, c));
}
