//! What a user says about a file: which column is the target, which are left out, what orders or groups the rows.

use serde::{Deserialize, Serialize};

use crate::images::ImageShape;
use crate::read::HeaderMode;

/// What is to be predicted, or `Auto`: decided from the target column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskChoice {
    /// Text and booleans are classes. Whole numbers are classes if they take at most 20 distinct values and at most
    /// max(2, rows / 20) of them; every other number is a regression target, and so is a series (`lags`).
    #[default]
    Auto,
    /// Every distinct value is a class.
    Classification,
    /// A real number.
    Regression,
}

/// How the columns of a table become a [`Dataset`](crate::Dataset); the same keys in TOML, flags and Rust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DatasetSpec {
    /// The column to predict. A file needs one; a built-in set has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Classification, regression, or decided from the target.
    pub task: TaskChoice,
    /// Columns that are not used at all.
    pub ignore: Vec<String>,
    /// The column whose equal values mark rows that must stay together in a split. Not a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The column that orders the rows in time (dates or numbers). Not a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Columns that stay features although they look like an identifier or a time axis.
    pub keep: Vec<String>,
    /// How many previous target values become features (`lag_1` … `lag_L`); 0 means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lags: Option<usize>,
    /// Cell texts that mean «missing», beside the empty cell, `?`, `NA`, `N/A` and `null`.
    pub missing: Vec<String>,
    /// Whether the first row names the columns.
    pub header: HeaderMode,
    /// That the numeric feature columns of a table, in order, are the pixels of an image of this shape (row by row,
    /// channels last). A table is prepared as before; only [`Form::Images`](crate::Form::Images) needs to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// The file of labels beside a file of images, where it has not the usual name (`y.npy` for `x.npy`,
    /// `…-labels-idx1-ubyte` for `…-images-idx3-ubyte`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

impl DatasetSpec {
    /// This specification, with whatever it leaves open taken from `defaults`. A column that it names for anything
    /// else is no longer a default's group or time.
    pub fn or(&self, defaults: &DatasetSpec) -> DatasetSpec {
        let named = |name: &&String| {
            let lists = self.ignore.iter().chain(&self.keep);
            lists.chain(&self.target).chain(&self.group).chain(&self.time).any(|other| other == *name)
        };
        let unnamed = |default: &Option<String>| default.as_ref().filter(|name| !named(name)).cloned();
        let list =
            |own: &[String], other: &[String]| if own.is_empty() { other.to_vec() } else { own.to_vec() };
        DatasetSpec {
            target: self.target.clone().or_else(|| defaults.target.clone()),
            // Another target makes the default's task a guess about a different column.
            task: match (self.task, &self.target) {
                (TaskChoice::Auto, own) if own.is_none() || *own == defaults.target => defaults.task,
                (task, _) => task,
            },
            ignore: list(&self.ignore, &defaults.ignore),
            group: self.group.clone().or_else(|| unnamed(&defaults.group)),
            time: self.time.clone().or_else(|| unnamed(&defaults.time)),
            keep: list(&self.keep, &defaults.keep),
            lags: self.lags.or(defaults.lags),
            missing: list(&self.missing, &defaults.missing),
            // Other columns than the default's would be other pixels.
            image: self.image.or(defaults.image.filter(|_| {
                self.ignore.is_empty()
                    && [&self.group, &self.time].iter().all(|column| column.is_none())
                    && self.lags.is_none()
                    && (self.target.is_none() || self.target == defaults.target)
            })),
            labels: self.labels.clone().or_else(|| defaults.labels.clone()),
            header: if self.header == HeaderMode::Auto { defaults.header } else { self.header },
        }
    }
}
