//! Binary cross-entropy on one logit.

use super::SoftClasses;
use crate::kernel::math::Math;

/// Mean over rows of max(z, 0) − z·y + ln(1 + e^(−|z|)), the stable form of −ln sigmoid(±z); gradient (sigmoid(z) − y)/rows.
pub(super) fn evaluate<T: Math>(outputs: &[T], codes: &[u32], gradient: &mut [T]) -> T {
    mean(outputs, codes.iter().map(|&code| truth(code)), gradient)
}

/// The same with y = (1 − ε)·(λ·first + (1 − λ)·second) + ε/2.
pub(super) fn evaluate_soft<T: Math>(outputs: &[T], soft: SoftClasses<'_, T>, gradient: &mut [T]) -> T {
    let half = soft.smoothing * T::from_f64(0.5);
    let rows = soft.first.iter().zip(soft.second).zip(soft.share);
    let y = rows.map(|((&first, &second), &share)| {
        let mixed = share * truth::<T>(first) + (T::ONE - share) * truth::<T>(second);
        (T::ONE - soft.smoothing) * mixed + half
    });
    mean(outputs, y, gradient)
}

fn truth<T: Math>(code: u32) -> T {
    assert!(code < 2, "binary loss has the classes 0 and 1, not {code}");
    if code == 0 { T::ZERO } else { T::ONE }
}

fn mean<T: Math>(outputs: &[T], truths: impl ExactSizeIterator<Item = T>, gradient: &mut [T]) -> T {
    assert_eq!(outputs.len(), truths.len(), "binary loss wants one output per row");
    let share = T::ONE / T::from_f64(truths.len() as f64);
    let mut total = T::ZERO;
    for ((&z, y), dz) in outputs.iter().zip(truths).zip(gradient) {
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
