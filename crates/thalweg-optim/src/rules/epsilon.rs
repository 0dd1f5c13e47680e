//! Where ε is added to a root: the difference between the dialects that is easiest to overlook.

use crate::real::Real;

/// Where ε is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// √(v + ε).
    Inside,
    /// √v + ε; where v is corrected for its start at zero, after the correction.
    Outside,
    /// √v + ε, and then the correction: the «ε̂» of Adam's paper.
    BeforeCorrection,
}

/// ε, ready for both places: one of the two is zero, so the formula needs no branch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epsilon<T> {
    inside: T,
    outside: T,
}

impl<T: Real> Epsilon<T> {
    /// For a root that is not corrected.
    pub(super) fn new(epsilon: f64, place: Place) -> Self {
        Self::corrected(epsilon, place, 1.0)
    }

    /// For a root that is multiplied by `scale`.
    pub(super) fn corrected(epsilon: f64, place: Place, scale: f64) -> Self {
        let (inside, outside) = match place {
            Place::Inside => (epsilon, 0.0),
            Place::Outside => (0.0, epsilon),
            Place::BeforeCorrection => (0.0, epsilon * scale),
        };
        Self { inside: T::from_f64(inside), outside: T::from_f64(outside) }
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
