//! Elementary functions that vectorize.
//!
//! For f32 they are branch-free polynomials, so that a loop over a slice becomes vector code; for f64, which checks
//! and does not train, they are the exact library functions.

use thalweg_optim::Real;

/// A real number with the functions that activations and losses need.
pub trait Math: Real {
    /// Above it (and below 0), eˣ − 1 by its series of degree 4 is nearer to the truth than by subtraction.
    const EXP_SERIES: Self;
    /// eˣ. f32: relative error below 3e-7 for |x| ≤ 87; 0 below −87.3, about 1.7e38 above 88.3; NaN stays NaN.
    fn exp(self) -> Self;
    /// tanh x. f32: absolute error below 3e-7.
    fn tanh(self) -> Self;
    /// The error function, 2/√π ∫₀ˣ e^(−t²) dt. f32: absolute error below 5e-7 (Abramowitz & Stegun 1964, 7.1.26).
    fn erf(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
    /// ln(1 + x).
    fn ln_1p(self) -> Self;

    /// 1/(1 + e⁻ˣ).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }
}

impl Math for f32 {
    const EXP_SERIES: f32 = -0.03;

    #[inline(always)]
    fn exp(self) -> f32 {
        // x = n·ln 2 + r with |r| ≤ ½ ln 2; eˣ = 2ⁿ·eʳ. ln 2 in two parts keeps r exact. Adding and subtracting 1.5·2²³
        // rounds to an integer without a library call.
        const MAGIC: f32 = 12_582_912.0;
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        let x = if self > 88.3 { 88.3 } else { self };
        let x = if x < -87.3 { -87.3 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = x - n * LN2_HIGH - n * LN2_LOW;
        // eʳ by its Taylor series of degree 7: the first term left out is below 6e-9 for |r| ≤ 0.35.
        let mut p = 1.0 / 5040.0;
        for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = p * r + c;
        }
        // The low bits of `shifted` are n: moved into the exponent they are 2ⁿ.
        let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
        let y = p * scale;
        if self < -87.3 { 0.0 } else { y }
    }

    #[inline(always)]
    fn tanh(self) -> f32 {
        // 1 − 2/(e^(2|x|) + 1) loses digits near 0, where the odd Taylor series is exact enough.
        let x = self.abs();
        let far = 1.0 - 2.0 / (Math::exp(2.0 * x) + 1.0);
        let s = x * x;
        let near =
            x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
        let y = if x < 0.3 { near } else { far };
        y.copysign(self)
    }

    #[inline(always)]
    fn erf(self) -> f32 {
        let x = self.abs();
        let t = 1.0 / (1.0 + 0.327_591_1 * x);
        let poly = t
            * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
        let far = 1.0 - poly * Math::exp(-x * x);
        // 1 − something close to 1 loses digits near 0, where the odd Taylor series does not.
        let s = x * x;
        let series = 1.0
            + s * (-1.0 / 3.0
                + s * (1.0 / 10.0 + s * (-1.0 / 42.0 + s * (1.0 / 216.0 + s * (-1.0 / 1320.0)))));
        let near = std::f32::consts::FRAC_2_SQRT_PI * x * series;
        let y = if x < 0.5 { near } else { far };
        y.copysign(self)
    }

    #[inline(always)]
    fn ln(self) -> f32 {
        f32::ln(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> f32 {
        f32::ln_1p(self)
    }
}

impl Math for f64 {
    const EXP_SERIES: f64 = -1e-4;

    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> f64 {
        libm::erf(self)
    }
    #[inline(always)]
    fn ln(self) -> f64 {
        f64::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> f64 {
        f64::ln_1p(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest_error(low: f32, high: f32, f: fn(f32) -> f32, exact: fn(f64) -> f64, relative: bool) -> f64 {
        (0..=200_000)
            .map(|i| low + (high - low) * (i as f32 / 200_000.0))
            .map(|x| {
                let truth = exact(f64::from(x));
                let error = (f64::from(f(x)) - truth).abs();
                if relative { error / truth.abs() } else { error }
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_stated_errors_hold() {
        assert!(largest_error(-87.0, 87.0, Math::exp, f64::exp, true) < 3e-7);
        assert!(largest_error(-10.0, 10.0, Math::tanh, f64::tanh, false) < 3e-7);
        assert!(largest_error(-0.01, 0.01, Math::tanh, f64::tanh, false) < 1e-9);
        assert!(largest_error(-6.0, 6.0, Math::erf, libm::erf, false) < 5e-7);
        assert!(largest_error(-0.01, 0.01, Math::erf, libm::erf, false) < 1e-8);
    }

    #[test]
    fn the_ends_are_tame_and_nan_is_kept() {
        assert_eq!(Math::exp(-200.0_f32), 0.0);
        assert_eq!(Math::exp(f32::NEG_INFINITY), 0.0);
        assert!(Math::exp(200.0_f32) > 1e38);
        for f in [Math::exp, Math::tanh, Math::erf, Math::sigmoid] as [fn(f32) -> f32; 4] {
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!(Math::tanh(50.0_f32), 1.0);
        assert_eq!(Math::erf(-50.0_f32), -1.0);
    }
}
