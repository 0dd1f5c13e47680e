//! Max pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use super::{PoolWindow, Windows};
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
        dx.fill(T::ZERO);
        let images = pass.x.chunks_exact(inputs).zip(dx.chunks_exact_mut(inputs));
        let results = pass.y.chunks_exact(outputs).zip(pass.dy.chunks_exact_mut(outputs));
        for ((x, dx), (y, dy)) in images.zip(results) {
            dispatch(Back { windows: &self.windows, x, dx, y, dy });
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

    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { windows, x, y } = self;
        let channels = windows.channels;
        windows.for_each(|output, input, nth| {
            let y = &mut y[output * channels..][..channels];
            let x = &x[input * channels..][..channels];
            if nth == 0 {
                y.copy_from_slice(x);
            } else {
                for (y, &x) in y.iter_mut().zip(x) {
                    // Not `>` alone: a NaN in x must win, and one in y must stay.
                    *y = if x <= *y || *y != *y { *y } else { x };
                }
            }
        });
    }
}

/// Gives each output's gradient to the first number that equals it, and takes it away, so that no second one gets it.
struct Back<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    dx: &'a mut [T],
    y: &'a [T],
    dy: &'a mut [T],
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { windows, x, dx, y, dy } = self;
        let channels = windows.channels;
        windows.for_each(|output, input, _| {
            let (y, dy) = (&y[output * channels..][..channels], &mut dy[output * channels..][..channels]);
            let (x, dx) = (&x[input * channels..][..channels], &mut dx[input * channels..][..channels]);
            for (((&x, dx), &y), dy) in x.iter().zip(dx).zip(y).zip(dy) {
                let here = x == y;
                *dx += if here { *dy } else { T::ZERO };
                *dy = if here { T::ZERO } else { *dy };
            }
        });
    }
}
