//! Parameters of 16 bits, moved in 32.
//!
//! A bf16 has 8 digits of fraction: W + 0.001·W is W, so a step of a training is lost whole when it is rounded to the
//! nearest. [`Keep`] says what becomes of the digits that do not fit.

use serde::{Deserialize, Serialize};

use crate::hyper::OptimError;
use crate::kernel::pack::{Rounding, from_bf16, join, split, to_bf16};
use crate::kernel::step::BLOCK;
use crate::kernel::sums::{STRETCH, SquareSum};
use crate::kernel::{Isa, Kernel, dispatch};
use crate::optimizer::{Optimizer, Outcome};
use crate::params::Layout;
use crate::pieces::{block_key, read, step_key, weights_rounding, write};
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
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bf16(bits) => bits.len(),
            Self::F32(values) => values.len(),
        }
    }

    pub(crate) fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Bf16(bits) => Self::Bf16(bits.split_off(..n).unwrap_or_default()),
            Self::F32(values) => Self::F32(values.split_off(..n).unwrap_or_default()),
        }
    }

    /// Σ g², of a stretch.
    pub(crate) fn square_sum(&self) -> f64 {
        match self {
            Self::Bf16(bits) => {
                let mut wide = [0.0; STRETCH];
                let wide = &mut wide[..bits.len()];
                wide.iter_mut().zip(*bits).for_each(|(g, &bits)| *g = f32::from_bits(u32::from(bits) << 16));
                dispatch(SquareSum { values: wide })
            }
            Self::F32(values) => dispatch(SquareSum { values }),
        }
    }

    #[inline(always)]
    fn load(&self, start: usize, to: &mut [f32; BLOCK]) {
        match self {
            Self::Bf16(from) => from_bf16(&chunk(&from[start..]), to),
            Self::F32(from) => read(&from[start..], to),
        }
    }
}

/// A block of what begins here, or all of it with zeros behind.
#[inline(always)]
fn chunk(from: &[u16]) -> [u16; BLOCK] {
    let mut bits = [0; BLOCK];
    read(from, &mut bits);
    bits
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

    /// A block of W in full, of which `high` are the bits.
    #[inline(always)]
    fn join(&self, start: usize, high: &[u16; BLOCK], w: &mut [f32; BLOCK]) {
        match self {
            Self::Master(low) => join(high, &chunk(&low[start..]), w),
            Self::Kahan(missed) => {
                let mut more = [0.0; BLOCK];
                from_bf16(high, w);
                from_bf16(&chunk(&missed[start..]), &mut more);
                w.iter_mut().zip(more).for_each(|(w, more)| *w += more);
            }
            Self::Stochastic => from_bf16(high, w),
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

impl<'a> HalfPart<'a> {
    pub(crate) fn grad(&self) -> HalfGrad<'a> {
        self.grad
    }

    pub(crate) fn len(&self) -> usize {
        self.w.len()
    }

    pub(crate) fn reborrow(&mut self) -> HalfPart<'_> {
        let low = match &mut self.low {
            LowPart::Master(own) => LowPart::Master(own),
            LowPart::Kahan(own) => LowPart::Kahan(own),
            LowPart::Stochastic => LowPart::Stochastic,
        };
        HalfPart { w: self.w, grad: self.grad, low }
    }

    /// The block of W and its gradient that begins at `start`, in full; zeros behind the end.
    pub(crate) fn load(&self, start: usize) -> ([f32; BLOCK], [f32; BLOCK]) {
        let (mut w, mut g) = ([0.0; BLOCK], [0.0; BLOCK]);
        dispatch(Load { part: self, start, w: &mut w, g: &mut g });
        (w, g)
    }

    /// Writes a block of W, or what of it is there.
    pub(crate) fn store(&mut self, start: usize, w: [f32; BLOCK], rounding: Rounding) {
        dispatch(Store { part: self, start, w: &w, rounding });
    }
}

/// Not in line with a rule's loop: each rule and CPU level would compile it for each [`Keep`].
struct Load<'p, 'a, 'b> {
    part: &'p HalfPart<'a>,
    start: usize,
    w: &'b mut [f32; BLOCK],
    g: &'b mut [f32; BLOCK],
}

impl Kernel for Load<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let HalfPart { w, grad, low } = self.part;
        grad.load(self.start, self.g);
        low.join(self.start, &chunk(&w[self.start..]), self.w);
    }
}

/// All of W in full.
struct Join<'p, 'a, 'b> {
    w: &'b [u16],
    low: &'p LowPart<'a>,
    to: &'b mut [f32],
}

impl Kernel for Join<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut w = [0.0; BLOCK];
        for (start, to) in (0..).step_by(BLOCK).zip(self.to.chunks_mut(BLOCK)) {
            self.low.join(start, &chunk(&self.w[start..]), &mut w);
            write(&w, to);
        }
    }
}

struct Store<'p, 'a, 'b> {
    part: &'p mut HalfPart<'a>,
    start: usize,
    w: &'b [f32; BLOCK],
    rounding: Rounding,
}

impl Kernel for Store<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { part: HalfPart { w: to, low, .. }, start, w, rounding } = self;
        let mut high = [0; BLOCK];
        match low {
            LowPart::Master(low) => {
                let mut bits = [0; BLOCK];
                split(w, &mut high, &mut bits);
                write(&bits, &mut low[start..]);
            }
            LowPart::Kahan(low) => {
                let (mut kept, mut missed, mut bits) = ([0.0; BLOCK], [0.0; BLOCK], [0; BLOCK]);
                to_bf16(w, &mut high, Rounding::Nearest);
                from_bf16(&high, &mut kept);
                for (missed, (w, kept)) in missed.iter_mut().zip(w.iter().zip(kept)) {
                    // What is not finite misses nothing: NaN − NaN would spoil W for good, ∞ − ∞ too.
                    *missed = if kept.is_finite() { w - kept } else { 0.0 };
                }
                to_bf16(&missed, &mut bits, Rounding::Nearest);
                write(&bits, &mut low[start..]);
            }
            LowPart::Stochastic => to_bf16(w, &mut high, rounding),
        }
        write(&high, &mut to[start..]);
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
/// Any optimizer can be inside, with its wrappers and groups. An elementwise method moves W in one pass over memory, whatever
/// [`Keep`] says and its [`Precision`](crate::Precision) is, also in groups, and in wrappers that clip by norm or value, decay, or
/// guard; others work on copies in f32, 8 bytes a parameter. `half::bf16` and PyTorch's `view(torch.uint16)` give the bits.
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
    threads: Threads,
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
        Self { inner, low, keep, w: Vec::new(), grad: Vec::new(), threads: Threads::default() }
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
        self.threads = threads.clone();
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
        if self.inner.takes_halves() {
            let mut parts = parts(spans, &mut self.low);
            return Ok(self.inner.apply_half(&mut parts, learning_rate, Riders::default()));
        }
        Ok(self.step_copies(spans, learning_rate))
    }

    /// The step of a method that must see all parameters in full.
    fn step_copies(&mut self, spans: &mut [HalfSpan<'_>], learning_rate: f64) -> Outcome {
        let n = self.inner.layout().len();
        self.w.resize(n, 0.0);
        self.grad.resize(n, 0.0);
        let all = |spans: &mut [HalfSpan<'_>], this: &mut Self, work: &(dyn Fn(&mut Copied<'_>) + Sync)| {
            let parts = parts(spans, &mut this.low).into_iter();
            let mut copies = copies(parts, &mut this.w, &mut this.grad, this.inner.layout());
            this.threads.share(&mut copies, work);
        };
        all(spans, self, &|copied| copied.load());
        let whole = &mut [Span::new(&mut self.w, &self.grad)];
        let outcome = self.inner.apply(whole, learning_rate, Riders::default());
        let key = step_key(self.inner.layout(), self.inner.steps());
        all(spans, self, &|copied| copied.store(key));
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
        dispatch(Join { w, low: &self.low.part(), to: &mut self.w });
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

/// A stretch of a tensor with its copy in full.
struct Copied<'a> {
    part: HalfPart<'a>,
    w: &'a mut [f32],
    grad: &'a mut [f32],
    /// The number of its first block.
    first: usize,
}

/// Elements of a stretch, at most: a whole number of blocks.
const COPIED: usize = 256 * BLOCK;

fn copies<'a>(
    parts: impl Iterator<Item = HalfPart<'a>>,
    mut w: &'a mut [f32],
    mut grad: &'a mut [f32],
    layout: &Layout,
) -> Vec<Copied<'a>> {
    let mut copies = Vec::new();
    let (mut first, mut tensors) = (0, layout.blocks().iter());
    for mut rest in parts {
        while rest.len() > 0 {
            let Some(tensor) = tensors.next() else { unreachable!("the spans were checked") };
            let mut left = tensor.range.len();
            while left > 0 {
                let n = left.min(COPIED);
                let (w, grad) = (w.split_off_mut(..n), grad.split_off_mut(..n));
                let (w, grad) = (w.unwrap_or_default(), grad.unwrap_or_default());
                copies.push(Copied { part: rest.take_front(n), w, grad, first });
                first += n.div_ceil(BLOCK);
                left -= n;
            }
        }
    }
    copies
}

impl Copied<'_> {
    fn load(&mut self) {
        for start in (0..self.w.len()).step_by(BLOCK) {
            let (w, g) = self.part.load(start);
            write(&w, &mut self.w[start..]);
            write(&g, &mut self.grad[start..]);
        }
    }

    /// The bits are those of a pass by blocks.
    fn store(&mut self, key: u32) {
        let mut w = [0.0; BLOCK];
        for start in (0..self.w.len()).step_by(BLOCK) {
            read(&self.w[start..], &mut w);
            self.part.store(start, w, weights_rounding(block_key(key, self.first + start / BLOCK)));
        }
    }
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
