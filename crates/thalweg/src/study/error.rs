//! Why a study cannot be run: which flag is to blame, and what to do.

use thalweg_eval::{Metric, MetricError};
use thalweg_learn::FitError;
use thalweg_learn::nn::LayerError;
use thalweg_learn::regularize::RegularizeError;
use thalweg_learn::train::RecipeError;
use thalweg_optim::OptimError;
use thalweg_optim::schedule::ScheduleError;

/// Why a study cannot be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// An optimizer's name or settings.
    #[error("--optimizers: {0}")]
    Optimizer(#[from] OptimError),
    /// What goes around the optimizers.
    #[error("--wrap: {0}")]
    Wrap(OptimError),
    /// The schedule's settings.
    #[error("--schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// The folds.
    #[error("{0}")]
    Split(String),
    /// The metric.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The loss, or a network that does not fit the data.
    #[error(transparent)]
    Loss(#[from] FitError),
    /// A layer that does not fit.
    #[error("--network, --hidden: {0}")]
    Network(#[from] LayerError),
    /// Regularization that does not apply.
    #[error("--regularizers: {0}")]
    Regularizers(RegularizeError),
    /// Regularization of every method that does not apply.
    #[error("--{flag}: {0}", flag = .0.key())]
    Regularize(RegularizeError),
    /// A number out of range.
    #[error("--{flag} {value}: it must be {expected}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// A metric that cannot be computed on some part.
    #[error(
        "--metric {metric} is not defined on the {part} part of fold {fold} ({rows} rows): it needs every part to hold \
         at least two classes (AUC) or two different values (R²); use another --metric or fewer --folds"
    )]
    UndefinedMetric {
        /// The metric.
        metric: Metric,
        /// Which part.
        part: &'static str,
        /// The fold, from 1.
        fold: usize,
        /// The part's rows.
        rows: usize,
    },
    /// Nothing to learn from.
    #[error(
        "there is nothing to learn from in fold {fold}: every feature is constant in its training part{hint}"
    )]
    NoFeatures {
        /// The fold, from 1.
        fold: usize,
        /// A remedy.
        hint: &'static str,
    },
}

impl StudyError {
    /// What is wrong with a recipe in which only what goes around the optimizer was not checked before.
    pub(super) fn of_recipe(error: RecipeError) -> Self {
        match error {
            RecipeError::Optimizer(error) => Self::Wrap(error),
            RecipeError::Schedule(error) => Self::Schedule(error),
            RecipeError::Network(error) => Self::Network(error),
            RecipeError::Regularize(error) => Self::Regularize(error),
            other => Self::Loss(other.into()),
        }
    }
}
