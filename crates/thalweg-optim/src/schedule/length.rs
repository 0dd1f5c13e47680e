//! How long a phase lasts: in steps, in epochs, or as a share of the training.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::Value;

/// A length of time. In settings: a whole number of steps, or a text such as `"500 steps"`, `"2.5 epochs"`, `"10%"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Steps.
    Steps(u64),
    /// Passes over the training data; a part of one counts as its part of the steps.
    Epochs(f64),
    /// Percent of the training, or of the part of a sequence in which it stands.
    Percent(f64),
}

/// What a training is long: lengths are resolved by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The steps of the whole training.
    pub steps: u64,
    /// The steps of a pass over the training data.
    pub steps_per_epoch: u64,
}

impl Length {
    /// All of the training.
    pub const ALL: Self = Self::Percent(100.0);

    /// The nearest number of steps; what is longer than `u64` can count lasts for `u64::MAX`.
    pub fn resolve(self, horizon: Horizon) -> u64 {
        // A conversion from f64 saturates.
        match self {
            Self::Steps(steps) => steps,
            Self::Epochs(epochs) => (epochs * horizon.steps_per_epoch as f64).round() as u64,
            // All is all, also where an f64 cannot tell it from its neighbours.
            Self::Percent(100.0) => horizon.steps,
            Self::Percent(percent) => (percent / 100.0 * horizon.steps as f64).round() as u64,
        }
    }

    /// The steps of a length that was resolved.
    ///
    /// # Panics
    /// If it was not: a [`Curve`](super::Curve) holds none of those.
    pub(super) fn steps(self) -> u64 {
        let Self::Steps(steps) = self else { panic!("«{self}» was not resolved to steps") };
        steps
    }

    /// Whether it is finite and not negative.
    pub(super) fn is_valid(self) -> bool {
        match self {
            Self::Steps(_) => true,
            Self::Epochs(length) | Self::Percent(length) => length >= 0.0 && length.is_finite(),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(1) => f.write_str("1 step"),
            Self::Steps(steps) => write!(f, "{steps} steps"),
            Self::Epochs(1.0) => f.write_str("1 epoch"),
            Self::Epochs(epochs) => write!(f, "{epochs} epochs"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// What a length may look like, for errors.
pub(super) const FORMS: &str =
    "a length from 0 up: a whole number of steps, or a text such as \"500 steps\", \"2.5 epochs\" or \"10%\"";

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("«{text}» is not {FORMS}");
        let trimmed = text.trim();
        let unit_at = trimmed.find(|c: char| c == '%' || c.is_whitespace()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(unit_at);
        let length = || number.parse().map_err(|_| wrong());
        let span = match unit.trim() {
            "" | "step" | "steps" => Self::Steps(number.parse().map_err(|_| wrong())?),
            "epoch" | "epochs" => Self::Epochs(length()?),
            "%" => Self::Percent(length()?),
            _ => return Err(wrong()),
        };
        if span.is_valid() { Ok(span) } else { Err(wrong()) }
    }
}

impl Serialize for Length {
    /// Steps as a whole number, else the text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u64(*steps),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        value.length().map_err(serde::de::Error::custom)
    }
}
