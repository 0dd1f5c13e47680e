//! The matrix products of a convolution whose window moves by one pixel: each pixel is loaded once for all windows of a
//! row that it lies in.
//!
//! ```text
//! Y[y, x, j]     = Σ_ky Σ_q Σ_kx X[y + ky − top, x + kx − left, q] · W[ky, kx, q, j]      // Slide
//! dW[ky,kx,q,j]  = Σ_y Σ_x X[y + ky − top, x + kx − left, q] · dY[y, x, j]                // SlideBack
//! ```
//! 1. X is not padded: rows of zeros are left out, and the few pixels beside a row are read from a row of zeros.
//! 2. Every number of Y and dW is one chain of fused additions in the order above: its bits depend on nothing else.
//! 3. With few filters a fused addition has a load of its own in [`Apply`](super::conv::Apply), and the loads bind. A tile
//!    of m neighbours loads m + k − 1 pixels and k registers of W for m·k additions.
#![allow(
    unsafe_code,
    reason = "register tiles read and write through pointers that are checked once per call"
)]

use thalweg_optim::Real;
use thalweg_optim::kernel::vector::{Vector, WIDEST};
use thalweg_optim::kernel::{Isa, Kernel};

use super::conv::store;

/// The sizes of a convolution with stride and dilation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The image's height and width.
    pub input: (usize, usize),
    /// The result's.
    pub output: (usize, usize),
    /// Numbers of a pixel.
    pub channels: usize,
    /// The window's height and width.
    pub kernel: (usize, usize),
    /// Zeros above and left of the image.
    pub padding: (usize, usize),
}

/// The most pixels that a tile reads from a row.
const PIXELS: usize = 12;

impl Sizes {
    /// Whether there is a loop for such a window. Of the others, one pixel has nothing to share, and wide ones fill the
    /// registers.
    pub fn has_loop(&self) -> bool {
        [3, 5].contains(&self.kernel.1)
            && self.padding.0 < self.kernel.0
            && self.padding.1 < self.kernel.1
            && self.output.0 + self.kernel.0 == self.input.0 + 2 * self.padding.0 + 1
            && self.output.1 + self.kernel.1 == self.input.1 + 2 * self.padding.1 + 1
    }

    fn check(&self) {
        assert!(self.channels > 0 && self.has_loop(), "there is no loop for {self:?}");
    }

    fn inputs(&self) -> usize {
        self.input.0 * self.input.1 * self.channels
    }

    /// The rows of the window that lie in the image for the output's row `y`.
    fn kernel_rows(&self, y: usize) -> std::ops::Range<usize> {
        let last = (self.input.0 + self.padding.0 - y).min(self.kernel.0);
        self.padding.0.saturating_sub(y)..last
    }
}

/// How many registers wide the panel at `column` is: what lets a tile of a window `kernel` wide stay in registers.
#[inline(always)]
pub(super) fn panel_width<I: Isa, T: Real>(column: usize, n: usize, kernel: usize) -> usize {
    let wide = I::BYTES == 64 || kernel <= 3;
    if wide && (n - column).div_ceil(I::Vector::<T>::LANES) >= 2 { 2 } else { 1 }
}

/// `packed` ← W in panels of one or two registers, a row of each for (ky, q, kx), where W\[ky, kx, q, j\] =
/// `w[start + ky·ky_stride + kx·kx_stride + q·q_stride + j·j_stride]`.
#[derive(Debug)]
pub struct SlidePack<'a, T> {
    /// The window's height and width.
    pub kernel: (usize, usize),
    /// Numbers of a pixel.
    pub channels: usize,
    /// Columns.
    pub n: usize,
    /// The weights.
    pub w: &'a [T],
    /// Where W\[0, 0, 0, 0\] is.
    pub start: usize,
    /// From a row of the window to the next, from a column to the next, from a channel to the next, from a column of W to
    /// the next.
    pub strides: [isize; 4],
    /// At least kernel × channels × [`padded_columns`](super::conv::padded_columns) numbers.
    pub packed: &'a mut [T],
}

impl<T: Real> Kernel for SlidePack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self {
            kernel,
            channels,
            n,
            w,
            start,
            strides: [ky_stride, kx_stride, q_stride, j_stride],
            packed,
        } = self;
        let depth = kernel.0 * kernel.1 * channels;
        let mut at = 0;
        while at < n {
            let width = panel_width::<I, T>(at, n, kernel.1) * I::Vector::<T>::LANES;
            let real = width.min(n - at);
            let mut rows = packed[at * depth..][..width * depth].chunks_exact_mut(width);
            for ky in 0..kernel.0 as isize {
                for q in 0..channels as isize {
                    for (kx, row) in (0..kernel.1 as isize).zip(&mut rows) {
                        let first = start as isize
                            + ky * ky_stride
                            + kx * kx_stride
                            + q * q_stride
                            + at as isize * j_stride;
                        if j_stride == 1 {
                            row[..real].copy_from_slice(&w[first as usize..][..real]);
                        } else {
                            for (j, value) in row[..real].iter_mut().enumerate() {
                                *value = w[(first + j as isize * j_stride) as usize];
                            }
                        }
                        row[real..].fill(T::ZERO);
                    }
                }
            }
            at += width;
        }
    }
}

/// Y ← start + X ∗ W for one image.
#[derive(Debug)]
pub struct Slide<'a, T> {
    /// The sizes.
    pub sizes: Sizes,
    /// Columns of W and Y.
    pub n: usize,
    /// The image.
    pub x: &'a [T],
    /// What [`SlidePack`] wrote.
    pub packed: &'a [T],
    /// What each pixel of Y starts from; zero if not given.
    pub bias: Option<&'a [T]>,
    /// Y.
    pub y: &'a mut [T],
    /// A pixel of zeros.
    pub zeros: &'a [T],
}

/// A panel of packed W and where it goes.
#[derive(Clone, Copy)]
struct Panel<T> {
    w: *const T,
    /// Its first column.
    at: usize,
    /// Its columns that exist.
    real: usize,
    /// What its columns start from: a whole panel's width of numbers.
    start: *const T,
}

impl<T: Real> Kernel for Slide<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (sizes, n, lanes) = (self.sizes, self.n, I::Vector::<T>::LANES);
        sizes.check();
        let depth = sizes.kernel.0 * sizes.kernel.1 * sizes.channels;
        assert!(self.x.len() >= sizes.inputs(), "the image is too small");
        assert!(self.y.len() >= sizes.output.0 * sizes.output.1 * n, "Y is too short");
        assert!(self.packed.len() >= depth * n.next_multiple_of(lanes), "W is not packed");
        assert!(self.bias.is_none_or(|bias| bias.len() >= n), "the bias is too short");
        assert!(self.zeros.len() >= sizes.channels, "too few zeros");
        let (x, y, zeros) = (self.x.as_ptr(), self.y.as_mut_ptr(), self.zeros.as_ptr());
        let rows = Rows { sizes, n, x, y, zeros };
        let mut at = 0;
        while at < n {
            let vectors = panel_width::<I, T>(at, n, sizes.kernel.1);
            let real = (vectors * lanes).min(n - at);
            let mut start = [T::ZERO; 2 * WIDEST];
            if let Some(bias) = self.bias {
                start[..real].copy_from_slice(&bias[at..at + real]);
            }
            let panel = Panel { w: self.packed[at * depth..].as_ptr(), at, real, start: start.as_ptr() };
            // SAFETY: all that the tiles read and write was checked above; the level is the one that is running.
            unsafe {
                match (sizes.kernel.1, vectors) {
                    (3, 2) => rows.all::<I, 3, 2>(panel),
                    (3, _) => rows.all::<I, 3, 1>(panel),
                    (_, 2) => rows.all::<I, 5, 2>(panel),
                    _ => rows.all::<I, 5, 1>(panel),
                }
            }
            at += vectors * lanes;
        }
    }
}

/// Pixels of a tile that is so many registers wide: as many sums as stay in registers. (Sixteen where it is one register wide
/// were slower.)
const fn most_pixels<I: Isa>(vectors: usize) -> usize {
    if I::BYTES == 64 { 8 } else { 8 / vectors }
}

/// How wide the tiles of a row are: alike, for a narrow one waits for its sums; at most `most`.
fn tile_width(row: usize, most: usize) -> usize {
    let there_is = |width: usize| [1, 2, 4, 6, 7, 8].into_iter().find(|&tile| tile >= width);
    let mut widths = (row.div_ceil(most).max(1)..=row).filter_map(|tiles| there_is(row.div_ceil(tiles)));
    widths.find(|&tile| tile <= row.min(most)).unwrap_or(1)
}

#[derive(Clone, Copy)]
struct Rows<T> {
    sizes: Sizes,
    n: usize,
    x: *const T,
    y: *mut T,
    zeros: *const T,
}

impl<T: Real> Rows<T> {
    /// # Safety
    /// X, Y, W and the zeros must be as large as [`Slide`] checks, the window be K wide, and the level be running.
    #[inline(always)]
    unsafe fn all<I: Isa, const K: usize, const V: usize>(self, panel: Panel<T>) {
        // SAFETY: passed on; a tile is no wider than the row.
        unsafe {
            match tile_width(self.sizes.output.1, most_pixels::<I>(V)) {
                8 => self.tiles::<I, K, V, 8>(panel),
                7 => self.tiles::<I, K, V, 7>(panel),
                6 => self.tiles::<I, K, V, 6>(panel),
                4 => self.tiles::<I, K, V, 4>(panel),
                2 => self.tiles::<I, K, V, 2>(panel),
                _ => self.tiles::<I, K, V, 1>(panel),
            }
        }
    }

    /// # Safety
    /// As [`Rows::all`], and rows must be M pixels wide at least.
    #[inline(always)]
    unsafe fn tiles<I: Isa, const K: usize, const V: usize, const M: usize>(self, panel: Panel<T>) {
        // No code for what `all` does not ask for.
        if const { M > most_pixels::<I>(V) } {
            return;
        }
        let (height, width) = self.sizes.output;
        for y in 0..height {
            for x in (0..width).step_by(M) {
                // The last tile may do again what the one before it did: the same sums, to the bit.
                // SAFETY: passed on; the tile lies in the row.
                unsafe { self.tile::<I, K, V, M>(panel, y, x.min(width - M)) };
            }
        }
    }

    /// # Safety
    /// As [`Rows::all`], and M pixels of the row `y` must exist from `x` on.
    #[inline(always)]
    unsafe fn tile<I: Isa, const K: usize, const V: usize, const M: usize>(
        self,
        panel: Panel<T>,
        y: usize,
        x: usize,
    ) {
        let (lanes, sizes) = (I::Vector::<T>::LANES, self.sizes);
        let channels = sizes.channels;
        // SAFETY: the caller promises the memory. A row of the window lies in the image by `kernel_rows`, and what lies
        // beside the row is read from the zeros.
        unsafe {
            let mut acc = [[I::Vector::<T>::splat(T::ZERO); V]; M];
            for v in 0..V {
                let start = I::Vector::<T>::load(panel.start.add(v * lanes));
                for acc in &mut acc {
                    acc[v] = start;
                }
            }
            for ky in sizes.kernel_rows(y) {
                let row = self.x.add((y + ky - sizes.padding.0) * sizes.input.1 * channels);
                let mut pixels = [self.zeros; PIXELS];
                for (r, pixel) in pixels[..M + K - 1].iter_mut().enumerate() {
                    let at = (x + r).wrapping_sub(sizes.padding.1);
                    if at < sizes.input.1 {
                        *pixel = row.add(at * channels);
                    }
                }
                let mut w = panel.w.add(ky * K * channels * V * lanes);
                for q in 0..channels {
                    let mut values = [[I::Vector::<T>::splat(T::ZERO); V]; K];
                    for (k, values) in values.iter_mut().enumerate() {
                        for (v, value) in values.iter_mut().enumerate() {
                            *value = I::Vector::<T>::load(w.add((k * V + v) * lanes));
                        }
                    }
                    w = w.add(K * V * lanes);
                    for (r, pixel) in pixels[..M + K - 1].iter().enumerate() {
                        let x = I::Vector::<T>::splat(*pixel.add(q));
                        for (k, values) in values.iter().enumerate() {
                            if r >= k && r - k < M {
                                for (acc, &value) in acc[r - k].iter_mut().zip(values) {
                                    *acc = x.mul_add(value, *acc);
                                }
                            }
                        }
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                let to = self.y.add((y * sizes.output.1 + x + r) * self.n + panel.at);
                store::<I, T, V>(acc, to, panel.real);
            }
        }
    }
}

/// dW ← (dW or 0) + Xᵀ ∗ dY for one image.
#[derive(Debug)]
pub struct SlideBack<'a, T> {
    /// The sizes.
    pub sizes: Sizes,
    /// The image.
    pub x: &'a [T],
    /// Columns of dY and dW.
    pub n: usize,
    /// A row for each pixel, `dy_row` numbers apart, each with a whole number of the widest registers behind its beginning.
    pub dy: &'a [T],
    /// The distance between dY's rows.
    pub dy_row: usize,
    /// dW: kernel × channels rows of n numbers.
    pub dw: &'a mut [T],
    /// Whether dW is added to.
    pub add: bool,
}

impl<T: Real> Kernel for SlideBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (sizes, n, lanes) = (self.sizes, self.n, I::Vector::<T>::LANES);
        sizes.check();
        let pixels = sizes.output.0 * sizes.output.1;
        assert!(self.x.len() >= sizes.inputs(), "the image is too small");
        let wide = super::conv::padded_columns(n);
        assert!(pixels == 0 || self.dy.len() >= (pixels - 1) * self.dy_row + wide, "dY is too short");
        assert!(self.dw.len() >= sizes.kernel.0 * sizes.kernel.1 * sizes.channels * n, "dW is too short");
        let mut at = 0;
        while at < n {
            // Half as many filters and twice as many channels make as many sums, where registers are few.
            let vectors = if I::BYTES == 64 { panel_width::<I, T>(at, n, sizes.kernel.1) } else { 1 };
            let columns = Columns {
                sizes,
                n,
                x: self.x.as_ptr(),
                dy: self.dy[at..].as_ptr(),
                dy_row: self.dy_row,
                dw: self.dw[at..].as_mut_ptr(),
                real: (vectors * lanes).min(n - at),
                add: self.add,
            };
            // SAFETY: all that the tiles read and write was checked above; the level is the one that is running.
            unsafe {
                match (sizes.kernel.1, vectors, I::BYTES) {
                    (3, 2, _) => columns.all::<I, 3, 2, 4>(),
                    (3, _, 64) => columns.all::<I, 3, 1, 8>(),
                    (3, _, _) => columns.all::<I, 3, 1, 4>(),
                    (_, 2, _) => columns.all::<I, 5, 2, 2>(),
                    (_, _, 64) => columns.all::<I, 5, 1, 4>(),
                    _ => columns.all::<I, 5, 1, 2>(),
                }
            }
            at += vectors * lanes;
        }
    }
}

#[derive(Clone, Copy)]
struct Columns<T> {
    sizes: Sizes,
    n: usize,
    x: *const T,
    dy: *const T,
    dy_row: usize,
    dw: *mut T,
    real: usize,
    add: bool,
}

impl<T: Real> Columns<T> {
    /// # Safety
    /// X, dY and dW must be as large as [`SlideBack`] checks, the window be K wide, and the level be running.
    #[inline(always)]
    unsafe fn all<I: Isa, const K: usize, const V: usize, const M: usize>(self) {
        for ky in 0..self.sizes.kernel.0 {
            let mut q = 0;
            // SAFETY: passed on; the channels exist.
            unsafe {
                while q + M <= self.sizes.channels {
                    self.tile::<I, K, V, M>(ky, q);
                    q += M;
                }
                if M > 4 && q + 4 <= self.sizes.channels {
                    self.tile::<I, K, V, 4>(ky, q);
                    q += 4;
                }
                if M > 2 && q + 2 <= self.sizes.channels {
                    self.tile::<I, K, V, 2>(ky, q);
                    q += 2;
                }
                if q < self.sizes.channels {
                    self.tile::<I, K, V, 1>(ky, q);
                }
            }
        }
    }

    /// The sums for M channels from `q` on and the window's row `ky`. The K registers of dY that a pixel meets move along
    /// with it.
    ///
    /// # Safety
    /// As [`Columns::all`], and M channels must exist from `q` on.
    #[inline(always)]
    unsafe fn tile<I: Isa, const K: usize, const V: usize, const M: usize>(self, ky: usize, q: usize) {
        let (lanes, sizes) = (I::Vector::<T>::LANES, self.sizes);
        let (height, width) = sizes.output;
        let (top, left) = sizes.padding;
        let row_of = |kx: usize, channel: usize| ((ky * K + kx) * sizes.channels + q + channel) * self.n;
        // SAFETY: the caller promises the memory; what lies beside a row of dY is a register of zeros.
        unsafe {
            let zero = [I::Vector::<T>::splat(T::ZERO); V];
            let mut acc = [[zero; K]; M];
            if self.add {
                for (channel, acc) in acc.iter_mut().enumerate() {
                    for (kx, acc) in acc.iter_mut().enumerate() {
                        *acc = load::<I, T, V>(self.dw.add(row_of(kx, channel)), self.real);
                    }
                }
            }
            for y in top.saturating_sub(ky)..(sizes.input.0 + top).saturating_sub(ky).min(height) {
                let mut x = self.x.add((y + ky - top) * sizes.input.1 * sizes.channels + q);
                let dy = self.dy.add(y * width * self.dy_row);
                let there = |at: usize| {
                    if at < width { load::<I, T, V>(dy.add(at * self.dy_row), V * lanes) } else { zero }
                };
                let mut window = [zero; K];
                for (kx, met) in window[..K - 1].iter_mut().enumerate() {
                    *met = there(left.wrapping_sub(1 + kx));
                }
                for at in 0..sizes.input.1 {
                    for kx in (1..K).rev() {
                        window[kx] = window[kx - 1];
                    }
                    window[0] = there(at + left);
                    for (channel, acc) in acc.iter_mut().enumerate() {
                        let x = I::Vector::<T>::splat(*x.add(channel));
                        for (acc, met) in acc.iter_mut().zip(&window) {
                            for (acc, &met) in acc.iter_mut().zip(met) {
                                *acc = x.mul_add(met, *acc);
                            }
                        }
                    }
                    x = x.add(sizes.channels);
                }
            }
            for (channel, acc) in acc.iter().enumerate() {
                for (kx, acc) in acc.iter().enumerate() {
                    store::<I, T, V>(acc, self.dw.add(row_of(kx, channel)), self.real);
                }
            }
        }
    }
}

/// The first `real` numbers of V registers, and zeros.
///
/// # Safety
/// They must be readable, and the level be running.
#[inline(always)]
unsafe fn load<I: Isa, T: Real, const V: usize>(from: *const T, real: usize) -> [I::Vector<T>; V] {
    let lanes = I::Vector::<T>::LANES;
    let mut whole = [T::ZERO; 2 * WIDEST];
    // SAFETY: promised by the caller; the local array is as wide as the widest panel.
    unsafe {
        let from = if real == V * lanes {
            from
        } else {
            std::ptr::copy_nonoverlapping(from, whole.as_mut_ptr(), real);
            whole.as_ptr()
        };
        let mut values = [I::Vector::<T>::splat(T::ZERO); V];
        for (v, value) in values.iter_mut().enumerate() {
            *value = I::Vector::<T>::load(from.add(v * lanes));
        }
        values
    }
}

#[cfg(test)]
mod tests;
