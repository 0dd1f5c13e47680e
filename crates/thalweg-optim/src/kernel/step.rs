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
    /// The first `n` elements; the rest stays here.
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
        let Self { coefficients, riders, work: Work { span, slots } } = self;
        let n = span.w.len();
        let (grad, mut clear) = match &mut span.grad {
            Grad::Read(grad) => (*grad, None),
            Grad::Clear(grad) => (&[][..], Some(&mut **grad)),
        };
        let mut average = span.average.as_deref_mut();
        let whole = n - n % BLOCK;
        for start in (0..whole).step_by(BLOCK) {
            let block = start..start + BLOCK;
            let mut w = [T::ZERO; BLOCK];
            let mut g = [T::ZERO; BLOCK];
            w.copy_from_slice(&span.w[block.clone()]);
            match &mut clear {
                None => g.copy_from_slice(&grad[block.clone()]),
                Some(grad) => {
                    g.copy_from_slice(&grad[block.clone()]);
                    grad[block.clone()].fill(T::ZERO);
                }
            }
            riders.prepare(&mut w, &mut g);
            let mut states = State::<R, T>::load_block::<BLOCK>(slots, start);
            for lane in 0..BLOCK {
                let mut state = State::<R, T>::lane(&states, lane);
                w[lane] = R::update(&coefficients, w[lane], g[lane], &mut state);
                state.set_lane(&mut states, lane);
            }
            State::<R, T>::store_block(slots, start, &states);
            span.w[block.clone()].copy_from_slice(&w);
            if let Some(average) = &mut average {
                riders.follow(&mut average[block], &w);
            }
        }
        for index in whole..n {
            let mut g = match &mut clear {
                None => grad[index],
                Some(grad) => std::mem::replace(&mut grad[index], T::ZERO),
            };
            let mut w = span.w[index];
            riders.prepare(std::slice::from_mut(&mut w), std::slice::from_mut(&mut g));
            let mut state = State::<R, T>::load(slots, index);
            w = R::update(&coefficients, w, g, &mut state);
            state.store(slots, index);
            span.w[index] = w;
            if let Some(average) = &mut average {
                riders.follow(&mut average[index..=index], &[w]);
            }
        }
    }
}

/// Writes, for each element, what a function of its parameter and state says.
pub struct Map<'a, R: Rule, T: Real, F> {
    /// The parameters.
    pub w: &'a [T],
    /// Their state.
    pub slots: Slices<'a, R, T>,
    /// Overwritten.
    pub out: &'a mut [T],
    /// What to write; must be inlined.
    pub f: F,
}

impl<R: Rule, T: Real, F: Fn(T, &State<R, T>) -> T> Kernel for Map<'_, R, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (index, (out, &w)) in self.out.iter_mut().zip(self.w).enumerate() {
            *out = (self.f)(w, &State::<R, T>::load(&self.slots, index));
        }
    }
}
