//! The score of a network's predictions for prepared rows, in the target's own unit.

use thalweg_data::{Preparation, Prepared, Targets};
use thalweg_eval::{Metric, Truth};
use thalweg_learn::estimator::restore;
use thalweg_learn::train::Predictions;

/// The score of `predictions`, as the network gives them, for `rows`; `None` if it is not a finite number.
pub(crate) fn score_of(
    metric: Metric,
    preparation: &Preparation,
    rows: &Prepared,
    predictions: &Predictions,
) -> Option<f64> {
    let score = match &rows.y {
        Targets::Classes(codes) => metric.score(Truth::Classes(codes), predictions.into()),
        Targets::Values { raw, .. } => {
            let mut restored = predictions.clone();
            restore(preparation, &mut restored);
            metric.score(Truth::Values(raw), (&restored).into())
        }
    };
    score.filter(|score| score.is_finite())
}
