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

use super::step::BLOCK;
use super::{Isa, Kernel};
use crate::real::Real;

/// Numbers that are packed together, and share a scale where they are bytes.
pub const SCALED: usize = 256;
/// Each hash rounds two of them: one of either half.
const HALF: usize = SCALED / 2;

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

/// Mixes all bits of a word: Wellons' «lowbias32» (*Prospecting for hash functions*, 2018).
#[inline(always)]
pub fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

impl Rounding {
    /// Rounds the numbers that are packed together as number `index` of the stream: `short(x, carry)` makes a number short, with `carry` added to its bits before the lowest
    /// `low` are cut off.
    #[inline(always)]
    fn each<T: Real, C: Copy + Default>(
        self,
        index: usize,
        from: &[T; SCALED],
        to: &mut [C; SCALED],
        short: impl Fn(f32, u32) -> C,
        low: u32,
    ) {
        let (first, second) = from.split_at(HALF);
        let (to_first, to_second) = to.split_at_mut(HALF);
        let halves = first.as_chunks::<BLOCK>().0.iter().zip(second.as_chunks::<BLOCK>().0);
        let to_halves =
            to_first.as_chunks_mut::<BLOCK>().0.iter_mut().zip(to_second.as_chunks_mut::<BLOCK>().0);
        for (block, ((first, second), (to_first, to_second))) in halves.zip(to_halves).enumerate() {
            let start = (index * HALF + block * BLOCK) as u32;
            let (mut one, mut two) = ([C::default(); BLOCK], [C::default(); BLOCK]);
            for lane in 0..BLOCK {
                let (x, y) = (single(first[lane]), single(second[lane]));
                let (for_x, for_y) = match self {
                    Self::Nearest => (nearest(x, low), nearest(y, low)),
                    Self::Stochastic(key) => {
                        let chances = hash(key ^ (start + lane as u32));
                        ((chances & 0xffff) << (low - 16), chances >> 16 << (low - 16))
                    }
                };
                (one[lane], two[lane]) = (short(x, for_x), short(y, for_y));
            }
            to_first.copy_from_slice(&one);
            to_second.copy_from_slice(&two);
        }
    }
}

/// What to add before the lowest bits are cut off, so that the rest is the nearest: of two, the even one. For sizes only,
/// not for the sign.
#[inline(always)]
fn nearest(x: f32, low: u32) -> u32 {
    (1 << (low - 1)) - 1 + (x.to_bits() >> low & 1)
}

#[inline(always)]
fn single<T: Real>(x: T) -> f32 {
    x.to_f64() as f32
}

/// The bits of ∞. NaN's are above: a carry would turn both into something else.
const INFINITY: u32 = 0x7f80_0000;
const QUIET: u32 = 0x0040_0000;

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

/// Writes bf16 numbers, as many as a multiple of [`SCALED`].
pub struct ToBf16<'a, T> {
    /// The numbers.
    pub from: &'a [T],
    /// Overwritten; as long.
    pub to: &'a mut [u16],
    /// How they are rounded.
    pub rounding: Rounding,
    /// Which number of the stream the first [`SCALED`] have.
    pub index: usize,
}

impl<T: Real> Kernel for ToBf16<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let short = |x: f32, carry: u32| {
            let bits = x.to_bits();
            let size = bits & 0x7fff_ffff;
            let special = if size > INFINITY { bits | QUIET } else { bits };
            ((if size < INFINITY { bits + carry } else { special }) >> 16) as u16
        };
        let parts = self.from.as_chunks().0.iter().zip(self.to.as_chunks_mut().0);
        for (index, (from, to)) in (self.index..).zip(parts) {
            self.rounding.each(index, from, to, short, 16);
        }
    }
}

/// Reads numbers from both halves of an f32's bits: see [`Split`].
pub struct Join<'a, T> {
    /// The upper halves, rounded.
    pub high: &'a [u16],
    /// The lower halves.
    pub low: &'a [u16],
    /// Overwritten; as long.
    pub to: &'a mut [T],
}

impl<T: Real> Kernel for Join<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, (&high, &low)) in self.to.iter_mut().zip(self.high.iter().zip(self.low)) {
            let size = high & 0x7fff;
            // What the caller wrote since has no such lower half: 0 has nothing below it, ∞ nothing above.
            let stale = (size == 0 && low > 0x7fff) || (size >= 0x7f80 && low < 0x8000);
            let low = if stale { 0 } else { low };
            let bits = (u32::from(high) << 16).wrapping_add_signed(i32::from(low.cast_signed()));
            *to = T::from_f64(f64::from(f32::from_bits(bits)));
        }
    }
}

/// Writes numbers as both halves of an f32's bits: the upper one is the nearest bf16 (of two, the larger in size), and the
/// lower one, from −2¹⁵ to 2¹⁵ − 1, what it misses. Nothing is lost.
pub struct Split<'a, T> {
    /// The numbers.
    pub from: &'a [T],
    /// Overwritten; as long.
    pub high: &'a mut [u16],
    /// Overwritten; as long.
    pub low: &'a mut [u16],
}

impl<T: Real> Kernel for Split<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (&x, (high, low)) in self.from.iter().zip(self.high.iter_mut().zip(self.low)) {
            let bits = single(x).to_bits();
            // A NaN must not be carried into another number: it is kept as one that nothing can be added to.
            let bits = if bits & 0x7fff_ffff > INFINITY { bits & 0xffff_0000 | QUIET } else { bits };
            let upper = if bits & 0x7fff_ffff > INFINITY { bits >> 16 } else { (bits + 0x8000) >> 16 };
            *high = upper as u16;
            *low = bits as u16;
        }
    }
}

/// How many codes lie below the scale.
#[inline(always)]
fn below(signed: bool) -> i32 {
    (if signed { 15 } else { 31 }) << FRACTION
}

/// Reads numbers of 8 bits, as many as a multiple of [`SCALED`].
pub struct FromBytes<'a, T> {
    /// A code per number.
    pub codes: &'a [u8],
    /// A power of two per [`SCALED`] numbers; negative for some without negative numbers.
    pub scales: &'a [f32],
    /// Overwritten; as long as the codes.
    pub to: &'a mut [T],
}

impl<T: Real> Kernel for FromBytes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let parts = self.to.as_chunks_mut::<SCALED>().0.iter_mut().zip(self.codes.as_chunks::<SCALED>().0);
        for ((to, codes), &scale) in parts.zip(self.scales) {
            let signed = !scale.is_sign_negative();
            let (mask, scale) = (if signed { 0x7f } else { 0xff }, scale.abs());
            let one = (127 << FRACTION) - below(signed);
            for (to, &code) in to.iter_mut().zip(codes) {
                let code = i32::from(code);
                let size = code & mask;
                let magnitude = f32::from_bits(((size + one) << DROPPED) as u32);
                let magnitude = if size == 0 { 0.0 } else { magnitude } * scale;
                let value = if code > mask { -magnitude } else { magnitude };
                *to = T::from_f64(f64::from(value));
            }
        }
    }
}

/// Writes numbers of 8 bits, as many as a multiple of [`SCALED`].
pub struct ToBytes<'a, T> {
    /// The numbers.
    pub from: &'a [T],
    /// Overwritten; as long.
    pub codes: &'a mut [u8],
    /// Overwritten; one per [`SCALED`] numbers.
    pub scales: &'a mut [f32],
    /// How they are rounded.
    pub rounding: Rounding,
    /// Which number of the stream the first [`SCALED`] have.
    pub index: usize,
}

impl<T: Real> Kernel for ToBytes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let parts = self.from.as_chunks().0.iter().zip(self.codes.as_chunks_mut().0);
        for (index, ((from, codes), scale)) in (self.index..).zip(parts.zip(self.scales)) {
            let (signed, power) = scale_of(from);
            *scale = if signed { power } else { -power };
            // What the exponent and the first bits of the fraction begin at; beyond all, where there is nothing to keep.
            let zero =
                if power > 0.0 { (power.to_bits() >> DROPPED) as i32 - below(signed) } else { i32::MAX };
            if signed {
                // What is below the smallest size that has a code becomes it or 0, by the same chance.
                let (least, parts) = match power > 0.0 {
                    true => {
                        let least = f32::from_bits(((1 + zero) << DROPPED) as u32);
                        (least, (1 << DROPPED) as f32 / least)
                    }
                    false => (f32::INFINITY, 0.0),
                };
                let short = |x: f32, carry: u32| {
                    let bits = x.to_bits();
                    let size = (((bits & 0x7fff_ffff).wrapping_add(carry)) >> DROPPED) as i32;
                    let small = i32::from(x.abs() * parts > carry as f32);
                    let size = if x.abs() < least { small } else { (size - zero).min(0x7f) };
                    (size as u32 | (bits >> 24 & 0x80)) as u8
                };
                self.rounding.each(index, from, codes, short, DROPPED);
            } else {
                let short = |x: f32, carry: u32| {
                    let bits = x.to_bits();
                    let size = (bits.wrapping_add(carry) >> DROPPED) as i32;
                    // A small square must not become 0: the step that divides by its root would explode.
                    (size - zero).clamp(bits.min(1) as i32, 0xff) as u8
                };
                self.rounding.each(index, from, codes, short, DROPPED);
            }
        }
    }
}

/// Whether any number is negative, and the power of two of which the largest magnitude is 1.875 times at most, so that there
/// is a code above each number: 0 if all are 0, NaN if one is not finite.
#[inline(always)]
fn scale_of<T: Real>(values: &[T; SCALED]) -> (bool, f32) {
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
        INFINITY.. => (true, f32::NAN),
        // Not so small that a code would stand for less than the smallest normal number, or parts of it for more than the
        // largest.
        _ => {
            let above = (largest + (1 << DROPPED) - 1) & INFINITY;
            (signed, f32::from_bits(above.clamp((127 - 80) << 23, 254 << 23)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::kernel::{Level, levels, run_on};

    /// What `round` makes of the numbers at each level of the CPU; zeros fill the last piece.
    fn at_each_level(from: &[f32], round: impl Fn(Level, &[f32], &mut [f32])) -> Vec<f32> {
        let mut padded = from.to_vec();
        padded.resize(from.len().next_multiple_of(SCALED), 0.0);
        let mut results = levels().iter().map(|&level| {
            let mut back = vec![0.0; padded.len()];
            round(level, &padded, &mut back);
            back
        });
        let mut first = results.next().expect("a level");
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        results.for_each(|other| assert_eq!(bits(&first), bits(&other)));
        first.truncate(from.len());
        first
    }

    fn bf16(from: &[f32], rounding: Rounding) -> Vec<f32> {
        at_each_level(from, |level, from, back| {
            let mut bits = vec![0; from.len()];
            run_on(level, ToBf16 { from, to: &mut bits, rounding, index: 3 });
            run_on(level, FromBf16 { from: &bits, to: back });
        })
    }

    fn bytes(from: &[f32], rounding: Rounding) -> Vec<f32> {
        at_each_level(from, |level, from, to| to.copy_from_slice(&bytes_at(level, from, rounding)))
    }

    fn bytes_at(level: Level, from: &[f32], rounding: Rounding) -> Vec<f32> {
        let mut padded = from.to_vec();
        padded.resize(from.len().next_multiple_of(SCALED), 0.0);
        let (mut codes, mut scales) = (vec![0; padded.len()], vec![0.0; padded.len() / SCALED]);
        let (codes, scales) = (&mut codes[..], &mut scales[..]);
        let mut back = padded.clone();
        run_on(level, ToBytes { from: &padded, codes, scales, rounding, index: 3 });
        run_on(level, FromBytes { codes, scales, to: &mut back });
        back.truncate(from.len());
        back
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

    /// Just below a power of two, too, where the largest number has no code above it unless the scale grows.
    #[test]
    fn no_size_is_wrong_on_average() {
        let mut sizes: Vec<f32> = (0..64).map(|i| 1.0 + i as f32 / 64.0).collect();
        sizes.extend([1.999, 1.99, 1.876, 1.875, 1.874]);
        // Far below the largest: 2⁻¹⁶ of it has no code of its own.
        let small: Vec<f32> = (0..30).map(|i| 1.7 * 2_f32.powi(-i)).collect();
        for &largest in &sizes {
            for (sign, others) in [(1.0, &sizes[..0]), (-1.0, &small)] {
                let block: Vec<f32> =
                    [largest].into_iter().chain(others.iter().map(|x| largest * 0.5 * sign * x)).collect();
                let keys = 4000;
                let mut sums = vec![0.0_f64; block.len()];
                for key in 0..keys {
                    let kept = bytes_at(levels()[0], &block, Rounding::Stochastic(hash(key)));
                    sums.iter_mut().zip(kept).for_each(|(sum, x)| *sum += f64::from(x));
                }
                for (x, sum) in block.iter().zip(sums) {
                    let (x, mean) = (f64::from(*x), sum / f64::from(keys));
                    // Neighbours are ⅛ of a size apart at most, or all that is below the smallest code.
                    let step = (x.abs() / 8.0).max(f64::from(largest) / 30_000.0);
                    let error = 5.0 * 0.5 * step / f64::from(keys).sqrt();
                    assert!((mean - x).abs() < error, "{x} beside {largest}: {mean}");
                }
            }
        }
    }

    /// The same by logarithms and division, one number after the other.
    #[test]
    fn codes_are_those_of_a_plain_twin() {
        let twin = |block: &[f32]| {
            let largest = f64::from(block.iter().fold(0.0_f32, |a, x| a.max(x.abs())));
            let signed = block.iter().any(|x| x.is_sign_negative());
            let mut power = 2_f64.powi(largest.log2().floor() as i32);
            power *= if largest > 1.875 * power { 2.0 } else { 1.0 };
            let least = power * if signed { 1.125 / 32_768.0 } else { 1.125 / 2_147_483_648.0 };
            let nearest = |x: f64| {
                let grain = 2_f64.powi(x.log2().floor() as i32 - 3);
                let rounded = if x < least {
                    (x / least).round() * least
                } else {
                    (x / grain).round_ties_even() * grain
                };
                if x > 0.0 && !signed { rounded.max(least) } else { rounded }
            };
            let of = |&x: &f32| {
                if x == 0.0 { x } else { (nearest(f64::from(x).abs()) as f32).copysign(x) }
            };
            block.iter().map(of).collect::<Vec<_>>()
        };
        for scale in [1e-20, 1.0, 3e7] {
            let signed: Vec<f32> =
                (0..SCALED).map(|i| scale * (i as f32 * 0.7).sin() * 2_f32.powi(-(i as i32 % 17))).collect();
            let squares: Vec<f32> = signed.iter().map(|x| x.abs()).collect();
            for block in [signed, squares] {
                let (kept, twin) = (bytes(&block, Rounding::Nearest), twin(&block));
                for ((x, kept), twin) in block.iter().zip(&kept).zip(&twin) {
                    assert_eq!(kept, twin, "{x} of {scale}");
                }
            }
        }
    }

    #[test]
    fn both_halves_are_the_whole_and_a_new_upper_half_has_no_old_lower_one() {
        let odd = [
            0.0,
            -0.0,
            1e-45,
            -1e-40,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ];
        let mut given: Vec<f32> =
            (0..500).map(|i| (i as f32 * 0.7).sin() * 10_f32.powi(i % 60 - 30)).collect();
        given.extend(odd);
        given.extend([0x3f80_8000, 0x3f80_7fff, 0x3f81_8000, 0xff7f_8000].map(f32::from_bits));
        for &level in levels() {
            let n = given.len();
            let (mut high, mut low, mut back) = (vec![0; n], vec![0; n], vec![0.0_f32; n]);
            run_on(level, Split { from: &given, high: &mut high, low: &mut low });
            run_on(level, Join { high: &high, low: &low, to: &mut back });
            assert!(given.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()), "{level:?}");
            let nans = [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)];
            let (high, low) = (&mut high[..3], &mut low[..3]);
            run_on(level, Split { from: &nans, high, low });
            assert!(high.iter().all(|high| high & 0x7fc0 == 0x7fc0) && low.iter().all(|&low| low == 0));
            for (low, upper) in [0x0001, 0x7fff, 0x8000, 0xffff].into_iter().flat_map(|low| {
                [0.0_f32, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY].map(|upper| (low, upper))
            }) {
                let mut back = [0.0_f32];
                run_on(level, Join { high: &[(upper.to_bits() >> 16) as u16], low: &[low], to: &mut back });
                // Half of the spacing of bf16 at 1, and of the numbers below the smallest normal one.
                let near = (back[0] - upper).abs() <= 1.0 / 256.0;
                assert!(
                    near || (upper.is_infinite() && back[0].abs() > 3.3e38),
                    "{upper} and {low:x}: {}",
                    back[0]
                );
            }
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
