//! What a study is to do: one serde type, the same from TOML, flags, Python and Rust.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_data::DatasetSpec;
use thalweg_eval::{Metric, SplitSpec};
use thalweg_learn::nn::{Activation, Init, Loss};
use thalweg_learn::regularize::RegularizeSpec;
use thalweg_learn::train::{BatchSize, NetworkSpec};
use thalweg_optim::{Dialect, OptimizerSpec, Schedule, WrapSpec};

/// A study's settings, with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StudySpec {
    /// A built-in data set's name, or a file.
    pub data: String,
    /// What the file's columns are.
    pub dataset: DatasetSpec,
    /// The optimizers to compare, by their registry names.
    pub optimizers: Vec<String>,
    /// Whose form of each rule.
    pub dialect: Dialect,
    /// What goes around every optimizer, inner to outer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrap: Vec<WrapSpec>,
    /// The learning rates that each method tries in each fold.
    pub learning_rates: LearningRates,
    /// What each rate is multiplied by as training goes on.
    #[serde(skip_serializing_if = "Schedule::is_default")]
    pub schedule: Schedule,
    /// What is compared instead of optimizers: techniques of regularization, each with [`NONE`](super::NONE), under the
    /// first of the optimizers. «all» are those that apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regularizers: Vec<String>,
    /// What regularizes every method.
    #[serde(skip_serializing_if = "RegularizeSpec::is_empty")]
    pub regularize: RegularizeSpec,
    /// The share of the training labels that are replaced, to see what helps against it.
    #[serde(skip_serializing_if = "is_zero")]
    pub label_noise: f64,
    /// Rows of each outer training part that are used; all if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_size: Option<usize>,
    /// The layers before the output: a named architecture, or a list.
    #[serde(skip_serializing_if = "NetworkSpec::is_default")]
    pub network: NetworkSpec,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    pub activation: Activation,
    /// How weights start.
    pub init: Init,
    /// What is minimized.
    pub loss: LossChoice,
    /// Passes over the data, at most.
    pub epochs: u32,
    /// Epochs without a better validation score after which an inner trial stops; 0 never stops early.
    pub patience: u32,
    /// Rows per step.
    pub batch_size: BatchSize,
    /// The outer folds.
    pub split: SplitSpec,
    /// The share of the outer training part that the inner trials validate on.
    pub validation: f64,
    /// What is scored; the task's usual metric if not set.
    pub metric: Option<Metric>,
    /// Decides every draw.
    pub seed: u64,
}

impl Default for StudySpec {
    fn default() -> Self {
        Self {
            data: String::new(),
            dataset: DatasetSpec::default(),
            optimizers: ["sgd", "momentum", "nag", "adagrad", "adadelta", "rmsprop", "adam"]
                .map(str::to_owned)
                .to_vec(),
            dialect: Dialect::Torch,
            wrap: Vec::new(),
            learning_rates: LearningRates::default(),
            schedule: Schedule::default(),
            regularizers: Vec::new(),
            regularize: RegularizeSpec::default(),
            label_noise: 0.0,
            train_size: None,
            network: NetworkSpec::default(),
            hidden: vec![64],
            activation: Activation::Relu,
            init: Init::Auto,
            loss: LossChoice::Auto,
            epochs: 50,
            patience: 10,
            batch_size: BatchSize::Rows(32),
            split: SplitSpec::default(),
            validation: 0.2,
            metric: None,
            seed: 0,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl StudySpec {
    /// One of the optimizers with what goes around it.
    pub(crate) fn optimizer(&self, name: &str) -> OptimizerSpec {
        let bare = OptimizerSpec::named(name).dialect(self.dialect);
        self.wrap.iter().cloned().fold(bare, OptimizerSpec::wrapped)
    }
}

/// What is minimized, or `Auto`: binary or softmax cross-entropy for classes, squared error for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LossChoice {
    /// Decided from the target.
    #[default]
    Auto,
    /// This one.
    Named(Loss),
}

impl FromStr for LossChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        let named = Loss::ALL.into_iter().find(|loss| loss.name() == name).map(Self::Named);
        named.ok_or_else(|| {
            let names = Loss::ALL.map(Loss::name);
            let hint = thalweg_optim::suggest::did_you_mean(name, names);
            let end = if hint.is_empty() { "." } else { "" };
            format!("there is no loss «{name}»{hint}{end} There are: auto, {}", names.join(", "))
        })
    }
}

impl fmt::Display for LossChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Named(loss) => loss.name(),
        })
    }
}

/// The learning rates to try: ascending, finite, positive, each once.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRates(Vec<f64>);

impl LearningRates {
    /// `count` rates from `low` to `high`, evenly spaced on a logarithmic axis.
    ///
    /// # Errors
    /// If the ends are not finite, positive and in order, or `count` does not fit them.
    pub fn log_spaced(low: f64, high: f64, count: usize) -> Result<Self, String> {
        check_rate(low)?;
        check_rate(high)?;
        if count == 1 && low == high {
            return Ok(Self(vec![low]));
        }
        if low >= high {
            return Err(format!("the learning rates go from {low} to {high}; the first must be smaller"));
        }
        if !(2..=1000).contains(&count) {
            return Err(format!("{count} learning rates between {low} and {high}; give 2 to 1000"));
        }
        let step = (high.log10() - low.log10()) / (count - 1) as f64;
        // Rounded to 12 digits, so that a grid of powers of ten holds 0.001 and not 0.0010000000000000002.
        let rate = |index| {
            let exact = 10_f64.powf(low.log10() + step * index as f64);
            format!("{exact:.11e}").parse().unwrap_or(exact)
        };
        let mut rates: Vec<f64> = (0..count).map(rate).collect();
        (rates[0], rates[count - 1]) = (low, high);
        if rates.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(format!(
                "{low} and {high} are too near each other for {count} different learning rates"
            ));
        }
        Ok(Self(rates))
    }

    /// The rates, ascending.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The smallest and the largest.
    pub fn ends(&self) -> (f64, f64) {
        (self.0[0], self.0[self.0.len() - 1])
    }
}

/// What a network can be trained with, in f32.
fn check_rate(rate: f64) -> Result<(), String> {
    let largest = f64::from(f32::MAX);
    if rate > 0.0 && rate <= largest {
        Ok(())
    } else {
        Err(format!("{rate} is not a learning rate: it must lie in (0, ∞) and be at most {largest:.7e}"))
    }
}

impl Default for LearningRates {
    fn default() -> Self {
        Self::log_spaced(1e-4, 1.0, 9).expect("a valid grid")
    }
}

impl FromStr for LearningRates {
    type Err = String;

    /// `LO..HI:N`, or a list `0.001,0.01`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.trim().parse::<f64>().map_err(|_| {
                format!("«{text}»: «{part}» is not a number; write LO..HI:N, such as 1e-4..1:9, or a list of rates")
            })
        };
        if let Some((low, rest)) = text.split_once("..") {
            let (high, count) = rest
                .split_once(':')
                .ok_or_else(|| format!("«{text}»: how many rates? Write LO..HI:N, such as 1e-4..1:9"))?;
            let count = count.trim().parse().map_err(|_| {
                format!(
                    "«{text}»: «{count}» is not a whole number of rates; write LO..HI:N, such as 1e-4..1:9"
                )
            })?;
            return Self::log_spaced(number(low)?, number(high)?, count);
        }
        let mut rates = text.split(',').map(number).collect::<Result<Vec<f64>, _>>()?;
        rates.iter().try_for_each(|&rate| check_rate(rate))?;
        rates.sort_by(f64::total_cmp);
        if let Some(pair) = rates.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("the learning rate {} is named twice", pair[0]));
        }
        Ok(Self(rates))
    }
}

impl fmt::Display for LearningRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<String> = self.0.iter().map(f64::to_string).collect();
        f.write_str(&list.join(","))
    }
}

/// Writes a type as its text and reads it from text.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(LearningRates);
serde_as_text!(LossChoice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_grid_holds_the_powers_of_ten() {
        let grid = LearningRates::default();
        assert_eq!(grid.values().len(), 9);
        for rate in [1e-4, 1e-3, 1e-2, 1e-1, 1.0] {
            assert!(grid.values().contains(&rate), "{grid}");
        }
    }

    #[test]
    fn grids_are_read_and_refused() {
        let read = |text: &str| text.parse::<LearningRates>();
        assert_eq!(read("0.1,0.01").unwrap().values(), [0.01, 0.1]);
        assert_eq!(read("1e-2..1:3").unwrap().values(), [0.01, 0.1, 1.0]);
        assert!(read("1e-308..1e38:5").unwrap().values().iter().all(|rate| rate.is_finite()));
        for bad in [
            "",
            "x",
            "1..0.1:3",
            "0.1..1",
            "0.1..1:1",
            "0.1..1:x",
            "-1",
            "0",
            "nan",
            "inf",
            "1e39",
            "1e-3..1e39:5",
            "0.1,0.1",
            "0.1..0.10000000000001:5",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_spec_survives_a_round_trip() {
        let spec = StudySpec { data: "iris".to_owned(), metric: Some(Metric::F1), ..StudySpec::default() };
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<StudySpec>(&json).unwrap(), spec);
    }
}
