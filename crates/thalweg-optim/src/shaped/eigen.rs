//! Eigenvectors of a symmetric matrix, and the orthonormal factor of any square one, in f64.
//!
//! Rows are what is next to each other in memory, so both work on rows alone: a symmetric matrix is its own transpose,
//! and Q is kept as Qᵀ until it is written out.
//!
//! ```text
//! eigenvectors:  Householder reflections make A tridiagonal; implicit QR steps with Wilkinson's shift make that
//!                diagonal, each rotation applied to two rows of Qᵀ
//! orthonormal:   Householder reflections make A triangular; Q is their product
//! ```
//! Only +, −, ·, / and roots are used, so the bits are the same on every platform of one CPU level; and nothing is allocated, which
//! is why no linear algebra crate is used: those return new matrices.
//!
//! Source: Golub & Van Loan, *Matrix computations* (4th edition, 2013), algorithms 5.1.1, 5.2.1, 8.3.1 and 8.3.2.

use crate::kernel::{Isa, Kernel};

/// How many numbers [`Eigenvectors`] works in for a matrix of n × n.
pub(super) fn scratch_len(n: usize) -> usize {
    n * n + 3 * n
}

/// Overwrites a symmetric `a` (n × n) with its eigenvectors as rows, and `order` with their indices from the largest
/// eigenvalue to the least. A matrix with NaN or ∞ in it gets the unit vectors.
pub(super) struct Eigenvectors<'a> {
    pub(super) a: &'a mut [f64],
    pub(super) scratch: &'a mut [f64],
    pub(super) order: &'a mut Vec<usize>,
    pub(super) n: usize,
}

impl Kernel for Eigenvectors<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { a, scratch, order, n } = self;
        let (vectors, rest) = scratch.split_at_mut(n * n);
        let (diagonal, rest) = rest.split_at_mut(n);
        let (beside, rest) = rest.split_at_mut(n);
        let taus = &mut rest[..n];
        vectors.fill(0.0);
        vectors.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
        order.clear();
        order.extend(0..n);
        if a.iter().all(|x| x.is_finite()) {
            let largest = a.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
            if largest > 0.0 {
                // So that squares neither vanish nor overflow.
                a.iter_mut().for_each(|x| *x /= largest);
            }
            tridiagonalize(a, diagonal, beside, taus, n);
            // Row j of Qᵀ is H₀·H₁·…·eⱼ; the reflection k leaves the first k + 1 entries alone.
            for (j, row) in vectors.chunks_exact_mut(n).enumerate() {
                for k in (0..j.min(n.saturating_sub(2))).rev() {
                    reflect(&a[k * n + k + 1..(k + 1) * n], taus[k], &mut row[k + 1..]);
                }
            }
            diagonalize(diagonal, beside, vectors, n);
            order.sort_unstable_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]).then(i.cmp(&j)));
        }
        a.copy_from_slice(vectors);
    }
}

/// Overwrites the rows of `a` (n × n), which are the columns of a matrix, with the columns of its factor Q.
pub(super) struct Orthonormal<'a> {
    pub(super) a: &'a mut [f64],
    pub(super) scratch: &'a mut [f64],
    pub(super) n: usize,
}

impl Kernel for Orthonormal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { a, scratch, n } = self;
        let (columns, rest) = scratch.split_at_mut(n * n);
        let taus = &mut rest[..n];
        for k in 0..n {
            let (head, later) = a.split_at_mut((k + 1) * n);
            let own = &mut head[k * n + k..];
            (taus[k], _) = reflector(own);
            for row in later.chunks_exact_mut(n) {
                reflect(own, taus[k], &mut row[k..]);
            }
        }
        columns.fill(0.0);
        columns.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
        for (j, column) in columns.chunks_exact_mut(n).enumerate() {
            for k in (0..=j).rev() {
                reflect(&a[k * n + k..(k + 1) * n], taus[k], &mut column[k..]);
            }
        }
        a.copy_from_slice(columns);
    }
}

#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += a * b;
    }
    lanes.iter().sum()
}

/// y ← y + factor·x.
#[inline(always)]
fn add(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// Overwrites x with the v of a reflection I − τvvᵀ that turns x to a multiple of the first unit vector; returns τ and that
/// multiple. τ is 0 where there is nothing to turn.
#[inline(always)]
fn reflector(x: &mut [f64]) -> (f64, f64) {
    let Some(&first) = x.first() else { return (0.0, 0.0) };
    // Scaled, so that squares of small numbers do not vanish.
    let largest = x.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 || x[1..].iter().all(|&x| x == 0.0) {
        return (0.0, first);
    }
    x.iter_mut().for_each(|x| *x /= largest);
    let norm = dot(x, x).sqrt().copysign(-x[0]);
    x[0] -= norm;
    (2.0 / dot(x, x), norm * largest)
}

/// x ← (I − τvvᵀ)x.
#[inline(always)]
fn reflect(v: &[f64], tau: f64, x: &mut [f64]) {
    if tau != 0.0 {
        let along = dot(v, x);
        add(x, -tau * along, v);
    }
}

/// Reduces A to its diagonal and the numbers beside it; the reflections stay in its rows, behind the diagonal.
#[inline(always)]
fn tridiagonalize(a: &mut [f64], diagonal: &mut [f64], beside: &mut [f64], taus: &mut [f64], n: usize) {
    for k in 0..n {
        let (head, below) = a.split_at_mut((k + 1) * n);
        diagonal[k] = head[k * n + k];
        let v = &mut head[k * n + k + 1..];
        if v.len() < 2 {
            beside[k] = v.first().copied().unwrap_or_default();
            taus[k] = 0.0;
            continue;
        }
        (taus[k], beside[k]) = reflector(v);
        if taus[k] == 0.0 {
            continue;
        }
        // A ← A − vwᵀ − wvᵀ, with w = p − ½τ(pᵀv)v, p = τAv. `beside` has room for w behind entry k.
        let w = &mut beside[k + 1..n];
        for (w, row) in w.iter_mut().zip(below.chunks_exact(n)) {
            *w = taus[k] * dot(&row[k + 1..], v);
        }
        let half = -0.5 * taus[k] * dot(w, v);
        add(w, half, v);
        for (i, row) in below.chunks_exact_mut(n).enumerate() {
            add(&mut row[k + 1..], -v[i], w);
            add(&mut row[k + 1..], -w[i], v);
        }
    }
}

/// Turns a tridiagonal matrix diagonal; the rows of `vectors` turn with it.
#[inline(always)]
fn diagonalize(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize) {
    let mut high = n.saturating_sub(1);
    // About two rounds per eigenvalue are usual; the bound only keeps a bad matrix from running on.
    for _ in 0..60 * n {
        for i in 0..high {
            if e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs()) + f64::MIN_POSITIVE {
                e[i] = 0.0;
            }
        }
        while high > 0 && e[high - 1] == 0.0 {
            high -= 1;
        }
        if high == 0 {
            return;
        }
        let mut low = high - 1;
        while low > 0 && e[low - 1] != 0.0 {
            low -= 1;
        }
        round(d, e, vectors, n, low, high);
    }
}

/// One implicit QR step with Wilkinson's shift on the entries `low..=high`.
#[inline(always)]
fn round(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize, low: usize, high: usize) {
    let (gap, last) = (0.5 * (d[high - 1] - d[high]), e[high - 1]);
    let shift = d[high] - last * last / (gap + (gap * gap + last * last).sqrt().copysign(gap));
    let (mut x, mut z) = (d[low] - shift, e[low]);
    for k in low..high {
        let length = (x * x + z * z).sqrt();
        let (c, s) = if length == 0.0 { (1.0, 0.0) } else { (x / length, z / length) };
        if k > low {
            e[k - 1] = length;
        }
        let (first, second, off) = (d[k], d[k + 1], e[k]);
        d[k] = c * c * first + 2.0 * c * s * off + s * s * second;
        d[k + 1] = s * s * first - 2.0 * c * s * off + c * c * second;
        e[k] = c * s * (second - first) + (c * c - s * s) * off;
        if k + 1 < high {
            z = s * e[k + 1];
            e[k + 1] *= c;
            x = e[k];
        }
        let (head, tail) = vectors.split_at_mut((k + 1) * n);
        for (p, q) in head[k * n..].iter_mut().zip(&mut tail[..n]) {
            (*p, *q) = (c * *p + s * *q, c * *q - s * *p);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};

    fn symmetric(n: usize) -> Vec<f64> {
        let at = |i: usize, j: usize| {
            ((i * j) as f64 * 0.37 + (i + j) as f64).sin() + if i == j { 2.0 } else { 0.0 }
        };
        (0..n * n).map(|k| at(k / n, k % n)).collect()
    }

    /// The largest |QQᵀ − I|.
    fn skew(rows: &[f64], n: usize) -> f64 {
        let row = |i: usize| &rows[i * n..(i + 1) * n];
        let one = |i: usize, j: usize| (dot(row(i), row(j)) - f64::from(u8::from(i == j))).abs();
        (0..n * n).map(|k| one(k / n, k % n)).fold(0.0, f64::max)
    }

    fn check_eigenvectors(a: &[f64], n: usize) {
        let size = a.iter().fold(1e-300_f64, |size, x| size.max(x.abs()));
        for &level in levels() {
            let (mut rows, mut order) = (a.to_vec(), Vec::new());
            let mut scratch = vec![f64::NAN; scratch_len(n)];
            run_on(level, Eigenvectors { a: &mut rows, scratch: &mut scratch, order: &mut order, n });
            assert!(skew(&rows, n) < 1e-13 * n as f64, "{n}: {}", skew(&rows, n));
            let mut above = f64::INFINITY;
            for &i in &order {
                let v = &rows[i * n..(i + 1) * n];
                let turned: Vec<f64> = a.chunks_exact(n).map(|row| dot(row, v)).collect();
                let value = dot(&turned, v);
                assert!(value <= above + 1e-13 * size * n as f64, "{n}: not in order");
                above = value;
                for (t, v) in turned.iter().zip(v) {
                    assert!((t - value * v).abs() < 2e-14 * size * n as f64, "{n}: {t} is not {value}·{v}");
                }
            }
        }
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_stretched_by_their_values() {
        for n in [1, 2, 3, 4, 7, 16, 33, 64] {
            check_eigenvectors(&symmetric(n), n);
            check_eigenvectors(&symmetric(n).iter().map(|x| x * 1e-200).collect::<Vec<_>>(), n);
            check_eigenvectors(&vec![0.0; n * n], n);
            // Of rank one, and a diagonal.
            let v: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5).cos()).collect();
            check_eigenvectors(&(0..n * n).map(|k| v[k / n] * v[k % n]).collect::<Vec<_>>(), n);
            check_eigenvectors(
                &(0..n * n).map(|k| if k / n == k % n { v[k % n] } else { 0.0 }).collect::<Vec<_>>(),
                n,
            );
        }
    }

    #[test]
    fn what_is_not_finite_gets_the_unit_vectors() {
        let (mut a, mut order) = (symmetric(5), Vec::new());
        a[7] = f64::NAN;
        let mut scratch = vec![0.0; scratch_len(5)];
        crate::kernel::dispatch(Eigenvectors { a: &mut a, scratch: &mut scratch, order: &mut order, n: 5 });
        assert_eq!((skew(&a, 5), a[0], order), (0.0, 1.0, vec![0, 1, 2, 3, 4]));
    }

    #[test]
    fn the_orthonormal_factor_spans_the_columns_in_their_order() {
        for n in [1, 2, 3, 5, 17, 40] {
            let columns: Vec<f64> = (0..n * n).map(|k| ((k * k) as f64 * 0.13).sin()).collect();
            for &level in levels() {
                let (mut q, mut scratch) = (columns.clone(), vec![f64::NAN; scratch_len(n)]);
                run_on(level, Orthonormal { a: &mut q, scratch: &mut scratch, n });
                assert!(skew(&q, n) < 1e-13 * n as f64);
                // R = QᵀA is upper triangular: column j has nothing along the later q.
                for (j, column) in columns.chunks_exact(n).enumerate() {
                    for later in q.chunks_exact(n).skip(j + 1) {
                        assert!(dot(column, later).abs() < 1e-13 * n as f64);
                    }
                }
            }
        }
    }

    #[test]
    fn a_factor_of_nothing_is_still_orthonormal() {
        let (mut q, mut scratch) = (vec![0.0; 16], vec![0.0; scratch_len(4)]);
        q[..4].copy_from_slice(&[0.0, 2.0, 0.0, 0.0]);
        crate::kernel::dispatch(Orthonormal { a: &mut q, scratch: &mut scratch, n: 4 });
        assert!(skew(&q, 4) < 1e-15 && q[1].abs() == 1.0);
    }
}
