//! Losses: the mean over a batch, and its derivative by the network's outputs.

mod absolute;
mod binary;
mod cross_entropy;
mod squared;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernel::math::Math;
use crate::predictions::Predictions;

/// What the outputs should have been, a row each.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a, T> {
    /// Class codes.
    Classes(&'a [u32]),
    /// Numbers, one per row.
    Values(&'a [T]),
    /// Distributions over classes: what mixing rows and smoothing labels make of codes.
    Soft(SoftClasses<'a, T>),
}

/// A distribution over K classes for each row: (1 − ε)·(λ·\[first\] + (1 − λ)·\[second\]) + ε/K.
#[derive(Debug, Clone, Copy)]
pub struct SoftClasses<'a, T> {
    /// A class code per row.
    pub first: &'a [u32],
    /// Another.
    pub second: &'a [u32],
    /// λ of each row: the share of the first.
    pub share: &'a [T],
    /// ε: what is spread over all classes.
    pub smoothing: T,
}

impl<'a, T: Copy> Targets<'a, T> {
    /// Those of some rows.
    pub fn part(&self, rows: Range<usize>) -> Targets<'a, T> {
        match *self {
            Self::Classes(codes) => Targets::Classes(&codes[rows]),
            Self::Values(values) => Targets::Values(&values[rows]),
            Self::Soft(soft) => Targets::Soft(SoftClasses {
                first: &soft.first[rows.clone()],
                second: &soft.second[rows.clone()],
                share: &soft.share[rows],
                smoothing: soft.smoothing,
            }),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(codes) => codes.len(),
            Self::Values(values) => values.len(),
            Self::Soft(soft) => soft.first.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The losses that a recipe can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// −ln softmax(z)\[class\]; one output per class.
    CrossEntropy,
    /// −ln sigmoid(±z); one output, class 1 against class 0.
    Binary,
    /// (z − y)², one output. PyTorch's `MSELoss`: without a factor ½.
    SquaredError,
    /// |z − y|, one output.
    AbsoluteError,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 4] = [Self::CrossEntropy, Self::Binary, Self::SquaredError, Self::AbsoluteError];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross-entropy",
            Self::Binary => "binary",
            Self::SquaredError => "squared-error",
            Self::AbsoluteError => "absolute-error",
        }
    }

    /// The formula for one row, for tables.
    pub fn formula(self) -> &'static str {
        match self {
            Self::CrossEntropy => "−ln softmax(z)[class]",
            Self::Binary => "−ln sigmoid(z) for class 1, −ln sigmoid(−z) for class 0",
            Self::SquaredError => "(z − y)²",
            Self::AbsoluteError => "|z − y|",
        }
    }

    /// The mean loss. `scratch` is as long as the outputs.
    pub fn value<T: Math>(self, outputs: &[T], targets: Targets<'_, T>, scratch: &mut [T]) -> T {
        // The derivative comes almost for free, and one path means one truth.
        self.value_and_gradient(outputs, targets, scratch)
    }

    /// The mean loss; overwrites `gradient` with its derivative by each output.
    ///
    /// # Panics
    /// If the targets are of the wrong kind or number for the loss.
    pub fn value_and_gradient<T: Math>(
        self,
        outputs: &[T],
        targets: Targets<'_, T>,
        gradient: &mut [T],
    ) -> T {
        match (self, targets) {
            (Self::CrossEntropy, Targets::Classes(codes)) => {
                cross_entropy::evaluate(outputs, codes, gradient)
            }
            (Self::CrossEntropy, Targets::Soft(soft)) => {
                cross_entropy::evaluate_soft(outputs, soft, gradient)
            }
            (Self::Binary, Targets::Classes(codes)) => binary::evaluate(outputs, codes, gradient),
            (Self::Binary, Targets::Soft(soft)) => binary::evaluate_soft(outputs, soft, gradient),
            (Self::SquaredError, Targets::Values(values)) => squared::evaluate(outputs, values, gradient),
            (Self::AbsoluteError, Targets::Values(values)) => absolute::evaluate(outputs, values, gradient),
            _ => panic!("the loss {} does not fit the targets", self.name()),
        }
    }

    /// The mean loss of finished predictions, in f64: what [`Loss::value`] gives for the outputs that led to them, but for
    /// probabilities that f32 rounds to 0, which count as its smallest normal number.
    ///
    /// # Panics
    /// As [`Loss::value_and_gradient`].
    pub fn of_predictions(self, predictions: &Predictions, targets: Targets<'_, f32>) -> f64 {
        let sum: f64 = match (self, predictions, targets) {
            (
                Self::CrossEntropy | Self::Binary,
                Predictions::Probabilities { values, classes },
                Targets::Classes(codes),
            ) => {
                let rows = values.chunks_exact(*classes).zip(codes);
                rows.map(|(row, &code)| -f64::from(at_least(row[code as usize], f32::MIN_POSITIVE)).ln())
                    .sum()
            }
            (Self::SquaredError, Predictions::Values(values), Targets::Values(truth)) => {
                values.iter().zip(truth).map(|(&z, &y)| (z - f64::from(y)).powi(2)).sum()
            }
            (Self::AbsoluteError, Predictions::Values(values), Targets::Values(truth)) => {
                values.iter().zip(truth).map(|(&z, &y)| (z - f64::from(y)).abs()).sum()
            }
            _ => panic!("the loss {} does not fit the targets", self.name()),
        };
        sum / targets.len() as f64
    }

    /// Predictions of no rows yet, of the kind that the loss leads to.
    pub(crate) fn no_predictions(self, outputs: usize) -> Predictions {
        match self {
            Self::CrossEntropy => Predictions::Probabilities { values: Vec::new(), classes: outputs },
            Self::Binary => Predictions::Probabilities { values: Vec::new(), classes: 2 },
            Self::SquaredError | Self::AbsoluteError => Predictions::Values(Vec::new()),
        }
    }

    /// Turns outputs into class probabilities (batch × classes), appended to `probabilities`.
    ///
    /// # Panics
    /// If the loss is not one of classification.
    pub fn probabilities<T: Math>(self, outputs: &[T], classes: usize, probabilities: &mut Vec<T>) {
        match self {
            Self::CrossEntropy => cross_entropy::probabilities(outputs, classes, probabilities),
            Self::Binary => binary::probabilities(outputs, probabilities),
            Self::SquaredError | Self::AbsoluteError => {
                panic!("the loss {} has no probabilities", self.name())
            }
        }
    }
}

/// The larger of the two; unlike `f32::max`, a NaN stays.
fn at_least(value: f32, floor: f32) -> f32 {
    if value < floor { floor } else { value }
}
