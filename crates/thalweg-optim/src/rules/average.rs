//! The exponential moving average, which most rules keep of the gradient, its square or both.

use crate::real::Real;

/// β and 1−β. The average starts at zero; what it lacks for that is [`correction`](super::adam::correction).
#[derive(Debug, Clone, Copy)]
pub(super) struct Average<T> {
    keep: T,
    take: T,
}

impl<T: Real> Average<T> {
    /// With the decay rate β.
    pub(super) fn new(beta: f64) -> Self {
        Self { keep: T::from_f64(beta), take: T::from_f64(1.0 - beta) }
    }

    /// average ← β·average + (1−β)·value.
    #[inline(always)]
    pub(super) fn take_in(&self, average: &mut T, value: T) {
        *average = self.keep * *average + self.take * value;
    }

    /// average ← β·average + (1−β)·value².
    #[inline(always)]
    pub(super) fn take_in_square(&self, average: &mut T, value: T) {
        *average = self.keep * *average + self.take * value * value;
    }
}
