//! Every CPU level beside the formula, in both number types.

use thalweg_optim::kernel::{Level, levels, run_on};

use super::super::conv::padded_columns;
use super::*;

/// Sizes whose tiles have every remainder, and their filters.
fn cases() -> Vec<(Sizes, usize)> {
    let mut cases = Vec::new();
    for (input, channels, kernel, padding, filters) in [
        ((32, 32), 3, (3, 3), (1, 1), 16),
        ((5, 15), 7, (3, 3), (1, 1), 17),
        ((4, 8), 8, (3, 3), (2, 2), 33),
        ((6, 11), 4, (3, 3), (0, 0), 48),
        ((1, 1), 2, (3, 3), (1, 1), 1),
        ((1, 2), 1, (5, 5), (2, 2), 3),
        ((7, 13), 5, (5, 5), (2, 2), 40),
        ((9, 9), 6, (5, 5), (4, 0), 32),
        ((3, 8), 3, (1, 3), (0, 1), 20),
        ((8, 6), 2, (2, 5), (1, 3), 16),
        ((3, 14), 3, (3, 3), (1, 1), 64),
        ((2, 28), 2, (3, 3), (1, 1), 16),
        ((2, 24), 2, (5, 5), (2, 2), 8),
    ] {
        let side = |input: usize, padding: usize, kernel: usize| input + 2 * padding + 1 - kernel;
        let output = (side(input.0, padding.0, kernel.0), side(input.1, padding.1, kernel.1));
        cases.push((Sizes { input, output, channels, kernel, padding }, filters));
    }
    cases
}

fn numbers<T: Real>(len: usize, seed: f64) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * 0.73 + seed).sin())).collect()
}

/// Every (output, weight, input) triple of positions: the formula, written out.
fn each(sizes: Sizes, mut what: impl FnMut(usize, usize, usize)) {
    let (height, width) = sizes.output;
    for y in 0..height {
        for x in 0..width {
            for ky in 0..sizes.kernel.0 {
                for q in 0..sizes.channels {
                    for kx in 0..sizes.kernel.1 {
                        let there =
                            ((y + ky).checked_sub(sizes.padding.0), (x + kx).checked_sub(sizes.padding.1));
                        let (Some(iy), Some(ix)) = there else { continue };
                        if iy < sizes.input.0 && ix < sizes.input.1 {
                            let input = (iy * sizes.input.1 + ix) * sizes.channels + q;
                            let weight = (ky * sizes.kernel.1 + kx) * sizes.channels + q;
                            what(y * width + x, weight, input);
                        }
                    }
                }
            }
        }
    }
}

/// Y and dW, from 0.5, of one case.
struct Given<T> {
    sizes: Sizes,
    n: usize,
    x: Vec<T>,
    w: Vec<T>,
    bias: Vec<T>,
    dy: Vec<T>,
}

impl<T: Real> Given<T> {
    fn new((sizes, n): (Sizes, usize)) -> Self {
        let pixels = sizes.output.0 * sizes.output.1;
        Self {
            sizes,
            n,
            x: numbers(sizes.inputs(), 0.0),
            w: numbers(sizes.kernel.0 * sizes.kernel.1 * sizes.channels * n, 1.0),
            bias: numbers(n, 2.0),
            dy: numbers(pixels * padded_columns(n), 3.0),
        }
    }

    fn by_the_formula(&self) -> (Vec<T>, Vec<T>) {
        let n = self.n;
        let mut y = self.bias.repeat(self.sizes.output.0 * self.sizes.output.1);
        let mut dw = vec![T::from_f64(0.5); self.w.len()];
        each(self.sizes, |output, weight, input| {
            for j in 0..n {
                y[output * n + j] += self.x[input] * self.w[weight * n + j];
                dw[weight * n + j] += self.x[input] * self.dy[output * padded_columns(n) + j];
            }
        });
        (y, dw)
    }

    fn on(&self, level: Level, add: bool) -> (Vec<T>, Vec<T>) {
        let Self { sizes, n, .. } = *self;
        let (kernel, channels, nan) = (sizes.kernel, sizes.channels, T::from_f64(f64::NAN));
        let column = channels as isize * n as isize;
        let strides = [kernel.1 as isize * column, column, n as isize, 1];
        let mut packed = vec![nan; kernel.0 * kernel.1 * channels * padded_columns(n)];
        run_on(level, SlidePack { kernel, channels, n, w: &self.w, start: 0, strides, packed: &mut packed });
        let mut y = vec![nan; sizes.output.0 * sizes.output.1 * n];
        let (bias, zeros) = (Some(&self.bias[..]), vec![T::ZERO; channels]);
        run_on(level, Slide { sizes, n, x: &self.x, packed: &packed, bias, y: &mut y, zeros: &zeros });
        let mut dw = vec![if add { T::from_f64(0.5) } else { nan }; self.w.len()];
        let (dy, dy_row) = (&self.dy[..], padded_columns(n));
        run_on(level, SlideBack { sizes, x: &self.x, n, dy, dy_row, dw: &mut dw, add });
        (y, dw)
    }
}

fn every_level_agrees_with_the_formula<T: Real>(tolerance: f64) {
    // Not `> tolerance`: a number that was never written is NaN.
    let close = |a: T, b: T| (a - b).to_f64().abs() <= tolerance;
    for case in cases() {
        assert!(case.0.has_loop(), "{case:?}");
        let given = Given::<T>::new(case);
        let (y, dw) = given.by_the_formula();
        let mut fused: Option<(Vec<T>, Vec<T>)> = None;
        for &level in levels() {
            let ours = given.on(level, true);
            let right = ours.0.iter().zip(&y).chain(ours.1.iter().zip(&dw)).all(|(&a, &b)| close(a, b));
            assert!(right, "{case:?} {level:?}");
            let fresh = given.on(level, false).1;
            let right = fresh.iter().zip(&dw).all(|(&a, &b)| close(a + T::from_f64(0.5), b));
            assert!(right, "without adding, {case:?} {level:?}");
            // Levels with fused additions do the same additions in the same order.
            if level != Level::Baseline {
                assert!(
                    *fused.get_or_insert_with(|| ours.clone()) == ours,
                    "{case:?}: other bits on {level:?}"
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

#[test]
fn what_has_no_loop_is_told() {
    let (good, _) = cases()[0];
    assert!(!Sizes { kernel: (3, 7), ..good }.has_loop(), "no loop for seven columns");
    assert!(!Sizes { output: (16, 16), ..good }.has_loop(), "a stride");
    assert!(
        !Sizes { padding: (3, 1), output: (36, 32), ..good }.has_loop(),
        "more zeros than the window sees"
    );
}

#[test]
fn tiles_cover_a_row_and_are_alike() {
    for most in [4, 8] {
        for row in 1..100 {
            let tile = tile_width(row, most);
            assert!((1..=most.min(row)).contains(&tile), "{row}, {most}: {tile}");
            assert!(2 * tile >= most.min(row), "{row}, {most}: {tile} is narrow");
        }
    }
    assert_eq!([32, 28, 16, 14, 8, 7].map(|row| tile_width(row, 8)), [8, 7, 8, 7, 8, 7]);
}
