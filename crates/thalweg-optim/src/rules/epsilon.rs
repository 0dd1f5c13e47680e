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

/// ε, ready for both places: one of the two is zero, so the formula needs no branch. See [`under_root`] for an ε that is
/// too small for the number type.
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
            Place::Inside => (under_root(epsilon), T::ZERO),
            Place::Outside => (T::ZERO, beside_root(epsilon)),
            Place::BeforeCorrection => (T::ZERO, beside_root(epsilon * scale)),
        };
        Self { inside, outside }
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

/// An ε under a root, or in a quotient without one: at least the smallest normal number, also if 0 was asked for. Where a
/// gradient was zero from the start, 0/√0 would be NaN; where its square underflows, g/√0 would be ∞.
pub(super) fn under_root<T: Real>(epsilon: f64) -> T {
    T::from_f64(epsilon).max(T::MIN_POSITIVE)
}

/// An ε beside a root: at least that root of the smallest normal number (1.1e-19 in f32, 1.5e-154 in f64), below which g²
/// is lost while g is not.
pub(crate) fn beside_root<T: Real>(epsilon: f64) -> T {
    T::from_f64(epsilon).max(T::MIN_POSITIVE.sqrt())
}
