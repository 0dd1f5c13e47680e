//! Where ε is added to a root: the difference between the dialects that is easiest to overlook.

use crate::real::Real;

/// Where ε is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// √(v + ε).
    Inside,
    /// √v + ε.
    Outside,
}

/// ε, ready for both places: one of the two is zero, so the formula needs no branch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epsilon<T> {
    inside: T,
    outside: T,
}

impl<T: Real> Epsilon<T> {
    pub(super) fn new(epsilon: f64, place: Place) -> Self {
        let epsilon = T::from_f64(epsilon);
        match place {
            Place::Inside => Self { inside: epsilon, outside: T::ZERO },
            Place::Outside => Self { inside: T::ZERO, outside: epsilon },
        }
    }

    /// √(v + ε) or √v + ε.
    #[inline(always)]
    pub(super) fn root(&self, v: T) -> T {
        (v + self.inside).sqrt() + self.outside
    }

    /// √(v + ε)·scale or √v·scale + ε.
    #[inline(always)]
    pub(super) fn scaled_root(&self, v: T, scale: T) -> T {
        (v + self.inside).sqrt() * scale + self.outside
    }
}
