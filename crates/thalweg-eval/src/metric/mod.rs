//! How good predictions are: one metric a file, one row each in [`METRICS`].
//!
//! Scores are sums in row order, in f64, so equal predictions give equal bits. A NaN prediction gives a NaN score,
//! which [`Metric::better`] ranks worst. Accuracy, log loss, RMSE, MAE and R² allocate nothing, for they run every
//! epoch.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use thalweg_data::Task;

mod accuracy;
mod auc;
mod balanced_accuracy;
mod confusion;
mod f1;
mod log_loss;
mod mae;
mod r2;
mod rmse;
#[cfg(test)]
mod tests;

/// What was predicted, a row each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predictions<'a> {
    /// A probability per row and class, row after row.
    Probabilities {
        /// rows × classes, row-major; each row sums to 1.
        values: &'a [f32],
        /// The number of classes: the length of a row.
        classes: usize,
    },
    /// A number per row.
    Values(&'a [f64]),
}

/// What was to be predicted, a row each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth<'a> {
    /// A class code per row.
    Classes(&'a [u32]),
    /// A number per row.
    Values(&'a [f64]),
}

/// A measure of how good predictions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The share of rows whose most probable class is the true one.
    Accuracy,
    /// The mean over classes of the share that was recognized.
    BalancedAccuracy,
    /// The mean surprise at the true class, in nats.
    LogLoss,
    /// The mean over classes of the harmonic mean of precision and recall.
    F1,
    /// The area under the ROC curve.
    Auc,
    /// The root of the mean squared error.
    Rmse,
    /// The mean absolute error.
    Mae,
    /// The share of the variance that is explained.
    R2,
}

/// One row of the registry.
#[derive(Debug)]
pub struct MetricRow {
    /// The metric.
    pub metric: Metric,
    /// Its name in flags and files.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Whether more is better.
    pub higher_is_better: bool,
    /// The formula; n rows, truth y, prediction ŷ or probabilities p.
    pub formula: &'static str,
    /// The range of the score.
    pub range: &'static str,
    /// What is done where packages differ or the formula is silent.
    pub convention: &'static str,
    compute: Compute,
}

/// How a metric is computed. The rows agree in length, there is at least one, and no probability is NaN.
#[derive(Debug, Clone, Copy)]
enum Compute {
    Classes(fn(&[u32], Probabilities<'_>) -> Option<f64>),
    Values(fn(&[f64], &[f64]) -> Option<f64>),
}

/// Every metric, in the order of the enum.
pub const METRICS: [&MetricRow; 8] = [
    &accuracy::ROW,
    &balanced_accuracy::ROW,
    &log_loss::ROW,
    &f1::ROW,
    &auc::ROW,
    &rmse::ROW,
    &mae::ROW,
    &r2::ROW,
];

/// Why a metric cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// No such metric.
    #[error("--metric {given}: no such metric{hint} (known: {known})")]
    Unknown {
        /// What was asked for.
        given: String,
        /// The nearest name, as a clause, or nothing.
        hint: String,
        /// Every name.
        known: String,
    },
    /// A metric of classes for a number, or the other way round.
    #[error(
        "--metric {metric} scores {scores}, but the target is {target}; use one of {usable}, or set --task"
    )]
    WrongTask {
        /// The metric's name.
        metric: &'static str,
        /// What it scores.
        scores: &'static str,
        /// What the target is.
        target: &'static str,
        /// The metrics that fit the task.
        usable: String,
    },
}

impl Metric {
    /// Its row in the registry.
    pub fn row(self) -> &'static MetricRow {
        METRICS[self as usize]
    }

    /// Its name in flags and files.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind of target that it scores.
    pub fn task(self) -> Task {
        match self.row().compute {
            Compute::Classes(_) => Task::Classification,
            Compute::Values(_) => Task::Regression,
        }
    }

    /// The usual metric: accuracy for classes, RMSE for numbers.
    pub fn default_for(task: Task) -> Self {
        match task {
            Task::Classification => Self::Accuracy,
            Task::Regression => Self::Rmse,
        }
    }

    /// The metric of a name or alias; case and `_` or a space for `-` do not matter.
    ///
    /// # Errors
    /// [`MetricError::Unknown`] with the nearest name.
    pub fn parse(name: &str) -> Result<Self, MetricError> {
        let wanted = name.trim().to_lowercase().replace(['_', ' '], "-");
        let found = METRICS.iter().find(|row| row.name == wanted || row.aliases.contains(&wanted.as_str()));
        found.map(|row| row.metric).ok_or_else(|| {
            let every = METRICS.iter().flat_map(|row| std::iter::once(&row.name).chain(row.aliases)).copied();
            MetricError::Unknown {
                given: name.to_owned(),
                hint: thalweg_optim::suggest::did_you_mean(&wanted, every),
                known: METRICS.map(|row| row.name).join(", "),
            }
        })
    }

    /// Refuses a metric that does not fit the task.
    ///
    /// # Errors
    /// [`MetricError::WrongTask`] with the metrics that do.
    pub fn check(self, task: Task) -> Result<(), MetricError> {
        if self.task() == task {
            return Ok(());
        }
        let usable = METRICS.iter().filter(|row| row.metric.task() == task).map(|row| row.name);
        let describe = |task| match task {
            Task::Classification => "classes",
            Task::Regression => "a number",
        };
        Err(MetricError::WrongTask {
            metric: self.name(),
            scores: describe(self.task()),
            target: describe(task),
            usable: usable.collect::<Vec<_>>().join(", "),
        })
    }

    /// The score, or `None` where the metric is not defined: no rows at all, AUC when the truth has one class, R² when
    /// it has one value. NaN if a prediction is NaN.
    ///
    /// # Panics
    /// If truth and predictions differ in kind or length, or a class code has no probability: a caller's bug
    /// ([`check`](Self::check) is for the user's input).
    pub fn score(self, truth: Truth<'_>, predictions: Predictions<'_>) -> Option<f64> {
        match (self.row().compute, truth, predictions) {
            (
                Compute::Classes(compute),
                Truth::Classes(truth),
                Predictions::Probabilities { values, classes },
            ) => {
                assert_eq!(values.len(), truth.len() * classes, "a probability per row and class");
                assert!(
                    truth.iter().all(|&code| (code as usize) < classes),
                    "a probability for each class code"
                );
                if truth.is_empty() {
                    return None;
                }
                let probabilities = Probabilities { values, classes };
                if probabilities.any_nan() { Some(f64::NAN) } else { compute(truth, probabilities) }
            }
            (Compute::Values(compute), Truth::Values(truth), Predictions::Values(values)) => {
                assert_eq!(values.len(), truth.len(), "a prediction per row");
                if truth.is_empty() {
                    return None;
                }
                compute(truth, values)
            }
            _ => panic!("{self} does not score this kind of truth and predictions"),
        }
    }

    /// The least and the largest score there can be.
    pub fn bounds(self) -> (f64, f64) {
        match self {
            Self::Accuracy | Self::BalancedAccuracy | Self::F1 | Self::Auc => (0.0, 1.0),
            Self::LogLoss | Self::Rmse | Self::Mae => (0.0, f64::INFINITY),
            Self::R2 => (f64::NEG_INFINITY, 1.0),
        }
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        self.row().higher_is_better
    }

    /// `Greater` if score `a` is better than `b`: more or less, as the metric has it; NaN is worse than anything but
    /// NaN. A total preorder, so `scores.sort_by(|a, b| metric.better(*b, *a))` sorts best first.
    pub fn better(self, a: f64, b: f64) -> Ordering {
        better(self.higher_is_better(), a, b)
    }
}

/// [`Metric::better`] for a direction alone.
pub(crate) fn better(higher_is_better: bool, a: f64, b: f64) -> Ordering {
    let ascending = a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()));
    if higher_is_better || a.is_nan() || b.is_nan() { ascending } else { ascending.reverse() }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Metric {
    type Err = MetricError;
    fn from_str(name: &str) -> Result<Self, MetricError> {
        Self::parse(name)
    }
}

/// Probabilities, rows × classes, row-major.
#[derive(Debug, Clone, Copy)]
struct Probabilities<'a> {
    values: &'a [f32],
    classes: usize,
}

impl Probabilities<'_> {
    /// Whether any is NaN; looks at all, for that is faster than to stop early.
    fn any_nan(&self) -> bool {
        self.values.iter().fold(false, |any, p| any | p.is_nan())
    }

    /// The probabilities of each row.
    fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.classes)
    }
}

/// The most probable class of a row without NaN (ties: the lowest code). Two passes without a branch on each class:
/// faster than one with.
fn most_probable(row: &[f32]) -> u32 {
    let highest = row.iter().fold(f32::NEG_INFINITY, |highest, &p| if p > highest { p } else { highest });
    row.iter().position(|&p| p == highest).unwrap_or(0) as u32
}
