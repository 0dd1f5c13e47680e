//! What can be wrong with a recipe's regularization.

use thalweg_optim::{OptimError, Range};

/// What can be wrong with a recipe's regularization.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegularizeError {
    /// There is no such technique.
    #[error("there is no regularization technique «{name}»{suggestion} (known: {known})")]
    Unknown {
        /// What was written.
        name: String,
        /// «; did you mean …?», or nothing.
        suggestion: String,
        /// All names.
        known: String,
    },
    /// A technique has no such setting.
    #[error("{technique} has no setting «{key}»{suggestion} (known: {known})")]
    UnknownSetting {
        /// The technique.
        technique: &'static str,
        /// What was written.
        key: String,
        /// «; did you mean …?», or nothing.
        suggestion: String,
        /// All keys.
        known: String,
    },
    /// A setting is out of range.
    #[error("{technique}: {key} = {value} is out of range: it must lie in {range}")]
    OutOfRange {
        /// The technique.
        technique: &'static str,
        /// The setting.
        key: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: Range,
    },
    /// It cannot be read.
    #[error("«{text}»: {what}")]
    Text {
        /// What was written.
        text: String,
        /// What is wrong, and what to write.
        what: String,
    },
    /// A technique is named twice.
    #[error("{technique} is named twice: leave one out")]
    Twice {
        /// Its name.
        technique: &'static str,
    },
    /// Two techniques that exclude each other.
    #[error("{first} and {second} do not go together: {why}")]
    Together {
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// Why, and what to do.
        why: &'static str,
    },
    /// A batch that cannot be cut so.
    #[error("shards = {shards}: a batch of {batch} rows has from 1 to {batch} parts")]
    Shards {
        /// The parts.
        shards: u32,
        /// The batch's rows.
        batch: usize,
    },
    /// Batch normalization of a table, row by row.
    #[error(
        "batch normalization has no variance in {rows} row at a time: give a larger batch size, fewer shards, or use \
         layer-norm"
    )]
    OneRow {
        /// Rows that would be normalized together.
        rows: usize,
    },
    /// A layer that mixes rows without their targets.
    #[error(
        "a mix-point in the list of layers would mix rows and not their targets: use regularize = {{ manifold-mixup = 2 }}"
    )]
    MixPoint,
    /// What a technique puts around the optimizer cannot be there.
    #[error("{technique} is refused: {why}")]
    Refused {
        /// The technique.
        technique: &'static str,
        /// What the optimizer says.
        why: Box<OptimError>,
    },
    /// A technique cannot be used on these data, with this network or batch size.
    #[error("{technique} does not apply: {reason}")]
    DoesNotApply {
        /// The technique.
        technique: &'static str,
        /// Why, and what to do.
        reason: String,
    },
}

impl RegularizeError {
    /// The key of a recipe that is to blame.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Shards { .. } => "shards",
            Self::OneRow { .. } => "batch-size",
            Self::MixPoint => "network",
            _ => "regularize",
        }
    }
}
