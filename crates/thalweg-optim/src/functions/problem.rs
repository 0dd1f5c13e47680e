//! A test function as an objective.

use super::TestFunction;
use crate::objective::Objective;
use crate::real::Real;

/// A [`TestFunction`] of a certain number of variables: an [`Objective`] for every number type.
///
/// All is computed in f64; the value and each partial derivative are then rounded once. For f64 that changes nothing.
#[derive(Debug, Clone)]
pub struct Problem {
    function: &'static TestFunction,
    w: Vec<f64>,
    grad: Vec<f64>,
}

impl Problem {
    /// The caller has checked that the function has a form with `dim` variables.
    pub(super) fn new(function: &'static TestFunction, dim: usize) -> Self {
        Self { function, w: vec![0.0; dim], grad: vec![0.0; dim] }
    }

    /// The function.
    pub fn function(&self) -> &'static TestFunction {
        self.function
    }

    fn evaluate<T: Real>(&mut self, w: &[T]) -> T {
        assert_eq!(w.len(), self.w.len(), "{} was asked for {} variables", self.function.name, self.w.len());
        self.w.iter_mut().zip(w).for_each(|(to, from)| *to = from.to_f64());
        T::from_f64((self.function.value_and_grad)(&self.w, &mut self.grad))
    }
}

impl<T: Real> Objective<T> for Problem {
    fn dim(&self) -> usize {
        self.w.len()
    }

    fn value(&mut self, w: &[T]) -> T {
        self.evaluate(w)
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        assert_eq!(grad.len(), self.grad.len(), "the gradient is as long as the point");
        let value = self.evaluate(w);
        grad.iter_mut().zip(&self.grad).for_each(|(to, from)| *to = T::from_f64(*from));
        value
    }
}
