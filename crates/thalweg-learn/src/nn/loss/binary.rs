//! Binary cross-entropy on one logit.

use crate::kernel::math::Math;

/// Mean over rows of max(z, 0) − z·y + ln(1 + e^(−|z|)), the stable form of −ln sigmoid(±z); gradient (sigmoid(z) − y)/rows.
pub(super) fn evaluate<T: Math>(outputs: &[T], codes: &[u32], gradient: &mut [T]) -> T {
    assert_eq!(outputs.len(), codes.len(), "binary loss wants one output per row");
    let share = T::ONE / T::from_f64(codes.len() as f64);
    let mut total = T::ZERO;
    for ((&z, &code), dz) in outputs.iter().zip(codes).zip(gradient) {
        assert!(code < 2, "binary loss has the classes 0 and 1, not {code}");
        let y = if code == 0 { T::ZERO } else { T::ONE };
        let positive = if z < T::ZERO { T::ZERO } else { z };
        total += positive - z * y + (-z.abs()).exp().ln_1p();
        *dz = (z.sigmoid() - y) * share;
    }
    total * share
}

/// (1 − sigmoid(z), sigmoid(z)) for each row.
pub(super) fn probabilities<T: Math>(outputs: &[T], probabilities: &mut Vec<T>) {
    probabilities.reserve(2 * outputs.len());
    for &z in outputs {
        probabilities.extend([(-z).sigmoid(), z.sigmoid()]);
    }
}
