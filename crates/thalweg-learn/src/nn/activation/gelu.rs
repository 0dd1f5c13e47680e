//! The Gaussian error linear unit.

use super::Pointwise;
use crate::kernel::math::Math;

/// x·Φ(x), exact (PyTorch's default `approximate='none'`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Gelu;

/// Φ(x) = ½(1 + erf(x/√2)).
#[inline(always)]
fn normal_cdf<T: Math>(x: T) -> T {
    T::from_f64(0.5) * (T::ONE + (x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

impl Pointwise for Gelu {
    const FORMULA: &'static str = "x·Φ(x)";
    const BY_OUTPUT: bool = false;

    #[inline(always)]
    fn value<T: Math>(x: T) -> T {
        x * normal_cdf(x)
    }

    #[inline(always)]
    fn slope<T: Math>(x: T) -> T {
        // Φ(x) + x·φ(x), with φ(x) = e^(−x²/2)/√(2π).
        let density = (-T::from_f64(0.5) * x * x).exp() * T::from_f64(0.398_942_280_401_432_7);
        normal_cdf(x) + x * density
    }
}
