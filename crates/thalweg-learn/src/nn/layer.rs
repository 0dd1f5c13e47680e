//! The contract of a layer: a function over slices.

use std::fmt::Debug;

use thalweg_optim::Layout;
use thalweg_optim::random::Stream;

use crate::kernel::math::Math;

/// A layer maps a batch of rows to a batch of rows.
///
/// All matrices are row-major with one row per sample. A layer owns no memory: its parameters are a part of the flat
/// slice, its output and scratch are lent.
pub trait Layer<T: Math>: Debug + Send + Sync {
    /// Such as `dense`; part of the parameters' names.
    fn name(&self) -> &'static str;

    /// The width of an output row.
    fn outputs(&self) -> usize;

    /// Appends the layer's parameters, their names starting with `prefix`.
    fn layout(&self, _prefix: &str, _layout: &mut Layout) {}

    /// Fills the layer's parameters with their start values.
    fn init(&self, _w: &mut [T], _random: &mut Stream) {}

    /// How much scratch `forward` or `backward` needs.
    fn scratch_len(&self, _batch: usize) -> usize {
        0
    }

    /// Overwrites `y` (batch × outputs) with the layer's output for `x` (batch × inputs).
    fn forward(&self, w: &[T], x: &[T], y: &mut [T], scratch: &mut [T], batch: usize);

    /// Overwrites the gradients of the parameters and, if wanted, of the input.
    fn backward(&self, pass: Backward<'_, T>);
}

/// What a layer is given to compute its gradients.
#[derive(Debug)]
pub struct Backward<'a, T> {
    /// Rows in the batch.
    pub batch: usize,
    /// The layer's parameters.
    pub w: &'a [T],
    /// What `forward` was given.
    pub x: &'a [T],
    /// What `forward` answered.
    pub y: &'a [T],
    /// ∂loss/∂y.
    pub dy: &'a [T],
    /// ∂loss/∂w, overwritten.
    pub dw: &'a mut [T],
    /// ∂loss/∂x, overwritten; `None` for the first layer.
    pub dx: Option<&'a mut [T]>,
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [T],
}
