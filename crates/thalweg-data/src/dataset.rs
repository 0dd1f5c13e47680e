//! A data set: feature columns, a target, and what the splitters need to know of the rows (groups, time).

use serde::{Deserialize, Serialize};

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One of two or more classes.
    Classification,
    /// A real number.
    Regression,
}

/// The values of one feature, a row each.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureColumn {
    /// Numbers; NaN means missing, ∞ never occurs.
    Numbers(Vec<f64>),
    /// Codes into `levels` (sorted by name); [`MISSING`] means missing.
    Categories {
        /// A code per row.
        codes: Vec<u32>,
        /// The name of each code.
        levels: Vec<String>,
    },
}

/// A named column that a model may see.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The column's name in the file.
    pub name: String,
    /// Its values.
    pub column: FeatureColumn,
}

/// What is to be predicted, a row each; never missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Codes into `names`, which are sorted: texts by their bytes, numbers by value.
    Classes {
        /// A class code per row.
        codes: Vec<u32>,
        /// The name of each class.
        names: Vec<String>,
    },
    /// Finite numbers.
    Values(Vec<f64>),
}

/// A data set. It cannot be fitted on: only a [`TrainView`](crate::TrainView) of it can.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// A short name (`digits`, or the file's stem).
    pub name: String,
    /// The columns a model may see.
    pub features: Vec<Feature>,
    /// The target column's name.
    pub target_name: String,
    /// The target.
    pub target: Target,
    /// A group code per row (rows of one group are never split), if a group column was named.
    pub groups: Option<Vec<u32>>,
    /// A time per row, non-decreasing (rows are stored in time order), if there is a time axis.
    pub times: Option<Vec<f64>>,
    /// What a reader should know about the data: dropped rows, identifier-like columns, copies of the target.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.target {
            Target::Classes { codes, .. } => codes.len(),
            Target::Values(values) => values.len(),
        }
    }

    /// What is predicted.
    pub fn task(&self) -> Task {
        match &self.target {
            Target::Classes { .. } => Task::Classification,
            Target::Values(_) => Task::Regression,
        }
    }
}
