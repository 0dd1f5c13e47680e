//! Cross-validation: fit on each training part, score once on its test part.

use thalweg_data::{Dataset, Split, Target, View};
use thalweg_learn::{Estimator, FitError, Predictions as Predicted};

use crate::metric::{Metric, Predictions, Truth};

/// The score of `estimator` on each split's test part; `None` where training diverged or the metric is not defined.
///
/// # Errors
/// If the estimator's settings do not fit the data.
///
/// # Panics
/// If the metric does not fit the task: see [`Metric::check`].
pub fn cross_validate(
    estimator: &dyn Estimator,
    data: &Dataset,
    splits: &[Split],
    metric: Metric,
    seed: u64,
) -> Result<Vec<Option<f64>>, FitError> {
    splits
        .iter()
        .map(|split| {
            let (train, test) = split.views(data);
            match estimator.fit(&train, seed) {
                Ok(predictor) => Ok(score_rows(metric, data, test.rows(), &predictor.predict(&test))),
                Err(FitError::Diverged { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .collect()
}

/// The metric's score of predictions for some rows of a data set.
fn score_rows(metric: Metric, data: &Dataset, rows: &[u32], predictions: &Predicted) -> Option<f64> {
    match &data.target {
        Target::Classes { codes, .. } => {
            let truth: Vec<u32> = rows.iter().map(|&row| codes[row as usize]).collect();
            metric.score(Truth::Classes(&truth), predictions.into())
        }
        Target::Values(values) => {
            let truth: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
            metric.score(Truth::Values(&truth), predictions.into())
        }
    }
}

impl<'a> From<&'a Predicted> for Predictions<'a> {
    fn from(predicted: &'a Predicted) -> Self {
        match predicted {
            Predicted::Probabilities { values, classes } => Self::Probabilities { values, classes: *classes },
            Predicted::Values(values) => Self::Values(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_data::{DatasetSpec, Rows, open};
    use thalweg_learn::{Baseline, Recipe};
    use thalweg_optim::OptimizerSpec;

    use super::*;
    use crate::split::SplitSpec;

    #[test]
    fn a_network_beats_the_baseline_and_divergence_is_no_score() {
        let iris = open("iris", &DatasetSpec::default()).unwrap();
        let rows = Rows::all(&iris);
        let splits = SplitSpec::default().resolve(&rows).unwrap().split(&rows, 1).unwrap();
        let run = |estimator: &dyn Estimator| {
            cross_validate(estimator, &iris, &splits, Metric::Accuracy, 1).unwrap()
        };
        let mean = |scores: &[Option<f64>]| scores.iter().flatten().sum::<f64>() / scores.len() as f64;
        assert!((mean(&run(&Baseline)) - 1.0 / 3.0).abs() < 1e-12);
        let recipe = Recipe { learning_rate: 0.01, epochs: 30, ..Recipe::default() };
        assert!(mean(&run(&recipe)) > 0.9);
        let hopeless =
            Recipe { optimizer: OptimizerSpec::named("sgd"), learning_rate: 1e30, ..Recipe::default() };
        assert!(run(&hopeless).iter().all(Option::is_none));
    }
}
