//! The objective as a search sees it: with what the riders add to it.

use super::line::dot;
use crate::objective::Objective;
use crate::params::Layout;
use crate::real::Real;
use crate::riders::{Penalties, Riders};
use crate::sign::sign;

/// scale·f(w) + ½·l2·‖w‖² + l1·‖w‖₁.
pub(super) struct Seen<'a, T> {
    pub(super) f: &'a mut dyn Objective<T>,
    pub(super) riders: Riders,
    pub(super) layout: &'a Layout,
    pub(super) evaluations: u32,
}

impl<'a, T: Real> Seen<'a, T> {
    pub(super) fn new(f: &'a mut dyn Objective<T>, riders: Riders, layout: &'a Layout) -> Self {
        Self { f, riders, layout, evaluations: 0 }
    }

    fn value_of(&mut self, w: &[T], bare: T) -> T {
        self.evaluations += 1;
        let mut value = self.riders.scale * bare.to_f64();
        for (range, Penalties { l1, l2, .. }) in self.riders.stretches(self.layout) {
            let w = &w[range];
            if l2 != 0.0 {
                value += 0.5 * l2 * dot(w, w);
            }
            if l1 != 0.0 {
                value += l1 * w.iter().map(|w| w.to_f64().abs()).sum::<f64>();
            }
        }
        T::from_f64(value)
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
        for (range, Penalties { l1, l2, .. }) in self.riders.stretches(self.layout) {
            let (scale, l2) = (T::from_f64(self.riders.scale), T::from_f64(l2));
            let own = || range.clone();
            if self.riders.scale != 1.0 || l2 != T::ZERO {
                grad[own()].iter_mut().zip(&w[own()]).for_each(|(g, &w)| *g = scale * *g + l2 * w);
            }
            if l1 != 0.0 {
                let l1 = T::from_f64(l1);
                grad[own()].iter_mut().zip(&w[own()]).for_each(|(g, &w)| *g += l1 * sign(w));
            }
        }
        self.value_of(w, bare)
    }
}
