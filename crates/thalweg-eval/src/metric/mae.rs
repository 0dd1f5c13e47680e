//! The mean absolute error.

use super::{Compute, Metric, MetricRow};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::Mae,
    name: "mae",
    aliases: &["mean-absolute-error", "l1"],
    higher_is_better: false,
    formula: "(1/n) Σᵢ |yᵢ − ŷᵢ|",
    range: "0…∞, in the target's unit",
    convention: "as scikit-learn's mean_absolute_error",
    compute: Compute::Values(mae),
};

fn mae(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    let sum: f64 = truth.iter().zip(predicted).map(|(y, p)| (y - p).abs()).sum();
    Some(sum / truth.len() as f64)
}
