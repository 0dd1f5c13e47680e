//! What becomes of numbers that are made short and read back: laws, a plain twin, every CPU level.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::kernel::{Isa, Kernel, Level, levels, run_on};

/// Makes a block short and reads it back.
struct There<'a> {
    from: &'a [f32; BLOCK],
    back: &'a mut [f32; BLOCK],
    rounding: Rounding,
    bytes: bool,
}

impl Kernel for There<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { from, back, rounding, bytes } = self;
        if bytes {
            let mut codes = [0; BLOCK];
            let scale = to_bytes(from, &mut codes, rounding);
            from_bytes(&codes, scale, back);
        } else {
            let mut cells = [0; BLOCK];
            to_bf16(from, &mut cells, rounding);
            from_bf16(&cells, back);
        }
    }
}

/// What becomes of the numbers, block by block; zeros fill the last.
fn at(level: Level, from: &[f32], rounding: Rounding, bytes: bool) -> Vec<f32> {
    let mut there = Vec::new();
    for own in from.chunks(BLOCK) {
        let (mut from, mut back) = ([0.0; BLOCK], [0.0; BLOCK]);
        from[..own.len()].copy_from_slice(own);
        run_on(level, There { from: &from, back: &mut back, rounding, bytes });
        there.extend_from_slice(&back[..own.len()]);
    }
    there
}

/// The same at each level of the CPU, which must agree.
fn at_each_level(from: &[f32], rounding: Rounding, bytes: bool) -> Vec<f32> {
    let mut results = levels().iter().map(|&level| at(level, from, rounding, bytes));
    let first = results.next().expect("a level");
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    results.for_each(|other| assert!(bits(&first) == bits(&other)));
    first
}

fn bf16(from: &[f32], rounding: Rounding) -> Vec<f32> {
    at_each_level(from, rounding, false)
}

fn bytes(from: &[f32], rounding: Rounding) -> Vec<f32> {
    at_each_level(from, rounding, true)
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
                let kept = at(levels()[0], &block, Rounding::Stochastic(hash(key)), true);
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
        power *= if largest > 1.8749 * power { 2.0 } else { 1.0 };
        let offset = power / if signed { 32_768.0 } else { 2_147_483_648.0 };
        let nearest = |x: f64| {
            let above = f64::from((x + offset) as f32);
            let grain = 2_f64.powi(above.log2().floor() as i32 - 3);
            let rounded = (above / grain).round_ties_even() * grain - offset;
            if x > 0.0 && !signed { rounded.max(offset / 8.0) } else { rounded }
        };
        block.iter().map(|x| (nearest(f64::from(x.abs())) as f32).copysign(*x)).collect::<Vec<_>>()
    };
    for scale in [1e-20, 1.0, 3e7] {
        let signed: Vec<f32> =
            (0..BLOCK).map(|i| scale * (i as f32 * 0.7).sin() * 2_f32.powi(-(i as i32 % 23))).collect();
        let squares: Vec<f32> = signed.iter().map(|x| x * x / scale).collect();
        for block in [signed, squares] {
            let (kept, twin) = (bytes(&block, Rounding::Nearest), twin(&block));
            for ((x, kept), twin) in block.iter().zip(&kept).zip(&twin) {
                assert_eq!(kept, twin, "{x} of {scale}");
            }
        }
    }
}

/// Rounding that is not by chance but by a rule of the neighbours would show in sums over a block.
#[test]
fn a_block_rounds_as_many_up_as_its_numbers_ask_for() {
    for part in [0.1_f32, 0.25, 0.5, 0.9] {
        let block = [1.0 + part / 128.0; BLOCK];
        for key in 0..100 {
            let up = bf16(&block, Rounding::Stochastic(hash(key))).iter().filter(|&&x| x > 1.0).count();
            // A golden sequence is within log n of the right number.
            assert!((up as f32 - part * BLOCK as f32).abs() < 3.0, "{up} of 64 for {part}");
        }
    }
}

/// Splits a block into halves, or joins them.
enum Halves<'a> {
    Split(&'a [f32; BLOCK], &'a mut [u16; BLOCK], &'a mut [u16; BLOCK]),
    Join(&'a [u16; BLOCK], &'a [u16; BLOCK], &'a mut [f32; BLOCK]),
}

impl Kernel for Halves<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match self {
            Self::Split(from, high, low) => split(from, high, low),
            Self::Join(high, low, to) => join(high, low, to),
        }
    }
}

#[test]
fn both_halves_are_the_whole_and_a_new_upper_half_has_no_old_lower_one() {
    let odd =
        [0.0, -0.0, 1e-45, -1e-40, f32::MIN_POSITIVE, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY];
    let mut given: Vec<f32> = (0..500).map(|i| (i as f32 * 0.7).sin() * 10_f32.powi(i % 60 - 30)).collect();
    given.extend(odd);
    given.extend([0x3f80_8000, 0x3f80_7fff, 0x3f81_8000, 0xff7f_8000].map(f32::from_bits));
    let upper_of = |x: f32| (x.to_bits() >> 16) as u16;
    for &level in levels() {
        for own in given.chunks(BLOCK) {
            let (mut from, mut back) = ([0.0; BLOCK], [0.0; BLOCK]);
            from[..own.len()].copy_from_slice(own);
            let (mut high, mut low) = ([0; BLOCK], [0; BLOCK]);
            run_on(level, Halves::Split(&from, &mut high, &mut low));
            run_on(level, Halves::Join(&high, &low, &mut back));
            assert!(from.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()), "{level:?}");
        }
        for nan in [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)] {
            let (mut high, mut low) = ([0; BLOCK], [0; BLOCK]);
            run_on(level, Halves::Split(&[nan; BLOCK], &mut high, &mut low));
            assert!(high.iter().all(|high| high & 0x7fc0 == 0x7fc0) && low.iter().all(|&low| low == 0));
        }
        for upper in [0.0_f32, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY] {
            for low in [0x0001, 0x7fff, 0x8000, 0xffff] {
                let mut back = [0.0; BLOCK];
                run_on(level, Halves::Join(&[upper_of(upper); BLOCK], &[low; BLOCK], &mut back));
                for back in back {
                    // Half of the spacing of bf16 at 1, and of the numbers below the smallest normal one.
                    let near = (back - upper).abs() <= 1.0 / 256.0;
                    let large = upper.is_infinite() && back.abs() > 3.3e38;
                    assert!(near || large, "{upper} and {low:x}: {back}");
                }
            }
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

/// The last sizes before ∞ have no code above them: they must not wrap into another.
#[test]
fn the_largest_numbers_stay_large() {
    for x in [1.875 * 2_f32.powi(127), 3.2e38, 3.3e38, f32::MAX] {
        for sign in [1.0, -1.0] {
            for key in 0..50 {
                let kept = bytes(&[sign * x, 1.0], Rounding::Stochastic(hash(key)));
                assert!((kept[0] / (sign * x) - 1.0).abs() < 0.07, "{x}: {kept:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(200) })]
    #[test]
    fn errors_are_a_step_of_the_grid_at_most(values in proptest::collection::vec(-1e3_f32..1e3, 1..600), key: u32) {
        for (x, y) in values.iter().zip(bf16(&values, Rounding::Stochastic(key))) {
            prop_assert!((x - y).abs() <= x.abs() / 128.0 + 1e-37, "{x} {y}");
        }
        for (block, kept) in values.chunks(BLOCK).zip(bytes(&values, Rounding::Stochastic(key)).chunks(BLOCK)) {
            let largest = block.iter().fold(0.0_f32, |a, x| a.max(x.abs()));
            for (x, y) in block.iter().zip(kept) {
                prop_assert!((x - y).abs() <= x.abs() / 8.0 + largest / 16384.0, "{x} {y}");
            }
        }
    }
}
