//! What happened in a training, epoch by epoch, and why it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The mean of the batches' losses while the weights moved (not a second pass at the end of the epoch).
    pub train_loss: f64,
    /// The validation loss at the end of the epoch; `None` without a validation part, or if it is not finite.
    pub valid_loss: Option<f64>,
    /// The validation cost (smaller is better), as the loss.
    pub valid_cost: Option<f64>,
}

/// All epochs, in order.
pub type History = Vec<EpochRecord>;

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// All epochs were done.
    Completed,
    /// The validation score did not get better for as many epochs as the patience allows.
    EarlyStopped,
    /// The loss or a parameter became NaN or infinite in this step (the first is 1).
    Diverged {
        /// The step.
        step: u64,
    },
    /// The caller asked to stop.
    Interrupted,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("all epochs were done"),
            Self::EarlyStopped => f.write_str("the validation score stopped getting better"),
            Self::Diverged { step } => {
                write!(f, "the loss became NaN or infinite in step {step}: try a smaller learning rate")
            }
            Self::Interrupted => f.write_str("it was interrupted"),
        }
    }
}
