//! A line from W along a direction, and the points looked at on it.

use crate::kernel::{Isa, Kernel, dispatch};
use crate::objective::Objective;
use crate::real::Real;

/// A point on the line: φ(t) = f(w + t·d).
#[derive(Debug, Clone, Default)]
pub(super) struct Trial<T> {
    pub(super) t: f64,
    /// φ(t); infinite where f or its gradient is not finite, so that it is never the lower one.
    pub(super) value: f64,
    /// φ'(t).
    pub(super) slope: f64,
    /// ∇f(w + t·d).
    pub(super) grad: Vec<T>,
}

/// Memory for a search, kept between steps.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends<T> {
    /// The ends of the bracket. The point found is `ends[low]`.
    pub(super) ends: [Trial<T>; 2],
    pub(super) low: usize,
    /// The last point looked at.
    pub(super) trial: Trial<T>,
    point: Vec<T>,
}

/// A line under search.
pub(super) struct Line<'a, T: Real> {
    pub(super) f: &'a mut dyn Objective<T>,
    pub(super) w: &'a [T],
    pub(super) direction: &'a [T],
    /// φ(0).
    pub(super) start: f64,
    /// φ'(0).
    pub(super) slope: f64,
    /// The largest |dᵢ|.
    pub(super) largest: f64,
    /// Points looked at so far.
    pub(super) evaluations: u32,
    pub(super) memory: &'a mut Ends<T>,
}

impl<'a, T: Real> Line<'a, T> {
    /// A line from `w`, where f is `start` with the gradient `grad`; the start is one end.
    pub(super) fn new(
        f: &'a mut dyn Objective<T>,
        w: &'a [T],
        direction: &'a [T],
        (start, grad): (f64, &[T]),
        memory: &'a mut Ends<T>,
    ) -> Self {
        let slope = dot(grad, direction);
        let largest = largest(direction);
        // All of it in the first step, so that no later one allocates.
        let Ends { ends: [first, second], trial, point, .. } = &mut *memory;
        for vector in [&mut first.grad, &mut second.grad, &mut trial.grad, point] {
            vector.reserve(w.len().saturating_sub(vector.len()));
        }
        (first.t, first.value, first.slope) = (0.0, start, slope);
        first.grad.clear();
        first.grad.extend_from_slice(grad);
        memory.low = 0;
        Self { f, w, direction, start, slope, largest, evaluations: 0, memory }
    }

    /// Takes value and gradient at `t` into `memory.trial`.
    pub(super) fn look(&mut self, t: f64) {
        let Ends { trial, point, .. } = &mut *self.memory;
        go_to(point, self.w, self.direction, t);
        trial.grad.resize(self.w.len(), T::ZERO);
        trial.t = t;
        trial.value = self.f.value_and_grad(point, &mut trial.grad).to_f64();
        trial.slope = dot(&trial.grad, self.direction);
        if !(trial.value.is_finite() && trial.slope.is_finite()) {
            (trial.value, trial.slope) = (f64::INFINITY, f64::INFINITY);
        }
        self.evaluations += 1;
    }

    /// φ(t) alone; infinite where it is not finite.
    pub(super) fn value(&mut self, t: f64) -> f64 {
        let point = &mut self.memory.point;
        go_to(point, self.w, self.direction, t);
        self.evaluations += 1;
        let value = self.f.value(point).to_f64();
        if value.is_finite() { value } else { f64::INFINITY }
    }

    /// The point looked at last takes the place of an end.
    pub(super) fn replace(&mut self, end: usize) {
        let Ends { ends, trial, .. } = &mut *self.memory;
        std::mem::swap(&mut ends[end], trial);
    }

    /// The lower end; the first if they are level.
    pub(super) fn order(&mut self) {
        let [first, second] = &self.memory.ends;
        self.memory.low = usize::from(first.value > second.value);
    }

    pub(super) fn low(&self) -> &Trial<T> {
        &self.memory.ends[self.memory.low]
    }

    pub(super) fn high(&self) -> &Trial<T> {
        &self.memory.ends[1 - self.memory.low]
    }
}

/// point ← w + t·d.
pub(super) fn go_to<T: Real>(point: &mut Vec<T>, w: &[T], direction: &[T], t: f64) {
    let t = T::from_f64(t);
    point.clear();
    point.extend(w.iter().zip(direction).map(|(&w, &d)| w + t * d));
}

/// a·b in f64.
struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

/// Products summed side by side, so that the compiler uses vectors.
const LANES: usize = 16;

impl<T: Real> Kernel for Dot<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let (a, a_rest) = self.a.as_chunks::<LANES>();
        let (b, b_rest) = self.b.as_chunks::<LANES>();
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                lanes[lane] += a[lane].to_f64() * b[lane].to_f64();
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a.to_f64() * b.to_f64()).sum();
        lanes.iter().sum::<f64>() + rest
    }
}

/// a·b, summed in f64.
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "the slices are of one length");
    dispatch(Dot { a, b })
}

/// The largest |x|.
pub(super) fn largest<T: Real>(values: &[T]) -> f64 {
    values.iter().fold(0.0, |most: f64, x| most.max(x.to_f64().abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};
    use crate::ragged::{adds_up, every, sound};

    fn twin<T: Real>() {
        for a in every::<T>(0.37) {
            let b = sound::<T>(a.len(), 0.91);
            let products = || a.iter().zip(&b).map(|(a, b)| a.to_f64() * b.to_f64());
            let best = dot(&a, &b);
            for &level in levels() {
                for (a, b) in [(&a, &b), (&b, &a)] {
                    let sum = run_on(level, Dot { a, b });
                    assert!(adds_up(sum, products()), "{level:?}, {} numbers: {sum}", a.len());
                    // A search turns on its last digit: it is the same on every CPU.
                    assert!(sum == best || (sum.is_nan() && best.is_nan()), "{level:?}, {} numbers", a.len());
                }
            }
        }
    }

    #[test]
    fn a_product_of_vectors_is_that_of_a_plain_loop_on_every_level() {
        twin::<f32>();
        twin::<f64>();
    }
}
