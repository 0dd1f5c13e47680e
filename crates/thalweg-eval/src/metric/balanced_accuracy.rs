//! Balanced accuracy.

use super::confusion::{Counts, mean};
use super::{Compute, Metric, MetricRow, Probabilities};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::BalancedAccuracy,
    name: "balanced-accuracy",
    aliases: &["bal-acc", "bacc", "macro-recall", "recall-macro", "uar"],
    higher_is_better: true,
    formula: "mean over the classes c of (rows of c predicted as c) / (rows of c)",
    range: "0…1; guessing one class gives 1/classes",
    convention: "over the classes that occur in the truth, not adjusted for chance, as in scikit-learn",
    compute: Compute::Classes(balanced_accuracy),
};

fn balanced_accuracy(truth: &[u32], probabilities: Probabilities<'_>) -> Option<f64> {
    let counts = Counts::of(truth, probabilities);
    mean(counts.hits.iter().zip(&counts.truth).filter(|&(_, &n)| n > 0).map(|(&h, &n)| h as f64 / n as f64))
}
