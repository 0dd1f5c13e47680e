//! Methods that see blocks: against their papers in plain code, and what the conformance tests cannot know of them.
//! The packages' own paths are in `goldens.rs`.

mod driver;
mod invariances;
mod orientation;
mod papers;

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::{Dialect, Layout, OptimizerSpec, Role};

pub(crate) fn wave(len: usize, step: f64) -> Vec<f64> {
    (0..len).map(|i| (i as f64 * step + 0.3).sin()).collect()
}

pub(crate) fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

pub(crate) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Every shape-aware row in every dialect.
pub(crate) fn every() -> impl Iterator<Item = OptimizerSpec> {
    let shaped = REGISTRY.iter().filter(|entry| entry.kind == Kind::Shaped);
    shaped
        .flat_map(|entry| Dialect::ALL.map(|dialect| OptimizerSpec::named(entry.info.name).dialect(dialect)))
}

pub(crate) fn layout(blocks: &[(&str, &[usize], Role)]) -> Layout {
    let mut layout = Layout::default();
    blocks.iter().for_each(|(name, shape, role)| layout.push(*name, shape, *role));
    layout
}

/// Matrices high and wide, a convolution, vectors, one number, a scalar and nothing.
pub(crate) fn mixed() -> Layout {
    layout(&[
        ("high", &[7, 3], Role::Weight),
        ("bias", &[3], Role::Bias),
        ("empty", &[0, 4], Role::Weight),
        ("conv", &[4, 3, 2, 2], Role::Weight),
        ("scale", &[1], Role::Scale),
        ("wide", &[2, 9], Role::Weight),
        ("scalar", &[], Role::Bias),
    ])
}

pub(crate) fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let size = expected.iter().fold(1e-300_f64, |size, x| size.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance * size, "{what} at {i}: {found} is not {expected}");
    }
}

/// A·B of row-major matrices.
pub(crate) fn times(a: &[f64], b: &[f64], (m, k, n): (usize, usize, usize)) -> Vec<f64> {
    let at = |i: usize, j: usize| (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
    (0..m * n).map(|x| at(x / n, x % n)).collect()
}

pub(crate) fn turned(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns).map(|x| a[x % rows * columns + x / rows]).collect()
}
