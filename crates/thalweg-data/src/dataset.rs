//! A data set: feature columns or images, a target, and what the splitters need to know of the rows (groups, time).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::images::{ImageShape, Images, Pixels};
use crate::schema::Reading;
use crate::view::Split;

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
    /// Codes into `names`, which are sorted (texts by their bytes, numbers by value) or, in a set with published class
    /// numbers, in the order of those.
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
    /// The columns a model may see; none where the pixels of images are all there is.
    pub features: Vec<Feature>,
    /// What makes each row an image, if it is one.
    pub images: Option<Images>,
    /// The target column's name.
    pub target_name: String,
    /// The target.
    pub target: Target,
    /// A group code per row (rows of one group are never split), if a group column was named.
    pub groups: Option<Vec<u32>>,
    /// A time per row, non-decreasing (rows are stored in time order), if there is a time axis.
    pub times: Option<Vec<f64>>,
    /// The rows that the set's publisher set apart for testing; all others are for training. See
    /// [`Dataset::fixed_split`].
    pub fixed_test: Option<Range<u32>>,
    /// How texts were read as numbers, so that a new file can be read alike. See [`Dataset::schema`].
    pub reading: Reading,
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

    /// Height × width × channels of a row, if it is an image: in a block of pixels, or in the numeric columns of a
    /// table that says so.
    pub fn image_shape(&self) -> Option<ImageShape> {
        self.images.as_ref().map(|images| images.shape)
    }

    /// How many values a row has before any preparation: features and pixels.
    pub fn inputs(&self) -> usize {
        let block = self.images.as_ref().filter(|images| !matches!(images.pixels, Pixels::Columns));
        self.features.len() + block.map_or(0, |images| images.shape.len())
    }

    /// The split into training and test rows that the set's publisher made, if there is one.
    pub fn fixed_split(&self) -> Option<Split> {
        let test = self.fixed_test.clone()?;
        let train = (0..self.rows() as u32).filter(|row| !test.contains(row)).collect();
        Some(Split::new(self.rows(), train, test.collect()))
    }
}
