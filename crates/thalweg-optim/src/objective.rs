//! What is minimized.

use crate::real::Real;

/// A differentiable f: Rⁿ → R.
///
/// It is pure: equal `w` give equal bits, because whatever is random (the batch, a mask, a noise) is fixed before the
/// objective is built. So an optimizer may look ahead, climb or search along a line and stay honest.
pub trait Objective<T: Real> {
    /// n, the number of parameters.
    fn dim(&self) -> usize;

    /// f(w).
    fn value(&mut self, w: &[T]) -> T;

    /// f(w); overwrites `grad` with ∇f(w).
    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T;
}

/// An objective from a closure that overwrites the gradient and returns the value.
pub fn from_fn<T: Real, F: FnMut(&[T], &mut [T]) -> T>(dim: usize, f: F) -> FromFn<T, F> {
    FromFn { f, scratch: vec![T::ZERO; dim] }
}

/// See [`from_fn`].
#[derive(Debug)]
pub struct FromFn<T, F> {
    f: F,
    scratch: Vec<T>,
}

impl<T: Real, F: FnMut(&[T], &mut [T]) -> T> Objective<T> for FromFn<T, F> {
    fn dim(&self) -> usize {
        self.scratch.len()
    }

    fn value(&mut self, w: &[T]) -> T {
        (self.f)(w, &mut self.scratch)
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        (self.f)(w, grad)
    }
}
