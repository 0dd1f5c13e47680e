//! What the user asks for, and the splitter that answers.

use serde::{Deserialize, Serialize};
use thalweg_data::Rows;

use super::{Policy, SPLITTERS, SplitError, Splitter, k_fold};

/// How the outer folds are made: `--cv`, `--folds`, `--repeats`, `--gap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct SplitSpec {
    /// The way to split. Default: chosen from the data.
    pub policy: Policy,
    /// The number of folds, at least 2. Default: 5.
    pub folds: usize,
    /// How often the whole division is drawn anew. Default: 1.
    pub repeats: usize,
    /// Rows left out between past and future (time series only). Default: 0.
    pub gap: usize,
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self { policy: Policy::Auto, folds: 5, repeats: 1, gap: 0 }
    }
}

impl SplitSpec {
    /// The splitter for these rows. [`Policy::Auto`] takes the first of [`SPLITTERS`] that the rows allow: time series
    /// where there is a time axis (even if groups are known too: a panel's groups then stand on both sides of the
    /// border, but no row is predicted from its future), else whole groups, else classes dealt evenly, else k-fold.
    ///
    /// # Errors
    /// If the rows lack what the policy needs, or if a number makes no sense for it. What depends on the number of
    /// rows is found by [`Splitter::split`].
    pub fn resolve(&self, rows: &Rows<'_>) -> Result<Box<dyn Splitter>, SplitError> {
        if self.folds < 2 {
            return Err(SplitError::TooFewFolds { folds: self.folds });
        }
        if self.repeats == 0 {
            return Err(SplitError::NoRepeats);
        }
        let row = match self.policy {
            Policy::Auto => SPLITTERS.iter().find(|row| (row.needs)(rows).is_ok()),
            policy => SPLITTERS.iter().find(|row| row.policy == policy),
        };
        let row = row.unwrap_or(&&k_fold::ROW);
        (row.needs)(rows)?;
        if self.gap > 0 && row.policy != Policy::TimeSeries {
            return Err(SplitError::GapWithoutTime { gap: self.gap, policy: row.name });
        }
        (row.build)(self)
    }
}
