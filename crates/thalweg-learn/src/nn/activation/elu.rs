//! The exponential linear unit.

use super::Pointwise;
use crate::kernel::math::Math;

/// x above 0, eˣ − 1 below (α = 1, PyTorch's default).
#[derive(Debug, Clone, Copy)]
pub(super) struct Elu;

impl Pointwise for Elu {
    const FORMULA: &'static str = "x above 0, eˣ − 1 below";
    const BY_OUTPUT: bool = true;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        // Near 0 the difference loses digits that the series keeps.
        let series = x
            * (T::ONE + x * (T::from_f64(0.5) + x * (T::from_f64(1.0 / 6.0) + x * T::from_f64(1.0 / 24.0))));
        let below = if x > T::EXP_SERIES { series } else { x.exp() - T::ONE };
        if x < T::ZERO { below } else { x }
    }

    #[inline(always)]
    fn slope<T: Math>(y: T) -> T {
        // eˣ = y + 1 below 0.
        if y > T::ZERO { T::ONE } else { y + T::ONE }
    }
}
