//! Which rows are fitted on and which are scored: one splitter a file, one row each in [`SPLITTERS`].
//!
//! A splitter yields row numbers; it sees what [`Rows`] tells (classes, groups, times), never a feature or a model.
//! An inner split comes from the same splitter ([`Splitter::holdout`]), so it inherits the outer policy.

use std::fmt;

use serde::{Deserialize, Serialize};
use thalweg_data::{Rows, Split};

mod deal;
mod error;
mod group;
mod k_fold;
mod spec;
mod stratified;
#[cfg(test)]
mod tests;
mod time_series;

pub use error::SplitError;
pub use group::GroupKFold;
pub use k_fold::KFold;
pub use spec::SplitSpec;
pub use stratified::StratifiedKFold;
pub use time_series::ExpandingWindow;

/// Divides rows into a part to fit on and a part to score.
pub trait Splitter: Send + Sync {
    /// Its name on the command line: `k-fold`, `stratified`, `group` or `time-series`.
    fn name(&self) -> &'static str;

    /// The outer folds, repeat after repeat; each repeat draws a fresh shuffle. Equal seeds give equal folds.
    ///
    /// # Errors
    /// If these rows cannot be split this way: see [`SplitError`].
    fn split(&self, rows: &Rows<'_>, seed: u64) -> Result<Vec<Split>, SplitError>;

    /// One inner split that inherits the policy: about `fraction` of the rows (whole groups; in time: the last rows,
    /// after the gap) form the test part, to validate on.
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1, or if a part would be empty.
    fn holdout(&self, rows: &Rows<'_>, fraction: f64, seed: u64) -> Result<Split, SplitError>;
}

/// How the outer folds are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The first row of [`SPLITTERS`] that the data allow.
    #[default]
    Auto,
    /// Shuffled k-fold.
    KFold,
    /// Shuffled k-fold with each class dealt evenly.
    Stratified,
    /// Whole groups.
    Group,
    /// Past to future, by an expanding window.
    TimeSeries,
}

impl Policy {
    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        SPLITTERS.iter().find(|row| row.policy == self).map_or("auto", |row| row.name)
    }

    /// Every name, `auto` first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once("auto").chain(SPLITTERS.iter().map(|row| row.name))
    }

    /// The policy of a name; case and `_` for `-` do not matter.
    ///
    /// # Errors
    /// [`SplitError::UnknownPolicy`] with the nearest name.
    pub fn parse(name: &str) -> Result<Self, SplitError> {
        let wanted = name.trim().to_lowercase().replace('_', "-");
        if wanted == "auto" {
            return Ok(Self::Auto);
        }
        SPLITTERS.iter().find(|row| row.name == wanted).map(|row| row.policy).ok_or_else(|| {
            SplitError::UnknownPolicy {
                given: name.to_owned(),
                hint: thalweg_optim::suggest::did_you_mean(&wanted, Self::names()),
                known: Self::names().collect::<Vec<_>>().join(", "),
            }
        })
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Policy {
    type Err = SplitError;
    fn from_str(name: &str) -> Result<Self, SplitError> {
        Self::parse(name)
    }
}

/// One row of the registry.
pub struct SplitterRow {
    /// The policy that asks for it.
    pub policy: Policy,
    /// Its name in flags and files.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// When `auto` takes it.
    pub chosen_for: &'static str,
    /// Whether the rows carry what it needs.
    needs: fn(&Rows<'_>) -> Result<(), SplitError>,
    build: fn(&SplitSpec) -> Result<Box<dyn Splitter>, SplitError>,
}

/// Every splitter, in the order in which [`Policy::Auto`] tries them.
pub const SPLITTERS: [&SplitterRow; 4] = [&time_series::ROW, &group::ROW, &stratified::ROW, &k_fold::ROW];

/// The mean of (test rows / training rows) over `splits`: the ratio that the corrected statistics ask for. In k-fold
/// it is 1/(k−1).
///
/// # Panics
/// If there is no split.
pub fn test_over_train(splits: &[Split]) -> f64 {
    assert!(!splits.is_empty(), "no split to take the ratio of");
    let sum: f64 = splits.iter().map(|split| split.test().len() as f64 / split.train().len() as f64).sum();
    sum / splits.len() as f64
}
