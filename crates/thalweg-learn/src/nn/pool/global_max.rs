//! Global max pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer, Pace};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// The settings of global max pooling: there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMaxPoolSpec {}

impl Kind for GlobalMaxPoolSpec {
    const SUMMARY: &'static str =
        "the largest number of each channel: an image becomes as many numbers as it has channels";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        match site.input {
            Shape::Image { .. } => Ok(Box::new(GlobalMaxPool {
                positions: site.input.positions(),
                channels: site.input.channels(),
            })),
            Shape::Flat(_) => Err(LayerError::new(site, "it wants an image; it must stand before `flatten`")),
        }
    }
}

/// The largest number of each channel over all positions (Oquab et al. 2015). The gradient goes to the first of equal ones in
/// reading order, row by row, as in PyTorch's `AdaptiveMaxPool2d(1)`. NaN wins, so that divergence is seen.
#[derive(Debug, Clone, Copy)]
pub struct GlobalMaxPool {
    positions: usize,
    channels: usize,
}

impl GlobalMaxPool {
    fn inputs(self) -> usize {
        self.positions * self.channels
    }
}

impl<T: Math> Layer<T> for GlobalMaxPool {
    fn name(&self) -> &'static str {
        "global-max-pool"
    }

    fn output(&self) -> Shape {
        Shape::Flat(self.channels)
    }

    fn reads_output(&self) -> bool {
        true
    }

    fn spoils_gradient(&self) -> bool {
        true
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        dispatch(Largest { pool: *self, x: pass.x, y: pass.y });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        if let Some(dx) = pass.dx {
            dispatch(Back { pool: *self, x: pass.x, dx, y: pass.y, dy: pass.dy });
        }
    }
}

struct Largest<'a, T> {
    pool: GlobalMaxPool,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Math> Kernel for Largest<'_, T> {
    type Output = ();

    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    #[inline(always)]
    fn run<I: Isa>(self) {
        let channels = self.pool.channels;
        for (x, y) in self.x.chunks_exact(self.pool.inputs()).zip(self.y.chunks_exact_mut(channels)) {
            let (first, rest) = x.split_at(channels);
            y.copy_from_slice(first);
            for x in rest.chunks_exact(channels) {
                for (y, &x) in y.iter_mut().zip(x) {
                    // Not `>` alone: a NaN in x must win, and one in y must stay.
                    *y = if x <= *y || *y != *y { *y } else { x };
                }
            }
        }
    }
}

/// Gives each output's gradient to the first number that equals it, and takes it away, so that no second one gets it.
struct Back<'a, T> {
    pool: GlobalMaxPool,
    x: &'a [T],
    dx: &'a mut [T],
    y: &'a [T],
    dy: &'a mut [T],
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (inputs, channels) = (self.pool.inputs(), self.pool.channels);
        let images = self.x.chunks_exact(inputs).zip(self.dx.chunks_exact_mut(inputs));
        let results = self.y.chunks_exact(channels).zip(self.dy.chunks_exact_mut(channels));
        for ((x, dx), (y, dy)) in images.zip(results) {
            for (x, dx) in x.chunks_exact(channels).zip(dx.chunks_exact_mut(channels)) {
                for (((&x, dx), &y), dy) in x.iter().zip(dx).zip(y).zip(&mut *dy) {
                    let here = x == y;
                    *dx = if here { *dy } else { T::ZERO };
                    *dy = if here { T::ZERO } else { *dy };
                }
            }
        }
    }
}
