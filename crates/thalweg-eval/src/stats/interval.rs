//! The interval of a mean score.

use serde::{Deserialize, Serialize};

use super::{moments, quantile};

/// A mean of scores and how far it may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    /// The mean over the folds.
    pub mean: f64,
    /// The lower end. It may leave the metric's range: the t-interval is symmetric.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The corrected standard error of the mean.
    pub standard_error: f64,
    /// J − 1.
    pub degrees_of_freedom: f64,
}

/// The corrected resampled t-interval of a mean score (Nadeau & Bengio 2003):
/// mean ± t₍J−1, (1+confidence)/2₎ · √((1/J + test_over_train) · s²), for J = folds × repeats scores.
///
/// They derived it for differences; for a single method's mean the same correlation is assumed. `test_over_train` is
/// n_test/n_train ([`crate::split::test_over_train`]); 0 switches the correction off. `None` for fewer than two
/// scores: one score says nothing of its spread.
///
/// # Panics
/// If a score is not finite, if the ratio is negative, or if `confidence` is not strictly between 0 and 1.
pub fn mean_interval(scores: &[f64], test_over_train: f64, confidence: f64) -> Option<MeanInterval> {
    if scores.len() < 2 {
        return None;
    }
    let (mean, spread) = moments(scores);
    let standard_error = standard_error(spread, scores.len(), test_over_train);
    let half = half_width(spread, scores.len(), test_over_train, confidence)?;
    Some(MeanInterval {
        mean,
        low: mean - half,
        high: mean + half,
        standard_error,
        degrees_of_freedom: (scores.len() - 1) as f64,
    })
}

/// Half the width of the corrected interval of a mean of `scores` scores whose sample standard deviation is `spread`:
/// the smallest mean that such a design tells from 0. `None` for fewer than two scores.
///
/// Applied to differences, it is what the design could have detected: a difference just this large would have been
/// found about every second time.
///
/// # Panics
/// If the ratio is negative or `confidence` is not strictly between 0 and 1.
pub fn half_width(spread: f64, scores: usize, test_over_train: f64, confidence: f64) -> Option<f64> {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence of {confidence}");
    (scores >= 2).then(|| {
        quantile(0.5 * (1.0 + confidence), (scores - 1) as f64)
            * standard_error(spread, scores, test_over_train)
    })
}

/// √((1/J + test_over_train) · s²)
pub(super) fn standard_error(spread: f64, scores: usize, test_over_train: f64) -> f64 {
    assert!(test_over_train >= 0.0, "n_test/n_train = {test_over_train}");
    spread * (1.0 / scores as f64 + test_over_train).sqrt()
}
