//! Numbers kept in 16 or 8 bits, [`BLOCK`] at a time.
//!
//! ```text
//! bf16   the upper half of an f32: 8 bits of exponent, 7 of fraction
//! byte   the numbers of a block share a power of two; each is a small float below it:
//!        a block with negative numbers    1 bit of sign, 4 of exponent, 3 of fraction
//!        a block without                  5 bits of exponent, 3 of fraction
//! ```
//! An average that moves by a thousandth a step does not move at all if its new value is rounded to the nearest of 8 or
//! 128 steps per octave. So numbers are rounded up or down by chance, in proportion: right on average. (Block-wise 8-bit
//! states: Dettmers et al., *8-bit optimizers via block-wise quantization*, 2022; theirs rounds to the nearest of 256 learned
//! levels.)

use super::step::BLOCK;

/// The fraction bits that a byte keeps.
const FRACTION: u32 = 3;
/// The bits of an f32 behind those.
const DROPPED: u32 = 23 - FRACTION;

/// How a number is made short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to even.
    Nearest,
    /// Up or down by chance, in proportion. Number i of the block goes up where the part of it that is cut off and
    /// {key/2³² + i·φ} make a whole: each number's chance is right if the key is random, whatever the chances of its neighbours are, and
    /// those are spread evenly over a block (numbers a Fibonacci number apart nearly share theirs). One addition a number,
    /// where a hash takes ten steps. (Cranley & Patterson, *Randomization of number theoretic methods for
    /// multiple integration*, 1976.)
    Stochastic(u32),
}

/// Mixes all bits of a word: Wellons' «lowbias32» (*Prospecting for hash functions*, 2018).
#[inline(always)]
pub fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// i·φ of a turn of 2³², φ = (√5 − 1)/2: no other step spreads so evenly.
const TURNS: [u32; BLOCK] = {
    let (mut turns, mut i) = ([0; BLOCK], 1);
    while i < BLOCK {
        turns[i] = 0x9e37_79b9_u32.wrapping_add(turns[i - 1]);
        i += 1;
    }
    turns
};

impl Rounding {
    /// What to add to the bits of number `lane` before the lowest `low` are cut off. For sizes only, not for the sign.
    #[inline(always)]
    fn carry(self, lane: usize, bits: u32, low: u32) -> u32 {
        match self {
            Self::Nearest => (1 << (low - 1)) - 1 + (bits >> low & 1),
            Self::Stochastic(key) => key.wrapping_add(TURNS[lane]) >> (32 - low),
        }
    }
}

/// The bits of ∞. NaN's are above: a carry would turn both into something else.
const INFINITY: u32 = 0x7f80_0000;
const QUIET: u32 = 0x0040_0000;
const SIZE: u32 = 0x7fff_ffff;

/// Reads bf16 numbers.
#[inline(always)]
pub fn from_bf16(from: &[u16; BLOCK], to: &mut [f32; BLOCK]) {
    for (to, &bits) in to.iter_mut().zip(from) {
        *to = f32::from_bits(u32::from(bits) << 16);
    }
}

/// Writes bf16 numbers.
#[inline(always)]
pub fn to_bf16(from: &[f32; BLOCK], to: &mut [u16; BLOCK], rounding: Rounding) {
    let mut short = [0; BLOCK];
    for (lane, (short, x)) in short.iter_mut().zip(from).enumerate() {
        let bits = x.to_bits();
        // ∞ has nothing below its upper half to be carried; a NaN might, and would become a number.
        let carried = bits.wrapping_add(rounding.carry(lane, bits, 16));
        *short = ((if x.is_nan() { bits | QUIET } else { carried }) >> 16) as u16;
    }
    *to = short;
}

/// Reads numbers from both halves of an f32's bits: see [`split`].
#[inline(always)]
pub fn join(high: &[u16; BLOCK], low: &[u16; BLOCK], to: &mut [f32; BLOCK]) {
    for (to, (&high, &low)) in to.iter_mut().zip(high.iter().zip(low)) {
        let size = high & 0x7fff;
        // What the caller wrote since has no such lower half: 0 has nothing below it, ∞ nothing above.
        let stale = (size == 0 && low > 0x7fff) || (size >= 0x7f80 && low < 0x8000);
        let low = if stale { 0 } else { low };
        *to = f32::from_bits((u32::from(high) << 16).wrapping_add_signed(i32::from(low.cast_signed())));
    }
}

/// Writes numbers as both halves of an f32's bits: the upper one is the nearest bf16 (of two, the larger in size), and the
/// lower one, from −2¹⁵ to 2¹⁵ − 1, what it misses. Nothing is lost.
#[inline(always)]
pub fn split(from: &[f32; BLOCK], high: &mut [u16; BLOCK], low: &mut [u16; BLOCK]) {
    for (x, (high, low)) in from.iter().zip(high.iter_mut().zip(low)) {
        let bits = x.to_bits();
        // A NaN must not be carried into another number: it is kept as one that nothing can be added to.
        let nan = bits & SIZE > INFINITY;
        let bits = if nan { bits & 0xffff_0000 | QUIET } else { bits };
        *high = (if nan { bits >> 16 } else { (bits + 0x8000) >> 16 }) as u16;
        *low = bits as u16;
    }
}

/// The number that is added to each of a block before it is made short, and taken away again: 2⁻¹⁵ of the scale, or 2⁻³¹
/// where no number is negative. So 0 has a code, and the codes next to it lie evenly, an eighth of the offset apart: what is
/// smaller has its chance, down to the last place of the offset.
#[inline(always)]
fn offset(scale: f32) -> f32 {
    scale.abs() * (if scale.is_sign_negative() { 1.0 / 2_147_483_648.0 } else { 1.0 / 32_768.0 })
}

/// Reads numbers of 8 bits below `scale`: a power of two, negative where no number is.
#[inline(always)]
pub fn from_bytes(codes: &[u8; BLOCK], scale: f32, to: &mut [f32; BLOCK]) {
    let offset = offset(scale);
    let zero = offset.to_bits() >> DROPPED;
    if scale.is_sign_negative() {
        for (to, &code) in to.iter_mut().zip(codes) {
            *to = f32::from_bits((u32::from(code) + zero) << DROPPED) - offset;
        }
    } else {
        for (to, &code) in to.iter_mut().zip(codes) {
            // The sign fills all bits but the lowest seven.
            let code = i32::from(code.cast_signed()).cast_unsigned();
            let magnitude = f32::from_bits(((code & 0x7f) + zero) << DROPPED) - offset;
            *to = f32::from_bits(magnitude.to_bits() | (code & !SIZE));
        }
    }
}

/// Writes numbers of 8 bits, and returns their scale.
#[inline(always)]
pub fn to_bytes(from: &[f32; BLOCK], to: &mut [u8; BLOCK], rounding: Rounding) -> f32 {
    let scale = scale_of(from);
    let offset = offset(scale);
    let zero = offset.to_bits() >> DROPPED;
    let mut codes = [0; BLOCK];
    if scale.is_sign_negative() {
        for (lane, (code, x)) in codes.iter_mut().zip(from).enumerate() {
            let bits = (x + offset).to_bits();
            let size = (bits.wrapping_add(rounding.carry(lane, bits, DROPPED)) >> DROPPED).wrapping_sub(zero);
            // A small square must not become 0: the step that divides by its root would explode. So what is not 0 is 2⁻³⁴ of
            // the scale at least.
            *code = size.max(x.to_bits().min(1)).min(0xff) as u8;
        }
    } else {
        for (lane, (code, x)) in codes.iter_mut().zip(from).enumerate() {
            let bits = (x.abs() + offset).to_bits();
            let size = (bits.wrapping_add(rounding.carry(lane, bits, DROPPED)) >> DROPPED).wrapping_sub(zero);
            *code = (size.min(0x7f) | (x.to_bits() >> 24 & 0x80)) as u8;
        }
    }
    *to = codes;
    scale
}

/// The power of two of which the largest magnitude is 1.875 times at most, so that there is a code above each number (but for
/// the last few before ∞, which become the largest code): 0 if all are 0, NaN if one is not finite. Negative if no number is.
#[inline(always)]
fn scale_of(values: &[f32; BLOCK]) -> f32 {
    // In integers, as a largest float is no vector instruction: magnitudes order as their bits do.
    let (mut largest, mut any) = (0, 0);
    for x in values {
        let bits = x.to_bits();
        largest = largest.max(bits & SIZE);
        any |= bits;
    }
    let power = match largest {
        0 => 0.0,
        INFINITY.. => f32::NAN,
        // The offset counts, too: 2⁸ in units of the last place. Not so small that the offset would have lost digits.
        _ => {
            let above = (largest + (1 << DROPPED) + (1 << 8)) & INFINITY;
            f32::from_bits(above.clamp((127 - 80) << 23, 254 << 23))
        }
    };
    if any >> 31 == 1 || power.is_nan() { power } else { -power }
}

#[cfg(test)]
mod tests;
