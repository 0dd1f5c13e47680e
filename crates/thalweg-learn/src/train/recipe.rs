//! A recipe: all that decides a training but the data and the seed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_optim::OptimizerSpec;

use crate::nn::{Activation, Init, Loss, Network};

/// How a network is built and trained. Fitting never changes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// The widths of the hidden layers; none makes a linear model.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    pub activation: Activation,
    /// How weights start.
    pub init: Init,
    /// What is minimized.
    pub loss: Loss,
    /// How the weights move.
    pub optimizer: OptimizerSpec,
    /// η.
    pub learning_rate: f64,
    /// Passes over the data, at most.
    pub epochs: u32,
    /// Rows per step.
    pub batch_size: BatchSize,
    /// Epochs without a better validation score after which training stops; `None` never stops early.
    pub patience: Option<u32>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            activation: Activation::Relu,
            init: Init::Auto,
            loss: Loss::CrossEntropy,
            optimizer: OptimizerSpec::named("adam"),
            learning_rate: 1e-3,
            epochs: 50,
            batch_size: BatchSize::Rows(32),
            patience: None,
        }
    }
}

impl Recipe {
    /// The recipe's network.
    pub fn network(&self, inputs: usize, outputs: usize) -> Network<f32> {
        Network::mlp(inputs, &self.hidden, outputs, self.activation, self.init)
    }
}

/// Rows per step: 1 is stochastic, B mini-batch, `Full` batch gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// All rows.
    Full,
    /// This many; at least 1.
    Rows(u32),
}

impl BatchSize {
    /// The rows per step on a data set of `rows` rows.
    pub fn resolve(self, rows: usize) -> usize {
        match self {
            Self::Full => rows,
            Self::Rows(batch) => (batch.max(1) as usize).min(rows),
        }
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Rows(rows) => rows.fmt(f),
        }
    }
}

impl std::str::FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Self::Full),
            _ => match text.parse() {
                Ok(rows) if rows > 0 => Ok(Self::Rows(rows)),
                _ => Err(format!("«{text}» is not a batch size: give a whole number from 1 up, or «full»")),
            },
        }
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Full => serializer.serialize_str("full"),
            Self::Rows(rows) => serializer.serialize_u32(*rows),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Word(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Word(word) => word,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_sizes_are_read_from_words_and_numbers() {
        assert_eq!(serde_json::from_str::<BatchSize>("\"full\"").unwrap(), BatchSize::Full);
        assert_eq!(serde_json::from_str::<BatchSize>("32").unwrap(), BatchSize::Rows(32));
        for bad in ["0", "-3", "\"half\""] {
            assert!(serde_json::from_str::<BatchSize>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_recipe_survives_a_round_trip_and_refuses_unknown_keys() {
        let recipe = Recipe { hidden: vec![8, 4], batch_size: BatchSize::Full, ..Recipe::default() };
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
        let unknown = json.replacen("\"hidden\"", "\"hiden\"", 1);
        assert!(serde_json::from_str::<Recipe>(&unknown).is_err());
    }
}
