//! What normalizes each sample by itself: the common core of layer and group normalization.

use thalweg_optim::kernel::{Isa, Kernel, dispatch};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::super::layer::{Backward, Forward, Layer, Pace};
use super::super::shape::Shape;
use crate::kernel::columns::sum_columns;
use crate::kernel::math::Math;

/// y = γ·(x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² (of the population) of each group of columns over all
/// positions of a sample; γ and β are of a column.
#[derive(Debug, Clone)]
pub(super) struct SampleNorm {
    pub(super) name: &'static str,
    /// What goes in and comes out.
    pub(super) shape: Shape,
    /// The shape of γ and of β.
    pub(super) params: Vec<usize>,
    /// Numbers at each position.
    pub(super) columns: usize,
    /// Parts of the columns that are normalized each by itself.
    pub(super) groups: usize,
    pub(super) epsilon: f64,
}

impl<T: Math> Layer<T> for SampleNorm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        layout.push(format!("{prefix}.scale"), &self.params, Role::Scale);
        layout.push(format!("{prefix}.shift"), &self.params, Role::Bias);
    }

    fn init(&self, w: &mut [T], _random: &mut Stream) {
        let (scale, shift) = w.split_at_mut(self.columns);
        scale.fill(T::ONE);
        shift.fill(T::ZERO);
    }

    fn saved_len(&self, batch: usize) -> usize {
        // Mean and 1/√(σ² + ε) of each group.
        2 * self.groups * batch
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        4 * self.columns
    }

    fn phases(&self) -> &[Pace] {
        match self.shape {
            Shape::Flat(_) => &[Pace::Either],
            Shape::Image { .. } => &[Pace::Pieces],
        }
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece, w, x, y, saved, scratch, .. } = pass;
        let len = self.shape.len();
        let (scale, shift) = w.split_at(self.columns);
        let rows = x.chunks_exact(len).zip(y.chunks_exact_mut(len));
        for ((x, y), kept) in rows.zip(saved[piece.of(2 * self.groups)].chunks_exact_mut(2 * self.groups)) {
            dispatch(Normalize { norm: self, scale, shift, x, y, kept, scratch: &mut *scratch });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, x, dy, dw, mut dx, saved, scratch, .. } = pass;
        let len = self.shape.len();
        let scale = &w[..self.columns];
        if piece.is_first() {
            dw.fill(T::ZERO);
        }
        let (dscale, dshift) = dw.split_at_mut(self.columns);
        let rows = x.chunks_exact(len).zip(dy.chunks_exact(len));
        for (row, ((x, dy), kept)) in
            rows.zip(saved[piece.of(2 * self.groups)].chunks_exact(2 * self.groups)).enumerate()
        {
            let dx = dx.as_deref_mut().map(|dx| &mut dx[row * len..][..len]);
            dispatch(Back { norm: self, scale, x, dy, kept, dscale, dshift, dx, scratch: &mut *scratch });
        }
    }
}

/// Lanes of partial sums: one chain of additions would wait for itself.
const LANES: usize = 16;

/// Σ of `values`, in [`LANES`] chains.
#[inline(always)]
fn total<T: Math>(values: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let whole = values.chunks_exact(LANES);
    let rest = whole.remainder();
    for values in whole {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane += value;
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += value;
    }
    lanes.into_iter().sum()
}

/// The parts of a scratch: one number for each column.
#[inline(always)]
fn parts<T>(scratch: &mut [T], columns: usize) -> [&mut [T]; 4] {
    let (a, rest) = scratch.split_at_mut(columns);
    let (b, rest) = rest.split_at_mut(columns);
    let (c, rest) = rest.split_at_mut(columns);
    [a, b, c, &mut rest[..columns]]
}

struct Normalize<'a, T> {
    norm: &'a SampleNorm,
    scale: &'a [T],
    shift: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
    kept: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Math> Kernel for Normalize<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { norm, scale, shift, x, y, kept, scratch } = self;
        let (n, own) = (norm.columns, norm.columns / norm.groups);
        let positions = x.len() / n;
        let x = &x[..positions * n];
        let share = T::ONE / T::from_f64((positions * own) as f64);
        let (means, inverses) = kept.split_at_mut(norm.groups);
        let [sums, mean, factor, _] = parts(scratch, n);
        sum_columns(positions, sums, |row, j| x[row * n + j]);
        for (group, kept) in means.iter_mut().enumerate() {
            let range = group * own..(group + 1) * own;
            *kept = total(&sums[range.clone()]) * share;
            mean[range].fill(*kept);
        }
        let mean = &*mean;
        sum_columns(positions, sums, |row, j| {
            let distance = x[row * n + j] - mean[j];
            distance * distance
        });
        let epsilon = T::from_f64(norm.epsilon);
        for (group, kept) in inverses.iter_mut().enumerate() {
            let range = group * own..(group + 1) * own;
            *kept = T::ONE / (total(&sums[range.clone()]) * share + epsilon).sqrt();
            for (factor, &scale) in factor[range.clone()].iter_mut().zip(&scale[range]) {
                *factor = scale * *kept;
            }
        }
        let (factor, shift) = (&factor[..n], &shift[..n]);
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            for j in 0..n {
                y[j] = (x[j] - mean[j]) * factor[j] + shift[j];
            }
        }
    }
}

struct Back<'a, T> {
    norm: &'a SampleNorm,
    scale: &'a [T],
    x: &'a [T],
    dy: &'a [T],
    kept: &'a [T],
    /// Added to.
    dscale: &'a mut [T],
    /// Added to.
    dshift: &'a mut [T],
    dx: Option<&'a mut [T]>,
    scratch: &'a mut [T],
}

impl<T: Math> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { norm, scale, x, dy, kept, dscale, dshift, dx, scratch } = self;
        let (n, own) = (norm.columns, norm.columns / norm.groups);
        let positions = x.len() / n;
        let (x, dy) = (&x[..positions * n], &dy[..positions * n]);
        let (means, inverses) = kept.split_at(norm.groups);
        let [mean, inverse, sum, along] = parts(scratch, n);
        for group in 0..norm.groups {
            mean[group * own..(group + 1) * own].fill(means[group]);
            inverse[group * own..(group + 1) * own].fill(inverses[group]);
        }
        let (mean, inverse) = (&*mean, &*inverse);
        // Σ dy and Σ dy·x̂ of each column, with x̂ = (x − μ)/σ.
        sum_columns(positions, sum, |row, j| dy[row * n + j]);
        sum_columns(positions, along, |row, j| dy[row * n + j] * ((x[row * n + j] - mean[j]) * inverse[j]));
        for j in 0..n {
            dscale[j] += along[j];
            dshift[j] += sum[j];
        }
        let Some(dx) = dx else { return };
        // dx = (γ·dy − S − x̂·A)/σ, with S and A the means of γ·dy and of γ·dy·x̂ over the group.
        let share = T::ONE / T::from_f64((positions * own) as f64);
        for j in 0..n {
            sum[j] *= scale[j];
            along[j] *= scale[j];
        }
        for (group, &kept) in inverses.iter().enumerate() {
            let range = group * own..(group + 1) * own;
            let (s, a) = (total(&sum[range.clone()]) * share, total(&along[range.clone()]) * share);
            sum[range.clone()].fill(s);
            along[range].fill(a * kept);
        }
        let (sum, along, scale) = (&sum[..n], &along[..n], &scale[..n]);
        for ((x, dy), dx) in x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
            for j in 0..n {
                let centered = scale[j] * dy[j] - sum[j] - (x[j] - mean[j]) * along[j];
                dx[j] = inverse[j] * centered;
            }
        }
    }
}
