//! Training: the recipe, the loop, early stopping and the history.

pub mod early_stopping;
pub mod fit;
mod gathered;
pub mod history;
pub mod model;
pub mod range_test;
pub mod recipe;
mod statistics;

pub use crate::predictions::Predictions;
pub use early_stopping::{EarlyStopping, Progress, Scores, StoppingError, StoppingSpec};
pub use fit::{Fitted, Means, Samples, Validation, fit, fit_on};
pub use history::{EpochRecord, History, StopReason};
pub use model::Model;
pub use range_test::{RangeCurve, RangePoint, RangeStop, RangeTest, range_test};
pub use recipe::{BatchSize, NetworkSpec, Recipe, RecipeError};
