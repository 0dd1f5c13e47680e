//! The objective as SAM and ASAM show it to what they wrap: each gradient is taken uphill of the point asked for.

use super::Memory;
use crate::norm::gradient_norm;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Grad, Span};
use crate::threads::Threads;

/// f(w + e(w)) with ∇f(w + e(w)).
struct Climb<'a, T, E> {
    f: &'a mut dyn Objective<T>,
    /// Writes w + e, given w and ∇f(w); or says that there is nowhere to climb.
    uphill: E,
    point: &'a mut Vec<T>,
    /// A gradient that nobody asked for.
    spare: &'a mut Vec<T>,
    /// f at the first point asked for.
    first: Option<T>,
    evaluations: u32,
}

impl<T: Real, E: FnMut(&[T], &[T], &mut Vec<T>) -> bool> Objective<T> for Climb<'_, T, E> {
    fn dim(&self) -> usize {
        self.f.dim()
    }

    fn value(&mut self, w: &[T]) -> T {
        let mut spare = std::mem::take(self.spare);
        spare.resize(w.len(), T::ZERO);
        let value = self.value_and_grad(w, &mut spare);
        *self.spare = spare;
        value
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        let value = self.f.value_and_grad(w, grad);
        self.first.get_or_insert(value);
        self.evaluations += 1;
        if !(self.uphill)(w, grad, self.point) {
            return value;
        }
        self.evaluations += 1;
        self.f.value_and_grad(self.point, grad)
    }
}

/// A step of `inner` on the objective seen from uphill. The report has the value at W itself.
#[expect(clippy::too_many_arguments, reason = "those of Optimizer::drive and two more")]
pub(super) fn drive<T: Real>(
    uphill: impl FnMut(&[T], &[T], &mut Vec<T>) -> bool,
    inner: &mut dyn Optimizer<T>,
    memory: &mut Memory<T>,
    w: &mut [T],
    average: Option<&mut [T]>,
    f: &mut dyn Objective<T>,
    learning_rate: f64,
    riders: Riders,
) -> StepReport<T> {
    let Memory { scratch: point, spare, .. } = memory;
    let mut climb = Climb { f, uphill, point, spare, first: None, evaluations: 0 };
    let report = inner.drive(w, average, &mut climb, learning_rate, riders);
    let value = climb.first.unwrap_or(report.value);
    StepReport { value, evaluations: climb.evaluations, ..report }
}

/// The L2 norm, if one can climb along it.
pub(super) fn length<T: Real>(values: &[T], threads: &Threads) -> Option<f64> {
    let norm = gradient_norm(&[Span { w: &mut [], grad: Grad::Read(values), average: None }], threads);
    (norm > 0.0 && norm.is_finite()).then_some(norm)
}
