//! The area under the ROC curve.

use super::confusion::mean;
use super::{Compute, Metric, MetricRow, Probabilities};

pub(super) const ROW: MetricRow = MetricRow {
    metric: Metric::Auc,
    name: "auc",
    aliases: &["roc-auc", "auroc", "roc-auc-ovr"],
    higher_is_better: true,
    formula: "P(p of a row of the class > p of a row of another) + ½ P(equal)",
    range: "0…1; guessing gives ½",
    convention: "by midranks (Mann & Whitney 1947); two classes: the probability of class 1; more: one class against the \
                 rest, mean over the classes that occur in the truth with equal weight (scikit-learn's \
                 multi_class='ovr', average='macro', which gives NaN if a class does not occur); undefined if the truth \
                 has one class",
    compute: Compute::Classes(auc),
};

fn auc(truth: &[u32], probabilities: Probabilities<'_>) -> Option<f64> {
    let Probabilities { values, classes } = probabilities;
    if values.iter().any(|p| p.is_nan()) {
        return Some(f64::NAN);
    }
    let mut scored = Vec::with_capacity(truth.len());
    let mut against_the_rest = |class: usize| {
        scored.clear();
        scored
            .extend(probabilities.rows().zip(truth).map(|(row, &code)| (row[class], code as usize == class)));
        binary(&mut scored)
    };
    if classes == 2 {
        return against_the_rest(1);
    }
    mean((0..classes).filter_map(against_the_rest))
}

/// The AUC of (score, is positive); `None` unless both kinds occur. Sorts its argument.
///
/// Twice the Mann–Whitney U is an integer: from the lowest score up, each run of equal scores adds
/// positives · (2 · negatives below + negatives in the run). So the result has one rounding only.
fn binary(scored: &mut [(f32, bool)]) -> Option<f64> {
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut twice_u, mut positives, mut negatives) = (0_u64, 0_u64, 0_u64);
    for run in scored.chunk_by(|a, b| a.0 == b.0) {
        let run_positives = run.iter().filter(|row| row.1).count() as u64;
        let run_negatives = run.len() as u64 - run_positives;
        twice_u += run_positives * (2 * negatives + run_negatives);
        positives += run_positives;
        negatives += run_negatives;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| twice_u as f64 / (2 * pairs) as f64)
}
