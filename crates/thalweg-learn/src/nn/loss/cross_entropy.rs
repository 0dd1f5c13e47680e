//! Softmax cross-entropy.

use thalweg_optim::kernel::{Isa, Kernel, dispatch};

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
