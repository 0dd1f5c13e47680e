//! The hyperbolic tangent.

use super::Pointwise;
use crate::kernel::math::Math;

/// tanh x; slope 1 − y².
#[derive(Debug, Clone, Copy)]
pub(super) struct Tanh;

impl Pointwise for Tanh {
    const FORMULA: &'static str = "tanh x";
    const BY_OUTPUT: bool = true;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        x.tanh()
    }

    #[inline(always)]
    fn slope<T: Math>(y: T) -> T {
        T::ONE - y * y
    }
}
