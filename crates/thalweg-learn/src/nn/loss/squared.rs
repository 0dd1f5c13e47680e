//! Squared error.

use crate::kernel::math::Math;

/// Mean over rows of (z − y)²; gradient 2(z − y)/rows.
pub(super) fn evaluate<T: Math>(outputs: &[T], values: &[T], gradient: &mut [T]) -> T {
    assert_eq!(outputs.len(), values.len(), "squared error wants one output per row");
    let share = T::ONE / T::from_f64(values.len() as f64);
    let mut total = T::ZERO;
    for ((&z, &y), dz) in outputs.iter().zip(values).zip(gradient) {
        let error = z - y;
        total += error * error;
        *dz = (error + error) * share;
    }
    total * share
}
