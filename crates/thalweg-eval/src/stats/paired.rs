//! The paired test of two methods over the same folds.

use serde::{Deserialize, Serialize};

use super::interval::standard_error;
use super::{CONFIDENCE, half_width, moments, two_sided_p};

/// A paired, corrected t-test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// The mean of the differences.
    pub mean_difference: f64,
    /// The lower end of its 95 % interval (this test alone).
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The sample standard deviation of the differences.
    pub spread: f64,
    /// mean / corrected standard error; `None` if the differences do not vary, so that it is 0/0 or infinite.
    pub t: Option<f64>,
    /// J − 1.
    pub degrees_of_freedom: f64,
    /// Two-sided.
    pub p: f64,
}

/// The corrected resampled paired t-test (Nadeau & Bengio 2003) of J differences, one per fold and repeat:
/// t = mean / √((1/J + test_over_train) · s²), J − 1 degrees of freedom. `test_over_train` is n_test/n_train; 0 gives
/// the ordinary paired t-test. `None` for fewer than two differences.
///
/// Differences that do not vary tell nothing of their variance: p = 1 if all are 0; if all are the same shift,
/// p = 2^(1−J), that of the exact sign-flip test, for on a few folds with a coarse metric that can be a coincidence.
///
/// # Panics
/// If a difference is not finite or the ratio is negative.
pub fn corrected_paired_t(differences: &[f64], test_over_train: f64) -> Option<PairedTest> {
    if differences.len() < 2 {
        return None;
    }
    let (mean, spread) = moments(differences);
    let half = half_width(spread, differences.len(), test_over_train, CONFIDENCE)?;
    let degrees_of_freedom = (differences.len() - 1) as f64;
    // Differences that vary by rounding alone do not vary.
    let t = (spread > 1e-12 * mean.abs())
        .then(|| mean / standard_error(spread, differences.len(), test_over_train));
    let p = match t {
        Some(t) => two_sided_p(t, degrees_of_freedom),
        None if mean == 0.0 => 1.0,
        None => 0.5_f64.powi(differences.len() as i32 - 1),
    };
    Some(PairedTest {
        mean_difference: mean,
        low: mean - half,
        high: mean + half,
        spread,
        t,
        degrees_of_freedom,
        p,
    })
}
