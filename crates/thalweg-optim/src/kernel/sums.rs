//! Sums over all elements, with the same bits on any number of threads: stretches of a fixed size are summed in f64, and
//! their sums added in order.

use super::step::{BLOCK, Ride, Work};
use super::{Isa, Kernel};
use crate::real::Real;
use crate::rule::Rule;
use crate::slots::Slots;

/// Elements whose sum is taken in one go.
pub const STRETCH: usize = 4096;

/// Numbers summed side by side, so that the compiler uses vectors.
const LANES: usize = 16;

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

/// The two sums of [`Rule::measure`] over a stretch, before anything moves.
pub struct Measure<'w, 'a, R: Rule, T: Real> {
    /// The rule's coefficients at this step.
    pub coefficients: R::Coefficients<T>,
    /// What changes the gradient first.
    pub riders: Ride<T>,
    /// What is measured.
    pub work: &'w Work<'a, R, T>,
}

impl<R: Rule, T: Real> Kernel for Measure<'_, '_, R, T> {
    type Output = [f64; 2];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; 2] {
        let Self { coefficients, riders, work } = self;
        let (w, g) = (&*work.span.w, work.span.grad.values());
        let mut sums = [[0.0; BLOCK]; 2];
        for (index, (&w, &g)) in w.iter().zip(g).enumerate() {
            let state = R::State::<T>::load(&work.slots, index);
            let terms = R::measure(&coefficients, riders.shrunk(w), riders.gradient(w, g), &state);
            for (sums, term) in sums.iter_mut().zip(terms) {
                sums[index % BLOCK] += term.to_f64();
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}
