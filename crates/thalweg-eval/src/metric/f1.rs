//! F1.

use super::confusion::{Counts, mean};
use super::{Compute, Metric, MetricRow, Probabilities};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::F1,
    name: "f1",
    aliases: &["f1-macro", "macro-f1", "f1-score"],
    higher_is_better: true,
    formula: "mean over the classes c of 2·TP / (rows of c + rows predicted as c)",
    range: "0…1",
    convention: "macro, for two classes as for many, over the classes that occur in truth or prediction: scikit-learn's \
                 average='macro'; its default for two classes, the F1 of class 1 alone, would depend on which class is \
                 called positive",
    compute: Compute::Classes(f1),
};

fn f1(truth: &[u32], probabilities: Probabilities<'_>) -> Option<f64> {
    let counts = Counts::of(truth, probabilities);
    let rows = counts.truth.iter().zip(&counts.predicted).map(|(&truth, &predicted)| truth + predicted);
    mean(counts.hits.iter().zip(rows).filter(|&(_, n)| n > 0).map(|(&h, n)| 2.0 * h as f64 / n as f64))
}
