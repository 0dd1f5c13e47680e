//! Absolute error.

use crate::kernel::math::Math;

/// Mean over rows of |z − y|; gradient sign(z − y)/rows, 0 at 0. NaN stays NaN.
pub(super) fn evaluate<T: Math>(outputs: &[T], values: &[T], gradient: &mut [T]) -> T {
    assert_eq!(outputs.len(), values.len(), "absolute error wants one output per row");
    let share = T::ONE / T::from_f64(values.len() as f64);
    let mut total = T::ZERO;
    for ((&z, &y), dz) in outputs.iter().zip(values).zip(gradient) {
        let error = z - y;
        total += error.abs();
        *dz = if error > T::ZERO {
            share
        } else if error < T::ZERO {
            -share
        } else {
            error
        };
    }
    total * share
}
