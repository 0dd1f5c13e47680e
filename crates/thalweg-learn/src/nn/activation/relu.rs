//! The rectifier.

use super::Pointwise;
use crate::kernel::math::Math;

/// max(0, x); its slope at 0 is 0, as in PyTorch. NaN stays NaN, so that divergence is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relu;

impl Pointwise for Relu {
    const FORMULA: &'static str = "max(0, x)";
    const BY_OUTPUT: bool = true;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        if x < T::ZERO { T::ZERO } else { x }
    }

    #[inline(always)]
    fn slope<T: Math>(y: T) -> T {
        if y > T::ZERO { T::ONE } else { T::ZERO }
    }
}
