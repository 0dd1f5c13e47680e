//! The counts behind the metrics that average over classes.

use super::{Probabilities, most_probable};

/// What became of the rows of each class.
pub(super) struct Counts {
    /// Rows of the class.
    pub(super) truth: Vec<usize>,
    /// Rows predicted to be of the class.
    pub(super) predicted: Vec<usize>,
    /// Rows of the class that were predicted to be.
    pub(super) hits: Vec<usize>,
}

impl Counts {
    /// Counts every class.
    pub(super) fn of(truth: &[u32], probabilities: Probabilities<'_>) -> Self {
        let zeros = vec![0; probabilities.classes];
        let mut counts = Self { truth: zeros.clone(), predicted: zeros.clone(), hits: zeros };
        for (row, &class) in probabilities.rows().zip(truth) {
            let predicted = most_probable(row);
            counts.truth[class as usize] += 1;
            counts.predicted[predicted as usize] += 1;
            counts.hits[class as usize] += usize::from(predicted == class);
        }
        counts
    }
}

/// The mean of the numbers that there are.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}
