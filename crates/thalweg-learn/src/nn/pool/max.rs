//! Max pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer, Pace};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use super::{PoolWindow, Windows};
use crate::kernel::columns::{ByColumns, part, part_mut};
use crate::kernel::math::Math;

/// The settings of max pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaxPool2dSpec(pub PoolWindow);

impl Kind for MaxPool2dSpec {
    const SUMMARY: &'static str = "the largest number of each window";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        Ok(Box::new(MaxPool2d { windows: Windows::new(self.0, site)? }))
    }
}

/// The largest number of each window, per channel; padding is −∞. The gradient goes to the first of equal ones, as in
/// PyTorch. NaN wins, so that divergence is seen.
#[derive(Debug, Clone)]
pub struct MaxPool2d {
    windows: Windows,
}

impl<T: Math> Layer<T> for MaxPool2d {
    fn name(&self) -> &'static str {
        "max-pool2d"
    }

    fn output(&self) -> Shape {
        self.windows.output_shape()
    }

    /// Which pixel of its window each output is, counted from the first.
    fn saved_len(&self, batch: usize) -> usize {
        batch * self.windows.output_shape().len()
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let outputs = self.windows.output_shape().len();
        let images = pass.x.chunks_exact(self.windows.inputs());
        let saved = pass.saved[pass.piece.of(outputs)].chunks_exact_mut(outputs);
        for ((x, y), which) in images.zip(pass.y.chunks_exact_mut(outputs)).zip(saved) {
            dispatch(Largest { windows: &self.windows, x, y, which });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Some(dx) = pass.dx else { return };
        let (inputs, outputs) = (self.windows.inputs(), self.windows.output_shape().len());
        // Where every pixel lies in one window, each is written once.
        let adds = !self.windows.are_tiles();
        if adds {
            dx.fill(T::ZERO);
        }
        let saved = pass.saved[pass.piece.of(outputs)].chunks_exact(outputs);
        let images = dx.chunks_exact_mut(inputs).zip(pass.dy.chunks_exact(outputs));
        for ((dx, dy), which) in images.zip(saved) {
            dispatch(Back { windows: &self.windows, dx, dy, which, adds });
        }
    }
}

struct Largest<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    y: &'a mut [T],
    which: &'a mut [T],
}

impl<T: Math> Kernel for Largest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        self.all(self.windows.channels);
    }
}

impl<T: Math> ByColumns for Largest<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        match self.windows.whole_side() {
            Some(2) => self.windows::<B, 2>(first),
            _ => self.windows::<B, 0>(first),
        }
    }
}

impl<T: Math> Largest<'_, T> {
    /// All windows, whose side is `SIDE` if that is not 0: then there are no loops in a window.
    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    #[inline(always)]
    fn windows<const B: usize, const SIDE: usize>(&mut self, first: usize) {
        let (windows, x) = (self.windows, self.x);
        let (channels, (height, width)) = (windows.channels, windows.output);
        for at in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (rows, columns) = windows.pixels(at);
            let side = |len: usize| if SIDE > 0 { SIDE } else { len };
            let mut largest = [T::from_f64(f64::NEG_INFINITY); B];
            // The first one, if all are −∞.
            let (mut which, mut count) = ([T::ZERO; B], T::ZERO);
            for row in 0..side(rows.len()) {
                let start = ((rows.start + row) * windows.input.1 + columns.start) * channels;
                for column in 0..side(columns.len()) {
                    let x = part::<T, B>(x, start + column * channels + first);
                    for j in 0..B {
                        // Not `>` alone: a NaN in x must win, and one before it must stay.
                        let stays = (x[j] <= largest[j]) | (largest[j] != largest[j]);
                        largest[j] = if stays { largest[j] } else { x[j] };
                        which[j] = if stays { which[j] } else { count };
                    }
                    count += T::ONE;
                }
            }
            let at = (at.0 * width + at.1) * channels + first;
            *part_mut(self.y, at) = largest;
            *part_mut(self.which, at) = which;
        }
    }
}

/// Gives each output's gradient to the pixel that it is.
struct Back<'a, T> {
    windows: &'a Windows,
    dx: &'a mut [T],
    dy: &'a [T],
    which: &'a [T],
    /// Whether dx is added to.
    adds: bool,
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        self.all(self.windows.channels);
    }
}

impl<T: Math> ByColumns for Back<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        match self.windows.whole_side() {
            Some(2) => self.windows::<B, 2>(first),
            _ => self.windows::<B, 0>(first),
        }
    }
}

impl<T: Math> Back<'_, T> {
    /// As in [`Largest`].
    #[inline(always)]
    fn windows<const B: usize, const SIDE: usize>(&mut self, first: usize) {
        let (windows, adds) = (self.windows, self.adds);
        let (channels, (height, width)) = (windows.channels, windows.output);
        for at in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (rows, columns) = windows.pixels(at);
            let side = |len: usize| if SIDE > 0 { SIDE } else { len };
            let at = (at.0 * width + at.1) * channels + first;
            let (which, dy) = (part::<T, B>(self.which, at), part::<T, B>(self.dy, at));
            let mut count = T::ZERO;
            for row in 0..side(rows.len()) {
                let start = ((rows.start + row) * windows.input.1 + columns.start) * channels;
                for column in 0..side(columns.len()) {
                    let dx = part_mut::<T, B>(self.dx, start + column * channels + first);
                    let before = if adds { *dx } else { [T::ZERO; B] };
                    for j in 0..B {
                        dx[j] = before[j] + if which[j] == count { dy[j] } else { T::ZERO };
                    }
                    count += T::ONE;
                }
            }
        }
    }
}
