//! Softmax cross-entropy.

use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::SoftClasses;
use crate::kernel::math::Math;

/// Mean over rows of −ln softmax(z)\[class\]; gradient (softmax(z) − one-hot)/rows.
pub(super) fn evaluate<T: Math>(outputs: &[T], codes: &[u32], gradient: &mut [T]) -> T {
    let classes = outputs.len() / codes.len().max(1);
    assert_eq!(outputs.len(), classes * codes.len(), "the outputs do not fit the classes");
    let share = T::ONE / T::from_f64(codes.len() as f64);
    dispatch(ShiftedExp { outputs, classes, exp: gradient });
    let mut total = T::ZERO;
    let rows = outputs.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
    for ((z, exp), &code) in rows.zip(codes) {
        let sum: T = exp.iter().copied().sum();
        // −ln softmax(z)[class] = ln Σ e^(z−max) − (z[class] − max).
        total += sum.ln() - (z[code as usize] - largest(z));
        let scale = share / sum;
        for p in exp.iter_mut() {
            *p *= scale;
        }
        exp[code as usize] -= share;
    }
    total * share
}

/// Mean over rows of −Σ p·ln softmax(z) for the rows' distributions p; gradient (softmax(z) − p)/rows.
pub(super) fn evaluate_soft<T: Math>(outputs: &[T], soft: SoftClasses<'_, T>, gradient: &mut [T]) -> T {
    let rows = soft.first.len();
    assert!(
        soft.second.len() == rows && soft.share.len() == rows,
        "the parts of the targets differ in length"
    );
    let classes = outputs.len() / rows.max(1);
    assert_eq!(outputs.len(), classes * rows, "the outputs do not fit the classes");
    let share = T::ONE / T::from_f64(rows as f64);
    let spread = soft.smoothing / T::from_f64(classes as f64);
    dispatch(ShiftedExp { outputs, classes, exp: gradient });
    let mut total = T::ZERO;
    for (row, (z, exp)) in outputs.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).enumerate() {
        let sum: T = exp.iter().copied().sum();
        let max = largest(z);
        let (first, second) = (soft.first[row] as usize, soft.second[row] as usize);
        let sure = T::ONE - soft.smoothing;
        let (one, other) = (sure * soft.share[row], sure * (T::ONE - soft.share[row]));
        let mut expected = one * (z[first] - max) + other * (z[second] - max);
        // Without smoothing, an infinitely improbable class costs nothing if it is no target.
        if spread > T::ZERO {
            expected += spread * z.iter().map(|&z| z - max).sum::<T>();
        }
        total += sum.ln() - expected;
        let scale = share / sum;
        for p in exp.iter_mut() {
            *p = *p * scale - spread * share;
        }
        exp[first] -= one * share;
        exp[second] -= other * share;
    }
    total * share
}

/// Softmax of each row.
pub(super) fn probabilities<T: Math>(outputs: &[T], classes: usize, probabilities: &mut Vec<T>) {
    let start = probabilities.len();
    probabilities.resize(start + outputs.len(), T::ZERO);
    dispatch(ShiftedExp { outputs, classes, exp: &mut probabilities[start..] });
    for row in probabilities[start..].chunks_exact_mut(classes) {
        let sum: T = row.iter().copied().sum();
        for p in row {
            *p = *p / sum;
        }
    }
}

#[inline(always)]
fn largest<T: Math>(row: &[T]) -> T {
    row.iter().fold(row[0], |max, &z| if z > max { z } else { max })
}

/// e^(z − max of its row): the row's largest is 1, so nothing overflows.
struct ShiftedExp<'a, T> {
    outputs: &'a [T],
    classes: usize,
    exp: &'a mut [T],
}

impl<T: Math> Kernel for ShiftedExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows = self.outputs.chunks_exact(self.classes).zip(self.exp.chunks_exact_mut(self.classes));
        for (z, shifted) in rows {
            let max = largest(z);
            for (shifted, &z) in shifted.iter_mut().zip(z) {
                *shifted = z - max;
            }
        }
        // One loop over the whole batch: rows are too short to fill vectors.
        for x in self.exp.iter_mut() {
            *x = x.exp();
        }
    }
}
