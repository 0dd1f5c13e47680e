//! One pass over memory: parameters, gradient and state are each read once and written once.
//!
//! ```text
//! for every element:  w, s₁, s₂, … ← rule(w, g, s₁, s₂, …)
//! ```
//! Blocks of [`BLOCK`] elements are copied into local arrays. That tells the compiler that nothing aliases, so the
//! plain formula of the rule becomes vector instructions. What rides along ([`Riders`]) is a loop of its own over the
//! local arrays, before and after the rule: it costs no memory traffic of its own.

use super::sums::LANES;
use super::{AHEAD, Isa, Kernel, LONG, call_ahead};
use crate::params::Role;
use crate::real::Real;
use crate::riders::{Penalties, Riders};
use crate::rule::Rule;
use crate::sign::sign;
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
    /// The sums of [`Rule::measure`] over the stretch, once a pass took them.
    pub sums: [f64; 2],
}

impl<'a, R: Rule, T: Real> Work<'a, R, T> {
    /// A stretch and its state, not measured.
    #[inline(always)]
    pub fn new(span: Span<'a, T>, slots: Slices<'a, R, T>) -> Self {
        Self { span, slots, sums: [0.0; 2] }
    }

    /// The same memory, lent for less long.
    #[inline(always)]
    fn reborrow(&mut self) -> Work<'_, R, T> {
        Work::new(self.span.reborrow(), State::<R, T>::reborrow(&mut self.slots))
    }

    /// The first `n` elements; the rest stays here.
    #[inline(always)]
    pub(crate) fn take_front(&mut self, n: usize) -> Self {
        Self::new(self.span.take_front(n), State::<R, T>::take_front(&mut self.slots, n))
    }
}

/// What a pass over a stretch is for. A rule that measures nothing only ever moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The rule is applied.
    Move,
    /// The sums are taken; nothing moves.
    Measure,
    /// Each block is measured, and then moved.
    Both,
}

/// Applies a rule to a stretch.
pub struct Step<'w, 'a, R: Rule, T: Real> {
    /// The rule's coefficients at this step.
    pub coefficients: R::Coefficients<T>,
    /// What rides along; nothing that must look first.
    pub riders: Ride<T>,
    /// What for.
    pub pass: Pass,
    /// Whether all that moves in this step is too much for the caches.
    pub far: bool,
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
    /// Whether `l1` is not 0.
    lasso: bool,
    l1: T,
    /// Whether W shrinks before the rule.
    pub(crate) shrinks: bool,
    pub(crate) shrink: T,
    /// Whether W is moved towards zero after the rule.
    pub(crate) softens: bool,
    threshold: T,
    pub(crate) weight: T,
}

impl<T: Real> Ride<T> {
    /// What rides with parameters of this role.
    ///
    /// # Panics
    /// If the riders must look at the whole gradient first.
    pub fn new(riders: Riders, role: Role, learning_rate: f64) -> Self {
        assert!(!riders.look_first(), "the norm must be settled before the pass");
        let Penalties { l1, l2, decay, soft } = riders.penalties_of(role);
        Self {
            before: riders.scale != 1.0 || riders.clip_value.is_some() || l2 != 0.0 || l1 != 0.0,
            scale: T::from_f64(riders.scale),
            limit: T::from_f64(riders.clip_value.unwrap_or(f64::INFINITY)),
            l2: T::from_f64(l2),
            lasso: l1 != 0.0,
            l1: T::from_f64(l1),
            shrinks: decay != 0.0,
            shrink: T::from_f64(1.0 - learning_rate * decay),
            softens: soft != 0.0,
            threshold: T::from_f64(learning_rate * soft),
            weight: T::from_f64(riders.average_weight),
        }
    }

    #[inline(always)]
    pub(crate) fn gradient(&self, w: T, g: T) -> T {
        (g * self.scale).min(self.limit).max(-self.limit) + self.l2 * w
    }

    /// What an L1 penalty adds to the gradient.
    #[inline(always)]
    pub(crate) fn subgradient(&self, w: T) -> T {
        self.l1 * sign(w)
    }

    /// sign(w)·max(|w| − ηλ, 0), rounded once; NaN stays.
    #[inline(always)]
    pub(crate) fn soften(&self, w: T) -> T {
        w - w.min(self.threshold).max(-self.threshold)
    }

    #[inline(always)]
    fn prepare(&self, w: &mut [T], g: &mut [T]) {
        if self.before {
            for (g, &w) in g.iter_mut().zip(&*w) {
                *g = self.gradient(w, *g);
            }
            // On its own: who clips or decays should not pay for it.
            if self.lasso {
                for (g, &w) in g.iter_mut().zip(&*w) {
                    *g += self.subgradient(w);
                }
            }
        }
        if self.shrinks {
            for w in w {
                *w *= self.shrink;
            }
        }
    }

    #[inline(always)]
    fn finish(&self, w: &mut [T]) {
        if self.softens {
            for w in w {
                *w = self.soften(*w);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn follow(&self, average: &mut [T], w: &[T]) {
        for (average, &w) in average.iter_mut().zip(w) {
            *average += self.weight * (w - *average);
        }
    }
}

/// What rides with weights, and with all else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rides<T> {
    weights: Ride<T>,
    others: Ride<T>,
    /// Whether the two differ.
    pub(crate) differ: bool,
}

impl<T: Real> Rides<T> {
    /// # Panics
    /// As [`Ride::new`].
    pub(crate) fn new(riders: Riders, learning_rate: f64) -> Self {
        let [weights, others] = [Role::Weight, Role::Bias].map(|role| Ride::new(riders, role, learning_rate));
        Self { weights, others, differ: riders.tells_roles() }
    }

    pub(crate) fn of(&self, role: Role) -> Ride<T> {
        if role == Role::Weight { self.weights } else { self.others }
    }
}

impl<R: Rule, T: Real> Kernel for Step<'_, '_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { coefficients, riders, pass, far, work } = self;
        let mut moves = Moves::<R, T> { coefficients, riders, pass, sums: Sums::default() };
        let n = work.span.len();
        let whole = n - n % BLOCK;
        let ahead = far && n >= LONG;
        // What does not fill a block is copied into one, with zeros behind it: so one loop, without a call in it, serves
        // both. What comes of the zeros is not kept.
        let mut pad = Padded::<R, T>::new();
        if whole < n {
            pad.fill(work, whole);
        }
        for part in [&mut work.reborrow().take_front(whole), &mut pad.work()] {
            let Work { span: Span { w, grad, average }, slots, .. } = part;
            for start in (0..w.len()).step_by(BLOCK) {
                let block = start..start + BLOCK;
                if ahead {
                    call_ahead::<_, BLOCK>(w, start + AHEAD);
                    call_ahead::<_, BLOCK>(grad.values(), start + AHEAD);
                    State::<R, T>::call_ahead::<BLOCK>(slots, start + AHEAD);
                    if let Some(average) = average {
                        call_ahead::<_, BLOCK>(average, start + AHEAD);
                    }
                }
                let mut local = [T::ZERO; BLOCK];
                let mut g = [T::ZERO; BLOCK];
                local.copy_from_slice(&w[block.clone()]);
                g.copy_from_slice(&grad.values()[block.clone()]);
                let mut states = State::<R, T>::load_block::<BLOCK>(slots, start);
                if !moves.block(&mut local, &mut g, &mut states) {
                    continue;
                }
                if let Grad::Clear(grad) = grad {
                    grad[block.clone()].fill(T::ZERO);
                }
                State::<R, T>::store_block(slots, start, &states);
                w[block.clone()].copy_from_slice(&local);
                if let Some(average) = average {
                    moves.riders.follow(&mut average[block], &local);
                }
            }
        }
        if R::MEASURES {
            work.sums = moves.sums.total();
        }
        if whole < n && !(R::MEASURES && pass == Pass::Measure) {
            pad.write(work, whole);
        }
    }
}

/// What is done to each block, wherever its numbers come from.
pub(crate) struct Moves<R: Rule, T: Real> {
    pub(crate) coefficients: R::Coefficients<T>,
    pub(crate) riders: Ride<T>,
    pub(crate) pass: Pass,
    pub(crate) sums: Sums,
}

impl<R: Rule, T: Real> Moves<R, T> {
    /// Measures and moves a block, as the pass says; whether it moved.
    #[inline(always)]
    pub(crate) fn block(
        &mut self,
        w: &mut [T; BLOCK],
        g: &mut [T; BLOCK],
        states: &mut <State<R, T> as Slots<T>>::Block<BLOCK>,
    ) -> bool {
        self.riders.prepare(w, g);
        if R::MEASURES && self.pass != Pass::Move {
            self.sums.take_in::<R, T>(&self.coefficients, w, g, states);
            if self.pass == Pass::Measure {
                return false;
            }
        }
        for lane in 0..BLOCK {
            let mut state = State::<R, T>::lane(states, lane);
            w[lane] = R::update(&self.coefficients, w[lane], g[lane], &mut state);
            state.set_lane(states, lane);
        }
        self.riders.finish(w);
        true
    }
}

/// The sums of [`Rule::measure`], in so many parts that the compiler keeps them in registers.
#[derive(Default)]
pub(crate) struct Sums([[f64; LANES]; 2]);

impl Sums {
    #[inline(always)]
    fn take_in<R: Rule, T: Real>(
        &mut self,
        coefficients: &R::Coefficients<T>,
        w: &[T; BLOCK],
        g: &[T; BLOCK],
        states: &<State<R, T> as Slots<T>>::Block<BLOCK>,
    ) {
        let mut terms = [[T::ZERO; BLOCK]; 2];
        for lane in 0..BLOCK {
            let [first, second] =
                R::measure(coefficients, w[lane], g[lane], &State::<R, T>::lane(states, lane));
            (terms[0][lane], terms[1][lane]) = (first, second);
        }
        for (sums, terms) in self.0.iter_mut().zip(&terms) {
            for terms in terms.as_chunks::<LANES>().0 {
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum += term.to_f64();
                }
            }
        }
    }

    pub(crate) fn total(&self) -> [f64; 2] {
        self.0.map(|lanes| lanes.iter().sum())
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
    fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self { w: zeros, grad: zeros, average: zeros, states: State::<R, T>::blank(), len: 0 }
    }

    #[inline(always)]
    fn fill(&mut self, work: &Work<'_, R, T>, start: usize) {
        let count = work.span.len() - start;
        self.w[..count].copy_from_slice(&work.span.w[start..]);
        self.grad[..count].copy_from_slice(&work.span.grad.values()[start..]);
        if let Some(average) = &work.span.average {
            self.average[..count].copy_from_slice(&average[start..]);
        }
        self.states = State::<R, T>::load_rest(&work.slots, start);
        self.len = BLOCK;
    }

    #[inline(always)]
    fn work(&mut self) -> Work<'_, R, T> {
        let span = Span {
            w: &mut self.w[..self.len],
            grad: Grad::Read(&self.grad[..self.len]),
            average: Some(&mut self.average[..self.len]),
        };
        Work::new(span, State::<R, T>::slices(&mut self.states))
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
