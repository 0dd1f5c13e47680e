//! Normal numbers with an address, as vector code: noise over a batch or over all weights.

use thalweg_optim::kernel::{Isa, Kernel};

use super::draw::Bits;

/// A normal number of mean 0 and variance 1 from 32 random bits: √2·erf⁻¹(x), x the middle of one of 2²³ equal parts of
/// (−1, 1), by the polynomials of Giles (*Approximating the erfinv function*, 2010), whose relative error is below 6e-7.
/// So the largest are ±5.2, which normal numbers pass once in four million draws.
#[expect(clippy::excessive_precision, reason = "the digits as published")]
#[inline(always)]
pub fn normal(bits: u32) -> f32 {
    const STEP: f32 = 1.0 / (1 << 22) as f32;
    let x = ((bits >> 9) as f32 + 0.5) * STEP - 1.0;
    let w = -ln((1.0 - x) * (1.0 + x));
    let near = polynomial(
        w - 2.5,
        [
            2.810_226_4e-8,
            3.432_739_4e-7,
            -3.523_387_7e-6,
            -4.391_506_5e-6,
            0.000_218_580_87,
            -0.001_253_725_03,
            -0.004_177_681_64,
            0.246_640_727,
            1.501_409_41,
        ],
    );
    let far = polynomial(
        w.sqrt() - 3.0,
        [
            -0.000_200_214_257,
            0.000_100_950_558,
            0.001_349_343_22,
            -0.003_673_428_44,
            0.005_739_507_73,
            -0.007_622_461_3,
            0.009_438_870_47,
            1.001_674_06,
            2.832_976_82,
        ],
    );
    std::f32::consts::SQRT_2 * x * if w < 5.0 { near } else { far }
}

#[inline(always)]
fn polynomial(x: f32, coefficients: [f32; 9]) -> f32 {
    let mut sum = 0.0;
    for c in coefficients {
        sum = sum * x + c;
    }
    sum
}

/// ln x of a normal x > 0, without a branch: x = 2ᵉ·m with m in [√½, √2), and ln m = 2·artanh((m − 1)/(m + 1)).
#[inline(always)]
fn ln(x: f32) -> f32 {
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let e = (x.to_bits().wrapping_sub(ROOT_HALF) as i32) >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((e as u32) << 23));
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = 2.0 + s2 * (2.0 / 3.0 + s2 * (2.0 / 5.0 + s2 * (2.0 / 7.0 + s2 * (2.0 / 9.0))));
    e as f32 * std::f32::consts::LN_2 + s * series
}

/// `out[i]` ← `out[i]` + σ·n, with n the normal number of element i.
#[derive(Debug)]
pub struct AddNormal<'a> {
    /// Where the numbers come from.
    pub bits: Bits,
    /// σ.
    pub deviation: f32,
    /// What they are added to.
    pub out: &'a mut [f32],
}

impl Kernel for AddNormal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (index, out) in self.out.iter_mut().enumerate() {
            *out += self.deviation * normal(self.bits.of(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::kernel::{levels, run_on};

    use super::*;

    #[test]
    fn the_distribution_is_normal() {
        // Its distribution function, ½·(1 + erf(n/√2)), gives back the share that the number was made for.
        let share = |n: f32| 0.5 * (1.0 + libm::erf(f64::from(n) / std::f64::consts::SQRT_2));
        for part in (0_u32..1 << 23).step_by(997).chain([0, 1, (1 << 23) - 1]) {
            let expected = (f64::from(part) + 0.5) / f64::from(1 << 23);
            let found = share(normal(part << 9));
            let tail = expected.min(1.0 - expected);
            assert!((found - expected).abs() < 2e-5 * tail + 1e-8, "{part}: {found} for {expected}");
        }
        assert_eq!(normal(0), -normal(u32::MAX));
    }

    #[test]
    fn the_logarithm_is_exact_enough() {
        for x in (1..100_000_u32).map(|i| i as f32 / 50_000.0) {
            let truth = f64::from(x).ln();
            assert!((f64::from(ln(x)) - truth).abs() < 2e-7 * truth.abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn every_level_adds_the_same_noise() {
        let (bits, deviation) = (Bits::new(11, 0.5), 0.25);
        let plain: Vec<f32> = (0..1003).map(|index| 2.0 + deviation * normal(bits.of(index))).collect();
        for &level in levels() {
            let mut out = vec![2.0; plain.len()];
            run_on(level, AddNormal { bits, deviation, out: &mut out });
            assert_eq!(out, plain, "{level:?}");
        }
        let mean = plain.iter().map(|x| f64::from(x - 2.0)).sum::<f64>() / plain.len() as f64;
        let variance = plain.iter().map(|x| f64::from(x - 2.0).powi(2)).sum::<f64>() / plain.len() as f64;
        assert!(
            mean.abs() < 5.0 * 0.25 / 31.0 && (variance / 0.0625 - 1.0).abs() < 0.25,
            "{mean} {variance}"
        );
    }
}
