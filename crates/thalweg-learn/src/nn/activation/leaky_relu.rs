//! The leaky rectifier.

use super::Pointwise;
use crate::kernel::math::Math;

/// x above 0, x/100 below (PyTorch's default slope); its slope at 0 is 1/100, as in PyTorch.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeakyRelu;

impl Pointwise for LeakyRelu {
    const FORMULA: &'static str = "max(x, x/100)";
    // The sign of y is the sign of x.
    const BY_OUTPUT: bool = true;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        if x < T::ZERO { x * T::from_f64(0.01) } else { x }
    }

    #[inline(always)]
    fn slope<T: Math>(y: T) -> T {
        if y > T::ZERO { T::ONE } else { T::from_f64(0.01) }
    }
}
