//! Batch normalization.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::super::layer::{Backward, Forward, Layer, Mode};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use crate::kernel::columns::sum_columns;
use crate::kernel::math::Math;

/// The settings of batch normalization.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BatchNormSpec {
    /// What is added to the variance.
    pub epsilon: f64,
    /// How much of the running statistics each step replaces.
    pub momentum: f64,
    /// Rows that are normalized together in training; all of a batch if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ghost: Option<usize>,
}

impl Default for BatchNormSpec {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, ghost: None }
    }
}

impl Kind for BatchNormSpec {
    const SUMMARY: &'static str =
        "each feature or channel to mean 0 and variance 1 over the batch, then scaled and shifted";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let Self { epsilon, momentum, ghost } = *self;
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(LayerError::new(site, format!("epsilon = {epsilon}: it must be in (0, ∞)")));
        }
        if !(momentum > 0.0 && momentum <= 1.0) {
            return Err(LayerError::new(site, format!("momentum = {momentum}: it must be in (0, 1]")));
        }
        if ghost.is_some_and(|rows| rows < 2) {
            return Err(LayerError::new(site, "ghost: at least 2 rows are normalized together"));
        }
        Ok(Box::new(BatchNorm { shape: site.input, settings: *self }))
    }
}

/// y = γ·(x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² (of the population) of each feature over the batch, or
/// of each channel over the batch and all positions (Ioffe & Szegedy 2015).
///
/// The running statistics are buffers: r ← (1 − m)·r + m·s once a step, of the step's last forward pass, with the
/// *unbiased* variance (PyTorch's convention, ε 1e-5 and m 0.1; Keras keeps the biased variance, has ε 1e-3 and calls
/// 1 − m its momentum, 0.99). Evaluation uses them.
///
/// With ghost batches (Hoffer et al. 2017) parts of the batch of about that many rows have statistics of their own; the
/// running statistics take their mean. A part of one number has no variance: it becomes β.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    shape: Shape,
    settings: BatchNormSpec,
}

impl BatchNorm {
    fn channels(&self) -> usize {
        self.shape.channels()
    }

    /// Parts of a batch that are normalized each by itself.
    fn parts(&self, batch: usize) -> usize {
        self.settings.ghost.map_or(1, |rows| (batch / rows).max(1))
    }

    /// The numbers of a batch, cut into its parts: as even as can be.
    fn cut(&self, batch: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (parts, row) = (self.parts(batch), self.shape.len());
        (0..parts).map(move |part| batch * part / parts * row..batch * (part + 1) / parts * row)
    }
}

/// What is kept for each part: mean, 1/√(σ² + ε), unbiased variance.
const KEPT: usize = 3;

impl<T: Math> Layer<T> for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        layout.push(format!("{prefix}.scale"), &[self.channels()], Role::Scale);
        layout.push(format!("{prefix}.shift"), &[self.channels()], Role::Bias);
    }

    fn init(&self, w: &mut [T], _random: &mut Stream) {
        let (scale, shift) = w.split_at_mut(self.channels());
        scale.fill(T::ONE);
        shift.fill(T::ZERO);
    }

    fn buffer_layout(&self, prefix: &str, layout: &mut Layout) {
        layout.push(format!("{prefix}.running_mean"), &[self.channels()], Role::Bias);
        layout.push(format!("{prefix}.running_variance"), &[self.channels()], Role::Scale);
    }

    fn init_buffers(&self, buffers: &mut [T]) {
        let (mean, variance) = buffers.split_at_mut(self.channels());
        mean.fill(T::ZERO);
        variance.fill(T::ONE);
    }

    fn saved_len(&self, batch: usize) -> usize {
        KEPT * self.channels() * self.parts(batch)
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        2 * self.channels()
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { batch, w, buffers, x, y, saved, scratch, mode } = pass;
        let n = self.channels();
        let (scale, shift) = w.split_at(n);
        let epsilon = T::from_f64(self.settings.epsilon);
        for (range, saved) in self.cut(batch).zip(saved.chunks_exact_mut(KEPT * n)) {
            let (mean, rest) = saved.split_at_mut(n);
            let (inverse, unbiased) = rest.split_at_mut(n);
            if mode == Mode::Evaluate {
                let (running_mean, running_variance) = buffers.split_at(n);
                mean.copy_from_slice(running_mean);
                for (inverse, &variance) in inverse.iter_mut().zip(running_variance) {
                    *inverse = T::ONE / (variance + epsilon).sqrt();
                }
            } else {
                dispatch(Statistics { x: &x[range.clone()], epsilon, mean, inverse, unbiased });
            }
            let (factor, offset) = scratch[..2 * n].split_at_mut(n);
            for j in 0..n {
                factor[j] = scale[j] * inverse[j];
                offset[j] = shift[j];
            }
            dispatch(Normalize { x: &x[range.clone()], mean, factor, offset, y: &mut y[range] });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { batch, w, x, dy, dw, dx, saved, scratch, mode, .. } = pass;
        let n = self.channels();
        let scale = &w[..n];
        let (dscale, dshift) = dw.split_at_mut(n);
        dscale.fill(T::ZERO);
        dshift.fill(T::ZERO);
        let mut dx = dx;
        for (range, saved) in self.cut(batch).zip(saved.chunks_exact(KEPT * n)) {
            let (mean, inverse) = saved[..2 * n].split_at(n);
            let (sum, along) = scratch[..2 * n].split_at_mut(n);
            let (x, dy) = (&x[range.clone()], &dy[range.clone()]);
            dispatch(GradientSums { x, dy, mean, inverse, sum, along });
            for j in 0..n {
                dscale[j] += along[j];
                dshift[j] += sum[j];
            }
            let Some(dx) = dx.as_deref_mut() else { continue };
            // dx = γ/σ·(dy − Σdy/R − x̂·Σ(dy·x̂)/R), with x̂ = (x − μ)/σ.
            let share = T::ONE / T::from_f64((dy.len() / n).max(1) as f64);
            for j in 0..n {
                sum[j] *= share;
                along[j] *= share * inverse[j];
            }
            // With running statistics, mean and variance do not depend on x; and a NaN in a row concerns no other.
            if mode == Mode::Evaluate {
                sum.fill(T::ZERO);
                along.fill(T::ZERO);
            }
            dispatch(InputGradient { x, dy, mean, inverse, scale, sum, along, dx: &mut dx[range] });
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        let n = self.channels();
        let (mean, variance) = buffers.split_at_mut(n);
        let momentum = T::from_f64(self.settings.momentum);
        let share = T::ONE / T::from_f64(self.parts(batch) as f64);
        let average = |which: usize, j: usize| {
            saved.chunks_exact(KEPT * n).map(|part| part[which * n + j]).sum::<T>() * share
        };
        for j in 0..n {
            mean[j] = mean[j] + momentum * (average(0, j) - mean[j]);
            variance[j] = variance[j] + momentum * (average(2, j) - variance[j]);
        }
    }
}

/// Mean, 1/√(σ² + ε) and unbiased variance of each column.
struct Statistics<'a, T> {
    x: &'a [T],
    epsilon: T,
    mean: &'a mut [T],
    inverse: &'a mut [T],
    unbiased: &'a mut [T],
}

impl<T: Math> Kernel for Statistics<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, epsilon, mean, inverse, unbiased } = self;
        let n = mean.len();
        let rows = x.len() / n;
        let count = T::from_f64(rows.max(1) as f64);
        sum_columns(rows, mean, |row, j| x[row * n + j]);
        mean.iter_mut().for_each(|mean| *mean = *mean / count);
        let mean = &*mean;
        sum_columns(rows, unbiased, |row, j| {
            let distance = x[row * n + j] - mean[j];
            distance * distance
        });
        let degrees = T::from_f64(rows.max(2) as f64 - 1.0);
        for (inverse, squares) in inverse.iter_mut().zip(unbiased) {
            *inverse = T::ONE / (*squares / count + epsilon).sqrt();
            *squares = *squares / degrees;
        }
    }
}

/// y = (x − μ)·factor + offset.
struct Normalize<'a, T> {
    x: &'a [T],
    mean: &'a [T],
    factor: &'a [T],
    offset: &'a [T],
    y: &'a mut [T],
}

impl<T: Math> Kernel for Normalize<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let n = self.mean.len();
        for (x, y) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)) {
            for j in 0..n {
                y[j] = (x[j] - self.mean[j]) * self.factor[j] + self.offset[j];
            }
        }
    }
}

/// Σ dy and Σ dy·x̂ of each column.
struct GradientSums<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    mean: &'a [T],
    inverse: &'a [T],
    sum: &'a mut [T],
    along: &'a mut [T],
}

impl<T: Math> Kernel for GradientSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, dy, mean, inverse, sum, along } = self;
        let n = mean.len();
        let rows = x.len() / n;
        let (x, dy) = (&x[..rows * n], &dy[..rows * n]);
        sum_columns(rows, sum, |row, j| dy[row * n + j]);
        sum_columns(rows, along, |row, j| dy[row * n + j] * (x[row * n + j] - mean[j]));
        along.iter_mut().zip(inverse).for_each(|(along, &inverse)| *along *= inverse);
    }
}

struct InputGradient<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    mean: &'a [T],
    inverse: &'a [T],
    scale: &'a [T],
    /// Σ dy / rows.
    sum: &'a [T],
    /// Σ dy·x̂ / rows / σ.
    along: &'a [T],
    dx: &'a mut [T],
}

impl<T: Math> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let n = self.mean.len();
        for ((x, dy), dx) in
            self.x.chunks_exact(n).zip(self.dy.chunks_exact(n)).zip(self.dx.chunks_exact_mut(n))
        {
            for j in 0..n {
                let centered = dy[j] - self.sum[j] - (x[j] - self.mean[j]) * self.along[j];
                dx[j] = self.scale[j] * self.inverse[j] * centered;
            }
        }
    }
}
