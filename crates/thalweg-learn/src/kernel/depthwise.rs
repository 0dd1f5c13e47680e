//! The loops of a depthwise convolution: every column is convolved by itself.
//!
//! ```text
//! y[i, j] = b[j] + Σ_t x[begins[i] + taps[t] + j] · w[t, j]        // Convolve
//! dw[t, j] += Σ_i x[begins[i] + taps[t] + j] · dy[i, j]            // Correlate
//! dx[begins[i] + taps[t] + j] += dy[i, j] · w[t, j]                // Scatter
//! ```
//! 1. Columns lie next to each other and fill registers; all matrices are as wide as whole registers, with zeros behind.
//! 2. Every element is one chain of fused additions in a fixed order: its bits depend on nothing else.
//! 3. `Convolve` holds four outputs at once, so that a weight is loaded once for them; `Correlate` up to nine taps, so that
//!    a gradient is loaded once for them.
#![allow(
    unsafe_code,
    reason = "registers are read and written through pointers that are checked once per call"
)]

use thalweg_optim::Real;
use thalweg_optim::kernel::vector::Vector;
use thalweg_optim::kernel::{Isa, Kernel};

use super::conv::padded_columns;

/// Where the windows of a convolution lie in an image whose pixels are `wide` numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    begins: Vec<usize>,
    taps: Vec<usize>,
    wide: usize,
    /// One more than the last number of any window.
    reach: usize,
}

impl Windows {
    /// Windows that begin at `begins` and have pixels at `taps` from there, of [`padded_columns`]`(columns)` numbers each.
    pub fn new(begins: Vec<usize>, taps: Vec<usize>, columns: usize) -> Self {
        let wide = padded_columns(columns);
        let last = |offsets: &[usize]| offsets.iter().max().copied();
        let reach = last(&begins).zip(last(&taps)).map_or(0, |(begin, tap)| begin + tap + wide);
        Self { begins, taps, wide, reach }
    }

    /// Outputs.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }

    /// Pixels of a window.
    pub fn taps(&self) -> usize {
        self.taps.len()
    }

    /// Numbers of a pixel.
    pub fn wide(&self) -> usize {
        self.wide
    }
}

/// `y` ← the convolution of `x`.
#[derive(Debug)]
pub struct Convolve<'a, T> {
    /// Where.
    pub windows: &'a Windows,
    /// The image.
    pub x: &'a [T],
    /// taps × wide, and below them a row that is added.
    pub w: &'a [T],
    /// Columns of y.
    pub columns: usize,
    /// Outputs × columns.
    pub y: &'a mut [T],
}

impl<T: Real> Kernel for Convolve<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Windows { begins, taps, wide, reach } = self.windows;
        assert!(self.x.len() >= *reach, "the windows reach beyond the image");
        assert!(self.w.len() >= (taps.len() + 1) * wide, "a window's weights are missing");
        assert!(self.columns <= *wide && self.y.len() >= begins.len() * self.columns);
        let lanes = I::Vector::<T>::LANES;
        let (y, whole) = (self.y, begins.len() - begins.len() % 4);
        for (four, begins) in begins[..whole].chunks_exact(4).enumerate() {
            for column in (0..self.columns).step_by(lanes) {
                // SAFETY: checked above; the register ends within `wide`, a multiple of its lanes.
                let acc: [_; 4] = unsafe {
                    outputs::<I, T, 4>(
                        self.x,
                        [begins[0], begins[1], begins[2], begins[3]],
                        taps,
                        self.w,
                        *wide,
                        column,
                    )
                };
                for (p, acc) in acc.into_iter().enumerate() {
                    let at = (four * 4 + p) * self.columns;
                    // SAFETY: the level is running.
                    unsafe { store::<I, T>(acc, &mut y[at + column..at + self.columns]) };
                }
            }
        }
        for (index, &begin) in begins.iter().enumerate().skip(whole) {
            let y = &mut y[index * self.columns..][..self.columns];
            for column in (0..self.columns).step_by(lanes) {
                // SAFETY: as above.
                unsafe {
                    let [acc] = outputs::<I, T, 1>(self.x, [begin], taps, self.w, *wide, column);
                    store::<I, T>(acc, &mut y[column..]);
                }
            }
        }
    }
}

/// A register's columns of P outputs.
///
/// # Safety
/// The windows and weights must be readable from `column` on for a register, and the level be running.
#[inline(always)]
unsafe fn outputs<I: Isa, T: Real, const P: usize>(
    x: &[T],
    begins: [usize; P],
    taps: &[usize],
    w: &[T],
    wide: usize,
    column: usize,
) -> [I::Vector<T>; P] {
    let (x, mut w) = (x.as_ptr(), w.as_ptr().wrapping_add(column));
    // SAFETY: promised by the caller.
    unsafe {
        let mut acc = [I::Vector::<T>::load(w.add(taps.len() * wide)); P];
        for &tap in taps {
            let weight = I::Vector::<T>::load(w);
            w = w.wrapping_add(wide);
            for (acc, &begin) in acc.iter_mut().zip(&begins) {
                *acc = I::Vector::<T>::load(x.add(begin + tap + column)).mul_add(weight, *acc);
            }
        }
        acc
    }
}

/// Writes as many numbers of a register as there is room for.
///
/// # Safety
/// The level must be running.
#[inline(always)]
unsafe fn store<I: Isa, T: Real>(register: I::Vector<T>, to: &mut [T]) {
    // SAFETY: the local array is as long as the longest register.
    unsafe {
        if to.len() >= I::Vector::<T>::LANES {
            register.store(to.as_mut_ptr());
        } else {
            let mut all = [T::ZERO; 16];
            register.store(all.as_mut_ptr());
            to.copy_from_slice(&all[..to.len()]);
        }
    }
}

/// `dw` ← `dw` + the gradient by the weights.
#[derive(Debug)]
pub struct Correlate<'a, T> {
    /// Where.
    pub windows: &'a Windows,
    /// The image.
    pub x: &'a [T],
    /// Outputs × wide.
    pub dy: &'a [T],
    /// taps × wide.
    pub dw: &'a mut [T],
}

impl<T: Real> Kernel for Correlate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Windows { begins, taps, wide, reach } = self.windows;
        assert!(self.x.len() >= *reach, "the windows reach beyond the image");
        assert!(self.dy.len() >= begins.len() * wide && self.dw.len() >= taps.len() * wide);
        for column in (0..*wide).step_by(I::Vector::<T>::LANES) {
            let mut t = 0;
            while t < taps.len() {
                let (taps, dw) = (&taps[t..], &mut self.dw[t * wide + column..]);
                // SAFETY: checked above; the register ends within `wide`, a multiple of its lanes.
                t += unsafe {
                    match taps.len() {
                        9.. => along::<I, T, 9>(self.x, self.dy, begins, taps, dw, *wide, column),
                        3.. => along::<I, T, 3>(self.x, self.dy, begins, taps, dw, *wide, column),
                        _ => along::<I, T, 1>(self.x, self.dy, begins, taps, dw, *wide, column),
                    }
                };
            }
        }
    }
}

/// A register's columns of the gradients of the first P taps; answers P.
///
/// # Safety
/// All must be readable from `column` on for a register (`dw` begins there), and the level be running.
#[inline(always)]
unsafe fn along<I: Isa, T: Real, const P: usize>(
    x: &[T],
    dy: &[T],
    begins: &[usize],
    taps: &[usize],
    dw: &mut [T],
    wide: usize,
    column: usize,
) -> usize {
    let offsets: [usize; P] = std::array::from_fn(|p| taps[p] + column);
    let (x, mut dy, dw) = (x.as_ptr(), dy.as_ptr().wrapping_add(column), dw.as_mut_ptr());
    // SAFETY: promised by the caller.
    unsafe {
        let mut acc: [I::Vector<T>; P] = [I::Vector::<T>::splat(T::ZERO); P];
        for (p, acc) in acc.iter_mut().enumerate() {
            *acc = I::Vector::<T>::load(dw.add(p * wide));
        }
        for &begin in begins {
            let gradient = I::Vector::<T>::load(dy);
            dy = dy.wrapping_add(wide);
            for (acc, &offset) in acc.iter_mut().zip(&offsets) {
                *acc = I::Vector::<T>::load(x.add(begin + offset)).mul_add(gradient, *acc);
            }
        }
        for (p, acc) in acc.into_iter().enumerate() {
            acc.store(dw.add(p * wide));
        }
    }
    P
}

/// `dx` ← `dx` + the gradient by the image.
#[derive(Debug)]
pub struct Scatter<'a, T> {
    /// Where.
    pub windows: &'a Windows,
    /// Outputs × wide.
    pub dy: &'a [T],
    /// taps × wide.
    pub w: &'a [T],
    /// As the image.
    pub dx: &'a mut [T],
}

impl<T: Real> Kernel for Scatter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Windows { begins, taps, wide, reach } = self.windows;
        assert!(self.dx.len() >= *reach, "the windows reach beyond the image");
        assert!(self.dy.len() >= begins.len() * wide && self.w.len() >= taps.len() * wide);
        let (dx, w) = (self.dx.as_mut_ptr(), self.w.as_ptr());
        for (dy, &begin) in self.dy.chunks_exact(*wide).zip(begins) {
            for column in (0..*wide).step_by(I::Vector::<T>::LANES) {
                // SAFETY: checked above; the register ends within `wide`, a multiple of its lanes.
                unsafe {
                    let gradient = I::Vector::<T>::load(dy.as_ptr().add(column));
                    for (t, &tap) in taps.iter().enumerate() {
                        let to = dx.add(begin + tap + column);
                        let weight = I::Vector::<T>::load(w.add(t * wide + column));
                        gradient.mul_add(weight, I::Vector::<T>::load(to)).store(to);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::kernel::{levels, run_on};

    use super::*;

    fn wave(len: usize, step: f64) -> Vec<f64> {
        (0..len).map(|i| (i as f64 * step).sin()).collect()
    }

    fn close(found: &[f64], expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{what}: {found}, not {expected}");
        }
    }

    #[test]
    fn every_level_agrees_with_the_plain_twin() {
        for (columns, outputs, taps) in [(1, 1, 1), (3, 5, 2), (16, 4, 9), (17, 11, 10), (40, 7, 25)] {
            let wide = padded_columns(columns);
            let begins: Vec<usize> = (0..outputs).map(|i| i * wide).collect();
            let offsets: Vec<usize> = (0..taps).map(|t| (t * 3 / 2) * wide).collect();
            let windows = Windows::new(begins.clone(), offsets.clone(), columns);
            let x = wave(windows.reach, 0.37);
            let (w, dy) = (wave((taps + 1) * wide, 0.71), wave(outputs * wide, 0.53));
            let mut y = vec![0.0; outputs * columns];
            let (mut dw, mut dx) = (wave(taps * wide, 0.3), wave(x.len(), 0.2));
            let (dw_before, dx_before) = (dw.clone(), dx.clone());
            for (i, &begin) in begins.iter().enumerate() {
                for j in 0..wide {
                    let window = offsets.iter().map(|tap| begin + tap + j).enumerate();
                    if j < columns {
                        let sum: f64 = window.clone().map(|(t, at)| x[at] * w[t * wide + j]).sum();
                        y[i * columns + j] = w[taps * wide + j] + sum;
                    }
                    for (t, at) in window {
                        dw[t * wide + j] += x[at] * dy[i * wide + j];
                        dx[at] += w[t * wide + j] * dy[i * wide + j];
                    }
                }
            }
            for &level in levels() {
                let what = format!("{columns} columns, {outputs} outputs, {taps} taps, {level:?}");
                let (mut found, mut found_dw) = (vec![f64::NAN; y.len()], dw_before.clone());
                let mut found_dx = dx_before.clone();
                let windows = &windows;
                run_on(level, Convolve { windows, x: &x, w: &w, columns, y: &mut found });
                close(&found, &y, &what);
                run_on(level, Correlate { windows, x: &x, dy: &dy, dw: &mut found_dw });
                close(&found_dw, &dw, &what);
                run_on(level, Scatter { windows, dy: &dy, w: &w, dx: &mut found_dx });
                close(&found_dx, &dx, &what);
            }
        }
    }

    #[test]
    fn nan_stays_in_its_column() {
        let windows = Windows::new(vec![0, 16, 32], vec![0, 16], 3);
        let (mut x, w) = (wave(windows.reach, 0.3), wave(48, 0.7));
        x[16 + 1] = f64::NAN;
        for &level in levels() {
            let mut y = vec![0.0; 9];
            run_on(level, Convolve { windows: &windows, x: &x, w: &w, columns: 3, y: &mut y });
            let found: Vec<usize> = (0..9).filter(|&i| y[i].is_nan()).collect();
            assert_eq!(found, [1, 4], "{level:?}");
        }
    }
}
