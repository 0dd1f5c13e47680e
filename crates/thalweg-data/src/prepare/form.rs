//! The forms in which rows can be prepared: what a network takes decides.

use serde::{Deserialize, Serialize};

/// What a prepared row looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Columns: standardized numbers, a 0/1 column per level of a category. A block of pixels lies flattened behind
    /// them, standardized by channel. For multilayer perceptrons.
    #[default]
    Table,
    /// An image: every pixel in its place, none dropped, standardized by channel. For convolutions. Features beside a
    /// block of pixels are not part of it.
    Images,
    /// As `Table`, but a category is one column with the code of its level, behind all others. For embeddings.
    ///
    /// Codes count from 1 in the order of [`OneHot`](super::one_hot::OneHot)'s columns (by name, then the infrequent
    /// levels' one); 0 is a level that was not seen in training where no level is infrequent: what is all zeros in
    /// one-hot.
    Codes,
}

impl Form {
    pub(super) fn is_table(&self) -> bool {
        *self == Self::Table
    }
}
