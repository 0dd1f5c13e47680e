//! Sums over all elements, with the same bits on any number of threads: stretches of a fixed size are summed in f64, and
//! their sums added in order.

use super::{Isa, Kernel};
use crate::real::Real;

/// Elements whose sum is taken in one go.
pub const STRETCH: usize = 4096;

/// Numbers summed side by side, so that the compiler uses vectors.
pub(super) const LANES: usize = 16;

/// Σ g² in f64, and whether every g is finite: NaN if not.
pub struct SquareSum<'a, T> {
    /// What is summed.
    pub values: &'a [T],
}

impl<T: Real> Kernel for SquareSum<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let (chunks, rest) = self.values.as_chunks::<LANES>();
        for chunk in chunks {
            for (sum, &g) in lanes.iter_mut().zip(chunk) {
                let g = g.to_f64();
                *sum += g * g;
            }
        }
        for (sum, &g) in lanes.iter_mut().zip(rest) {
            let g = g.to_f64();
            *sum += g * g;
        }
        lanes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};
    use crate::ragged::{adds_up, bits, every};

    fn twin<T: Real>() {
        for values in every::<T>(0.37) {
            let squares = || values.iter().map(|g| g.to_f64() * g.to_f64());
            // Number i goes to lane i mod 16, and the lanes are added in order.
            let mut lanes = [0.0; LANES];
            squares().enumerate().for_each(|(i, square)| lanes[i % LANES] += square);
            let plain: f64 = lanes.iter().sum();
            for &level in levels() {
                let sum = run_on(level, SquareSum { values: &values });
                assert_eq!(bits(&[sum]), bits(&[plain]), "{level:?}, {} numbers", values.len());
                assert!(adds_up(sum, squares()), "{level:?}, {} numbers: {sum}", values.len());
            }
        }
    }

    #[test]
    fn a_sum_of_squares_is_that_of_a_plain_loop_on_every_level() {
        twin::<f32>();
        twin::<f64>();
    }
}
