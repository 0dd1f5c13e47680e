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
    let classes = probabilities.classes;
    let mut keys = Vec::with_capacity(truth.len());
    let mut against_the_rest = |class: usize| {
        keys.clear();
        keys.extend(
            probabilities.rows().zip(truth).map(|(row, &code)| key(row[class], code as usize == class)),
        );
        binary(&mut keys)
    };
    if classes == 2 {
        return against_the_rest(1);
    }
    mean((0..classes).filter_map(against_the_rest))
}

/// An integer that sorts like the score; its last bit tells whether the row is positive. Integers sort several times
/// faster than pairs with a float.
fn key(score: f32, positive: bool) -> u64 {
    // Adding 0 makes −0 a 0. Bits of non-negative floats ascend; those of negative ones descend, and come first.
    let bits = (score + 0.0).to_bits();
    let ascending = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(ascending) << 1 | u64::from(positive)
}

/// The AUC of the rows of these keys; `None` unless both kinds occur. Sorts its argument.
///
/// Twice the Mann–Whitney U is an integer: from the lowest score up, each run of equal scores adds
/// positives · (2 · negatives below + negatives in the run). So the result has one rounding only.
fn binary(keys: &mut [u64]) -> Option<f64> {
    keys.sort_unstable();
    let (mut twice_u, mut positives, mut negatives) = (0_u64, 0_u64, 0_u64);
    for run in keys.chunk_by(|a, b| a >> 1 == b >> 1) {
        let run_positives = run.iter().map(|key| key & 1).sum::<u64>();
        let run_negatives = run.len() as u64 - run_positives;
        twice_u += run_positives * (2 * negatives + run_negatives);
        positives += run_positives;
        negatives += run_negatives;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| twice_u as f64 / (2 * pairs) as f64)
}
