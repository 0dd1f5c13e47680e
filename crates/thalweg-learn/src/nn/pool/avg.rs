//! Average pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer, Pace};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use super::{PoolWindow, Windows};
use crate::kernel::math::Math;

/// The settings of average pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AvgPool2dSpec(pub PoolWindow);

impl Kind for AvgPool2dSpec {
    const SUMMARY: &'static str = "the mean of each window";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let size = T::from_f64((self.0.kernel * self.0.kernel) as f64);
        Ok(Box::new(AvgPool2d { windows: Windows::new(self.0, site)?, share: T::ONE / size }))
    }
}

/// The mean of each window, per channel. Padding counts as zeros (PyTorch's default, `count_include_pad`; Keras leaves it
/// out of the mean).
#[derive(Debug, Clone)]
pub struct AvgPool2d<T> {
    windows: Windows,
    /// 1 / (pixels of a window).
    share: T,
}

impl<T: Math> Layer<T> for AvgPool2d<T> {
    fn name(&self) -> &'static str {
        "avg-pool2d"
    }

    fn output(&self) -> Shape {
        self.windows.output_shape()
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let outputs = self.windows.output_shape().len();
        pass.y.fill(T::ZERO);
        for (x, y) in pass.x.chunks_exact(self.windows.inputs()).zip(pass.y.chunks_exact_mut(outputs)) {
            dispatch(Means { pool: self, x, y });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Some(dx) = pass.dx else { return };
        let outputs = self.windows.output_shape().len();
        dx.fill(T::ZERO);
        for (dx, dy) in dx.chunks_exact_mut(self.windows.inputs()).zip(pass.dy.chunks_exact(outputs)) {
            dispatch(Back { pool: self, dx, dy });
        }
    }
}

struct Means<'a, T> {
    pool: &'a AvgPool2d<T>,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Math> Kernel for Means<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { pool, x, y } = self;
        let channels = pool.windows.channels;
        pool.windows.for_each(|output, input| {
            let y = &mut y[output * channels..][..channels];
            for (y, &x) in y.iter_mut().zip(&x[input * channels..][..channels]) {
                *y += x;
            }
        });
        y.iter_mut().for_each(|y| *y *= pool.share);
    }
}

struct Back<'a, T> {
    pool: &'a AvgPool2d<T>,
    dx: &'a mut [T],
    dy: &'a [T],
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { pool, dx, dy } = self;
        let channels = pool.windows.channels;
        pool.windows.for_each(|output, input| {
            let dx = &mut dx[input * channels..][..channels];
            for (dx, &dy) in dx.iter_mut().zip(&dy[output * channels..][..channels]) {
                *dx += dy * pool.share;
            }
        });
    }
}
