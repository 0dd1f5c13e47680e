//! Random bits with an address, cheap enough for a mask over every activation.
//!
//! A [`Stream`](thalweg_optim::random::Stream) gives numbers in a row; a mask wants the bits of element `i` without those
//! before it, so that a loop over elements is vector code and any part of it gives the same bits. This is one round of a
//! mixing function over (key, index): good enough to decide what is dropped, not for simulation.

/// Decides by element whether it is dropped, with a fixed probability.
#[derive(Debug, Clone, Copy)]
pub struct Bits {
    low: u32,
    high: u32,
    threshold: u32,
}

/// A bijection of 32 bits with low bias (the constants of Wellons' `lowbias32`, 2018).
#[inline(always)]
fn mix32(value: u32) -> u32 {
    let value = (value ^ (value >> 16)).wrapping_mul(0x7feb_352d);
    let value = (value ^ (value >> 15)).wrapping_mul(0x846c_a68b);
    value ^ (value >> 16)
}

impl Bits {
    /// Drops with probability `rate`, to within 2⁻³².
    pub fn new(key: u64, rate: f64) -> Self {
        let threshold = (rate.clamp(0.0, 1.0) * 4_294_967_296.0) as u32;
        Self { low: key as u32, high: (key >> 32) as u32, threshold }
    }

    /// 32 bits for element `index`.
    #[inline(always)]
    pub fn of(self, index: usize) -> u32 {
        // Two rounds with a half of the key each: with one, keys that differ by a multiple would give shifted masks.
        mix32(mix32(index as u32 ^ self.low).wrapping_add(self.high))
    }

    /// Whether element `index` is dropped.
    #[inline(always)]
    pub fn drops(self, index: usize) -> bool {
        self.of(index) < self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_dropped_as_was_asked_for() {
        for (key, rate) in [(0, 0.0), (1, 0.1), (u64::MAX, 0.5), (1 << 40, 0.9)] {
            let bits = Bits::new(key, rate);
            let dropped = (0..100_000).filter(|&index| bits.drops(index)).count() as f64 / 100_000.0;
            // Five standard deviations of a binomial share.
            assert!(
                (dropped - rate).abs() <= 5.0 * (rate * (1.0 - rate) / 100_000.0).sqrt(),
                "{rate}: {dropped}"
            );
        }
    }

    #[test]
    fn keys_and_neighbours_are_independent() {
        let agree = |a: Bits, b: Bits, shift: usize| {
            (0..100_000).filter(|&index| a.drops(index) == b.drops(index + shift)).count() as f64 / 100_000.0
        };
        let one = Bits::new(7, 0.5);
        for (other, shift) in
            [(Bits::new(8, 0.5), 0), (Bits::new(7 << 32, 0.5), 0), (one, 1), (one, 2), (one, 64), (one, 4096)]
        {
            assert!((agree(one, other, shift) - 0.5).abs() < 0.008);
        }
    }
}
