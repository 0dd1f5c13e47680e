//! How bright the training images are, and how much their pixels differ.

use super::super::plan::Scene;

/// The mean and the standard deviation of all numbers of the training rows, of at most 1,000 of them.
pub(super) fn mean_and_deviation(scene: &Scene<'_>) -> (f32, f32) {
    let width = scene.train.shape.len();
    let rows = scene.train.x.chunks_exact(width).take(1000);
    let count = (rows.len() * width).max(1) as f64;
    let sum = |f: &dyn Fn(f64) -> f64| rows.clone().flatten().map(|&x| f(f64::from(x))).sum::<f64>() / count;
    let mean = sum(&|x| x);
    let variance = sum(&|x| (x - mean) * (x - mean));
    (mean as f32, variance.sqrt() as f32)
}
