//! How well it generalizes: splits, metrics and honest statistics.
//!
//! `Rows → Splitter → Split → score by Metric → compare_with_best`. A splitter yields row numbers and sees neither a
//! feature nor a model; a metric sees only the truth and the predictions; a statistic sees only scores.
pub mod cross_validate;
pub mod metric;
pub mod split;
pub mod stats;

pub use cross_validate::cross_validate;
pub use metric::{Metric, MetricError, Predictions, Truth};
pub use split::{Policy, SplitError, SplitSpec, Splitter};
