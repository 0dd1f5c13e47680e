//! The sigmoid linear unit.

use super::Pointwise;
use crate::kernel::math::Math;

/// x·sigmoid(x); slope s(1 + x(1 − s)) with s = sigmoid(x).
#[derive(Debug, Clone, Copy)]
pub(super) struct Silu;

impl Pointwise for Silu {
    const FORMULA: &'static str = "x/(1 + e⁻ˣ)";
    const BY_OUTPUT: bool = false;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        x * x.sigmoid()
    }

    #[inline(always)]
    fn slope<T: Math>(x: T) -> T {
        let s = x.sigmoid();
        s * (T::ONE + x * (T::ONE - s))
    }
}
