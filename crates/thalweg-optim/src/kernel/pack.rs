//! Numbers kept in 16 or 8 bits.
//!
//! ```text
//! bf16   the upper half of an f32: 8 bits of exponent, 7 of fraction
//! byte   blocks of 256 numbers share a power of two; a number is a small float below it:
//!        a block with negative numbers    1 bit of sign, 4 of exponent, 3 of fraction
//!        a block without                  5 bits of exponent, 3 of fraction
//! ```
//! An average that moves by a thousandth a step does not move at all if its new value is rounded to the nearest of 8 or
//! 128 steps per octave. So numbers are rounded up or down by chance, in proportion: right on average. The chance is a
//! hash of (key, place), so it does not depend on the order or the thread. (Block-wise 8-bit states: Dettmers et al., *8-bit
//! optimizers via block-wise quantization*, 2022; theirs rounds to the nearest of 256 learned levels.)

use super::{Isa, Kernel};
use crate::real::Real;

/// Numbers that share a scale.
pub const SCALED: usize = 256;

/// The fraction bits that a byte keeps.
const FRACTION: u32 = 3;
/// The bits of an f32 behind those.
const DROPPED: u32 = 23 - FRACTION;

/// How a number is made short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to even.
    Nearest,
    /// Up or down by chance, in proportion: the key of a stream whose index is the place of the number.
    Stochastic(u32),
}

impl Rounding {
    /// What is added before the low `bits` are cut off.
    #[inline(always)]
    fn carry(self, value: u32, bits: u32, index: u32) -> u32 {
        match self {
            Self::Nearest => (1 << (bits - 1)) - 1 + (value >> bits & 1),
            Self::Stochastic(key) => hash(key ^ index) >> (32 - bits),
        }
    }
}

/// Mixes all bits of a word: Wellons' «lowbias32» (*Prospecting for hash functions*, 2018).
#[inline(always)]
pub fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[inline(always)]
fn single<T: Real>(x: T) -> f32 {
    x.to_f64() as f32
}

/// Reads bf16 numbers.
pub struct FromBf16<'a, T> {
    /// The upper halves.
    pub from: &'a [u16],
    /// Overwritten; as long.
    pub to: &'a mut [T],
}

impl<T: Real> Kernel for FromBf16<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, &bits) in self.to.iter_mut().zip(self.from) {
            *to = T::from_f64(f64::from(f32::from_bits(u32::from(bits) << 16)));
        }
    }
}

/// Writes bf16 numbers.
pub struct ToBf16<'a, T> {
    /// The numbers.
    pub from: &'a [T],
    /// Overwritten; as long.
    pub to: &'a mut [u16],
    /// How they are rounded.
    pub rounding: Rounding,
    /// The place of the first number.
    pub start: u32,
}

impl<T: Real> Kernel for ToBf16<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (index, (to, &x)) in (self.start..).zip(self.to.iter_mut().zip(self.from)) {
            let bits = single(x).to_bits();
            // NaN and ∞ have all exponent bits set: a carry would turn them into something else.
            let special = bits & 0x7f80_0000 == 0x7f80_0000;
            let quiet = if bits & 0x007f_ffff != 0 { 0x0040_0000 } else { 0 };
            let carried = bits.wrapping_add(self.rounding.carry(bits, 16, index));
            *to = ((if special { bits | quiet } else { carried }) >> 16) as u16;
        }
    }
}

/// The first code of a block's binade: what lies below is 0.
#[inline(always)]
fn bias(signed: bool) -> i32 {
    (127 - if signed { 15 } else { 31 }) << FRACTION
}

/// Reads numbers of 8 bits.
pub struct FromBytes<'a, T> {
    /// A code per number.
    pub codes: &'a [u8],
    /// A power of two per [`SCALED`] numbers; negative for a block without negative numbers.
    pub scales: &'a [f32],
    /// Overwritten; as long as the codes.
    pub to: &'a mut [T],
}

impl<T: Real> Kernel for FromBytes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let blocks = self.to.chunks_mut(SCALED).zip(self.codes.chunks(SCALED));
        for ((to, codes), &scale) in blocks.zip(self.scales) {
            let signed = !scale.is_sign_negative();
            let (mask, bias, scale) = (if signed { 0x7f } else { 0xff }, bias(signed), scale.abs());
            for (to, &code) in to.iter_mut().zip(codes) {
                let code = i32::from(code);
                let size = code & mask;
                let magnitude = f32::from_bits(((size + bias) << DROPPED) as u32) * scale;
                let magnitude = if size == 0 { 0.0 * scale } else { magnitude };
                let value = if code > mask { -magnitude } else { magnitude };
                *to = T::from_f64(f64::from(value));
            }
        }
    }
}

/// Writes numbers of 8 bits.
pub struct ToBytes<'a, T> {
    /// The numbers.
    pub from: &'a [T],
    /// Overwritten; as long.
    pub codes: &'a mut [u8],
    /// Overwritten; one per [`SCALED`] numbers.
    pub scales: &'a mut [f32],
    /// How they are rounded.
    pub rounding: Rounding,
    /// The place of the first number.
    pub start: u32,
}

impl<T: Real> Kernel for ToBytes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let blocks = self.from.chunks(SCALED).zip(self.codes.chunks_mut(SCALED));
        for (block, ((from, codes), scale)) in blocks.zip(self.scales).enumerate() {
            let (signed, power) = scale_of(from);
            *scale = if signed { power } else { -power };
            // A power of two: dividing by it is exact. A block of zeros has none.
            let shrink = if power > 0.0 { 1.0 / power } else { 0.0 };
            let (bias, top) = (bias(signed), if signed { 0x7f } else { 0xff });
            let start = self.start.wrapping_add((block * SCALED) as u32);
            for (index, (code, &x)) in (start..).zip(codes.iter_mut().zip(from)) {
                let x = single(x);
                let bits = (x.abs() * shrink).to_bits();
                let carried = bits.wrapping_add(self.rounding.carry(bits, DROPPED, index));
                let size = ((carried >> DROPPED) as i32 - bias).min(top);
                // A small square must not become 0: the step that divides by its root would explode.
                let least = if !signed && x > 0.0 { 1 } else { 0 };
                let sign = if signed && x < 0.0 { 0x80 } else { 0 };
                let size = if size > least { size } else { least };
                *code = (size | if size == 0 { 0 } else { sign }) as u8;
            }
        }
    }
}

/// Whether any number is negative, and the power of two at or below the largest magnitude: 0 if all are 0, NaN if one is not
/// finite.
#[inline(always)]
fn scale_of<T: Real>(values: &[T]) -> (bool, f32) {
    // In integers, as a largest float is no vector instruction: magnitudes order as their bits do.
    let (mut largest, mut any) = (0, 0);
    for &x in values {
        let bits = single(x).to_bits();
        largest = largest.max(bits & 0x7fff_ffff);
        any |= bits;
    }
    let signed = any >> 31 == 1;
    match largest {
        0 => (signed, 0.0),
        0x7f80_0000.. => (true, f32::NAN),
        // The smallest numbers of f32 have no power of two that can be divided by: they are kept as if of 2⁻¹²⁶.
        _ => (signed, f32::from_bits((largest & 0x7f80_0000).max(0x0080_0000))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::kernel::{levels, run_on};

    fn bf16(from: &[f32], rounding: Rounding) -> Vec<f32> {
        let mut results = levels().iter().map(|&level| {
            let (mut bits, mut back) = (vec![0; from.len()], vec![0.0; from.len()]);
            run_on(level, ToBf16 { from, to: &mut bits, rounding, start: 7 });
            run_on(level, FromBf16 { from: &bits, to: &mut back });
            back
        });
        let first = results.next().expect("a level");
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        results.for_each(|other| assert_eq!(bits(&first), bits(&other)));
        first
    }

    fn bytes(from: &[f32], rounding: Rounding) -> Vec<f32> {
        let mut results = levels().iter().map(|&level| {
            let blocks = from.len().div_ceil(SCALED);
            let (mut codes, mut scales) = (vec![0; from.len()], vec![0.0; blocks]);
            let mut back = vec![0.0; from.len()];
            let (codes, scales) = (&mut codes[..], &mut scales[..]);
            run_on(level, ToBytes { from, codes, scales, rounding, start: 7 });
            run_on(level, FromBytes { codes, scales, to: &mut back });
            back
        });
        let first = results.next().expect("a level");
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        results.for_each(|other| assert_eq!(bits(&first), bits(&other)));
        first
    }

    #[test]
    fn bf16_rounds_to_the_nearest_even_half() {
        let given = [1.0, 1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0, -1.0, 0.0, 3.3895e38, f32::INFINITY, -0.0];
        let wanted = [1.0, 1.0, 1.0 + 4.0 / 256.0, -1.0, 0.0, 3.3895314e38, f32::INFINITY, -0.0];
        assert_eq!(bf16(&given, Rounding::Nearest), wanted);
        // A NaN whose fraction lies in the lower half only must stay one.
        for nan in [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)] {
            assert!(bf16(&[nan], Rounding::Nearest)[0].is_nan());
            assert!(bf16(&[nan], Rounding::Stochastic(3))[0].is_nan());
        }
        assert_eq!(bf16(&[f32::MAX], Rounding::Nearest), [f32::INFINITY]);
        assert_eq!(bf16(&[f32::NEG_INFINITY], Rounding::Stochastic(3)), [f32::NEG_INFINITY]);
    }

    #[test]
    fn chance_is_right_on_average() {
        let (steps, value) = (40_000, 1.0 + 0.3 / 128.0);
        for round in [bf16, bytes] {
            let mut block = vec![value; 100];
            block[0] = 1.5;
            let mean = |key| {
                let rounded = round(&block, Rounding::Stochastic(hash(key)));
                rounded[1..].iter().sum::<f32>() / 99.0
            };
            let total: f64 = (0..steps / 100).map(|key| f64::from(mean(key))).sum();
            let mean = total / f64::from(steps / 100);
            // Five standard errors of a coin between neighbours that are 1/8 apart.
            let error = 5.0 * 0.125 * 0.5 / f64::from(steps).sqrt();
            assert!((mean - f64::from(value)).abs() < error, "{mean} for {value}");
        }
    }

    #[test]
    fn a_byte_that_was_read_is_written_alike() {
        let values: Vec<f32> = (0..700).map(|i| (i as f32 * 0.7).sin() * 10_f32.powi(i / 100 - 4)).collect();
        let squares: Vec<f32> = values.iter().map(|x| x * x).collect();
        for given in [values, squares] {
            let once = bytes(&given, Rounding::Stochastic(5));
            assert_eq!(bytes(&once, Rounding::Stochastic(6)), once);
            assert_eq!(bytes(&once, Rounding::Nearest), once);
        }
    }

    #[test]
    fn squares_do_not_vanish_and_nan_shows() {
        let mut squares = vec![1.0, 1e-30, 0.0, f32::MIN_POSITIVE];
        let kept = bytes(&squares, Rounding::Nearest);
        assert!(kept[1] > 0.0 && kept[3] > 0.0 && kept[2] == 0.0, "{kept:?}");
        assert!(kept[1] < 1e-9);
        squares[2] = f32::NAN;
        assert!(bytes(&squares, Rounding::Nearest).iter().all(|x| x.is_nan()));
        assert_eq!(bytes(&[0.0; 300], Rounding::Stochastic(1)), [0.0; 300]);
        assert!(bytes(&[], Rounding::Nearest).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(200) })]
        #[test]
        fn errors_are_a_step_of_the_grid_at_most(values in proptest::collection::vec(-1e3_f32..1e3, 1..600), key: u32) {
            for (x, y) in values.iter().zip(bf16(&values, Rounding::Stochastic(key))) {
                prop_assert!((x - y).abs() <= x.abs() / 128.0 + 1e-37, "{x} {y}");
            }
            for (block, kept) in values.chunks(SCALED).zip(bytes(&values, Rounding::Stochastic(key)).chunks(SCALED)) {
                let largest = block.iter().fold(0.0_f32, |a, x| a.max(x.abs()));
                for (x, y) in block.iter().zip(kept) {
                    prop_assert!((x - y).abs() <= x.abs() / 8.0 + largest / 16384.0, "{x} {y}");
                }
            }
        }
    }
}
