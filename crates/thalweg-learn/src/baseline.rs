//! The prediction that ignores the features: what any model must beat.

use thalweg_data::{Target, TestView, TrainView, View};

use crate::estimator::{Estimator, FitError, Predictor};
use crate::predictions::Predictions;

/// Predicts the training part's class frequencies, or its mean, for every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Baseline;

#[derive(Debug, Clone, PartialEq)]
enum Constant {
    Frequencies(Vec<f32>),
    Mean(f64),
}

impl Estimator for Baseline {
    fn fit(&self, train: &TrainView<'_>, _seed: u64) -> Result<Box<dyn Predictor>, FitError> {
        let rows = train.rows();
        Ok(Box::new(match &train.data().target {
            Target::Classes { codes, names } => {
                let mut counts = vec![0_u32; names.len()];
                rows.iter().for_each(|&row| counts[codes[row as usize] as usize] += 1);
                Constant::Frequencies(counts.iter().map(|&count| count as f32 / rows.len() as f32).collect())
            }
            Target::Values(values) => {
                Constant::Mean(rows.iter().map(|&row| values[row as usize]).sum::<f64>() / rows.len() as f64)
            }
        }))
    }
}

impl Predictor for Constant {
    fn predict(&self, test: &TestView<'_>) -> Predictions {
        let rows = test.rows().len();
        match self {
            Self::Frequencies(frequencies) => {
                Predictions::Probabilities { values: frequencies.repeat(rows), classes: frequencies.len() }
            }
            Self::Mean(mean) => Predictions::Values(vec![*mean; rows]),
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_data::{DatasetSpec, Split, open};

    use super::*;

    #[test]
    fn it_predicts_what_the_training_part_shows() {
        let iris = open("iris", &DatasetSpec::default()).unwrap();
        let split = Split::new(150, (0..100).collect(), (100..150).collect());
        let (train, test) = split.views(&iris);
        let Predictions::Probabilities { values, classes } = Baseline.fit(&train, 0).unwrap().predict(&test)
        else {
            panic!("classes have probabilities")
        };
        assert_eq!((values.len(), classes), (150, 3));
        assert_eq!(values[..3], [0.5, 0.5, 0.0]);
    }
}
