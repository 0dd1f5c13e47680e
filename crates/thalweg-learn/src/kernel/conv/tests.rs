//! Every CPU level beside the formula, in both number types.

use thalweg_optim::kernel::{Level, levels, run_on};

use super::*;

fn numbers<T: Real>(len: usize, seed: f64) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * 0.61 + seed).sin())).collect()
}

/// A matrix of patches that is written nowhere: rows and taps of any distances, such as strides and dilations make.
struct Given<T> {
    patches: Patches,
    n: usize,
    a: Vec<T>,
    /// depth × n.
    b: Vec<T>,
    bias: Vec<T>,
    /// For Correlate: a row for each patch.
    dy: Vec<T>,
}

impl<T: Real> Given<T> {
    /// `m` patches of `taps` runs of `run` numbers.
    fn new(m: usize, taps: usize, run: usize, n: usize) -> Self {
        let rows = (0..m as u32).map(|i| i * 5 + i % 3).collect();
        let taps = (0..taps as u32).map(|t| t * (run as u32 + 2)).collect();
        let patches = Patches::new(rows, taps, run);
        Self {
            n,
            a: numbers(patches.reach, 0.0),
            b: numbers(patches.depth() * n, 1.0),
            bias: numbers(n, 2.0),
            dy: numbers(m * padded_columns(n), 3.0),
            patches,
        }
    }

    /// Every product's indices: patch, number of the patch, place in A.
    fn each(&self, mut what: impl FnMut(usize, usize, usize)) {
        for (i, &row) in self.patches.rows.iter().enumerate() {
            for (p, &column) in self.patches.columns.iter().enumerate() {
                what(i, p, (row + column) as usize);
            }
        }
    }

    fn by_the_formula(&self) -> (Vec<T>, Vec<T>) {
        let n = self.n;
        let mut c = self.bias.repeat(self.patches.len());
        let mut db = vec![T::from_f64(0.5); self.b.len()];
        self.each(|i, p, at| {
            for j in 0..n {
                c[i * n + j] += self.a[at] * self.b[p * n + j];
                db[p * n + j] += self.a[at] * self.dy[i * padded_columns(n) + j];
            }
        });
        (c, db)
    }

    fn on(&self, level: Level) -> (Vec<T>, Vec<T>) {
        let Self { patches, n, a, b, bias, dy } = self;
        let (n, nan, run) = (*n, T::from_f64(f64::NAN), patches.run);
        let taps: Vec<u32> = (0..patches.taps.len()).map(|t| (t * run * n) as u32).collect();
        let mut packed = vec![nan; patches.depth() * padded_columns(n)];
        run_on(level, Pack { taps: &taps, run, n, b, q_stride: n, j_stride: 1, packed: &mut packed });
        let mut c = vec![nan; patches.len() * n];
        // The rows of C from the last to the first, as a stride's phases scatter them.
        let places = Places::new((0..patches.len()).rev().map(|i| (i * n) as u32).collect());
        let apply = Apply { patches, n, a, packed: &packed, bias: Some(bias), c: &mut c, places: &places };
        run_on(level, apply);
        let c = c.chunks(n).rev().flatten().copied().collect();
        let mut db = vec![T::from_f64(0.5); b.len()];
        let b_row = padded_columns(n);
        run_on(level, Correlate { patches, a, n, b: dy, b_row, c: &mut db, c_row: n, add: true });
        (c, db)
    }
}

fn every_level_agrees_with_the_formula<T: Real>(tolerance: f64) {
    for (m, taps, run, n) in [
        (1, 1, 1, 1),
        (9, 3, 4, 16),
        (13, 9, 1, 7),
        (7, 2, 5, 33),
        (22, 4, 3, 64),
        (8, 1, 9, 48),
        (15, 3, 2, 81),
    ] {
        let given = Given::<T>::new(m, taps, run, n);
        let (c, db) = given.by_the_formula();
        let mut fused: Option<(Vec<T>, Vec<T>)> = None;
        for &level in levels() {
            let ours = given.on(level);
            let mut pairs = ours.0.iter().zip(&c).chain(ours.1.iter().zip(&db));
            // Not `> tolerance`: a number that was never written is NaN.
            let close = pairs.all(|(&a, &b)| (a - b).to_f64().abs() <= tolerance);
            assert!(close, "{m} patches of {taps}·{run}, {n} columns, {level:?}");
            if level != Level::Baseline {
                assert!(
                    *fused.get_or_insert_with(|| ours.clone()) == ours,
                    "{n} columns: other bits on {level:?}"
                );
            }
        }
    }
}

#[test]
fn every_level_agrees_with_the_formula_in_f64() {
    every_level_agrees_with_the_formula::<f64>(1e-12);
}

#[test]
fn every_level_agrees_with_the_formula_in_f32() {
    every_level_agrees_with_the_formula::<f32>(1e-4);
}
