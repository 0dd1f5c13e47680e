//! The contract of a layer: a function over slices.

use std::fmt::Debug;
use std::ops::Range;

use thalweg_optim::Layout;
use thalweg_optim::random::Stream;

use super::shape::Shape;
use crate::kernel::math::Math;

/// A layer maps a batch of samples to a batch of samples.
///
/// All matrices are row-major with one row per sample; see [`Shape`] for what a row is. A layer owns no memory: its
/// parameters are a part of the flat slice of what is trained, its buffers a part of the flat slice of what is not, and
/// its output, what it keeps for the way back, and scratch are lent.
///
/// A batch goes through a layer in its phases, and through a phase in pieces (see [`Piece`]): so that what a piece of the
/// batch leaves in the nearest caches is there for the next layer.
///
/// The same parameters, input, buffers, pieces and [`Mode`] give the same bits.
pub trait Layer<T: Math>: Debug + Send + Sync {
    /// Such as `dense`; part of the parameters' names.
    fn name(&self) -> &'static str;

    /// The shape of an output row.
    fn output(&self) -> Shape;

    /// Appends the layer's parameters, their names starting with `prefix`.
    fn layout(&self, _prefix: &str, _layout: &mut Layout) {}

    /// Fills the layer's parameters with their start values.
    fn init(&self, _w: &mut [T], _random: &mut Stream) {}

    /// Appends what the layer keeps that is not trained, as [`Layer::layout`].
    fn buffer_layout(&self, _prefix: &str, _layout: &mut Layout) {}

    /// Fills the layer's buffers with their start values.
    fn init_buffers(&self, _buffers: &mut [T]) {}

    /// How many numbers the layer keeps from `forward` to `backward` for a batch.
    fn saved_len(&self, _batch: usize) -> usize {
        0
    }

    /// How much scratch `forward` or `backward` needs; enough for any smaller batch, too.
    fn scratch_len(&self, _batch: usize) -> usize {
        0
    }

    /// Whether `x` and `y` may be one slice: then `forward` is given an empty `x` and finds its input in `y`, and `backward`
    /// is given an empty `dx` and leaves the gradient in `dy`. Such a layer keeps the shape, needs no more than `y`, and has
    /// one phase of [`Pace::Either`].
    fn in_place(&self) -> bool {
        false
    }

    /// Whether it leaves every number as it was, and works in place: then it does not matter who reads its input again.
    fn keeps_numbers(&self) -> bool {
        false
    }

    /// Whether `backward` reads `x`: else it may be given an empty one, and nobody has to keep it.
    fn reads_input(&self) -> bool {
        true
    }

    /// Whether `backward` reads `y`: then the next layer may not overwrite it; else it may be given an empty one.
    fn reads_output(&self) -> bool {
        false
    }

    /// Whether it costs less to repeat the last phase of `forward` than to keep `y` in memory for a layer that reads it on the
    /// way back. Such a layer writes `y` in that phase only.
    fn is_repeated(&self) -> bool {
        false
    }

    /// Whether `backward` changes `dy`: then who needs it afterwards must copy it.
    fn spoils_gradient(&self) -> bool {
        self.in_place()
    }

    /// The layer's phases, each with the pieces that it takes: in order there, in reverse order back. At least one.
    ///
    /// All rows have gone through a phase when the next begins; but in [`Mode::Evaluate`], where no row looks at others, a
    /// piece may go through phases of [`Pace::Pieces`] before the next piece does. The output is written in the last phase;
    /// the input's gradient in the first, which is the last on the way back.
    fn phases(&self) -> &[Pace] {
        &[Pace::Whole]
    }

    /// Overwrites `y` (rows × output) with the layer's output for `x` (rows × input).
    fn forward(&self, pass: Forward<'_, T>);

    /// The gradients of the parameters and, if wanted, of the input. Those of the parameters are whole when the last piece is
    /// through.
    fn backward(&self, pass: Backward<'_, T>);

    /// Moves the buffers by what the last forward pass in training saw: called once a step. (Or by what one that only measures
    /// saw: [`Mode::Measure`].)
    fn update_buffers(&self, _buffers: &mut [T], _saved: &[T], _batch: usize) {}
}

/// Which rows of a batch a layer can work on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of them only.
    Whole,
    /// A few, which is fast, for its rows are large.
    Pieces,
    /// As the layers beside it.
    Either,
}

impl Pace {
    /// The pace of what goes together; `None` if it should not.
    pub(super) fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (pace, Self::Either) | (Self::Either, pace) => Some(pace),
            (pace, other) => (pace == other).then_some(pace),
        }
    }
}

/// The rows of a batch that a call is about, and the layer's phase that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Rows in the batch.
    pub batch: usize,
    /// The piece's first row.
    pub first: usize,
    /// Its number of rows.
    pub rows: usize,
    /// Of [`Layer::phases`].
    pub phase: usize,
}

impl Piece {
    /// All rows, in the first phase.
    pub fn whole(batch: usize) -> Self {
        Self { batch, first: 0, rows: batch, phase: 0 }
    }

    /// Where its rows lie among the batch's, which are `width` numbers each.
    pub fn of(self, width: usize) -> Range<usize> {
        self.first * width..self.end() * width
    }

    /// The row behind its last one.
    pub fn end(self) -> usize {
        self.first + self.rows
    }

    /// Whether it is the first of its phase.
    pub fn is_first(self) -> bool {
        self.first == 0
    }

    /// The same in another phase.
    pub(super) fn in_phase(self, phase: usize) -> Self {
        Self { phase, ..self }
    }

    /// The pieces of a phase, `at_once` rows each if they may be pieces; at least one, even of no rows.
    fn all(batch: usize, phase: usize, pace: Pace, at_once: usize) -> impl Iterator<Item = Self> {
        let rows = if pace == Pace::Pieces { at_once.max(1) } else { batch.max(1) };
        (0..batch.max(1)).step_by(rows).map(move |first| Self {
            batch,
            first,
            rows: rows.min(batch - first),
            phase,
        })
    }
}

/// What a pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is random, and batch normalization uses its running statistics.
    Evaluate,
    /// Nothing is random, and batch normalization uses the statistics of the batch: to take its running statistics anew.
    Measure,
    /// Masks and noise are drawn from the key: the same key, the same masks.
    Train {
        /// Differs from step to step, and from layer to layer.
        key: u64,
        /// The step's own: the same in every layer, for what layers and the loss do together (see [`mixing`](super::mixing)).
        step: u64,
    },
}

impl Mode {
    /// The mode of the `index`-th training step under a key.
    #[must_use]
    pub fn step(key: u64, index: u64) -> Self {
        let key = mix(key ^ mix(index + 1));
        Self::Train { key, step: key }
    }

    /// The mode of the `index`-th part of this one, with a key of its own.
    #[must_use]
    pub fn within(self, index: usize) -> Self {
        match self {
            Self::Evaluate | Self::Measure => self,
            Self::Train { key, step } => Self::Train { key: mix(key ^ mix(index as u64 + 1)), step },
        }
    }

    /// The key, if the pass is one of training.
    pub fn key(self) -> Option<u64> {
        match self {
            Self::Evaluate | Self::Measure => None,
            Self::Train { key, .. } => Some(key),
        }
    }
}

/// A bijection of 64 bits that spreads every bit over all (the finalizer of SplitMix64; Steele et al. 2014).
#[inline]
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What a layer is given to compute its output.
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// The rows, and the phase.
    pub piece: Piece,
    /// The layer's parameters.
    pub w: &'a [T],
    /// The layer's buffers.
    pub buffers: &'a [T],
    /// The input, rows × input; empty in place.
    pub x: &'a [T],
    /// The output, rows × output, overwritten.
    pub y: &'a mut [T],
    /// [`Layer::saved_len`] numbers for the batch, kept from piece to piece and for `backward`.
    pub saved: &'a mut [T],
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [T],
    /// What the pass is for.
    pub mode: Mode,
}

/// What a layer is given to compute its gradients.
#[derive(Debug)]
pub struct Backward<'a, T> {
    /// The rows, and the phase.
    pub piece: Piece,
    /// The layer's parameters.
    pub w: &'a [T],
    /// The layer's buffers, as `forward` had them.
    pub buffers: &'a [T],
    /// What `forward` was given; empty in place, and may be for a layer that does not read it.
    pub x: &'a [T],
    /// What `forward` answered; may be empty for a layer that does not read it.
    pub y: &'a [T],
    /// ∂loss/∂y, free to be overwritten.
    pub dy: &'a mut [T],
    /// ∂loss/∂w, whole when the last piece is through: overwritten by the first and added to by the others, or written by the
    /// last.
    pub dw: &'a mut [T],
    /// ∂loss/∂x, overwritten in the layer's first phase; `None` if nobody wants it (yet), empty in place.
    pub dx: Option<&'a mut [T]>,
    /// What `forward` kept for the batch.
    pub saved: &'a mut [T],
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [T],
    /// As in `forward`.
    pub mode: Mode,
}

impl<T: Math> Forward<'_, T> {
    /// Takes the batch that this pass is about through all phases of a layer, at most `at_once` rows at a time.
    pub fn through(self, layer: &dyn Layer<T>, at_once: usize) {
        let Self { piece: Piece { batch, .. }, w, buffers, x, y, saved, scratch, mode } = self;
        let (inputs, outputs) = (x.len() / batch.max(1), y.len() / batch.max(1));
        let phases = layer.phases();
        let mut phase = 0;
        while phase < phases.len() {
            let pace = phases[phase];
            // Where no phase looks at other rows, a piece can go through several.
            let together = |&&next: &&Pace| mode == Mode::Evaluate && next == pace && pace == Pace::Pieces;
            let end = phase + 1 + phases[phase + 1..].iter().take_while(together).count();
            for piece in Piece::all(batch, phase, pace, at_once) {
                for phase in phase..end {
                    layer.forward(Forward {
                        piece: piece.in_phase(phase),
                        w,
                        buffers,
                        x: &x[piece.of(inputs)],
                        y: &mut y[piece.of(outputs)],
                        saved: &mut *saved,
                        scratch: &mut *scratch,
                        mode,
                    });
                }
            }
            phase = end;
        }
    }
}

impl<T: Math> Backward<'_, T> {
    /// The way back of [`Forward::through`], with the same `at_once`.
    pub fn through(self, layer: &dyn Layer<T>, at_once: usize) {
        let Self { piece: Piece { batch, .. }, w, buffers, x, y, dy, dw, mut dx, saved, scratch, mode } =
            self;
        let (inputs, outputs) = (x.len() / batch.max(1), y.len() / batch.max(1));
        for (phase, &pace) in layer.phases().iter().enumerate().rev() {
            for piece in Piece::all(batch, phase, pace, at_once) {
                layer.backward(Backward {
                    piece,
                    w,
                    buffers,
                    x: &x[piece.of(inputs)],
                    y: &y[piece.of(outputs)],
                    dy: &mut dy[piece.of(outputs)],
                    dw: &mut *dw,
                    dx: dx.as_deref_mut().map(|dx| &mut dx[piece.of(inputs)]),
                    saved: &mut *saved,
                    scratch: &mut *scratch,
                    mode,
                });
            }
        }
    }
}
