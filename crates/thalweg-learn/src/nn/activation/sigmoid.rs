//! The logistic function.

use super::Pointwise;
use crate::kernel::math::Math;

/// 1/(1 + e⁻ˣ); slope y(1 − y).
#[derive(Debug, Clone, Copy)]
pub(super) struct Sigmoid;

impl Pointwise for Sigmoid {
    const FORMULA: &'static str = "1/(1 + e⁻ˣ)";
    const BY_OUTPUT: bool = true;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        x.sigmoid()
    }

    #[inline(always)]
    fn slope<T: Math>(y: T) -> T {
        y * (T::ONE - y)
    }
}
