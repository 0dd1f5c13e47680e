//! The contract of a layer: a function over slices.

use std::fmt::Debug;

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
/// The same parameters, input, buffers and [`Mode`] give the same bits.
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

    /// How much scratch `forward` or `backward` needs.
    fn scratch_len(&self, _batch: usize) -> usize {
        0
    }

    /// Whether `x` and `y` may be one slice: then `forward` is given an empty `x` and finds its input in `y`, and `backward`
    /// is given an empty `dx` and leaves the gradient in `dy`. Such a layer keeps the shape and needs no more than `y`.
    fn in_place(&self) -> bool {
        false
    }

    /// Whether it leaves every number as it was, and works in place: then it does not matter who reads its input again.
    fn keeps_numbers(&self) -> bool {
        false
    }

    /// Whether `backward` reads `y`: then the next layer may not overwrite it.
    fn reads_output(&self) -> bool {
        false
    }

    /// Whether `backward` changes `dy`: then who needs it afterwards must copy it.
    fn spoils_gradient(&self) -> bool {
        self.in_place()
    }

    /// Overwrites `y` (batch × output) with the layer's output for `x` (batch × input).
    fn forward(&self, pass: Forward<'_, T>);

    /// Overwrites the gradients of the parameters and, if wanted, of the input.
    fn backward(&self, pass: Backward<'_, T>);

    /// Moves the buffers by what the last forward pass in training saw: called once a step. (Or by what one that only measures
    /// saw: [`Mode::Measure`].)
    fn update_buffers(&self, _buffers: &mut [T], _saved: &[T], _batch: usize) {}
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
    /// Rows in the batch.
    pub batch: usize,
    /// The layer's parameters.
    pub w: &'a [T],
    /// The layer's buffers.
    pub buffers: &'a [T],
    /// The input, batch × input; empty in place.
    pub x: &'a [T],
    /// The output, batch × output, overwritten.
    pub y: &'a mut [T],
    /// [`Layer::saved_len`] numbers, kept for `backward`.
    pub saved: &'a mut [T],
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [T],
    /// What the pass is for.
    pub mode: Mode,
}

/// What a layer is given to compute its gradients.
#[derive(Debug)]
pub struct Backward<'a, T> {
    /// Rows in the batch.
    pub batch: usize,
    /// The layer's parameters.
    pub w: &'a [T],
    /// The layer's buffers, as `forward` had them.
    pub buffers: &'a [T],
    /// What `forward` was given; empty in place.
    pub x: &'a [T],
    /// What `forward` answered.
    pub y: &'a [T],
    /// ∂loss/∂y, free to be overwritten.
    pub dy: &'a mut [T],
    /// ∂loss/∂w, overwritten.
    pub dw: &'a mut [T],
    /// ∂loss/∂x, overwritten; `None` for the first layer, empty in place.
    pub dx: Option<&'a mut [T]>,
    /// What `forward` kept.
    pub saved: &'a mut [T],
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [T],
    /// As in `forward`.
    pub mode: Mode,
}
