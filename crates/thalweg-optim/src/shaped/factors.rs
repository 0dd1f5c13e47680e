//! Adafactor's second average as rows and columns.
//!
//! A block is seen as `[outer, rows, middle, columns, inner]`: the two factored axes, and what lies before, between and
//! behind them. For each index of the outer and middle ones there is a matrix whose rows are *lines* of
//! `columns·inner` numbers next to each other:
//!
//! ```text
//! renew:    R[row] ← (1−q)R[row] + q·mean(line² + ε₁);  C ← (1−q)C + q·mean over rows of (line² + ε₁)
//! squares:  Σ u²,  u = line / √(R[row]/mean(R) · C)
//! walk:     W[line] ← W[line] − rate·u
//! ```

use super::adafactor::{Square, direction};
use super::pass::pass;
use crate::kernel::{Isa, Kernel, dispatch};
use crate::real::Real;
use crate::threads::Threads;

/// Which axes of a block are factored, and the sizes around them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axes {
    /// The axis that R has and C has not.
    pub(super) row_axis: usize,
    /// The axis that C has and R has not.
    pub(super) column_axis: usize,
    outer: usize,
    rows: usize,
    middle: usize,
    columns: usize,
    inner: usize,
}

impl Axes {
    /// The last two axes, or the two largest; none if there are not two, or one of them is too small.
    pub(super) fn of(shape: &[usize], largest: bool, least: f64) -> Option<Self> {
        let last = shape.len().checked_sub(1)?;
        let (mut row_axis, mut column_axis) = (last.checked_sub(1)?, last);
        if largest {
            // Of equal axes the later ones are taken, as optax's stable order does.
            let first = (0..=last).max_by_key(|&axis| shape[axis])?;
            let second = (0..=last).filter(|&axis| axis != first).max_by_key(|&axis| shape[axis])?;
            (row_axis, column_axis) = (first.min(second), first.max(second));
        }
        let size = |axes: &[usize]| axes.iter().product::<usize>();
        let axes = Self {
            row_axis,
            column_axis,
            outer: size(&shape[..row_axis]),
            rows: shape[row_axis],
            middle: size(&shape[row_axis + 1..column_axis]),
            columns: shape[column_axis],
            inner: size(&shape[column_axis + 1..]),
        };
        (axes.rows.min(axes.columns) as f64 >= least).then_some(axes)
    }
}

/// A block's factors with its gradient.
pub(super) struct Factors<'a, T> {
    pub(super) axes: Axes,
    pub(super) square: Square,
    pub(super) grad: &'a [T],
    /// R.
    pub(super) rows: &'a mut [T],
    /// C.
    pub(super) columns: &'a mut [T],
    /// Memory to work in.
    pub(super) values: &'a mut Vec<T>,
    /// Memory to work in.
    pub(super) sums: &'a mut Vec<f64>,
}

impl<T: Real> Factors<'_, T> {
    fn line(&self) -> usize {
        self.axes.columns * self.axes.inner
    }

    /// Each matrix: by its outer and its middle index.
    fn matrices(&self) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let Axes { outer, middle, .. } = self.axes;
        (0..outer).flat_map(move |a| (0..middle).map(move |b| (a, b)))
    }

    /// Which line of the block a row of a matrix is.
    fn line_of(&self, (a, b): (usize, usize), row: usize) -> usize {
        (a * self.axes.rows + row) * self.axes.middle + b
    }

    /// Where a matrix's C lies.
    fn column_range(&self, (a, b): (usize, usize)) -> std::ops::Range<usize> {
        let start = (a * self.axes.middle + b) * self.line();
        start..start + self.line()
    }

    /// Moves R and C on.
    pub(super) fn renew(&mut self) {
        let (line, inner) = (self.line(), self.axes.inner);
        let (added, share) = (self.square.added, self.square.share);
        let mixed = |old: T, sum: f64, count: usize| {
            T::from_f64((1.0 - share) * old.to_f64() + share * (sum / count as f64))
        };
        self.sums.clear();
        self.sums.resize(line, 0.0);
        for matrix in self.matrices() {
            self.sums.fill(0.0);
            for row in 0..self.axes.rows {
                let at = self.line_of(matrix, row);
                let values = &self.grad[at * line..(at + 1) * line];
                let whole = dispatch(Accumulate { values, added, columns: self.sums });
                let means = &mut self.rows[at * inner..(at + 1) * inner];
                if let [mean] = means {
                    *mean = mixed(*mean, whole, line);
                    continue;
                }
                for (k, mean) in means.iter_mut().enumerate() {
                    let own = values.iter().skip(k).step_by(inner);
                    let sum = own.map(|g| g.to_f64() * g.to_f64() + added).sum();
                    *mean = mixed(*mean, sum, self.axes.columns);
                }
            }
            let range = self.column_range(matrix);
            for (mean, &sum) in self.columns[range].iter_mut().zip(&*self.sums) {
                *mean = mixed(*mean, sum, self.axes.rows);
            }
        }
    }

    /// Σ u².
    pub(super) fn squares(&mut self) -> f64 {
        let least = T::from_f64(self.square.least);
        let mut total = 0.0;
        self.lines(|grad, _, columns, rows| {
            let [squares] = pass(&Threads::default(), [grad, columns, rows], [], |[g, c, r], []| {
                [direction(g, r * c, least)]
            });
            total += squares;
        });
        total
    }

    /// W ← W − rate·u.
    pub(super) fn walk(&mut self, w: &mut [T], rate: T) {
        let least = T::from_f64(self.square.least);
        self.lines(|grad, range, columns, rows| {
            pass(&Threads::default(), [grad, columns, rows], [&mut w[range]], |[g, c, r], [w]| {
                *w -= rate * direction(g, r * c, least);
                []
            });
        });
    }

    /// Shows each line: its gradient, where it lies, its C, and R/mean(R), spread out over the line.
    fn lines(&mut self, mut see: impl FnMut(&[T], std::ops::Range<usize>, &[T], &[T])) {
        let (line, inner) = (self.line(), self.axes.inner);
        self.values.clear();
        self.values.resize(line, T::ZERO);
        for matrix in self.matrices() {
            self.sums.clear();
            self.sums.resize(inner, 0.0);
            for row in 0..self.axes.rows {
                let at = self.line_of(matrix, row);
                for (sum, r) in self.sums.iter_mut().zip(&self.rows[at * inner..(at + 1) * inner]) {
                    *sum += r.to_f64() / self.axes.rows as f64;
                }
            }
            let range = self.column_range(matrix);
            for row in 0..self.axes.rows {
                let at = self.line_of(matrix, row);
                for (k, &mean) in self.sums.iter().enumerate() {
                    let mean = Real::max(mean, self.square.least_mean);
                    let r = if mean == 0.0 { 0.0 } else { self.rows[at * inner + k].to_f64() / mean };
                    self.values.iter_mut().skip(k).step_by(inner).for_each(|value| *value = T::from_f64(r));
                }
                let own = at * line..(at + 1) * line;
                see(&self.grad[own.clone()], own, &self.columns[range.clone()], self.values);
            }
        }
    }
}

/// columns ← columns + (values² + ε₁), and the sum of what was added.
struct Accumulate<'a, T> {
    values: &'a [T],
    added: f64,
    columns: &'a mut [f64],
}

impl<T: Real> Kernel for Accumulate<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut lanes = [0.0; 16];
        let (values, rest) = self.values.as_chunks::<16>();
        let (columns, last) = self.columns.as_chunks_mut::<16>();
        for (values, columns) in values.iter().zip(columns) {
            for lane in 0..16 {
                let g = values[lane].to_f64();
                let square = g * g + self.added;
                columns[lane] += square;
                lanes[lane] += square;
            }
        }
        for ((g, column), lane) in rest.iter().zip(last).zip(&mut lanes) {
            let square = g.to_f64() * g.to_f64() + self.added;
            *column += square;
            *lane += square;
        }
        lanes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};
    use crate::ragged::{adds_up, bits, every, sound};

    fn twin<T: Real>(added: f64) {
        for values in every::<T>(0.37) {
            let squares = || values.iter().map(|g| g.to_f64() * g.to_f64() + added);
            let start = sound::<f64>(values.len(), 0.91);
            let plain: Vec<f64> =
                start.iter().zip(squares()).map(|(column, square)| column + square).collect();
            let mut first: Option<f64> = None;
            for &level in levels() {
                let mut columns = start.clone();
                let sum = run_on(level, Accumulate { values: &values, added, columns: &mut columns });
                let at = format!("{level:?}, {} numbers", values.len());
                assert_eq!(bits(&columns), bits(&plain), "{at}");
                assert!(adds_up(sum, squares()), "{at}: {sum}");
                let first = first.get_or_insert(sum);
                assert_eq!(bits(&[sum]), bits(&[*first]), "{at}: another order of adding");
            }
        }
    }

    #[test]
    fn columns_gain_what_a_plain_loop_gives_them_on_every_level() {
        for added in [0.0, 1e-30, 0.125] {
            twin::<f32>(added);
            twin::<f64>(added);
        }
    }
}
