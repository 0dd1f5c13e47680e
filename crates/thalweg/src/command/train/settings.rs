//! The settings of `train`: one type for flags and for TOML.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use serde::de::{self, MapAccess, Visitor, value};
use serde::{Deserialize, Deserializer};
use thalweg_data::{Dataset, DatasetSpec, HeaderMode, ImageShape, TaskChoice};
use thalweg_eval::{Metric, Policy, SplitSpec};
use thalweg_learn::estimator::default_loss;
use thalweg_learn::nn::{Activation, Init};
use thalweg_learn::regularize::RegularizeSpec;
use thalweg_learn::train::{BatchSize, Recipe};
use thalweg_optim::{Dialect, OptimizerSpec, Schedule};

use crate::command::Failure;
use crate::command::config::read;
use crate::command::network::NetworkChoice;
use crate::command::options::settings;
use crate::command::written::{Listed, Wraps, schedule, texts, whole, widths, word};
use crate::model::{Training, usual_rate};
use crate::report::Format;
use crate::study::LossChoice;

settings! {
    /// The settings as they were given: what was not, is `None`. The keys of a model's recipe are among them.
    pub(super) Settings {
        /// mlp, linear, resmlp; lenet, resnet8, resnet20 for images (see `thalweg list architectures`) [default: mlp]
        #[arg(long, value_name = "NAME", help_heading = "Network")]
        network: (NetworkChoice),
        /// The widths of the hidden layers, separated by commas; none for a linear model [default: 64]
        #[arg(long, value_name = "WIDTHS", help_heading = "Network")]
        #[serde(deserialize_with = "widths")]
        hidden: (Listed),
        /// What follows each hidden layer (see `thalweg list activations`) [default: relu]
        #[arg(long, value_parser = word::<Activation>, value_name = "NAME", help_heading = "Network")]
        activation: (Activation),
        /// How weights start: auto, he or glorot [default: auto]
        #[arg(long, value_parser = word::<Init>, value_name = "NAME", help_heading = "Network")]
        init: (Init),

        /// The optimizer (see `thalweg list optimizers`) [default: adam]
        #[arg(long, value_name = "NAME", help_heading = "Training")]
        optimizer: (OptimizerChoice),
        /// Whose form of its rule: torch, keras, optax or textbook [default: torch]
        #[arg(long, value_parser = word::<Dialect>, value_name = "DIALECT", help_heading = "Training")]
        dialect: (Dialect),
        /// What goes around it, inner to outer, such as clip-norm=1,ema=0.999 (see `thalweg list wrappers`)
        #[arg(long, value_name = "WRAPPERS", help_heading = "Training")]
        wrap: (Wraps),
        /// The learning rate [default: what the optimizer's package documents, as `thalweg list optimizers` shows]
        #[arg(long, value_name = "RATE", help_heading = "Training")]
        learning_rate: (f64),
        /// What the rate is multiplied by as training goes on: a name of `thalweg list schedules`, or a TOML table such as
        /// '{ name = "cosine", final = 0.1 }' [default: constant]
        #[arg(long, value_parser = schedule, value_name = "SCHEDULE", help_heading = "Training")]
        schedule: (Schedule),
        /// auto, cross-entropy, binary, squared-error or absolute-error [default: auto]
        #[arg(long, value_name = "NAME", help_heading = "Training")]
        loss: (LossChoice),
        /// Passes over the data, at most [default: 50]
        #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Training")]
        epochs: (u32),
        /// Epochs without a better validation score before it stops; 0 never stops early [default: 10]
        #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Training")]
        patience: (u32),
        /// Rows per step: 1 (stochastic), N (mini-batch) or full [default: 32]
        #[arg(long, value_name = "N|full", help_heading = "Training")]
        batch_size: (BatchSize),

        /// What is done against over-fitting, such as dropout=0.3,mixup=0.2 (see `thalweg list regularizers`)
        #[arg(long, value_name = "TECHNIQUES", help_heading = "Training")]
        regularize: (RegularizeSpec),
        /// Parts that each batch is cut into, so that as many threads share the training; decides the bits [default: 1]
        #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Training")]
        shards: (u32),

        /// The share of the rows to validate on: the best epoch's weights are kept; 0 trains on all rows to the last epoch
        /// [default: 0.2]
        #[arg(long, value_name = "SHARE", help_heading = "Validation")]
        validation: (f64),
        /// auto, k-fold, stratified, group or time-series [default: auto, chosen from the data]
        #[arg(long, value_name = "POLICY", help_heading = "Validation")]
        cv: (Policy),
        /// Rows left out between past and future (time series) [default: 0]
        #[arg(long, value_parser = whole::<usize>, value_name = "ROWS", help_heading = "Validation")]
        gap: (usize),
        /// accuracy, balanced-accuracy, log-loss, f1, auc; rmse, mae, r2 [default: accuracy or rmse]
        #[arg(long, value_name = "NAME", help_heading = "Validation")]
        metric: (Metric),
        /// Decides every random draw [default: 0]
        #[arg(long, value_parser = whole::<u64>, value_name = "N", help_heading = "Validation")]
        seed: (u64),

        /// Threads for the parts of a batch; changes nothing but the time [default: the cores, as many as there are parts]
        #[arg(long, value_parser = whole::<usize>, value_name = "N", help_heading = "Running")]
        threads: (usize),
        /// The model's folder [default: models/<name>]
        #[arg(long, value_name = "DIR", help_heading = "Running")]
        out: (PathBuf),
        /// Replace the model that is in the folder
        #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL", help_heading = "Running")]
        force: (bool),
        /// How to write the result to standard output [default: table]
        #[arg(long, value_enum, help_heading = "Running")]
        format: (Format),
        /// Write nothing to standard error but errors
        #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL", help_heading = "Running")]
        quiet: (bool),
    }
}

impl Settings {
    /// The settings in a TOML file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        read(path, Self::KEYS)
    }

    /// The data that are named.
    pub(super) fn open(&self) -> Result<Dataset, Failure> {
        let name = self.data.as_deref().ok_or_else(|| {
            Failure::usage(
                "which data? Name a built-in set, such as `thalweg train digits`, or a file, such as `thalweg train \
                 my.csv --target y`",
            )
        })?;
        Ok(thalweg_data::open(name, &self.dataset())?)
    }

    /// The training of these data that the settings ask for.
    pub(super) fn training(&self, data: &Dataset) -> Result<Training, Failure> {
        let default = Recipe::default();
        let mut optimizer = self.optimizer.clone().map_or(default.optimizer, |choice| choice.0);
        if let Some(dialect) = self.dialect {
            optimizer = optimizer.dialect(dialect);
        }
        if let Some(wraps) = &self.wrap {
            optimizer.wrap.clone_from(&wraps.0);
        }
        let regularize = self.regularize.clone().unwrap_or_default();
        // A technique that says when to stop is the only one to do so.
        let patience = self.patience.or_else(|| regularize.stopping().is_none().then_some(10));
        let mut recipe = Recipe {
            network: self.network.clone().map_or(default.network, |choice| choice.0),
            hidden: self.hidden.as_ref().map_or(Ok(default.hidden), Listed::widths)?,
            activation: self.activation.unwrap_or(default.activation),
            init: self.init.unwrap_or(default.init),
            loss: match self.loss.unwrap_or_default() {
                LossChoice::Auto => default_loss(data),
                LossChoice::Named(loss) => loss,
            },
            optimizer,
            learning_rate: default.learning_rate,
            epochs: self.epochs.unwrap_or(default.epochs),
            batch_size: self.batch_size.unwrap_or(default.batch_size),
            shards: self.shards.unwrap_or(default.shards),
            patience: patience.filter(|&epochs| epochs > 0),
            schedule: self.schedule.clone().unwrap_or(default.schedule),
            schedule_epochs: None,
            regularize,
        };
        recipe.learning_rate = match self.learning_rate {
            Some(rate) => rate,
            None => usual_rate(&recipe)?,
        };
        let split = SplitSpec::default();
        Ok(Training {
            recipe,
            split: SplitSpec {
                policy: self.cv.unwrap_or(split.policy),
                gap: self.gap.unwrap_or(split.gap),
                ..split
            },
            validation: self.validation.unwrap_or(0.2),
            metric: self.metric,
            seed: self.seed.unwrap_or(0),
            threads: self.threads,
        })
    }

    /// The model's folder; `name` is the data set's.
    pub(super) fn out(&self, name: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| Path::new("models").join(name))
    }

    pub(super) fn force(&self) -> bool {
        self.force.unwrap_or(false)
    }

    pub(super) fn format(&self) -> Format {
        self.format.unwrap_or_default()
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet.unwrap_or(false)
    }
}

/// An optimizer by name; in TOML also a table with its hyperparameters.
#[derive(Debug, Clone)]
struct OptimizerChoice(OptimizerSpec);

impl FromStr for OptimizerChoice {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self(OptimizerSpec::named(name)))
    }
}

impl<'de> Deserialize<'de> for OptimizerChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = OptimizerChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "an optimizer's name, or a table such as { name = \"adam\", hyper = { beta1 = 0.8 } }",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OptimizerChoice, E> {
                Ok(OptimizerChoice(OptimizerSpec::named(name)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OptimizerChoice, A::Error> {
                OptimizerSpec::deserialize(value::MapAccessDeserializer::new(map)).map(OptimizerChoice)
            }
        }

        deserializer.deserialize_any(Written)
    }
}
