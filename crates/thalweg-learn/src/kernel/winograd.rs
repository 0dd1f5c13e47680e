//! Convolutions of 3×3 windows that move by one pixel with 16 multiplications for every 36: minimal filtering, F(2×2, 3×3).
//!
//! ```text
//! Y tile = Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A      a tile of Y is 2×2 pixels, d the 4×4 pixels of X that it sees, g the window
//!
//!      ⎡1  0 −1  0⎤        ⎡1  0  0⎤
//! Bᵀ = ⎢0  1  1  0⎥    G = ⎢½  ½  ½⎥    Aᵀ = ⎡1  1  1  0⎤
//!      ⎢0 −1  1  0⎥        ⎢½ −½  ½⎥         ⎣0  1 −1 −1⎦
//!      ⎣0  1  0 −1⎦        ⎣0  0  1⎦
//! ```
//! 1. With many channels and filters, ⊙ is 16 matrix products (tiles × channels times channels × filters), which
//!    [`MatMul`](thalweg_optim::kernel::matmul::MatMul) makes; here are the transforms before and behind them, each from the
//!    left and from the right. The way back to the weights runs through the transposes.
//! 2. All are sums and differences in a fixed order, and halves: bits do not depend on how tiles are grouped. In single
//!    precision the errors of Y and dX were 0.2 to 2.0 times those of the plain sums, those of dW 1.6 to 4.3 times (four
//!    shapes, in `nn/conv2d/winograd.rs`; all below 7·10⁻⁶ of the largest number).
//!
//! Source: Winograd 1980; Lavin & Gray, «Fast Algorithms for Convolutional Neural Networks», 2016.
#![allow(
    unsafe_code,
    reason = "registers are read and written through pointers that are checked once per call"
)]

use std::ops::Range;

use thalweg_optim::Real;
use thalweg_optim::kernel::vector::{Vector, WIDEST};
use thalweg_optim::kernel::{Isa, Kernel};

/// Products of a tile, a matrix product each.
pub const PLACES: usize = 16;

/// Whether so many numbers of a pixel are whole registers of any level.
pub fn is_whole(channels: usize) -> bool {
    channels > 0 && channels.is_multiple_of(WIDEST)
}

/// The tiles of a result, row by row; the last of a row or column may stick out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// The image's height and width.
    pub image: (usize, usize),
    /// The result's.
    pub result: (usize, usize),
    /// Zeros above and left of the image.
    pub padding: (usize, usize),
}

impl Tiles {
    /// How many there are.
    pub fn len(self) -> usize {
        self.result.0.div_ceil(2).saturating_mul(self.across())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn across(self) -> usize {
        self.result.1.div_ceil(2)
    }

    /// The stretches of neighbours in a part.
    #[inline(always)]
    fn runs(self, part: &Range<usize>) -> impl Iterator<Item = Run> {
        let (across, Range { start, end }) = (self.across().max(1), part.clone());
        (start / across..end.div_ceil(across)).map(move |y| {
            let (first, last) = ((y * across).max(start), ((y + 1) * across).min(end));
            Run { row: first - start, top: 2 * y, left: 2 * (first - y * across), len: last - first }
        })
    }
}

/// Numbers of an image. Saturating: a size that wraps around must not pass.
fn numbers((height, width): (usize, usize), channels: usize) -> usize {
    height.saturating_mul(width).saturating_mul(channels)
}

/// Tiles beside each other.
#[derive(Clone, Copy)]
struct Run {
    /// The first one's row in the matrices.
    row: usize,
    /// The result's pixel that it begins with.
    top: usize,
    left: usize,
    /// How many there are.
    len: usize,
}

/// A linear map of N numbers to M.
trait Transform<const N: usize, const M: usize> {
    /// # Safety
    /// The register's level must be running.
    unsafe fn of<T: Real, V: Vector<T>>(x: [V; N]) -> [V; M];
}

/// Bᵀ
struct OfInput;
/// Aᵀ
struct OfOutput;
/// A
struct OfGradient;
/// G
struct OfWeights;
/// Gᵀ
struct ToWeights;

/// The methods of registers are unsafe for one reason, which the trait states.
macro_rules! transform {
    ($name:ident: $x:pat => $n:literal -> $m:literal, $out:expr) => {
        impl Transform<$n, $m> for $name {
            #[inline(always)]
            unsafe fn of<T: Real, V: Vector<T>>($x: [V; $n]) -> [V; $m] {
                // SAFETY: promised by the caller.
                unsafe { $out }
            }
        }
    };
}

transform!(OfInput: [a, b, c, d] => 4 -> 4, [a.sub(c), b.add(c), c.sub(b), b.sub(d)]);
transform!(OfOutput: [a, b, c, d] => 4 -> 2, [a.add(b).add(c), b.sub(c).sub(d)]);
transform!(OfGradient: [a, b] => 2 -> 4, [a, a.add(b), a.sub(b), V::splat(T::ZERO).sub(b)]);
transform!(OfWeights: [a, b, c] => 3 -> 4, {
    let ends = a.add(c);
    [a, half::<T, V>(ends.add(b)), half::<T, V>(ends.sub(b)), c]
});
transform!(ToWeights: [a, b, c, d] => 4 -> 3, {
    let (sum, difference) = (half::<T, V>(b.add(c)), half::<T, V>(b.sub(c)));
    [a.add(sum), difference, sum.add(d)]
});

/// # Safety
/// The register's level must be running.
#[inline(always)]
unsafe fn half<T: Real, V: Vector<T>>(x: V) -> V {
    // SAFETY: promised by the caller.
    unsafe { x.mul_add(V::splat(T::from_f64(0.5)), V::splat(T::ZERO)) }
}

/// The transform from the left and, transposed, from the right.
///
/// # Safety
/// The register's level must be running.
#[inline(always)]
unsafe fn both_ways<R, T, V, const N: usize, const M: usize>(x: [[V; N]; N]) -> [[V; M]; M]
where
    R: Transform<N, M>,
    T: Real,
    V: Vector<T>,
{
    // SAFETY: promised by the caller.
    unsafe {
        let mut columns = [[V::splat(T::ZERO); M]; N];
        for (j, column) in columns.iter_mut().enumerate() {
            *column = R::of::<T, V>(std::array::from_fn(|i| x[i][j]));
        }
        from_right::<R, T, V, N, M>(&columns)
    }
}

/// The transform from the right of what is transformed from the left, column by column.
///
/// # Safety
/// The register's level must be running.
#[inline(always)]
unsafe fn from_right<R, T, V, const N: usize, const M: usize>(columns: &[[V; M]; N]) -> [[V; M]; M]
where
    R: Transform<N, M>,
    T: Real,
    V: Vector<T>,
{
    // SAFETY: promised by the caller.
    unsafe {
        let mut result = [[V::splat(T::ZERO); M]; M];
        for (i, result) in result.iter_mut().enumerate() {
            *result = R::of::<T, V>(std::array::from_fn(|j| columns[j][i]));
        }
        result
    }
}

/// Applies a transform to each of `len` numbers of `N·N` planes, giving `M·M` planes.
///
/// # Safety
/// `from` must be readable for N·N planes and `to` writable for M·M planes of `len` numbers, a whole number of registers,
/// and the level be running.
#[inline(always)]
unsafe fn planes<I: Isa, R, T, const N: usize, const M: usize>(from: *const T, to: *mut T, len: usize)
where
    R: Transform<N, M>,
    T: Real,
{
    for at in (0..len).step_by(I::Vector::<T>::LANES) {
        // SAFETY: promised by the caller.
        unsafe {
            let mut x = [[I::Vector::<T>::splat(T::ZERO); N]; N];
            for (place, x) in x.as_flattened_mut().iter_mut().enumerate() {
                *x = I::Vector::<T>::load(from.add(place * len + at));
            }
            let result: [[I::Vector<T>; M]; M] = both_ways::<R, T, _, N, M>(x);
            for (place, result) in result.as_flattened().iter().enumerate() {
                result.store(to.add(place * len + at));
            }
        }
    }
}

/// U ← G·W·Gᵀ: of each of nine planes of W (\[3, 3, …\]) sixteen of U.
#[derive(Debug)]
pub struct WeightTiles<'a, T> {
    /// W.
    pub w: &'a [T],
    /// U.
    pub u: &'a mut [T],
}

impl<T: Real> Kernel for WeightTiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let len = self.w.len() / 9;
        assert!(is_whole(len) && self.w.len() == 9 * len && self.u.len() == PLACES * len, "U does not fit W");
        // SAFETY: checked above; the level is the one that is running.
        unsafe { planes::<I, OfWeights, T, 3, 4>(self.w.as_ptr(), self.u.as_mut_ptr(), len) };
    }
}

/// dW ← Gᵀ·dU·G.
#[derive(Debug)]
pub struct WeightGradient<'a, T> {
    /// dU.
    pub du: &'a [T],
    /// dW.
    pub dw: &'a mut [T],
}

impl<T: Real> Kernel for WeightGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let len = self.dw.len() / 9;
        assert!(
            is_whole(len) && self.dw.len() == 9 * len && self.du.len() == PLACES * len,
            "dU does not fit dW"
        );
        // SAFETY: checked above; the level is the one that is running.
        unsafe { planes::<I, ToWeights, T, 4, 3>(self.du.as_ptr(), self.dw.as_mut_ptr(), len) };
    }
}

/// How sixteen matrices lie in memory, one for each place in a transformed tile, each with a row for each tile of a part.
#[derive(Debug, Clone, Copy)]
pub struct Planes {
    /// Rows of a matrix.
    pub rows: usize,
    /// Numbers of a row.
    pub width: usize,
}

/// The most numbers of such a matrix.
pub const LARGEST: usize = 4096;

/// From such a matrix to the next: known to the compiler, which else keeps sixteen places in memory, and no multiple of 4 KiB,
/// which would let all sixteen fight for the same places in the nearest cache.
const DISTANCE: usize = LARGEST + WIDEST;

impl Planes {
    /// Numbers for all.
    pub const LEN: usize = PLACES * DISTANCE;

    /// Where the matrix of a place lies.
    pub fn at(self, place: usize) -> Range<usize> {
        place * DISTANCE..place * DISTANCE + self.rows * self.width
    }

    fn check(self, have: usize, part: &Range<usize>, tiles: Tiles) {
        assert!(is_whole(self.width), "rows are not whole registers");
        assert!(have >= Self::LEN && self.rows.saturating_mul(self.width) <= LARGEST, "too few numbers");
        let is_there = part.start <= part.end && part.end <= tiles.len();
        assert!(is_there && part.len() == self.rows, "there are no such tiles");
    }
}

/// V ← Bᵀ·d·B of some tiles of an image.
#[derive(Debug)]
pub struct InputTiles<'a, T> {
    /// The tiles of the result.
    pub tiles: Tiles,
    /// Those of them that are wanted.
    pub part: Range<usize>,
    /// The image, as many numbers a pixel as V's rows have.
    pub x: &'a [T],
    /// A pixel of zeros.
    pub zeros: &'a [T],
    /// V.
    pub v: &'a mut [T],
    /// V's matrices.
    pub planes: Planes,
}

impl<T: Real> Kernel for InputTiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { tiles, part, x, zeros, v, planes } = self;
        let channels = planes.width;
        planes.check(v.len(), &part, tiles);
        assert!(x.len() >= numbers(tiles.image, channels), "the image is too small");
        assert!(zeros.len() >= channels, "too few zeros");
        for run in tiles.runs(&part) {
            // A row of zeros is the same pixel again and again.
            let rows: [(*const T, usize); 4] = std::array::from_fn(|i| {
                let y = (run.top + i).wrapping_sub(tiles.padding.0);
                let row = x.as_ptr().wrapping_add(y.wrapping_mul(tiles.image.1 * channels));
                if y < tiles.image.0 { (row, channels) } else { (zeros.as_ptr(), 0) }
            });
            let begin = run.left.wrapping_sub(tiles.padding.1);
            for q in (0..channels).step_by(I::Vector::<T>::LANES) {
                // SAFETY: every pixel lies in the image or is the one of zeros, both of `channels` numbers, and V was checked
                // above; the level is the one that is running.
                unsafe {
                    let mut columns = [[I::Vector::<T>::splat(T::ZERO); 4]; 4];
                    for (j, column) in columns.iter_mut().enumerate().skip(2) {
                        *column = input_column::<I, T>(&rows, begin.wrapping_add(j - 2), tiles.image.1, q);
                    }
                    let mut to = v.as_mut_ptr().add(run.row * channels + q);
                    for tile in 0..run.len {
                        // Half of what a tile sees is what its neighbour saw.
                        (columns[0], columns[1]) = (columns[2], columns[3]);
                        let at = begin.wrapping_add(2 * tile + 2);
                        columns[2] = input_column::<I, T>(&rows, at, tiles.image.1, q);
                        columns[3] = input_column::<I, T>(&rows, at.wrapping_add(1), tiles.image.1, q);
                        let result = from_right::<OfInput, T, _, 4, 4>(&columns);
                        for (place, result) in result.as_flattened().iter().enumerate() {
                            result.store(to.add(place * DISTANCE));
                        }
                        to = to.add(channels);
                    }
                }
            }
        }
    }
}

/// Bᵀ·d of one column of pixels.
///
/// # Safety
/// The rows must be readable from `q` on for a register in each of `width` pixels, and the level be running.
#[inline(always)]
unsafe fn input_column<I: Isa, T: Real>(
    rows: &[(*const T, usize); 4],
    at: usize,
    width: usize,
    q: usize,
) -> [I::Vector<T>; 4] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut pixels = [I::Vector::<T>::splat(T::ZERO); 4];
        if at < width {
            for (pixel, (row, step)) in pixels.iter_mut().zip(rows) {
                *pixel = I::Vector::<T>::load(row.add(at * step + q));
            }
        }
        OfInput::of::<T, _>(pixels)
    }
}

/// Y ← bias + Aᵀ·M·A for some tiles.
#[derive(Debug)]
pub struct OutputTiles<'a, T> {
    /// The tiles.
    pub tiles: Tiles,
    /// Those of them that are given.
    pub part: Range<usize>,
    /// M.
    pub m: &'a [T],
    /// M's matrices.
    pub planes: Planes,
    /// What each pixel of Y starts from; zero if not given.
    pub bias: Option<&'a [T]>,
    /// Y, as many numbers a pixel as M's rows have.
    pub y: &'a mut [T],
}

impl<T: Real> Kernel for OutputTiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { tiles, part, m, planes, bias, y } = self;
        let (filters, (height, width)) = (planes.width, tiles.result);
        planes.check(m.len(), &part, tiles);
        assert!(y.len() >= numbers(tiles.result, filters), "Y is too short");
        assert!(bias.is_none_or(|bias| bias.len() >= filters), "the bias is too short");
        for run in tiles.runs(&part) {
            let has_second_row = run.top + 1 < height;
            for j in (0..filters).step_by(I::Vector::<T>::LANES) {
                // SAFETY: M, the bias and Y were checked above, of which only pixels that exist are written; the level is the
                // one that is running.
                unsafe {
                    let start = match bias {
                        Some(bias) => I::Vector::<T>::load(bias.as_ptr().add(j)),
                        None => I::Vector::<T>::splat(T::ZERO),
                    };
                    let mut from = m.as_ptr().add(run.row * filters + j);
                    let mut to = y.as_mut_ptr().add((run.top * width + run.left) * filters + j);
                    for tile in 0..run.len {
                        let mut values = [[I::Vector::<T>::splat(T::ZERO); 4]; 4];
                        for (place, value) in values.as_flattened_mut().iter_mut().enumerate() {
                            *value = I::Vector::<T>::load(from.add(place * DISTANCE));
                        }
                        let [above, below] = both_ways::<OfOutput, T, _, 4, 2>(values);
                        let has_second = run.left + 2 * tile + 1 < width;
                        above[0].add(start).store(to);
                        if has_second {
                            above[1].add(start).store(to.add(filters));
                        }
                        if has_second_row {
                            let to = to.add(width * filters);
                            below[0].add(start).store(to);
                            if has_second {
                                below[1].add(start).store(to.add(filters));
                            }
                        }
                        from = from.add(filters);
                        to = to.wrapping_add(2 * filters);
                    }
                }
            }
        }
    }
}

/// dM ← A·dY·Aᵀ of some tiles.
#[derive(Debug)]
pub struct GradientTiles<'a, T> {
    /// The tiles.
    pub tiles: Tiles,
    /// Those of them that are wanted.
    pub part: Range<usize>,
    /// dY, as many numbers a pixel as dM's rows have.
    pub dy: &'a [T],
    /// dM.
    pub dm: &'a mut [T],
    /// dM's matrices.
    pub planes: Planes,
}

impl<T: Real> Kernel for GradientTiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { tiles, part, dy, dm, planes } = self;
        let (filters, (height, width)) = (planes.width, tiles.result);
        planes.check(dm.len(), &part, tiles);
        assert!(dy.len() >= numbers(tiles.result, filters), "dY is too short");
        for run in tiles.runs(&part) {
            let has_second_row = run.top + 1 < height;
            for j in (0..filters).step_by(I::Vector::<T>::LANES) {
                // SAFETY: dY and dM were checked above, and only pixels that exist are read; the level is the one that is
                // running.
                unsafe {
                    let mut from = dy.as_ptr().add((run.top * width + run.left) * filters + j);
                    let mut to = dm.as_mut_ptr().add(run.row * filters + j);
                    for tile in 0..run.len {
                        let mut values = [[I::Vector::<T>::splat(T::ZERO); 2]; 2];
                        let has_second = run.left + 2 * tile + 1 < width;
                        values[0][0] = I::Vector::<T>::load(from);
                        if has_second {
                            values[0][1] = I::Vector::<T>::load(from.add(filters));
                        }
                        if has_second_row {
                            let from = from.add(width * filters);
                            values[1][0] = I::Vector::<T>::load(from);
                            if has_second {
                                values[1][1] = I::Vector::<T>::load(from.add(filters));
                            }
                        }
                        let result: [[I::Vector<T>; 4]; 4] = both_ways::<OfGradient, T, _, 2, 4>(values);
                        for (place, result) in result.as_flattened().iter().enumerate() {
                            result.store(to.add(place * DISTANCE));
                        }
                        from = from.wrapping_add(2 * filters);
                        to = to.add(filters);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
