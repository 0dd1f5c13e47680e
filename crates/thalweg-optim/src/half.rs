//! Parameters of 16 bits, moved in 32.
//!
//! A bf16 has 8 digits of fraction: W + 0.001·W is W, so a step of a training is lost whole when it is rounded to the
//! nearest. [`Keep`] says what becomes of the digits that do not fit.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::hyper::OptimError;
use crate::kernel::dispatch;
use crate::kernel::pack::{FromBf16, Join, Rounding, SCALED, Split, ToBf16};
use crate::optimizer::{Optimizer, Outcome};
use crate::packed::PIECE;
use crate::params::Layout;
use crate::pieces::round_all;
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;
use crate::state::{StateDict, Values};
use crate::threads::Threads;

/// What becomes of the digits of W that do not fit into 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The lower 16 bits of an f32, of which W is the upper half, rounded: what moves is that f32. 2 more bytes a parameter
    /// for all the digits of the 4-byte copy that is customary (Micikevicius et al., *Mixed precision training*, 2018).
    Master,
    /// What W misses, as a bf16 of its own: W is the sum of two. 2 more bytes a parameter, 16 digits; for runs that began so
    /// elsewhere. (Kahan 1965; for bf16: Zamirai et al., *Revisiting BFloat16 training*, 2020.)
    Kahan,
    /// Nothing is kept: W is rounded up or down by chance, in proportion, so that it is right on average. The chance is
    /// keyed by step and place. (Gupta et al., *Deep learning with limited numerical precision*, 2015.)
    Stochastic,
}

impl Keep {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Master, Self::Kahan, Self::Stochastic];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Kahan => "kahan",
            Self::Stochastic => "stochastic",
        }
    }
}

/// A gradient of parameters of 16 bits.
#[derive(Debug, Clone, Copy)]
pub enum HalfGrad<'a> {
    /// bf16, as bits.
    Bf16(&'a [u16]),
    /// f32: what was added up in more digits need not lose them.
    F32(&'a [f32]),
}

impl<'a> From<&'a [u16]> for HalfGrad<'a> {
    fn from(bits: &'a [u16]) -> Self {
        Self::Bf16(bits)
    }
}

impl<'a> From<&'a [f32]> for HalfGrad<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> HalfGrad<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Bf16(bits) => bits.len(),
            Self::F32(values) => values.len(),
        }
    }

    fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Bf16(bits) => Self::Bf16(bits.split_off(..n).unwrap_or_default()),
            Self::F32(values) => Self::F32(values.split_off(..n).unwrap_or_default()),
        }
    }

    fn unpack<T: Real>(&self, to: &mut [T]) {
        match self {
            Self::Bf16(from) => dispatch(FromBf16 { from, to }),
            Self::F32(from) => widen(from, to),
        }
    }
}

fn widen<T: Real>(from: &[f32], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, &x)| *to = T::from_f64(f64::from(x)));
}

/// A stretch of parameters of 16 bits with its gradient: one tensor, or the whole flat W.
#[derive(Debug)]
pub struct HalfSpan<'a> {
    /// The bits of bf16 numbers, changed in place.
    pub w: &'a mut [u16],
    /// As long as `w`.
    pub grad: HalfGrad<'a>,
}

/// The digits that do not fit, of all parameters.
#[derive(Debug, Clone)]
enum Low {
    Master(Vec<u16>),
    Kahan(Vec<u16>),
    Stochastic,
}

/// The same of a stretch.
#[derive(Debug)]
enum LowPart<'a> {
    Master(&'a mut [u16]),
    Kahan(&'a mut [u16]),
    Stochastic,
}

impl<'a> LowPart<'a> {
    fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Master(own) => Self::Master(own.split_off_mut(..n).unwrap_or_default()),
            Self::Kahan(own) => Self::Kahan(own.split_off_mut(..n).unwrap_or_default()),
            Self::Stochastic => Self::Stochastic,
        }
    }

    fn reborrow(&mut self) -> LowPart<'_> {
        match self {
            Self::Master(own) => LowPart::Master(own),
            Self::Kahan(own) => LowPart::Kahan(own),
            Self::Stochastic => LowPart::Stochastic,
        }
    }
}

impl Low {
    fn part(&mut self) -> LowPart<'_> {
        match self {
            Self::Master(own) => LowPart::Master(own),
            Self::Kahan(own) => LowPart::Kahan(own),
            Self::Stochastic => LowPart::Stochastic,
        }
    }
}

/// A stretch with all that belongs to it: what [`Optimizer::apply_half`] moves.
#[derive(Debug)]
pub struct HalfPart<'a> {
    w: &'a mut [u16],
    grad: HalfGrad<'a>,
    low: LowPart<'a>,
}

impl HalfPart<'_> {
    pub(crate) fn len(&self) -> usize {
        self.w.len()
    }

    pub(crate) fn reborrow(&mut self) -> HalfPart<'_> {
        HalfPart { w: self.w, grad: self.grad, low: self.low.reborrow() }
    }

    /// W and its gradient in full.
    pub(crate) fn unpack<T: Real>(&self, w: &mut [T], grad: &mut [T]) {
        self.grad.unpack(grad);
        unpack(self.w, &self.low, w);
    }

    /// Writes a piece of W; `w` is as long as a whole one.
    pub(crate) fn pack<T: Real>(&mut self, w: &mut [T; PIECE], rounding: Rounding) {
        let n = self.w.len();
        if let LowPart::Master(low) = &mut self.low {
            return dispatch(Split { from: &w[..n], high: self.w, low });
        }
        let whole = n.next_multiple_of(SCALED);
        w[n..whole].fill(T::ZERO);
        let (w, mut bits) = (&w[..whole], [0; PIECE]);
        let bits = &mut bits[..whole];
        let rounding = if matches!(self.low, LowPart::Kahan(_)) { Rounding::Nearest } else { rounding };
        dispatch(ToBf16 { from: w, to: bits, rounding, index: 0 });
        self.w.copy_from_slice(&bits[..n]);
        if let LowPart::Kahan(low) = &mut self.low {
            let mut missed = [T::ZERO; PIECE];
            let missed = &mut missed[..whole];
            dispatch(FromBf16 { from: bits, to: missed });
            for (missed, &w) in missed.iter_mut().zip(w) {
                // What is not finite misses nothing: NaN − NaN would spoil W for good, ∞ − ∞ too.
                *missed = if missed.is_finite() { w - *missed } else { T::ZERO };
            }
            dispatch(ToBf16 { from: missed, to: bits, rounding: Rounding::Nearest, index: 0 });
            low.copy_from_slice(&bits[..n]);
        }
    }
}

fn unpack<T: Real>(w: &[u16], low: &LowPart<'_>, to: &mut [T]) {
    match low {
        LowPart::Master(low) => dispatch(Join { high: w, low, to }),
        LowPart::Kahan(low) => {
            dispatch(FromBf16 { from: w, to });
            let mut missed = [T::ZERO; PIECE];
            for (to, low) in to.chunks_mut(PIECE).zip(low.chunks(PIECE)) {
                dispatch(FromBf16 { from: low, to: &mut missed[..low.len()] });
                to.iter_mut().zip(&missed).for_each(|(to, &missed)| *to += missed);
            }
        }
        LowPart::Stochastic => dispatch(FromBf16 { from: w, to }),
    }
}

impl<'a> HalfPart<'a> {
    pub(crate) fn take_front(&mut self, n: usize) -> HalfPart<'a> {
        HalfPart {
            w: self.w.split_off_mut(..n).unwrap_or_default(),
            grad: self.grad.take_front(n),
            low: self.low.take_front(n),
        }
    }
}

/// An optimizer of parameters that are kept as bf16.
///
/// ```text
/// w₃₂ = W + what is kept;   w₃₂ ← step(w₃₂, g);   W ← w₃₂ in 16 bits, kept ← what does not fit
/// ```
/// Any optimizer can be inside, with its wrappers and groups. An elementwise method without wrappers moves W in one pass
/// over memory, whatever [`Keep`] says and its [`Precision`](crate::Precision) is; others work on copies in f32, 8 bytes a
/// parameter, with the same bits. `half::bf16` and PyTorch's `view(torch.uint16)` give the bits.
///
/// ```
/// use thalweg_optim::{Half, Keep, Layout, OptimizerSpec};
/// let bits = |x: f32| (x.to_bits() >> 16) as u16;
/// let mut w = [bits(1.0); 4];
/// let adam = OptimizerSpec::named("adam").build::<f32>(&Layout::vector(4))?;
/// let mut adam = Half::new(adam, Keep::Kahan, &w);
/// for _ in 0..100 {
///     // A step of 0.001 is a quarter of what a bf16 at 1 can move by.
///     adam.step_with(&mut w, &[bits(0.5); 4][..], 1e-3)?;
/// }
/// assert_eq!(w, [bits(0.8984375); 4]);
/// # Ok::<(), thalweg_optim::OptimError>(())
/// ```
pub struct Half {
    inner: Box<dyn Optimizer<f32>>,
    low: Low,
    keep: Keep,
    w: Vec<f32>,
    grad: Vec<f32>,
}

impl Half {
    /// An optimizer of parameters whose bits are `w` now.
    ///
    /// # Panics
    /// If `w` is not as long as the optimizer was built for.
    pub fn new(inner: Box<dyn Optimizer<f32>>, keep: Keep, w: &[u16]) -> Self {
        let n = inner.layout().len();
        assert_eq!(w.len(), n, "the optimizer was built for {n} parameters");
        let low = match keep {
            Keep::Master => Low::Master(vec![0; n]),
            Keep::Kahan => Low::Kahan(vec![0; n]),
            Keep::Stochastic => Low::Stochastic,
        };
        Self { inner, low, keep, w: Vec::new(), grad: Vec::new() }
    }

    /// The optimizer inside: for its name, its hyperparameters, its steps.
    pub fn inner(&self) -> &dyn Optimizer<f32> {
        &*self.inner
    }

    /// What becomes of the digits that do not fit.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Changes a hyperparameter: see [`Optimizer::set_hyper`].
    ///
    /// # Errors
    /// As there.
    pub fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        self.inner.set_hyper(name, value)
    }

    /// Lets steps use these threads; the bits do not depend on them.
    pub fn set_threads(&mut self, threads: &Threads) {
        self.inner.set_threads(threads);
    }

    /// One step in place with a gradient taken at W, of bf16 bits or f32.
    ///
    /// # Errors
    /// As [`Optimizer::step_with`].
    ///
    /// # Panics
    /// If `w` or `grad` is not as long as the optimizer was built for.
    pub fn step_with<'a>(
        &mut self,
        w: &'a mut [u16],
        grad: impl Into<HalfGrad<'a>>,
        learning_rate: f64,
    ) -> Result<Outcome, OptimError> {
        self.step_spans(&mut [HalfSpan { w, grad: grad.into() }], learning_rate)
    }

    /// One step in place of all parameters, given as arrays of their own with their gradients.
    ///
    /// # Errors
    /// As [`Optimizer::step_spans`].
    ///
    /// # Panics
    /// If the spans are neither one for all parameters nor one per block of the layout, in its order.
    pub fn step_spans(
        &mut self,
        spans: &mut [HalfSpan<'_>],
        learning_rate: f64,
    ) -> Result<Outcome, OptimError> {
        self.inner.check_learning_rate(learning_rate)?;
        check_spans(self.inner.layout(), spans);
        if self.inner.needs_objective() {
            return Err(OptimError::NeedsObjective { optimizer: self.inner.name() });
        }
        let mut parts = parts(spans, &mut self.low);
        if self.inner.apply_half(&mut parts, learning_rate) {
            return Ok(Outcome::default());
        }
        drop(parts);
        Ok(self.step_copies(spans, learning_rate))
    }

    /// The step of a method that must see all parameters in full.
    fn step_copies(&mut self, spans: &mut [HalfSpan<'_>], learning_rate: f64) -> Outcome {
        let n = self.inner.layout().len();
        self.w.resize(n, 0.0);
        self.grad.resize(n, 0.0);
        let lens: Vec<usize> = spans.iter().map(|span| span.w.len()).collect();
        let (mut w, mut grad) = (&mut self.w[..], &mut self.grad[..]);
        let mut full = Vec::with_capacity(lens.len());
        for (part, n) in parts(spans, &mut self.low).into_iter().zip(lens) {
            let w = w.split_off_mut(..n).unwrap_or_default();
            let grad = grad.split_off_mut(..n).unwrap_or_default();
            part.unpack(w, grad);
            full.push(Span::new(w, grad));
        }
        let outcome = self.inner.apply(&mut full, learning_rate, Riders::default());
        let mut rest = parts(spans, &mut self.low).into_iter();
        let mut part = rest.next();
        round_all(self.inner.layout(), self.inner.steps(), |range: Range<usize>, rounding| {
            while part.as_ref().is_some_and(|part| part.len() == 0) {
                part = rest.next();
            }
            let Some(part) = &mut part else { unreachable!("the spans were checked") };
            let mut piece = [0.0; PIECE];
            piece[..range.len()].copy_from_slice(&self.w[range.clone()]);
            part.take_front(range.len()).pack(&mut piece, rounding);
        });
        outcome
    }

    /// Forgets the digits that did not fit: to be called after W was changed otherwise (a checkpoint, a mask), as they belong
    /// to what it was. Without, they move it by half of a bf16's spacing at most, of what it was.
    pub fn forget(&mut self) {
        match &mut self.low {
            Low::Master(own) | Low::Kahan(own) => own.fill(0),
            Low::Stochastic => {}
        }
    }

    /// W with all the digits that are kept.
    ///
    /// # Panics
    /// If `w` is not as long as the optimizer was built for.
    pub fn full(&mut self, w: &[u16]) -> &[f32] {
        let n = self.inner.layout().len();
        assert_eq!(w.len(), n, "the optimizer was built for {n} parameters");
        self.w.resize(n, 0.0);
        unpack(w, &self.low.part(), &mut self.w);
        &self.w
    }

    /// Writes the point at which the model should be judged and says so, or says no: then it is W. See
    /// [`Optimizer::average`].
    ///
    /// # Panics
    /// As [`Half::full`].
    pub fn average(&mut self, w: &[u16], point: &mut Vec<f32>) -> bool {
        self.full(w);
        self.inner.average(&self.w, point)
    }

    /// All that decides the next steps, by name: the optimizer's state behind `optimizer/`, and what was kept of W.
    pub fn save(&self) -> StateDict {
        let mut state = StateDict::default();
        state.insert_all("optimizer", self.inner.save());
        for block in self.inner.layout().blocks() {
            let (name, own) = match &self.low {
                Low::Master(own) => ("lower_half", Values::U16(own[block.range.clone()].to_vec())),
                Low::Kahan(own) => ("missed", Values::Bf16(own[block.range.clone()].to_vec())),
                Low::Stochastic => break,
            };
            state.insert(format!("{name}/{}", block.name), &block.shape, own);
        }
        state
    }

    /// Puts a saved state back: strictly; on an error nothing is changed. The bits of W are the caller's to keep.
    ///
    /// # Errors
    /// [`OptimError::State`] for a missing, extra or misshapen entry.
    pub fn load(&mut self, state: &StateDict) -> Result<(), OptimError> {
        self.save().same_form(state)?;
        self.inner.load(&state.part("optimizer"))?;
        for block in self.inner.layout().blocks() {
            let own =
                |name: &str| state.entries().get(&format!("{name}/{}", block.name)).map(|own| &own.values);
            match (&mut self.low, own("lower_half"), own("missed")) {
                (Low::Master(to), Some(Values::U16(own)), _) => to[block.range.clone()].copy_from_slice(own),
                (Low::Kahan(to), _, Some(Values::Bf16(own))) => to[block.range.clone()].copy_from_slice(own),
                _ => {}
            }
        }
        Ok(())
    }
}

fn parts<'a>(spans: &'a mut [HalfSpan<'_>], low: &'a mut Low) -> Vec<HalfPart<'a>> {
    let mut low = low.part();
    let part = |span: &'a mut HalfSpan<'_>| HalfPart {
        low: low.take_front(span.w.len()),
        w: span.w,
        grad: span.grad,
    };
    spans.iter_mut().map(part).collect()
}

/// # Panics
/// If they are neither one for all parameters nor one per block.
fn check_spans(layout: &Layout, spans: &[HalfSpan<'_>]) {
    for span in spans {
        assert_eq!(span.grad.len(), span.w.len(), "the gradient is not as long as the parameters");
    }
    if let [span] = spans {
        let n = layout.len();
        assert_eq!(span.w.len(), n, "the optimizer was built for {n} parameters");
        return;
    }
    assert_eq!(spans.len(), layout.blocks().len(), "one span per block is expected");
    for (span, block) in spans.iter().zip(layout.blocks()) {
        let n = block.range.len();
        assert_eq!(span.w.len(), n, "«{}» has {n} parameters", block.name);
    }
}
