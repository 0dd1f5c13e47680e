//! Batch normalization.

use std::hint::select_unpredictable;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch, prefetch};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::super::layer::{Backward, Forward, Layer, Mode, Pace, Piece};
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use crate::kernel::columns::{ByColumns, Terms, part, part_mut, sum_rows};
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
        self.check(site)?;
        Ok(Box::new(BatchNorm { shape: site.input, settings: *self, rectified: false }))
    }
}

impl BatchNormSpec {
    fn check(&self, site: &Site) -> Result<(), LayerError> {
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
        Ok(())
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
/// running statistics take their mean. A part of one number has no variance: it becomes β, and moves no statistics.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    shape: Shape,
    settings: BatchNormSpec,
    /// Whether max(0, y) is put out: the rectifier behind it, without its own passes over memory.
    rectified: bool,
}

impl BatchNorm {
    /// The layer, with the rectifier that is behind it.
    ///
    /// # Errors
    /// As [`Kind::build`].
    pub(in crate::nn) fn rectified<T: Math>(
        settings: BatchNormSpec,
        site: &Site,
    ) -> Result<Box<dyn Layer<T>>, LayerError> {
        settings.check(site)?;
        Ok(Box::new(Self { shape: site.input, settings, rectified: true }))
    }

    fn channels(&self) -> usize {
        self.shape.channels()
    }

    /// Parts of a batch that are normalized each by itself.
    fn parts(&self, batch: usize) -> usize {
        self.settings.ghost.map_or(1, |rows| (batch / rows).max(1))
    }

    /// The rows of a batch that are normalized together: as even as can be.
    fn cut(&self, batch: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let parts = self.parts(batch);
        (0..parts).map(move |part| batch * part / parts..batch * (part + 1) / parts)
    }

    /// What a piece has of each part, and what is kept for that.
    fn met<'a, T>(
        &self,
        piece: Piece,
        saved: &'a mut [T],
    ) -> impl Iterator<Item = (Met, Kept<'a, T>)> + use<'a, T> {
        let (n, row, positions) = (self.channels(), self.shape.len(), self.shape.positions());
        let parts = self.cut(piece.batch).zip(saved.chunks_exact_mut(KEPT * n));
        parts.filter_map(move |(part, saved)| {
            let (first, end) = (part.start.max(piece.first), part.end.min(piece.end()));
            (first < end).then(|| {
                let numbers = (first - piece.first) * row..(end - piece.first) * row;
                let (before, all) = ((first - part.start) * positions, part.len() * positions);
                (Met { numbers, before, is_last: end == part.end, all }, Kept::of(saved, n))
            })
        })
    }
}

/// What a piece of a batch has of a part that is normalized by itself.
struct Met {
    /// Where it lies among the piece's numbers.
    numbers: Range<usize>,
    /// Numbers of a column in the pieces before.
    before: usize,
    /// Whether the part ends with it.
    is_last: bool,
    /// Numbers of a column in the part.
    all: usize,
}

/// What is kept for each part, a number for each channel.
struct Kept<'a, T> {
    mean: &'a mut [T],
    /// Σ (x − μ)² until all rows were seen, then 1/√(σ² + ε).
    inverse: &'a mut [T],
    unbiased: &'a mut [T],
    /// Back: Σ dz.
    sum: &'a mut [T],
    /// Back: Σ dz·x̂.
    along: &'a mut [T],
}

/// The fields of [`Kept`].
const KEPT: usize = 5;

impl<'a, T> Kept<'a, T> {
    fn of(saved: &'a mut [T], n: usize) -> Self {
        let (mean, rest) = saved.split_at_mut(n);
        let (inverse, rest) = rest.split_at_mut(n);
        let (unbiased, rest) = rest.split_at_mut(n);
        let (sum, along) = rest.split_at_mut(n);
        Self { mean, inverse, unbiased, sum, along }
    }
}

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
        3 * self.channels()
    }

    fn is_repeated(&self) -> bool {
        // The numbers of a few rows of plain features stay in the cache anyhow.
        matches!(self.shape, Shape::Image { .. })
    }

    fn phases(&self) -> &[Pace] {
        // First all rows are looked at, then they are normalized; back in the reverse order.
        match self.shape {
            Shape::Flat(_) => &[Pace::Either, Pace::Either],
            Shape::Image { .. } => &[Pace::Pieces, Pace::Pieces],
        }
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece, w, buffers, x, y, saved, scratch, mode } = pass;
        let n = self.channels();
        let (scale, shift) = w.split_at(n);
        let epsilon = T::from_f64(self.settings.epsilon);
        for (met, kept) in self.met(piece, saved) {
            let x = &x[met.numbers.clone()];
            if piece.phase == 0 {
                if mode != Mode::Evaluate {
                    let Met { before, is_last, .. } = met;
                    dispatch(Over(Statistics { x, epsilon, before, is_last, kept }, n));
                }
                continue;
            }
            let Kept { mean, inverse, .. } = kept;
            if mode == Mode::Evaluate {
                let (running_mean, running_variance) = buffers.split_at(n);
                mean.copy_from_slice(running_mean);
                for (inverse, &variance) in inverse.iter_mut().zip(running_variance) {
                    *inverse = T::ONE / (variance + epsilon).sqrt();
                }
            }
            let factor = &mut scratch[..n];
            for j in 0..n {
                factor[j] = scale[j] * inverse[j];
            }
            let affine = Affine { mean, factor, offset: shift, rectified: self.rectified };
            dispatch(Over(Normalize { x, affine, y: &mut y[met.numbers] }, n));
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, x, dy, dw, mut dx, saved, scratch, mode, .. } = pass;
        let n = self.channels();
        let (scale, shift) = w.split_at(n);
        let (dscale, dshift) = dw.split_at_mut(n);
        if piece.phase == 1 && piece.is_first() {
            dscale.fill(T::ZERO);
            dshift.fill(T::ZERO);
        }
        for (met, kept) in self.met(piece, saved) {
            let Kept { mean, inverse, sum, along, .. } = kept;
            let (factor, rest) = scratch[..3 * n].split_at_mut(n);
            for j in 0..n {
                factor[j] = scale[j] * inverse[j];
            }
            let affine = Affine { mean, factor, offset: shift, rectified: self.rectified };
            let (x, dy) = (&x[met.numbers.clone()], &dy[met.numbers.clone()]);
            if piece.phase == 1 {
                let adds = met.before > 0;
                dispatch(Over(GradientSums { x, dy, affine, inverse, adds, sum, along }, n));
                for j in 0..if met.is_last { n } else { 0 } {
                    dscale[j] += along[j];
                    dshift[j] += sum[j];
                }
                continue;
            }
            let Some(dx) = dx.as_deref_mut() else { continue };
            let (mean_sum, mean_along) = rest.split_at_mut(n);
            // With running statistics, mean and variance do not depend on x; and a NaN in a row concerns no other.
            let share = T::ONE / T::from_f64(met.all as f64);
            let evaluates = mode == Mode::Evaluate;
            for j in 0..n {
                mean_sum[j] = if evaluates { T::ZERO } else { sum[j] * share };
                mean_along[j] = if evaluates { T::ZERO } else { along[j] * (share * inverse[j]) };
            }
            let (sum, along, dx) = (&*mean_sum, &*mean_along, &mut dx[met.numbers]);
            dispatch(Over(InputGradient { x, dy, affine, sum, along, dx }, n));
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        let n = self.channels();
        let (mean, variance) = buffers.split_at_mut(n);
        let momentum = T::from_f64(self.settings.momentum);
        // A part of one number says nothing of a variance.
        let counts = |rows: Range<usize>| rows.len() * self.shape.positions() >= 2;
        let parts = || {
            let kept = saved.chunks_exact(KEPT * n).zip(self.cut(batch));
            kept.filter(|(_, rows)| counts(rows.clone())).map(|(part, _)| part)
        };
        let used = parts().count();
        if used == 0 {
            return;
        }
        let share = T::ONE / T::from_f64(used as f64);
        let average = |which: usize, j: usize| parts().map(|part| part[which * n + j]).sum::<T>() * share;
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
    /// Rows that were seen before.
    before: usize,
    /// Whether none will follow.
    is_last: bool,
    kept: Kept<'a, T>,
}

impl<T: Math> ByColumns for Statistics<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let (n, x) = (self.kept.mean.len(), self.x);
        let rows = x.len() / n;
        let row = |row: usize| [part::<T, B>(&x[row * n..][..n], first)];
        let (mut mean, mut squares) = ([T::ZERO; B], [T::ZERO; B]);
        if self.before > 0 {
            (mean, squares) = (part(self.kept.mean, first), part(self.kept.inverse, first));
        }
        // Strip by strip, each twice while it is in the cache: a difference of large squares would have no digits left.
        // Two strips' statistics make one by the distance of their means (Chan, Golub & LeVeque 1983).
        for start in (0..rows).step_by(STRIP) {
            let count = STRIP.min(rows - start);
            let share = T::ONE / T::from_f64(count as f64);
            let [own] = sum_rows(count, |at| row(start + at)).map(|sums| sums.map(|sum| sum * share));
            let [distances] = sum_rows(count, |at| {
                let [mut distance] = row(start + at);
                for j in 0..B {
                    distance[j] = (distance[j] - own[j]) * (distance[j] - own[j]);
                }
                [distance]
            });
            let before = self.before + start;
            let part = T::from_f64(count as f64 / (before + count) as f64);
            let weight = T::from_f64(before as f64) * part;
            for j in 0..B {
                let apart = own[j] - mean[j];
                mean[j] += apart * part;
                squares[j] += distances[j] + apart * apart * weight;
            }
        }
        let all = self.before + rows;
        *part_mut(self.kept.mean, first) = mean;
        *part_mut(self.kept.inverse, first) = squares;
        if self.is_last {
            let count = T::from_f64(all.max(1) as f64);
            let degrees = T::from_f64(all.max(2) as f64 - 1.0);
            *part_mut(self.kept.inverse, first) =
                squares.map(|sum| T::ONE / (sum / count + self.epsilon).sqrt());
            *part_mut(self.kept.unbiased, first) = squares.map(|sum| sum / degrees);
        }
    }
}

/// Rows whose mean is taken before the distances from it: few enough to be in the nearest cache still.
const STRIP: usize = 64;

/// What is done to each column: z = (x − μ)·factor + offset, and z or max(0, z).
#[derive(Clone, Copy)]
struct Affine<'a, T> {
    mean: &'a [T],
    /// γ/σ.
    factor: &'a [T],
    /// β.
    offset: &'a [T],
    rectified: bool,
}

impl<T: Math> Affine<'_, T> {
    /// The same for `B` columns from `first` on.
    #[inline(always)]
    fn part<const B: usize>(&self, first: usize) -> AffinePart<T, B> {
        AffinePart {
            mean: part(self.mean, first),
            factor: part(self.factor, first),
            offset: part(self.offset, first),
            floor: if self.rectified { T::ZERO } else { T::from_f64(f64::NEG_INFINITY) },
        }
    }
}

/// [`Affine`] of `B` columns, in registers.
struct AffinePart<T, const B: usize> {
    mean: [T; B],
    factor: [T; B],
    offset: [T; B],
    /// What y does not fall below.
    floor: T,
}

impl<T: Math, const B: usize> AffinePart<T, B> {
    /// z of a row.
    #[inline(always)]
    fn of(&self, x: &[T; B]) -> [T; B] {
        let mut z = *x;
        for j in 0..B {
            z[j] = (x[j] - self.mean[j]) * self.factor[j] + self.offset[j];
        }
        z
    }

    /// ∂loss/∂z, given ∂loss/∂y: it stops where z is not above the floor. z is computed anew, which costs less than to read
    /// y.
    #[inline(always)]
    fn back(&self, x: &[T; B], mut dy: [T; B]) -> [T; B] {
        let z = self.of(x);
        for j in 0..B {
            // A plain `if` became a branch for one of the numbers and shuffles for the others.
            dy[j] = select_unpredictable(z[j] <= self.floor, T::ZERO, dy[j]);
        }
        dy
    }
}

/// How far ahead the memory is asked for what a phase before has left there, in numbers. The CPU does so by itself, but not
/// across the border of a page.
const AHEAD: usize = 1024;

struct Normalize<'a, T> {
    x: &'a [T],
    affine: Affine<'a, T>,
    y: &'a mut [T],
}

impl<T: Math> ByColumns for Normalize<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let n = self.affine.mean.len();
        let affine = self.affine.part::<B>(first);
        for (x, y) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)) {
            prefetch(x, first + AHEAD);
            let z = affine.of(&part::<T, B>(x, first));
            let y = part_mut::<T, B>(y, first);
            for j in 0..B {
                // As the rectifier: NaN stays.
                y[j] = if z[j] < affine.floor { affine.floor } else { z[j] };
            }
        }
    }
}

/// Σ dz and Σ dz·x̂ of each column.
struct GradientSums<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    affine: Affine<'a, T>,
    inverse: &'a [T],
    /// Whether those of rows before are there.
    adds: bool,
    sum: &'a mut [T],
    along: &'a mut [T],
}

impl<T: Math> ByColumns for GradientSums<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let terms = GradientTerms {
            x: self.x,
            dy: self.dy,
            width: self.affine.mean.len(),
            first,
            affine: self.affine.part::<B>(first),
        };
        let [mut sum, mut along] = sum_rows(self.x.len() / terms.width, terms);
        let inverse = part::<T, B>(self.inverse, first);
        let (sum_before, along_before) = (part::<T, B>(self.sum, first), part::<T, B>(self.along, first));
        for j in 0..B {
            along[j] *= inverse[j];
            if self.adds {
                sum[j] += sum_before[j];
                along[j] += along_before[j];
            }
        }
        *part_mut(self.sum, first) = sum;
        *part_mut(self.along, first) = along;
    }
}

/// dz and dz·(x − μ).
struct GradientTerms<'a, T, const B: usize> {
    x: &'a [T],
    dy: &'a [T],
    /// Of a row.
    width: usize,
    first: usize,
    affine: AffinePart<T, B>,
}

impl<T: Math, const B: usize> Terms<T, B, 2> for GradientTerms<'_, T, B> {
    #[inline(always)]
    fn of(&self, row: usize) -> [[T; B]; 2] {
        let of = |all: &[T]| part::<T, B>(&all[row * self.width..][..self.width], self.first);
        prefetch(self.x, row * self.width + self.first + AHEAD);
        let x = of(self.x);
        let dz = self.affine.back(&x, of(self.dy));
        let mut along = dz;
        for j in 0..B {
            along[j] *= x[j] - self.affine.mean[j];
        }
        [dz, along]
    }
}

/// dx = γ/σ·(dz − Σdz/R − x̂·Σ(dz·x̂)/R).
struct InputGradient<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    affine: Affine<'a, T>,
    /// Σ dz / rows.
    sum: &'a [T],
    /// Σ dz·x̂ / rows / σ.
    along: &'a [T],
    dx: &'a mut [T],
}

impl<T: Math> ByColumns for InputGradient<'_, T> {
    #[inline(always)]
    fn block<const B: usize>(&mut self, first: usize) {
        let n = self.affine.mean.len();
        let affine = self.affine.part::<B>(first);
        let (sum, along) = (part::<T, B>(self.sum, first), part::<T, B>(self.along, first));
        let rows = self.x.chunks_exact(n).zip(self.dy.chunks_exact(n));
        for ((x, dy), dx) in rows.zip(self.dx.chunks_exact_mut(n)) {
            prefetch(x, first + AHEAD);
            prefetch(dy, first + AHEAD);
            let x = part::<T, B>(x, first);
            let dz = affine.back(&x, part::<T, B>(dy, first));
            let dx = part_mut::<T, B>(dx, first);
            for j in 0..B {
                dx[j] = affine.factor[j] * (dz[j] - sum[j] - (x[j] - affine.mean[j]) * along[j]);
            }
        }
    }
}

/// Columns as a kernel.
struct Over<W>(W, usize);

impl<W: ByColumns> Kernel for Over<W> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        self.0.all(self.1);
    }
}
