//! Accuracy.

use super::{Compute, Metric, MetricRow, Probabilities, most_probable};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::Accuracy,
    name: "accuracy",
    aliases: &["acc"],
    higher_is_better: true,
    formula: "(1/n) Σᵢ [argmax pᵢ = yᵢ]",
    range: "0…1",
    convention: "equal probabilities: the lowest class code is predicted",
    compute: Compute::Classes(accuracy),
};

fn accuracy(truth: &[u32], probabilities: Probabilities<'_>) -> Option<f64> {
    let pairs = probabilities.rows().zip(truth);
    let hits = pairs.filter(|&(row, &class)| most_probable(row) == class).count();
    Some(hits as f64 / truth.len() as f64)
}
