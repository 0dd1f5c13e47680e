//! One pass over memory: parameters, gradient and state are each read once and written once.
//!
//! ```text
//! for every element:  w, s₁, s₂, … ← rule(w, g, s₁, s₂, …)
//! ```
//! Blocks of [`BLOCK`] elements are copied into local arrays. That tells the compiler that nothing aliases, so the
//! plain formula of the rule becomes vector instructions.

use super::{Isa, Kernel};
use crate::real::Real;
use crate::rule::{Rule, Slots};

/// Elements in a block: so many that the compiler vectorizes the loop within a block. Blocks of 16 were unrolled first, and
/// then vectorized across blocks with gathers: a stateless rule took three times as long.
const BLOCK: usize = 64;

/// Applies a rule to whole slices.
pub struct Step<'a, R: Rule, T: Real> {
    /// The rule's coefficients at this step.
    pub coefficients: R::Coefficients<T>,
    /// The parameters.
    pub w: &'a mut [T],
    /// Their gradient.
    pub grad: &'a [T],
    /// The state: slot after slot, each as long as `w`.
    pub state: &'a mut [T],
}

impl<R: Rule, T: Real> Kernel for Step<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let n = self.w.len();
        assert_eq!(self.grad.len(), n, "the gradient is not as long as the parameters");
        let mut slots = R::State::<T>::split(self.state, n);
        let (w_blocks, w_rest) = self.w.as_chunks_mut::<BLOCK>();
        let (g_blocks, g_rest) = self.grad.as_chunks::<BLOCK>();
        let tail = w_blocks.len() * BLOCK;
        for (index, (w, g)) in w_blocks.iter_mut().zip(g_blocks).enumerate() {
            let mut local = *w;
            let mut states = R::State::<T>::load_block::<BLOCK>(&slots, index * BLOCK);
            for lane in 0..BLOCK {
                let mut state = R::State::<T>::lane(&states, lane);
                local[lane] = R::update(&self.coefficients, local[lane], g[lane], &mut state);
                state.set_lane(&mut states, lane);
            }
            *w = local;
            R::State::<T>::store_block(&mut slots, index * BLOCK, &states);
        }
        for (lane, (w, &g)) in w_rest.iter_mut().zip(g_rest).enumerate() {
            let mut state = R::State::<T>::load(&slots, tail + lane);
            *w = R::update(&self.coefficients, *w, g, &mut state);
            state.store(&mut slots, tail + lane);
        }
    }
}

/// Writes the point at which a look-ahead rule wants its gradient.
pub struct Probe<'a, R: Rule, T: Real> {
    /// The rule's coefficients at this step.
    pub coefficients: R::Coefficients<T>,
    /// The parameters.
    pub w: &'a [T],
    /// The state, as in [`Step`].
    pub state: &'a mut [T],
    /// The point, overwritten.
    pub probe: &'a mut [T],
}

impl<R: Rule, T: Real> Kernel for Probe<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let slots = R::State::<T>::split(self.state, self.w.len());
        for (index, (probe, &w)) in self.probe.iter_mut().zip(self.w).enumerate() {
            *probe = R::probe(&self.coefficients, w, &R::State::<T>::load(&slots, index));
        }
    }
}
