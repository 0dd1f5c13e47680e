//! What happened in a training, epoch by epoch, and why it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::early_stopping::StoppingSpec;

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
    /// The recipe's criterion of early stopping was met.
    EarlyStopped,
    /// The loss or a parameter became NaN or infinite in this step (the first is 1).
    Diverged {
        /// The step.
        step: u64,
    },
    /// The caller asked to stop.
    Interrupted,
}

impl StopReason {
    /// The reason of a training that had this criterion, in words.
    pub fn under(self, criterion: StoppingSpec) -> String {
        let epochs = |count: u32| if count == 1 { "1 epoch".to_owned() } else { format!("{count} epochs") };
        match (self, criterion) {
            (Self::EarlyStopped, StoppingSpec::Patience { epochs: count, min_delta: 0.0 }) => {
                format!("the validation score did not get better for {}", epochs(count))
            }
            (Self::EarlyStopped, StoppingSpec::Patience { epochs: count, min_delta }) => {
                format!(
                    "the validation score did not get better by more than {min_delta} for {}",
                    epochs(count)
                )
            }
            (Self::EarlyStopped, StoppingSpec::Gl { alpha }) => {
                format!("GL: the validation loss lay more than {alpha} % above its lowest")
            }
            (Self::EarlyStopped, StoppingSpec::Pq { alpha, strip }) => format!(
                "PQ: the rise of the validation loss over the progress in training, GL/P, exceeded {alpha} over {}",
                epochs(strip)
            ),
            (Self::EarlyStopped, StoppingSpec::Up { strips: 1, strip }) => {
                format!("UP: the validation loss was higher than {} before", epochs(strip))
            }
            (Self::EarlyStopped, StoppingSpec::Up { strips, strip }) => {
                format!(
                    "UP: the validation loss was higher than {} before, {strips} times in a row",
                    epochs(strip)
                )
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("all epochs were done"),
            Self::EarlyStopped => f.write_str("a criterion of early stopping was met"),
            Self::Diverged { step } => {
                write!(f, "the loss became NaN or infinite in step {step}: try a smaller learning rate")
            }
            Self::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stopped_early_is_told_what_stopped_it() {
        for (criterion, words) in [
            ("patience:1", "the validation score did not get better for 1 epoch"),
            ("patience:7", "the validation score did not get better for 7 epochs"),
            ("patience:7:0.01", "the validation score did not get better by more than 0.01 for 7 epochs"),
            ("gl:2.5", "GL: the validation loss lay more than 2.5 % above its lowest"),
            (
                "pq:0.5:4",
                "PQ: the rise of the validation loss over the progress in training, GL/P, exceeded 0.5 over 4 epochs",
            ),
            ("up:3:5", "UP: the validation loss was higher than 5 epochs before, 3 times in a row"),
            ("up:1:1", "UP: the validation loss was higher than 1 epoch before"),
        ] {
            let criterion: StoppingSpec = criterion.parse().unwrap();
            assert_eq!(StopReason::EarlyStopped.under(criterion), words);
            assert_eq!(StopReason::Completed.under(criterion), "all epochs were done");
        }
        let diverged = StopReason::Diverged { step: 3 };
        assert_eq!(diverged.under(StoppingSpec::None), diverged.to_string());
    }
}
