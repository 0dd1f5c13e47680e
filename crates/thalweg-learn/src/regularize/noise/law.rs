//! The law that noise follows.

use thalweg_optim::Range;
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::technique::Setting;
use crate::kernel::draw::Bits;
use crate::kernel::normal::AddNormal;

/// The setting that chooses between the two laws; a technique is normal unless it says so.
pub(crate) const UNIFORM: Setting =
    Setting { key: "uniform", symbol: "u", range: Range::SWITCH, default: 0.0 };

/// Noise of mean 0 and standard deviation σ: normal, or uniform in [−√3·σ, √3·σ), so that σ means the same in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// σ.
    pub deviation: f32,
    /// Whether it is uniform.
    pub uniform: bool,
}

impl Noise {
    /// `out[i]` ← `out[i]` + n, the noise of element i.
    pub(crate) fn add(self, bits: Bits, out: &mut [f32]) {
        if self.uniform {
            dispatch(AddUniform { bits, reach: 3.0_f32.sqrt() * self.deviation, out });
        } else {
            dispatch(AddNormal { bits, deviation: self.deviation, out });
        }
    }
}

/// Adds numbers from [−reach, reach).
struct AddUniform<'a> {
    bits: Bits,
    reach: f32,
    out: &'a mut [f32],
}

impl Kernel for AddUniform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (index, out) in self.out.iter_mut().enumerate() {
            // 24 bits are as many as an f32 holds: the end itself is never reached.
            let unit = (self.bits.of(index) >> 8) as f32 / (1 << 24) as f32;
            *out += self.reach * (2.0 * unit - 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_have_mean_deviation_and_shape() {
        const COUNT: usize = 200_000;
        // The kurtosis, with the variance of x⁴ for x of variance 1; and how far it goes.
        for (uniform, kurtosis, spread, most) in
            [(false, 3.0, 96.0, f64::INFINITY), (true, 1.8, 5.76, 3.0_f64.sqrt())]
        {
            let mut out = vec![0.0; COUNT];
            Noise { deviation: 0.25, uniform }.add(Bits::new(5, 0.0), &mut out);
            let n = COUNT as f64;
            let moment = |power: i32| out.iter().map(|&x| (f64::from(x) / 0.25).powi(power)).sum::<f64>() / n;
            // Five standard errors each.
            let within = |found: f64, expected: f64, variance: f64| {
                let error = 5.0 * (variance / n).sqrt();
                assert!((found - expected).abs() < error, "uniform: {uniform}: {found} for {expected}");
            };
            within(moment(1), 0.0, 1.0);
            within(moment(2), 1.0, kurtosis - 1.0);
            within(moment(4), kurtosis, spread);
            let largest = out.iter().fold(0.0_f64, |most, &x| most.max(f64::from(x.abs()) / 0.25));
            assert!(largest <= most + 1e-6 && largest > 1.731, "uniform: {uniform}: up to {largest}");
        }
    }
}
