//! R², the coefficient of determination.

use super::rmse::squared_error;
use super::{Compute, Metric, MetricRow};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::R2,
    name: "r2",
    aliases: &["r-squared", "r²", "r2-score", "coefficient-of-determination"],
    higher_is_better: true,
    formula: "1 − Σᵢ (yᵢ − ŷᵢ)² / Σᵢ (yᵢ − ȳ)², ȳ the mean of the scored rows",
    range: "−∞…1; predicting ȳ gives 0",
    convention: "undefined if the scored rows share one value, where scikit-learn returns 1 or 0",
    compute: Compute::Values(r2),
};

fn r2(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    if truth.iter().all(|y| y == &truth[0]) {
        return None;
    }
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let total: f64 = truth.iter().map(|y| (y - mean) * (y - mean)).sum();
    Some(1.0 - squared_error(truth, predicted) / total)
}
