//! One pass over memory: parameters, gradient and state are each read once and written once.
//!
//! ```text
//! for every element:  w, s₁, s₂, … ← rule(w, g, s₁, s₂, …)
//! ```
//! Blocks of [`BLOCK`] elements are copied into local arrays. That tells the compiler that nothing aliases, so the
//! plain formula of the rule becomes vector instructions. What rides along ([`Riders`]) is a loop of its own over the
//! local arrays, before and after the rule: it costs no memory traffic of its own.

use super::{Isa, Kernel};
use crate::real::Real;
use crate::riders::Riders;
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::{Grad, Span};

/// Elements in a block: so many that the compiler vectorizes the loop within a block. Blocks of 16 were unrolled first, and
/// then vectorized across blocks with gathers: a stateless rule took three times as long.
pub const BLOCK: usize = 64;

type State<R, T> = <R as Rule>::State<T>;
type Slices<'a, R, T> = <State<R, T> as Slots<T>>::Slices<'a>;

/// A stretch of parameters with all that a rule needs to move them.
pub struct Work<'a, R: Rule, T: Real> {
    /// The parameters, their gradient and average.
    pub span: Span<'a, T>,
    /// Their state.
    pub slots: Slices<'a, R, T>,
}

impl<'a, R: Rule, T: Real> Work<'a, R, T> {
    /// The same memory, lent for less long.
    #[inline(always)]
    fn reborrow(&mut self) -> Work<'_, R, T> {
        Work { span: self.span.reborrow(), slots: State::<R, T>::reborrow(&mut self.slots) }
    }

    /// The first `n` elements; the rest stays here.
    #[inline(always)]
    pub(crate) fn take_front(&mut self, n: usize) -> Self {
        Self { span: self.span.take_front(n), slots: State::<R, T>::take_front(&mut self.slots, n) }
    }
}

/// Applies a rule to a stretch.
pub struct Step<'w, 'a, R: Rule, T: Real> {
    /// The rule's coefficients at this step.
    pub coefficients: R::Coefficients<T>,
    /// What rides along; nothing that must look first.
    pub riders: Ride<T>,
    /// What moves.
    pub work: &'w mut Work<'a, R, T>,
}

/// [`Riders`] as numbers that a loop can use without a branch.
#[derive(Debug, Clone, Copy)]
pub struct Ride<T> {
    /// Whether the gradient is changed before the rule.
    pub(crate) before: bool,
    scale: T,
    limit: T,
    l2: T,
    /// Whether W shrinks before the rule.
    pub(crate) shrinks: bool,
    pub(crate) shrink: T,
    pub(crate) weight: T,
}

impl<T: Real> Ride<T> {
    /// # Panics
    /// If the riders must look at the whole gradient first.
    pub fn new(riders: Riders, learning_rate: f64) -> Self {
        assert!(!riders.look_first(), "the norm must be settled before the pass");
        Self {
            before: riders.scale != 1.0 || riders.clip_value.is_some() || riders.l2 != 0.0,
            scale: T::from_f64(riders.scale),
            limit: T::from_f64(riders.clip_value.unwrap_or(f64::INFINITY)),
            l2: T::from_f64(riders.l2),
            shrinks: riders.decay != 0.0,
            shrink: T::from_f64(1.0 - learning_rate * riders.decay),
            weight: T::from_f64(riders.average_weight),
        }
    }

    #[inline(always)]
    pub(crate) fn gradient(&self, w: T, g: T) -> T {
        (g * self.scale).min(self.limit).max(-self.limit) + self.l2 * w
    }

    /// W as the rule sees it.
    #[inline(always)]
    pub(super) fn shrunk(&self, w: T) -> T {
        if self.shrinks { w * self.shrink } else { w }
    }

    #[inline(always)]
    fn prepare(&self, w: &mut [T], g: &mut [T]) {
        if self.before {
            for (g, &w) in g.iter_mut().zip(&*w) {
                *g = self.gradient(w, *g);
            }
        }
        if self.shrinks {
            for w in w {
                *w *= self.shrink;
            }
        }
    }

    #[inline(always)]
    fn follow(&self, average: &mut [T], w: &[T]) {
        for (average, &w) in average.iter_mut().zip(w) {
            *average += self.weight * (w - *average);
        }
    }
}

impl<R: Rule, T: Real> Kernel for Step<'_, '_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { coefficients, riders, work } = self;
        let n = work.span.len();
        let whole = n - n % BLOCK;
        // What does not fill a block is copied into one, with zeros behind it: so one loop, without a call in it, serves
        // both. What comes of the zeros is not kept.
        let mut pad = Padded::<R, T>::new(work, whole);
        for part in [&mut work.reborrow().take_front(whole), &mut pad.work()] {
            let Work { span: Span { w, grad, average }, slots } = part;
            for start in (0..w.len()).step_by(BLOCK) {
                let block = start..start + BLOCK;
                let mut local = [T::ZERO; BLOCK];
                let mut g = [T::ZERO; BLOCK];
                local.copy_from_slice(&w[block.clone()]);
                g.copy_from_slice(&grad.values()[block.clone()]);
                if let Grad::Clear(grad) = grad {
                    grad[block.clone()].fill(T::ZERO);
                }
                riders.prepare(&mut local, &mut g);
                let mut states = State::<R, T>::load_block::<BLOCK>(slots, start);
                for lane in 0..BLOCK {
                    let mut state = State::<R, T>::lane(&states, lane);
                    local[lane] = R::update(&coefficients, local[lane], g[lane], &mut state);
                    state.set_lane(&mut states, lane);
                }
                State::<R, T>::store_block(slots, start, &states);
                w[block.clone()].copy_from_slice(&local);
                if let Some(average) = average {
                    riders.follow(&mut average[block], &local);
                }
            }
        }
        pad.write(work, whole);
    }
}

/// The elements behind the last whole block, with zeros up to a block.
struct Padded<R: Rule, T: Real> {
    w: [T; BLOCK],
    grad: [T; BLOCK],
    average: [T; BLOCK],
    states: <State<R, T> as Slots<T>>::Block<BLOCK>,
    /// 0 if there are none, else a block.
    len: usize,
}

impl<R: Rule, T: Real> Padded<R, T> {
    #[inline(always)]
    fn new(work: &Work<'_, R, T>, start: usize) -> Self {
        let n = work.span.len();
        let padded = |from: &[T]| {
            let mut block = [T::ZERO; BLOCK];
            block[..n - start].copy_from_slice(&from[start..]);
            block
        };
        Self {
            w: padded(work.span.w),
            grad: padded(work.span.grad.values()),
            average: work.span.average.as_deref().map_or([T::ZERO; BLOCK], padded),
            states: State::<R, T>::load_rest(&work.slots, start),
            len: if start < n { BLOCK } else { 0 },
        }
    }

    #[inline(always)]
    fn work(&mut self) -> Work<'_, R, T> {
        let span = Span {
            w: &mut self.w[..self.len],
            grad: Grad::Read(&self.grad[..self.len]),
            average: Some(&mut self.average[..self.len]),
        };
        Work { span, slots: State::<R, T>::slices(&mut self.states) }
    }

    #[inline(always)]
    fn write(&self, work: &mut Work<'_, R, T>, start: usize) {
        let span = &mut work.span;
        let count = span.w.len() - start;
        span.w[start..].copy_from_slice(&self.w[..count]);
        if let Grad::Clear(grad) = &mut span.grad {
            grad[start..].fill(T::ZERO);
        }
        if let Some(average) = &mut span.average {
            average[start..].copy_from_slice(&self.average[..count]);
        }
        State::<R, T>::store_rest(&mut work.slots, start, &self.states);
    }
}
