//! Log loss.

use super::{Compute, Metric, MetricRow, Probabilities};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::LogLoss,
    name: "log-loss",
    aliases: &["logloss", "cross-entropy", "nll", "logistic-loss"],
    higher_is_better: false,
    formula: "−(1/n) Σᵢ ln pᵢ[yᵢ]",
    range: "0…15.94 nats; even guessing gives ln(classes)",
    convention: "natural logarithm; p is clipped to [ε, 1−ε] with ε = 2⁻²³, the machine epsilon of its type f32, as \
                 scikit-learn clips a float32 array; rows are not renormalized; summed in f64",
    compute: Compute::Classes(log_loss),
};

fn log_loss(truth: &[u32], probabilities: Probabilities<'_>) -> Option<f64> {
    let mut sum = 0.0;
    for (row, &class) in probabilities.rows().zip(truth) {
        sum -= f64::from(row[class as usize].clamp(f32::EPSILON, 1.0 - f32::EPSILON)).ln();
    }
    Some(sum / truth.len() as f64)
}
