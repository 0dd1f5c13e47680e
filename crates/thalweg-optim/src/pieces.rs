//! The pass over memory where the state or W is kept in fewer bits.
//!
//! A block of 64 elements is unpacked into local arrays, moved by the rule as any other, and packed again; so a rule needs
//! to know nothing of it. Blocks begin with each tensor of the layout, and number and step key the chance by which they are
//! rounded: the same bits however the step was cut, and on any number of threads. All is in single precision.

use crate::half::HalfPart;
use crate::kernel::pack::{Rounding, hash};
use crate::kernel::step::{BLOCK, Moves, Pass, Ride, Sums};
use crate::kernel::{AHEAD, Isa, Kernel, LONG, call_ahead, dispatch};
use crate::packed::{Cells, Pack, Unpack};
use crate::params::{Layout, Role};
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::{Grad, Span};

/// Parameters with their gradient, in full or in 16 bits.
pub(crate) enum Weights<'a> {
    Full(Span<'a, f32>),
    Half(HalfPart<'a>),
}

impl<'a> Weights<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Full(span) => span.len(),
            Self::Half(part) => part.len(),
        }
    }

    fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Full(span) => Self::Full(span.take_front(n)),
            Self::Half(part) => Self::Half(part.take_front(n)),
        }
    }

    fn reborrow(&mut self) -> Weights<'_> {
        match self {
            Self::Full(span) => Weights::Full(span.reborrow()),
            Self::Half(part) => Weights::Half(part.reborrow()),
        }
    }

    /// Asks the memory for the block that begins at `start`.
    #[inline(always)]
    fn call_ahead(&self, start: usize) {
        if let Self::Full(span) = self {
            call_ahead::<_, BLOCK>(span.w, start);
            call_ahead::<_, BLOCK>(span.grad.values(), start);
        }
    }

    /// The block of W and its gradient that begins at `start`.
    #[inline(always)]
    fn load(&self, start: usize, w: &mut [f32; BLOCK], g: &mut [f32; BLOCK]) {
        match self {
            Self::Full(span) => {
                w.copy_from_slice(&span.w[start..start + BLOCK]);
                g.copy_from_slice(&span.grad.values()[start..start + BLOCK]);
            }
            Self::Half(part) => (*w, *g) = part.load(start),
        }
    }

    #[inline(always)]
    fn store(&mut self, start: usize, w: &[f32; BLOCK], riders: &Ride<f32>, key: u32) {
        match self {
            Self::Full(span) => {
                let block = start..start + BLOCK;
                if let Grad::Clear(grad) = &mut span.grad {
                    grad[block.clone()].fill(0.0);
                }
                if let Some(average) = &mut span.average {
                    riders.follow(&mut average[block.clone()], w);
                }
                span.w[block].copy_from_slice(w);
            }
            Self::Half(part) => part.store(start, *w, weights_rounding(key)),
        }
    }
}

/// A block of what begins here, or all of it.
#[inline(always)]
pub(crate) fn read<V: Copy>(from: &[V], to: &mut [V; BLOCK]) {
    match from.first_chunk() {
        Some(from) => *to = *from,
        None => to[..from.len()].copy_from_slice(from),
    }
}

#[inline(always)]
pub(crate) fn write<V: Copy>(from: &[V; BLOCK], to: &mut [V]) {
    match to.first_chunk_mut() {
        Some(to) => *to = *from,
        None => to.copy_from_slice(&from[..to.len()]),
    }
}

type Slices<'a, R> = <<R as Rule>::State<f32> as Slots<f32>>::Slices<'a>;
type Block<R> = <<R as Rule>::State<f32> as Slots<f32>>::Block<BLOCK>;

/// The state of a stretch.
pub(crate) enum State<'a, R: Rule> {
    Full(Slices<'a, R>),
    Packed(Cells<'a>),
}

impl<R: Rule> State<'_, R> {
    /// That of the first `n` elements, which are whole blocks or the end of a tensor.
    fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Full(slots) => Self::Full(R::State::<f32>::take_front(slots, n)),
            Self::Packed(cells) => Self::Packed(cells.take_front(n.div_ceil(BLOCK), R::STATES.len())),
        }
    }

    fn reborrow(&mut self) -> State<'_, R> {
        match self {
            Self::Full(slots) => State::Full(R::State::<f32>::reborrow(slots)),
            Self::Packed(cells) => State::Packed(cells.reborrow()),
        }
    }

    #[inline(always)]
    fn call_ahead(&self, start: usize) {
        match self {
            Self::Full(slots) => R::State::<f32>::call_ahead::<BLOCK>(slots, start),
            Self::Packed(cells) => cells.call_ahead(start / BLOCK, R::STATES.len()),
        }
    }

    #[inline(always)]
    fn load<I: Isa>(&self, start: usize) -> Block<R> {
        match self {
            Self::Full(slots) => R::State::<f32>::load_block(slots, start),
            Self::Packed(cells) => {
                let mut block = R::State::<f32>::blank();
                cells.unpack::<I>(start / BLOCK, R::State::<f32>::flat(&mut block));
                block
            }
        }
    }

    #[inline(always)]
    fn store<I: Isa>(&mut self, start: usize, block: &mut Block<R>, key: u32) {
        match self {
            Self::Full(slots) => R::State::<f32>::store_block(slots, start, block),
            Self::Packed(cells) => cells.pack::<I>(start / BLOCK, R::State::<f32>::flat(block), key),
        }
    }
}

/// A stretch of whole blocks of one tensor.
pub(crate) struct PieceWork<'a, R: Rule> {
    weights: Weights<'a>,
    state: State<'a, R>,
    /// That of its tensor.
    pub(crate) role: Role,
    /// The number of its first block.
    first: usize,
    /// The sums of a rule that measures.
    pub(crate) sums: [f64; 2],
}

/// Cuts all parameters and their state into stretches of at most `most` elements (whole blocks), none over the border of a
/// tensor.
pub(crate) fn works<'a, 'b: 'a, R: Rule>(
    weights: impl Iterator<Item = Weights<'b>>,
    mut state: State<'a, R>,
    layout: &Layout,
    most: usize,
    works: &mut Vec<PieceWork<'a, R>>,
) {
    let most = (most / BLOCK).max(1) * BLOCK;
    let mut first = 0;
    let mut tensors = layout.blocks().iter();
    for mut rest in weights {
        while rest.len() > 0 {
            let Some(tensor) = tensors.next() else { unreachable!("the spans fit the layout") };
            let mut own = rest.take_front(tensor.range.len());
            while own.len() > 0 {
                let n = most.min(own.len());
                let (weights, state) = (own.take_front(n), state.take_front(n));
                works.push(PieceWork { weights, state, role: tensor.role, first, sums: [0.0; 2] });
                first += n.div_ceil(BLOCK);
            }
        }
    }
}

/// Unpacks, moves and packs each block.
pub(crate) struct PieceStep<'w, 'a, R: Rule> {
    pub(crate) coefficients: R::Coefficients<f32>,
    pub(crate) riders: Ride<f32>,
    pub(crate) pass: Pass,
    /// That of the step: see [`step_key`].
    pub(crate) key: u32,
    /// As in [`Step`](crate::kernel::step::Step).
    pub(crate) far: bool,
    pub(crate) work: &'w mut PieceWork<'a, R>,
}

impl<R: Rule> Kernel for PieceStep<'_, '_, R> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { coefficients, riders, pass, key, far, work } = self;
        let PieceWork { weights, state, first, sums, .. } = work;
        let mut moves = Moves::<R, f32> { coefficients, riders, pass, sums: Sums::default() };
        let n = weights.len();
        let whole = n - n % BLOCK;
        let ahead = far && n >= LONG;
        let last_key = block_key(key, *first + whole / BLOCK);
        // What does not fill a block is unpacked into one, with zeros behind it, and the loop serves both, as in
        // [`Step`](crate::kernel::step::Step).
        let mut pad = Pad::<R>::new();
        if whole < n {
            pad.fill(weights, state, whole);
        }
        for (mut weights, mut state, len) in
            [(weights.reborrow(), state.reborrow(), whole), pad.lend(n - whole)]
        {
            for start in (0..len).step_by(BLOCK) {
                let key = block_key(key, *first + start / BLOCK);
                let (mut w, mut g) = ([0.0; BLOCK], [0.0; BLOCK]);
                if ahead {
                    weights.call_ahead(start + AHEAD);
                    state.call_ahead(start + AHEAD);
                }
                weights.load(start, &mut w, &mut g);
                let mut block = state.load::<I>(start);
                if moves.block(&mut w, &mut g, &mut block) {
                    state.store::<I>(start, &mut block, key);
                    weights.store(start, &w, &moves.riders, key);
                }
            }
        }
        if R::MEASURES {
            *sums = moves.sums.total();
        }
        if whole < n && !(R::MEASURES && pass == Pass::Measure) {
            pad.write(weights, state, whole, last_key);
        }
    }
}

/// The elements behind the last whole block, in full, with zeros up to a block.
struct Pad<R: Rule> {
    w: [f32; BLOCK],
    grad: [f32; BLOCK],
    average: [f32; BLOCK],
    state: Block<R>,
}

impl<R: Rule> Pad<R> {
    #[inline(always)]
    fn new() -> Self {
        let zeros = [0.0; BLOCK];
        Self { w: zeros, grad: zeros, average: zeros, state: R::State::<f32>::blank() }
    }

    #[inline(always)]
    fn fill(&mut self, weights: &Weights<'_>, state: &State<'_, R>, start: usize) {
        match weights {
            Weights::Full(span) => {
                let count = span.len() - start;
                self.w[..count].copy_from_slice(&span.w[start..]);
                self.grad[..count].copy_from_slice(&span.grad.values()[start..]);
                if let Some(average) = &span.average {
                    self.average[..count].copy_from_slice(&average[start..]);
                }
            }
            Weights::Half(part) => (self.w, self.grad) = part.load(start),
        }
        match state {
            State::Full(slots) => self.state = R::State::<f32>::load_rest(slots, start),
            State::Packed(cells) => {
                let state = R::State::<f32>::flat(&mut self.state);
                dispatch(Unpack { cells, block: start / BLOCK, to: state });
                clear_behind(state, weights.len() - start);
            }
        }
    }

    #[inline(always)]
    fn lend(&mut self, count: usize) -> (Weights<'_>, State<'_, R>, usize) {
        let span = Span { w: &mut self.w, grad: Grad::Read(&self.grad), average: Some(&mut self.average) };
        (Weights::Full(span), State::Full(R::State::<f32>::slices(&mut self.state)), count)
    }

    #[inline(always)]
    fn write(&mut self, weights: &mut Weights<'_>, state: &mut State<'_, R>, start: usize, key: u32) {
        let count = weights.len() - start;
        match weights {
            Weights::Full(span) => {
                span.w[start..].copy_from_slice(&self.w[..count]);
                if let Grad::Clear(grad) = &mut span.grad {
                    grad[start..].fill(0.0);
                }
                if let Some(average) = &mut span.average {
                    average[start..].copy_from_slice(&self.average[..count]);
                }
            }
            Weights::Half(part) => part.store(start, self.w, weights_rounding(key)),
        }
        match state {
            State::Full(slots) => R::State::<f32>::store_rest(slots, start, &self.state),
            State::Packed(cells) => {
                let state = R::State::<f32>::flat(&mut self.state);
                // It must not count in a scale.
                clear_behind(state, count);
                dispatch(Pack { cells, block: start / BLOCK, from: state, key });
            }
        }
    }
}

fn clear_behind(slots: &mut [f32], count: usize) {
    slots.chunks_mut(BLOCK).for_each(|slot| slot[count..].fill(0.0));
}

/// What keys the rounding of a step. The optimizers of parameter groups move at the same steps, and each begins with another
/// tensor: its name keys, too.
pub(crate) fn step_key(layout: &Layout, step: u64) -> u32 {
    let name = layout.blocks().first().map_or("", |tensor| &tensor.name);
    let named = name.bytes().fold(0x9e37_79b9, |key, byte| hash(key ^ u32::from(byte)));
    hash(hash(step as u32 ^ named) ^ (step >> 32) as u32)
}

#[inline(always)]
pub(crate) fn block_key(key: u32, number: usize) -> u32 {
    hash(key ^ number as u32)
}

/// A stream of its own: those of the state are keyed by the number of the slot.
#[inline(always)]
pub(crate) fn weights_rounding(block_key: u32) -> Rounding {
    Rounding::Stochastic(hash(!block_key))
}
