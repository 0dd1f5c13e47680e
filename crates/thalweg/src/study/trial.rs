//! One training of a study: what decides it, and what came of it.

use serde::{Deserialize, Serialize};
use thalweg_learn::train::{EpochRecord, Recipe, StopReason};

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Fitted on the inner training part, scored on the inner validation part: chooses a learning rate.
    Inner,
    /// Fitted on the whole outer training part with what the inner trials chose, scored once on the outer test part.
    Refit,
}

/// What the inner trials choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tuned {
    pub(crate) learning_rate: f64,
    pub(crate) strength: Option<f64>,
    pub(crate) epochs: u32,
}

/// What decides a trial's bits, beside the data and the seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The outer fold, from 0; repeats follow each other.
    pub fold: usize,
    /// The method's name: of an optimizer, or of a regularization technique.
    pub method: String,
    /// The technique's strength.
    pub strength: Option<f64>,
    /// Whether the best epoch counts, or the last.
    pub best_epoch: bool,
    /// What it is for.
    pub role: Role,
    /// How the network is trained.
    pub recipe: Recipe,
}

/// A finished trial. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The hash of all that decides the trial's bits.
    pub key: String,
    /// The outer fold, from 0; repeats follow each other.
    pub fold: usize,
    /// The method's name: of an optimizer, or of a regularization technique. (Stores once called it «optimizer».)
    #[serde(alias = "optimizer")]
    pub method: String,
    /// What it is for.
    pub role: Role,
    /// η.
    pub learning_rate: f64,
    /// The technique's strength, in a study of regularization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Why training ended.
    pub stop: StopReason,
    /// The epoch (from 1) that counts: of an inner trial the one with the best validation score, averaged over the two
    /// epochs on either side (in a study of regularization the last, unless the technique is to stop early); of a refit
    /// the last.
    pub epoch: Option<u32>,
    /// Epochs done.
    pub epochs: u32,
    /// Steps done.
    pub steps: u64,
    /// The score on the inner validation part at that epoch, averaged likewise.
    pub valid_score: Option<f64>,
    /// The loss on it, likewise.
    pub valid_loss: Option<f64>,
    /// The score of a refit on the outer training part.
    pub train_score: Option<f64>,
    /// The score of a refit on the outer test part.
    pub test_score: Option<f64>,
    /// Every epoch.
    pub history: Vec<EpochRecord>,
    /// How long it took; the only field that differs between equal runs.
    pub seconds: f64,
}

impl TrialRecord {
    /// Whether training ended in NaN or ∞.
    pub fn diverged(&self) -> bool {
        matches!(self.stop, StopReason::Diverged { .. })
    }
}
