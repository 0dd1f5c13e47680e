//! The objective as a search sees it: with what the riders add to it.

use super::line::dot;
use crate::objective::Objective;
use crate::real::Real;
use crate::riders::Riders;

/// scale·f(w) + ½·l2·‖w‖².
pub(super) struct Seen<'a, T> {
    pub(super) f: &'a mut dyn Objective<T>,
    pub(super) scale: f64,
    pub(super) l2: f64,
    pub(super) evaluations: u32,
}

impl<'a, T: Real> Seen<'a, T> {
    pub(super) fn new(f: &'a mut dyn Objective<T>, riders: &Riders) -> Self {
        Self { f, scale: riders.scale, l2: riders.l2, evaluations: 0 }
    }

    fn value_of(&mut self, w: &[T], bare: T) -> T {
        self.evaluations += 1;
        if self.scale == 1.0 && self.l2 == 0.0 {
            return bare;
        }
        T::from_f64(self.scale * bare.to_f64() + 0.5 * self.l2 * dot(w, w))
    }
}

impl<T: Real> Objective<T> for Seen<'_, T> {
    fn dim(&self) -> usize {
        self.f.dim()
    }

    fn value(&mut self, w: &[T]) -> T {
        let bare = self.f.value(w);
        self.value_of(w, bare)
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        let bare = self.f.value_and_grad(w, grad);
        if self.scale != 1.0 || self.l2 != 0.0 {
            let (scale, l2) = (T::from_f64(self.scale), T::from_f64(self.l2));
            grad.iter_mut().zip(w).for_each(|(g, &w)| *g = scale * *g + l2 * w);
        }
        self.value_of(w, bare)
    }
}
