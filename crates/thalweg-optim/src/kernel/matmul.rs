//! C = A·B for the shapes that small networks have.
//!
//! ```text
//! for each panel of columns of B (the ragged one first, then 4, 2 or 1 vectors wide)
//!     for each tile of rows of A (up to 6 or 8)
//!         acc ← start                           // stays in registers
//!         for p in 0..k: acc += A[rows, p] ⊗ B[p, panel]
//!         C[rows, panel] ← acc
//! ```
//! 1. B is read in place, row by row: with weights stored `[inputs, outputs]` neither the forward product X·W nor the
//!    weight gradient Xᵀ·dY needs packing.
//! 2. The ragged panel reads and writes whole vectors, too. What it reads beyond a row's end is the next row; it lands
//!    in lanes that no column of C owns. What it writes beyond a row's end belongs to columns that are written later.
//!    Only at the very end of B and C, where there is nothing beyond, it goes by a padded copy.
//! 3. A deep product is made in parts of [`DEPTH`] numbers: a part of B's panel stays in the nearest cache while all rows of A
//!    pass by, and C is taken up where the part before left it.
//! 4. Every element of C is one chain of `k` (fused) additions in order, so its bits do not depend on the tile, nor on
//!    the vector width of CPUs that fuse.
//!
//! Measured against `gemm` 0.18 and `nano-gemm` 0.2 on 32×64×64 (AVX-512, one thread): 2.0 µs, 4.7 µs, 4.3 µs.
#![allow(
    unsafe_code,
    reason = "register tiles read and write through pointers that are checked once per call"
)]

use super::vector::{Vector, WIDEST};
use super::{Isa, Kernel};
use crate::real::Real;

/// What the sums of a product start from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a, T> {
    /// Zero: C ← A·B.
    Zero,
    /// One number per column: C ← bias + A·B.
    Bias(&'a [T]),
    /// What C holds: C ← C + A·B.
    Held,
}

/// C ← start + A·B.
#[derive(Debug)]
pub struct MatMul<'a, T> {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// A: element (i, p) lies at `i·row + p·column`.
    pub a: &'a [T],
    /// The distance between A's rows and between its columns.
    pub a_strides: (usize, usize),
    /// B, row-major.
    pub b: &'a [T],
    /// What C starts from.
    pub start: Start<'a, T>,
    /// C, row-major.
    pub c: &'a mut [T],
}

/// Rows of B that are worked on at once: of the widest panel they are 32 KiB.
const DEPTH: usize = 128;

/// Where a panel of columns lies.
#[derive(Clone, Copy)]
struct Panel<T> {
    /// Its first element in C.
    c: *mut T,
    /// How many of its rows in C have a whole tile's width of numbers before the end of C.
    c_whole: usize,
    /// Its first element in B.
    b: *const T,
    /// How many of its rows in B have a whole tile's width of numbers before the end of B.
    b_whole: usize,
    /// The other rows, packed and padded, each as long as a register.
    b_rest: *const T,
    /// What its columns start from: a whole tile's width of numbers.
    start: *const T,
    /// Whether they start from what C holds instead.
    goes_on: bool,
    /// Its columns that exist.
    width: usize,
}

impl<T: Real> Kernel for MatMul<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (m, n, k) = (self.m, self.n, self.k);
        let (row, column) = self.a_strides;
        // Saturating: a size that wraps around must not pass.
        let last = |count: usize, stride: usize| (count.max(1) - 1).saturating_mul(stride);
        assert!(
            m == 0 || k == 0 || self.a.len() > last(m, row).saturating_add(last(k, column)),
            "A is too short"
        );
        assert!(
            self.b.len() >= k.saturating_mul(n) && self.c.len() >= m.saturating_mul(n),
            "B or C is too short"
        );
        let (bias, goes_on) = match self.start {
            Start::Zero => (None, false),
            Start::Bias(bias) => (Some(&bias[..n]), false),
            Start::Held => (None, true),
        };

        let lanes = I::Vector::<T>::LANES;
        let (b, c) = (self.b.as_ptr(), self.c.as_mut_ptr());
        let aligned = n - n % lanes;
        let zeros = [T::ZERO; 4 * WIDEST];
        let product = Product { m, n, k, a: self.a.as_ptr(), row, column };
        if aligned < n {
            let mut rest = [[T::ZERO; WIDEST]; WIDEST];
            let mut start = [T::ZERO; WIDEST];
            if let Some(bias) = bias {
                start[..n - aligned].copy_from_slice(&bias[aligned..n]);
            }
            // Rows of a matrix of `rows` rows that have a register's width of numbers behind column `aligned`.
            let whole = |rows: usize| {
                (rows * n).checked_sub(aligned + lanes).map_or(0, |last| last / n + 1).min(rows)
            };
            let b_whole = whole(k);
            let packed = rest.as_flattened_mut().chunks_exact_mut(lanes);
            for (packed, row) in packed.zip(self.b[..k * n].chunks_exact(n).skip(b_whole)) {
                packed[..n - aligned].copy_from_slice(&row[aligned..]);
            }
            product.rows::<I, 1, 8>(Panel {
                c: c.wrapping_add(aligned),
                // Where C is added to, what lies behind a row's end must stay.
                c_whole: if goes_on { 0 } else { whole(m) },
                b: b.wrapping_add(aligned),
                b_whole,
                b_rest: rest.as_ptr().cast(),
                start: start.as_ptr(),
                goes_on,
                width: n - aligned,
            });
        }
        // A product of few rows reads B once anyway.
        let depth = if k > 2 * DEPTH && m > 8 { DEPTH } else { k.max(1) };
        let mut at = 0;
        while at < aligned {
            let vectors = (aligned - at) / lanes;
            let used = match vectors {
                4.. if I::BYTES == 64 => 4,
                2.. => 2,
                _ => 1,
            };
            let mut done = 0;
            // Once for k = 0, too: C is the bias then.
            while done < k || done == 0 {
                let part = depth.min(k - done);
                let panel = Panel {
                    c: c.wrapping_add(at),
                    c_whole: m,
                    b: b.wrapping_add(done * n + at),
                    b_whole: part,
                    b_rest: std::ptr::null(),
                    start: bias.map_or(zeros.as_ptr(), |bias| bias[at..].as_ptr()),
                    goes_on: goes_on || done > 0,
                    width: 0,
                };
                let product = Product { k: part, a: product.a.wrapping_add(done * column), ..product };
                // Wide tiles need 24 accumulators: only a level with 32 registers has them.
                match used {
                    4 => product.rows::<I, 4, 6>(panel),
                    2 if I::BYTES == 64 => product.rows::<I, 2, 8>(panel),
                    2 => product.rows::<I, 2, 6>(panel),
                    _ => product.rows::<I, 1, 8>(panel),
                }
                done += part.max(1);
            }
            at += used * lanes;
        }
    }
}

/// The sizes, and A.
#[derive(Clone, Copy)]
struct Product<T> {
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    row: usize,
    column: usize,
}

impl<T: Real> Product<T> {
    /// All rows of a panel that is `V` registers wide, up to `M` at a time.
    #[inline(always)]
    fn rows<I: Isa, const V: usize, const M: usize>(self, panel: Panel<T>) {
        let mut i = 0;
        while i + M <= self.m {
            self.place::<I, V, M>(panel, i);
            i += M;
        }
        if i + 4 <= self.m {
            self.place::<I, V, 4>(panel, i);
            i += 4;
        }
        if i + 2 <= self.m {
            self.place::<I, V, 2>(panel, i);
            i += 2;
        }
        while i < self.m {
            self.place::<I, V, 1>(panel, i);
            i += 1;
        }
    }

    /// `M` rows of a panel, written where they belong.
    #[inline(always)]
    fn place<I: Isa, const V: usize, const M: usize>(self, panel: Panel<T>, i: usize) {
        let c = panel.c.wrapping_add(i * self.n);
        // Only the ragged panel, which is one register wide, may have rows that are not whole.
        if V > 1 || i + M <= panel.c_whole {
            // SAFETY: these rows of C have a whole tile's width of numbers before its end; the pointer came from the
            // exclusive borrow of C, which nobody uses while the tiles run.
            unsafe { self.tile::<I, V, M>(panel, i, c, self.n) };
            return;
        }
        let mut rows = [[T::ZERO; WIDEST]; M];
        if panel.goes_on {
            for (r, row) in rows.iter_mut().enumerate() {
                // SAFETY: row `i + r < m` of C has `width` columns here, and the local row has at least as many.
                unsafe { std::ptr::copy_nonoverlapping(c.add(r * self.n), row.as_mut_ptr(), panel.width) };
            }
        }
        // SAFETY: the local array has M rows of at least one register's width.
        unsafe { self.tile::<I, V, M>(panel, i, rows.as_mut_ptr().cast(), WIDEST) };
        for (r, row) in rows.iter().enumerate() {
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(row.as_ptr(), c.add(r * self.n), panel.width) };
        }
    }

    /// `M` rows of a panel, in registers, written to the rows `c`, `c + c_row`, ….
    ///
    /// # Safety
    /// `c` must be writable for a whole tile's width of numbers in each of the M rows, and hold numbers where the panel
    /// goes on.
    #[inline(always)]
    unsafe fn tile<I: Isa, const V: usize, const M: usize>(
        self,
        panel: Panel<T>,
        i: usize,
        c: *mut T,
        c_row: usize,
    ) {
        let lanes = I::Vector::<T>::LANES;
        let a = self.a.wrapping_add(i * self.row);
        // SAFETY: `run` checked that A reaches element (m−1, k−1), counted the rows of B that have a whole tile's width of
        // numbers before its end, packed the others (at most as many as lanes), and made `start` a whole tile wide. The
        // level is the one that is running.
        unsafe {
            let mut acc = [[I::Vector::<T>::splat(T::ZERO); V]; M];
            for v in 0..V {
                let start = I::Vector::<T>::load(panel.start.add(v * lanes));
                for acc in &mut acc {
                    acc[v] = start;
                }
            }
            if panel.goes_on {
                for (r, acc) in acc.iter_mut().enumerate() {
                    for (v, acc) in acc.iter_mut().enumerate() {
                        *acc = I::Vector::<T>::load(c.add(r * c_row + v * lanes).cast_const());
                    }
                }
            }
            for p in 0..panel.b_whole {
                add::<I, T, V, M>(
                    &mut acc,
                    a.wrapping_add(p * self.column),
                    self.row,
                    panel.b.add(p * self.n),
                );
            }
            for p in panel.b_whole..self.k {
                let b = panel.b_rest.add((p - panel.b_whole) * lanes);
                add::<I, T, V, M>(&mut acc, a.wrapping_add(p * self.column), self.row, b);
            }
            for (r, acc) in acc.iter().enumerate() {
                for (v, acc) in acc.iter().enumerate() {
                    acc.store(c.add(r * c_row + v * lanes));
                }
            }
        }
    }
}

/// acc ← acc + A\[rows, p\] ⊗ B\[p, panel\].
///
/// # Safety
/// `a` must be readable at 0, `row`, …, (M−1)·`row`, and `b` for V registers.
#[inline(always)]
unsafe fn add<I: Isa, T: Real, const V: usize, const M: usize>(
    acc: &mut [[I::Vector<T>; V]; M],
    a: *const T,
    row: usize,
    b: *const T,
) {
    // SAFETY: promised by the caller; the level is the one that is running.
    unsafe {
        let mut values = [I::Vector::<T>::splat(T::ZERO); V];
        for (v, values) in values.iter_mut().enumerate() {
            *values = I::Vector::<T>::load(b.add(v * I::Vector::<T>::LANES));
        }
        for (r, acc) in acc.iter_mut().enumerate() {
            let x = I::Vector::<T>::splat(*a.add(r * row));
            for (acc, &values) in acc.iter_mut().zip(&values) {
                *acc = x.mul_add(values, *acc);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::{levels, run_on};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    /// The plain twin.
    fn naive(
        m: usize,
        n: usize,
        k: usize,
        a: &[f64],
        strides: (usize, usize),
        b: &[f64],
        bias: &[f64],
    ) -> Vec<f64> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] =
                    bias[j] + (0..k).map(|p| a[i * strides.0 + p * strides.1] * b[p * n + j]).sum::<f64>();
            }
        }
        c
    }

    fn compare<T: Real>(m: usize, n: usize, k: usize, transposed: bool, tolerance: f64) {
        let wave = |len: usize, step: f64| (0..len).map(|i| (i as f64 * step).sin()).collect::<Vec<_>>();
        let (a, b, bias) = (wave(m * k, 0.37), wave(k * n, 0.11), wave(n, 0.7));
        let strides = if transposed { (1, m) } else { (k, 1) };
        let expected = naive(m, n, k, &a, strides, &b, &bias);
        let cast = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
        let (a, b, bias) = (cast(&a), cast(&b), cast(&bias));
        for &level in levels() {
            // From one number per column, or from what C holds: here another number in each row.
            let fresh = vec![T::from_f64(f64::NAN); m * n];
            let held = (0..m * n).map(|at| bias[at % n] + T::from_f64((at / n) as f64)).collect();
            for (start, mut c, by_row) in [(Start::Bias(&bias[..]), fresh, 0.0), (Start::Held, held, 1.0)] {
                run_on(level, MatMul { m, n, k, a: &a, a_strides: strides, b: &b, start, c: &mut c });
                for (index, (&found, &expected)) in c.iter().zip(&expected).enumerate() {
                    let error = (found.to_f64() - expected - by_row * (index / n) as f64).abs();
                    assert!(
                        error <= tolerance * (1.0 + k as f64 + by_row * m as f64),
                        "{m}×{n}×{k} at {index} on {level:?} from {start:?}: {error}"
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(200) })]
        #[test]
        fn every_level_agrees_with_the_plain_twin(m in 0_usize..40, n in 0_usize..140, k in 0_usize..70, t: bool) {
            compare::<f32>(m, n, k, t, 1e-6);
            compare::<f64>(m, n, k, t, 1e-14);
        }
    }

    #[test]
    fn a_deep_product_in_parts_has_the_bits_of_one_chain() {
        for k in [255, 256, 257, 384, 700] {
            for (m, n) in [(9, 16), (20, 67), (13, 128)] {
                compare::<f32>(m, n, k, false, 1e-6);
                compare::<f64>(m, n, k, true, 1e-14);
            }
        }
        // Of 8 rows or fewer a product is made in one part.
        let wave = |len: usize, step: f32| (0..len).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
        let (m, n, k) = (24, 80, 600);
        let (a, b) = (wave(m * k, 0.37), wave(k * n, 0.11));
        let product = |m: usize, a: &[f32]| {
            let mut c = vec![0.0; m * n];
            super::super::dispatch(MatMul {
                m,
                n,
                k,
                a,
                a_strides: (k, 1),
                b: &b,
                start: Start::Zero,
                c: &mut c,
            });
            c
        };
        let parts: Vec<f32> = a.chunks_exact(4 * k).flat_map(|a| product(4, a)).collect();
        assert!(product(m, &a) == parts);
    }

    #[test]
    fn nan_spreads_to_its_row_only() {
        let (mut a, b) = (vec![1.0_f32; 3 * 5], vec![1.0_f32; 5 * 20]);
        a[5] = f32::NAN;
        for &level in levels() {
            let mut c = vec![0.0; 60];
            let (a, b) = (&a[..], &b[..]);
            run_on(
                level,
                MatMul { m: 3, n: 20, k: 5, a, a_strides: (5, 1), b, start: Start::Zero, c: &mut c },
            );
            assert!(c[..20].iter().chain(&c[40..]).all(|&x| x == 5.0));
            assert!(c[20..40].iter().all(|x| x.is_nan()));
        }
    }
}
