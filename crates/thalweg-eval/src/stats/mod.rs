//! What scores over folds can tell, and what they cannot.
//!
//! Scores of cross-validation folds are not independent: their training parts overlap. The usual standard error is
//! therefore too small; everything here uses the correction of Nadeau & Bengio, «Inference for the Generalization
//! Error», Machine Learning 52 (2003), with J = folds × repeats (Bouckaert & Frank 2004): the variance of a mean is
//! taken as (1/J + n_test/n_train)·s².
//!
//! It rests on approximations: the correlation of two folds' scores is taken to be n_test/(n_test + n_train), which
//! neglects that fits on overlapping data resemble each other and treats a fold's rows as a draw from the population;
//! scores are taken to be about normal. For time series, where windows differ in size and follow each other, it is a
//! convention more than a derivation. No unbiased estimate exists (Bengio & Grandvalet 2004).

mod compare;
mod holm;
mod interval;
mod paired;
mod student_t;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Standing, VersusBest, compare_with_best, compare_with_reference};
pub use holm::holm;
pub use interval::{MeanInterval, half_width, mean_interval};
pub use paired::{PairedTest, corrected_paired_t};
pub use student_t::{quantile, two_sided_p};

/// The confidence of the intervals that are reported.
pub const CONFIDENCE: f64 = 0.95;

/// The level below which an adjusted p-value tells two methods apart.
pub const ALPHA: f64 = 0.05;

/// The mean and the sample standard deviation (divisor J − 1) of at least two finite numbers.
fn moments(values: &[f64]) -> (f64, f64) {
    assert!(values.len() >= 2 && values.iter().all(|value| value.is_finite()), "at least two finite scores");
    // Equal numbers have no spread; the rounding of their mean must not invent one.
    if values.iter().all(|value| value == &values[0]) {
        return (values[0], 0.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
