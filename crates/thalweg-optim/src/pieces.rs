//! The pass over memory where the state or W is kept in fewer bits.
//!
//! A piece of 1,024 elements is unpacked into the cache, moved by the rule as any other, and packed again; so a rule needs to
//! know nothing of it. Pieces begin with each block of the layout, and number and step key the chance by which they are
//! rounded: the same bits however the step was cut, and on any number of threads.

use crate::half::HalfPart;
use crate::kernel::dispatch;
use crate::kernel::pack::{Rounding, hash};
use crate::kernel::step::{Pass, Ride, Step, Work};
use crate::packed::{Cells, PIECE};
use crate::params::Layout;
use crate::real::Real;
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::{Grad, Span};

/// Parameters with their gradient, in full or in 16 bits.
pub(crate) enum Weights<'a, T> {
    Full(Span<'a, T>),
    Half(HalfPart<'a>),
}

impl<'a, T: Real> Weights<'a, T> {
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

    fn reborrow(&mut self) -> Weights<'_, T> {
        match self {
            Self::Full(span) => Weights::Full(span.reborrow()),
            Self::Half(part) => Weights::Half(part.reborrow()),
        }
    }
}

/// The state of a stretch.
pub(crate) enum State<'a, R: Rule, T: Real> {
    Full(<R::State<T> as Slots<T>>::Slices<'a>),
    Packed(Cells<'a>),
}

impl<R: Rule, T: Real> State<'_, R, T> {
    /// That of the first `n` elements, which are whole pieces or the end of a block.
    fn take_front(&mut self, n: usize) -> Self {
        match self {
            Self::Full(slots) => Self::Full(R::State::<T>::take_front(slots, n)),
            Self::Packed(cells) => {
                Self::Packed(cells.take_front(n.div_ceil(PIECE), <R::State<T> as Slots<T>>::COUNT))
            }
        }
    }

    fn reborrow(&mut self) -> State<'_, R, T> {
        match self {
            Self::Full(slots) => State::Full(R::State::<T>::reborrow(slots)),
            Self::Packed(cells) => State::Packed(cells.reborrow()),
        }
    }
}

/// A stretch of whole pieces of one block of the layout.
pub(crate) struct PieceWork<'a, R: Rule, T: Real> {
    weights: Weights<'a, T>,
    state: State<'a, R, T>,
    /// The number of its first piece.
    first: usize,
    /// The sums of a rule that measures.
    pub(crate) sums: [f64; 2],
}

/// Cuts all parameters and their state into stretches of at most `most` elements (whole pieces), none over the border of a block.
pub(crate) fn works<'a, R: Rule, T: Real>(
    weights: impl Iterator<Item = Weights<'a, T>>,
    mut state: State<'a, R, T>,
    layout: &Layout,
    most: usize,
) -> Vec<PieceWork<'a, R, T>> {
    let most = (most / PIECE).max(1) * PIECE;
    let (mut works, mut first) = (Vec::new(), 0);
    let mut blocks = layout.blocks().iter();
    for mut rest in weights {
        while rest.len() > 0 {
            let Some(block) = blocks.next() else { unreachable!("the spans fit the layout") };
            let mut own = rest.take_front(block.range.len());
            while own.len() > 0 {
                let n = most.min(own.len());
                let (weights, state) = (own.take_front(n), state.take_front(n));
                works.push(PieceWork { weights, state, first, sums: [0.0; 2] });
                first += n.div_ceil(PIECE);
            }
        }
    }
    works
}

impl<R: Rule, T: Real> PieceWork<'_, R, T> {
    /// Unpacks, moves and packs each piece at step number `step`.
    pub(crate) fn step(&mut self, coefficients: R::Coefficients<T>, riders: Ride<T>, pass: Pass, step: u64) {
        let mut scratch = R::State::<T>::blank::<PIECE>();
        let (mut w, mut g) = ([T::ZERO; PIECE], [T::ZERO; PIECE]);
        let (mut weights, mut state) = (self.weights.reborrow(), self.state.reborrow());
        let key = key(step);
        self.sums = [0.0; 2];
        for piece in self.first.. {
            let n = weights.len().min(PIECE);
            if n == 0 {
                break;
            }
            let (mut own, mut kept) = (weights.take_front(n), state.take_front(n));
            if let State::Packed(cells) = &kept {
                cells.unpack(R::State::<T>::flat(&mut scratch), n);
            }
            {
                let span = match &mut own {
                    Weights::Full(span) => span.reborrow(),
                    Weights::Half(part) => {
                        part.unpack(&mut w[..n], &mut g[..n]);
                        Span { w: &mut w[..n], grad: Grad::Read(&g[..n]), average: None }
                    }
                };
                let slots = match &mut kept {
                    State::Full(slots) => R::State::<T>::reborrow(slots),
                    State::Packed(_) => {
                        R::State::<T>::take_front(&mut R::State::<T>::slices(&mut scratch), n)
                    }
                };
                let mut work = Work::<R, T>::new(span, slots);
                dispatch(Step { coefficients, riders, pass, work: &mut work });
                self.sums.iter_mut().zip(work.sums).for_each(|(sum, own)| *sum += own);
            }
            if pass == Pass::Measure {
                continue;
            }
            if let State::Packed(cells) = &mut kept {
                let rounding = Rounding::Stochastic(hash(key ^ piece as u32));
                cells.pack(R::State::<T>::flat(&mut scratch), n, rounding);
            }
            if let Weights::Half(part) = &mut own {
                part.pack(&mut w, weights_rounding(key, piece));
            }
        }
    }
}

/// What keys the rounding of a step.
fn key(step: u64) -> u32 {
    hash(hash(step as u32 ^ 0x9e37_79b9) ^ (step >> 32) as u32)
}

/// A stream of its own: that of the state is keyed by the number of the piece.
fn weights_rounding(key: u32, piece: usize) -> Rounding {
    Rounding::Stochastic(hash(key ^ !(piece as u32)))
}

/// Rounds what a pass without pieces made of W: the bits are those of a pass with them. `pack(range, rounding)` is called
/// for each piece.
pub(crate) fn round_all(layout: &Layout, step: u64, mut pack: impl FnMut(std::ops::Range<usize>, Rounding)) {
    let (key, mut piece) = (key(step), 0);
    for block in layout.blocks() {
        for start in block.range.clone().step_by(PIECE) {
            pack(start..(start + PIECE).min(block.range.end), weights_rounding(key, piece));
            piece += 1;
        }
    }
}
