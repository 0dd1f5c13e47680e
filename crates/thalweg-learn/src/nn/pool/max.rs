//! Max pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer};
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

    fn reads_output(&self) -> bool {
        true
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let outputs = self.windows.output_shape().len();
        for (x, y) in pass.x.chunks_exact(self.windows.inputs()).zip(pass.y.chunks_exact_mut(outputs)) {
            dispatch(Largest { windows: &self.windows, x, y });
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
        let images = pass.x.chunks_exact(inputs).zip(dx.chunks_exact_mut(inputs));
        let results = pass.y.chunks_exact(outputs).zip(pass.dy.chunks_exact(outputs));
        for ((x, dx), (y, dy)) in images.zip(results) {
            dispatch(Back { windows: &self.windows, x, dx, y, dy, adds });
        }
    }
}

struct Largest<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Math> Kernel for Largest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        self.all(self.windows.channels);
    }
}

impl<T: Math> ByColumns for Largest<'_, T> {
    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let (channels, (height, width)) = (self.windows.channels, self.windows.output);
        for output in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (rows, columns) = self.windows.pixels(output);
            let mut largest = [T::from_f64(f64::NEG_INFINITY); B];
            for row in rows {
                for column in columns.clone() {
                    let pixel = (row * self.windows.input.1 + column) * channels;
                    let x = part::<T, B>(&self.x[pixel..][..channels], first);
                    for j in 0..B {
                        // Not `>` alone: a NaN in x must win, and one before it must stay.
                        let stays = x[j] <= largest[j] || largest[j] != largest[j];
                        largest[j] = if stays { largest[j] } else { x[j] };
                    }
                }
            }
            let at = (output.0 * width + output.1) * channels;
            *part_mut(&mut self.y[at..][..channels], first) = largest;
        }
    }
}

/// Gives each output's gradient to the first number that equals it, and to no second one.
struct Back<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    dx: &'a mut [T],
    y: &'a [T],
    dy: &'a [T],
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
        let (channels, (height, width)) = (self.windows.channels, self.windows.output);
        for output in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (rows, columns) = self.windows.pixels(output);
            let at = (output.0 * width + output.1) * channels;
            let y = part::<T, B>(&self.y[at..][..channels], first);
            let mut dy = part::<T, B>(&self.dy[at..][..channels], first);
            for row in rows {
                for column in columns.clone() {
                    let pixel = (row * self.windows.input.1 + column) * channels;
                    let x = part::<T, B>(&self.x[pixel..][..channels], first);
                    let dx = part_mut::<T, B>(&mut self.dx[pixel..][..channels], first);
                    let before = if self.adds { *dx } else { [T::ZERO; B] };
                    for j in 0..B {
                        let here = x[j] == y[j];
                        dx[j] = before[j] + if here { dy[j] } else { T::ZERO };
                        dy[j] = if here { T::ZERO } else { dy[j] };
                    }
                }
            }
        }
    }
}
