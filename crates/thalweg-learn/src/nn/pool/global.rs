//! Global average pooling.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::super::layer::{Backward, Forward, Layer, Pace};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// The settings of global average pooling: there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPoolSpec {}

impl Kind for GlobalAvgPoolSpec {
    const SUMMARY: &'static str =
        "the mean of each channel: an image becomes as many numbers as it has channels";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        match site.input {
            Shape::Image { .. } => Ok(Box::new(GlobalAvgPool {
                positions: site.input.positions(),
                channels: site.input.channels(),
            })),
            Shape::Flat(_) => Err(LayerError::new(site, "it wants an image; it must stand before `flatten`")),
        }
    }
}

/// The mean of each channel over all positions (Lin et al. 2014).
#[derive(Debug, Clone, Copy)]
pub struct GlobalAvgPool {
    positions: usize,
    channels: usize,
}

impl<T: Math> Layer<T> for GlobalAvgPool {
    fn name(&self) -> &'static str {
        "global-avg-pool"
    }

    fn output(&self) -> Shape {
        Shape::Flat(self.channels)
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        dispatch(Means { pool: *self, x: pass.x, y: pass.y });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        if let Some(dx) = pass.dx {
            dispatch(Back { pool: *self, dx, dy: pass.dy });
        }
    }
}

struct Means<'a, T> {
    pool: GlobalAvgPool,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Math> Kernel for Means<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let GlobalAvgPool { positions, channels } = self.pool;
        let share = T::ONE / T::from_f64(positions as f64);
        for (x, y) in self.x.chunks_exact(positions * channels).zip(self.y.chunks_exact_mut(channels)) {
            y.fill(T::ZERO);
            for x in x.chunks_exact(channels) {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
            }
            y.iter_mut().for_each(|y| *y *= share);
        }
    }
}

struct Back<'a, T> {
    pool: GlobalAvgPool,
    dx: &'a mut [T],
    dy: &'a [T],
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let GlobalAvgPool { positions, channels } = self.pool;
        let share = T::ONE / T::from_f64(positions as f64);
        for (dx, dy) in self.dx.chunks_exact_mut(positions * channels).zip(self.dy.chunks_exact(channels)) {
            for dx in dx.chunks_exact_mut(channels) {
                dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx = dy * share);
            }
        }
    }
}
