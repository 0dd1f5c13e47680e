//! The root mean squared error.

use super::{Compute, Metric, MetricRow};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::Rmse,
    name: "rmse",
    aliases: &["root-mean-squared-error", "rms-error"],
    higher_is_better: false,
    formula: "√((1/n) Σᵢ (yᵢ − ŷᵢ)²)",
    range: "0…∞, in the target's unit",
    convention: "divides by n, as scikit-learn's root_mean_squared_error",
    compute: Compute::Values(rmse),
};

fn rmse(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    Some((squared_error(truth, predicted) / truth.len() as f64).sqrt())
}

/// Σᵢ (yᵢ − ŷᵢ)²
pub(super) fn squared_error(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(y, p)| (y - p) * (y - p)).sum()
}
