//! Augmentation of tables.

pub(super) mod feature_mask;
pub(super) mod jitter;
pub(super) mod smote;

use super::plan::Scene;

/// What is said where there is no table.
const FOR_IMAGES: &str = "for images use shift, crop, cutout or mixup";

/// The mean and the standard deviation of each column of the training rows.
fn means_and_deviations(scene: &Scene<'_>) -> (Vec<f32>, Vec<f32>) {
    let width = scene.train.shape.len();
    let count = scene.train.rows().max(1) as f64;
    let mut means = vec![0.0_f64; width];
    for row in scene.train.x.chunks_exact(width) {
        means.iter_mut().zip(row).for_each(|(mean, &x)| *mean += f64::from(x) / count);
    }
    let mut variances = vec![0.0_f64; width];
    for row in scene.train.x.chunks_exact(width) {
        for ((variance, &x), mean) in variances.iter_mut().zip(row).zip(&means) {
            *variance += (f64::from(x) - mean).powi(2) / count;
        }
    }
    let single = |numbers: &[f64], f: fn(f64) -> f64| numbers.iter().map(|&x| f(x) as f32).collect();
    (single(&means, |mean| mean), single(&variances, f64::sqrt))
}
