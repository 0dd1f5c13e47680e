//! The matrix products of a convolution, without the matrix of patches.
//!
//! ```text
//! C[i, j] = Σ_taps Σ_q A[rows[i] + taps[t] + q] · B[t, q, j]      // Apply: outputs, and gradients by the input
//! C[p, j] = Σ_i A[rows[i] + columns[p]] · B[i, j]                  // Correlate: the gradient by the weights
//! ```
//! 1. The patch of output position i begins at `rows[i]` of the padded image, and every patch has the same form: so a
//!    patch is never copied. With the channels last, `q` runs over all that lie next to each other.
//! 2. In `Apply`, B is packed into panels of 4, 2 or 1 registers once for all images; the last is padded with zeros.
//! 3. Every element of C is one chain of fused additions in a fixed order: its bits depend on nothing else.
//! 4. A tile is up to 6 or 8 rows by a panel: its sums stay in registers.
#![allow(
    unsafe_code,
    reason = "register tiles read and write through pointers that are checked once per call"
)]

use thalweg_optim::Real;
use thalweg_optim::kernel::vector::{Vector, WIDEST};
use thalweg_optim::kernel::{Isa, Kernel};

/// Columns of B rounded up to whole registers of any level: what packed matrices are as wide as.
pub fn padded_columns(n: usize) -> usize {
    n.next_multiple_of(WIDEST)
}

/// Where the patches of a convolution lie in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patches {
    /// Where each patch begins.
    rows: Vec<u32>,
    /// Where each run of neighbours begins within a patch.
    taps: Vec<u32>,
    /// How long the runs are.
    run: usize,
    /// Where each number of a patch lies: runs written out.
    columns: Vec<u32>,
    /// One more than the last number of any patch.
    reach: usize,
}

impl Patches {
    /// Patches that begin at `rows` and consist of runs of `run` numbers at `taps`.
    pub fn new(rows: Vec<u32>, taps: Vec<u32>, run: usize) -> Self {
        let last = |offsets: &[u32]| offsets.iter().max().map_or(0, |&offset| offset as usize);
        let reach = if rows.is_empty() || taps.is_empty() { 0 } else { last(&rows) + last(&taps) + run };
        let columns = taps.iter().flat_map(|&tap| (0..run as u32).map(move |q| tap + q)).collect();
        Self { rows, taps, run, columns, reach }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Numbers in a patch.
    pub fn depth(&self) -> usize {
        self.columns.len()
    }
}

/// Where each row of a result begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    begins: Vec<u32>,
    /// The last of them in memory.
    last: usize,
}

impl Places {
    /// Rows that begin there.
    pub fn new(begins: Vec<u32>) -> Self {
        let last = begins.iter().max().map_or(0, |&begin| begin as usize);
        Self { begins, last }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }
}

/// `packed` ← B in panels, where B\[(t, q), j\] = `b[taps[t] + q·q_stride + j·j_stride]`.
#[derive(Debug)]
pub struct Pack<'a, T> {
    /// Where each tap's numbers begin.
    pub taps: &'a [u32],
    /// Numbers per tap.
    pub run: usize,
    /// Columns.
    pub n: usize,
    /// The matrix.
    pub b: &'a [T],
    /// The distance between a tap's numbers.
    pub q_stride: usize,
    /// The distance between columns.
    pub j_stride: usize,
    /// At least depth × [`padded_columns`] numbers.
    pub packed: &'a mut [T],
}

/// How many registers wide the panel at `column` is.
#[inline(always)]
fn panel_width<I: Isa, T: Real>(column: usize, n: usize) -> usize {
    let vectors = (n - column).div_ceil(I::Vector::<T>::LANES);
    match vectors {
        4.. if I::BYTES == 64 => 4,
        2.. => 2,
        _ => 1,
    }
}

impl<T: Real> Kernel for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { taps, run, n, b, q_stride, j_stride, packed } = self;
        let depth = taps.len() * run;
        let mut at = 0;
        while at < n {
            let width = panel_width::<I, T>(at, n) * I::Vector::<T>::LANES;
            let real = width.min(n - at);
            let panel = &mut packed[at * depth..][..width * depth];
            let sources = taps.iter().flat_map(|&tap| (0..run).map(move |q| tap as usize + q * q_stride));
            for (source, row) in sources.zip(panel.chunks_exact_mut(width)) {
                let first = source + at * j_stride;
                if j_stride == 1 {
                    row[..real].copy_from_slice(&b[first..first + real]);
                } else {
                    for (j, value) in row[..real].iter_mut().enumerate() {
                        *value = b[first + j * j_stride];
                    }
                }
                row[real..].fill(T::ZERO);
            }
            at += width;
        }
    }
}

/// C\[i\] ← start + patch(i)·B, the rows of C at places of their own.
#[derive(Debug)]
pub struct Apply<'a, T> {
    /// The patches.
    pub patches: &'a Patches,
    /// Columns of B and C.
    pub n: usize,
    /// The image.
    pub a: &'a [T],
    /// What [`Pack`] wrote.
    pub packed: &'a [T],
    /// What each row of C starts from; zero if not given.
    pub bias: Option<&'a [T]>,
    /// C.
    pub c: &'a mut [T],
    /// Where each row of C begins.
    pub places: &'a Places,
}

/// A panel of packed B and where it goes.
#[derive(Clone, Copy)]
struct Panel<T> {
    b: *const T,
    /// Its first column.
    at: usize,
    /// Its columns that exist.
    real: usize,
    /// What its columns start from: a whole panel's width of numbers.
    start: *const T,
}

impl<T: Real> Kernel for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (n, lanes) = (self.n, I::Vector::<T>::LANES);
        assert!(self.places.len() == self.patches.len(), "a patch has no place");
        assert!(self.patches.reach <= self.a.len(), "the image is too small");
        assert!(self.patches.is_empty() || self.places.last + n <= self.c.len(), "C is too short");
        assert!(self.packed.len() >= self.patches.depth() * padded_columns(n), "B is not packed");
        assert!(self.bias.is_none_or(|bias| bias.len() >= n), "the bias is too short");
        let mut at = 0;
        while at < n {
            let vectors = panel_width::<I, T>(at, n);
            let real = (vectors * lanes).min(n - at);
            let mut start = [T::ZERO; 4 * WIDEST];
            if let Some(bias) = self.bias {
                start[..real].copy_from_slice(&bias[at..at + real]);
            }
            let b = self.packed[at * self.patches.depth()..].as_ptr();
            let panel = Panel { b, at, real, start: start.as_ptr() };
            let (a, c) = (self.a.as_ptr(), self.c.as_mut_ptr());
            let pass = Rows { patches: self.patches, places: &self.places.begins, a, c };
            // SAFETY: all that the tiles read and write was checked above; the level is the one that is running.
            unsafe {
                match vectors {
                    4 => pass.all::<I, 4, 6>(panel),
                    2 if I::BYTES == 64 => pass.all::<I, 2, 8>(panel),
                    2 => pass.all::<I, 2, 6>(panel),
                    _ => pass.all::<I, 1, 8>(panel),
                }
            }
            at += vectors * lanes;
        }
    }
}

#[derive(Clone, Copy)]
struct Rows<'a, T> {
    patches: &'a Patches,
    places: &'a [u32],
    a: *const T,
    c: *mut T,
}

impl<T: Real> Rows<'_, T> {
    /// # Safety
    /// Every patch must lie within A, every place be followed by the panel's columns in C, and the level be running.
    #[inline(always)]
    unsafe fn all<I: Isa, const V: usize, const M: usize>(self, panel: Panel<T>) {
        let m = self.places.len();
        let mut i = 0;
        // SAFETY: passed on.
        unsafe {
            while i + M <= m {
                self.tile::<I, V, M>(panel, i);
                i += M;
            }
            if i + 4 <= m {
                self.tile::<I, V, 4>(panel, i);
                i += 4;
            }
            if i + 2 <= m {
                self.tile::<I, V, 2>(panel, i);
                i += 2;
            }
            while i < m {
                self.tile::<I, V, 1>(panel, i);
                i += 1;
            }
        }
    }

    /// # Safety
    /// As [`Rows::all`], and `i + M` patches must exist.
    #[inline(always)]
    unsafe fn tile<I: Isa, const V: usize, const M: usize>(self, panel: Panel<T>, i: usize) {
        let lanes = I::Vector::<T>::LANES;
        // SAFETY: the caller promises that the patches lie within A; packed B has `depth` rows of V registers.
        unsafe {
            let mut rows = [self.a; M];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = self.a.add(*self.patches.rows.get_unchecked(i + r) as usize);
            }
            let mut acc = [[I::Vector::<T>::splat(T::ZERO); V]; M];
            for v in 0..V {
                let start = I::Vector::<T>::load(panel.start.add(v * lanes));
                for acc in &mut acc {
                    acc[v] = start;
                }
            }
            let mut b = panel.b;
            for &tap in &self.patches.taps {
                for q in tap as usize..tap as usize + self.patches.run {
                    let mut values = [I::Vector::<T>::splat(T::ZERO); V];
                    for (v, value) in values.iter_mut().enumerate() {
                        *value = I::Vector::<T>::load(b.add(v * lanes));
                    }
                    b = b.add(V * lanes);
                    for (acc, row) in acc.iter_mut().zip(&rows) {
                        let x = I::Vector::<T>::splat(*row.add(q));
                        for (acc, &value) in acc.iter_mut().zip(&values) {
                            *acc = x.mul_add(value, *acc);
                        }
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                let c = self.c.add(*self.places.get_unchecked(i + r) as usize + panel.at);
                store::<I, T, V>(acc, c, panel.real);
            }
        }
    }
}

/// Writes the first `real` numbers of V registers.
///
/// # Safety
/// `c` must be writable for them, and the level be running.
#[inline(always)]
pub(super) unsafe fn store<I: Isa, T: Real, const V: usize>(acc: &[I::Vector<T>; V], c: *mut T, real: usize) {
    let lanes = I::Vector::<T>::LANES;
    // SAFETY: promised by the caller; the local array is as wide as the widest panel.
    unsafe {
        if real == V * lanes {
            for (v, acc) in acc.iter().enumerate() {
                acc.store(c.add(v * lanes));
            }
        } else {
            let mut whole = [T::ZERO; 4 * WIDEST];
            for (v, acc) in acc.iter().enumerate() {
                acc.store(whole.as_mut_ptr().add(v * lanes));
            }
            std::ptr::copy_nonoverlapping(whole.as_ptr(), c, real);
        }
    }
}

/// C\[p\] ← (C\[p\] or 0) + Σᵢ patch(i)\[p\]·B\[i\], with a row of C for each number of a patch.
#[derive(Debug)]
pub struct Correlate<'a, T> {
    /// The patches.
    pub patches: &'a Patches,
    /// The image.
    pub a: &'a [T],
    /// Columns of B and C.
    pub n: usize,
    /// A row for each patch, `b_row` numbers apart, each with a whole number of the widest registers behind its beginning.
    pub b: &'a [T],
    /// The distance between B's rows.
    pub b_row: usize,
    /// C: depth rows, `c_row` numbers apart.
    pub c: &'a mut [T],
    /// The distance between C's rows.
    pub c_row: usize,
    /// Whether C is added to.
    pub add: bool,
}

impl<T: Real> Kernel for Correlate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (n, m, depth) = (self.n, self.patches.len(), self.patches.depth());
        assert!(self.patches.reach <= self.a.len(), "the image is too small");
        assert!(m == 0 || self.b.len() >= (m - 1) * self.b_row + padded_columns(n), "B is too short");
        assert!(depth == 0 || self.c.len() >= (depth - 1) * self.c_row + n, "C is too short");
        let lanes = I::Vector::<T>::LANES;
        let mut at = 0;
        while at < n {
            let vectors = panel_width::<I, T>(at, n);
            let real = (vectors * lanes).min(n - at);
            let columns = Columns {
                patches: self.patches,
                a: self.a.as_ptr(),
                b: self.b[at..].as_ptr(),
                b_row: self.b_row,
                c: self.c[at..].as_mut_ptr(),
                c_row: self.c_row,
                real,
                add: self.add,
            };
            // SAFETY: all that the tiles read and write was checked above; the level is the one that is running.
            unsafe {
                match vectors {
                    4 => columns.all::<I, 4, 6>(),
                    2 if I::BYTES == 64 => columns.all::<I, 2, 8>(),
                    2 => columns.all::<I, 2, 6>(),
                    _ => columns.all::<I, 1, 8>(),
                }
            }
            at += vectors * lanes;
        }
    }
}

#[derive(Clone, Copy)]
struct Columns<'a, T> {
    patches: &'a Patches,
    a: *const T,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    real: usize,
    add: bool,
}

impl<T: Real> Columns<'_, T> {
    /// # Safety
    /// Every patch must lie within A, B and C be as large as [`Correlate`] checks, and the level be running.
    #[inline(always)]
    unsafe fn all<I: Isa, const V: usize, const M: usize>(self) {
        let depth = self.patches.depth();
        let mut p = 0;
        // SAFETY: passed on.
        unsafe {
            while p + M <= depth {
                self.tile::<I, V, M>(p);
                p += M;
            }
            if p + 4 <= depth {
                self.tile::<I, V, 4>(p);
                p += 4;
            }
            if p + 2 <= depth {
                self.tile::<I, V, 2>(p);
                p += 2;
            }
            while p < depth {
                self.tile::<I, V, 1>(p);
                p += 1;
            }
        }
    }

    /// # Safety
    /// As [`Columns::all`], and `p + M` rows of C must exist.
    #[inline(always)]
    unsafe fn tile<I: Isa, const V: usize, const M: usize>(self, p: usize) {
        let lanes = I::Vector::<T>::LANES;
        // SAFETY: promised by the caller.
        unsafe {
            let mut offsets = [0_usize; M];
            for (r, offset) in offsets.iter_mut().enumerate() {
                *offset = *self.patches.columns.get_unchecked(p + r) as usize;
            }
            let mut acc = [[I::Vector::<T>::splat(T::ZERO); V]; M];
            if self.add {
                for (r, acc) in acc.iter_mut().enumerate() {
                    let c = self.c.add((p + r) * self.c_row);
                    let mut whole = [T::ZERO; 4 * WIDEST];
                    let from = if self.real == V * lanes {
                        c.cast_const()
                    } else {
                        std::ptr::copy_nonoverlapping(c, whole.as_mut_ptr(), self.real);
                        whole.as_ptr()
                    };
                    for (v, acc) in acc.iter_mut().enumerate() {
                        *acc = I::Vector::<T>::load(from.add(v * lanes));
                    }
                }
            }
            let mut b = self.b;
            for &row in &self.patches.rows {
                let a = self.a.add(row as usize);
                let mut values = [I::Vector::<T>::splat(T::ZERO); V];
                for (v, value) in values.iter_mut().enumerate() {
                    *value = I::Vector::<T>::load(b.add(v * lanes));
                }
                b = b.wrapping_add(self.b_row);
                for (acc, &offset) in acc.iter_mut().zip(&offsets) {
                    let x = I::Vector::<T>::splat(*a.add(offset));
                    for (acc, &value) in acc.iter_mut().zip(&values) {
                        *acc = x.mul_add(value, *acc);
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                store::<I, T, V>(acc, self.c.add((p + r) * self.c_row), self.real);
            }
        }
    }
}

#[cfg(test)]
mod tests;
