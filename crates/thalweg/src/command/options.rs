//! The settings of `compare`: one type for flags and for TOML; and what other commands' settings are made of.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use thalweg_data::{DatasetSpec, HeaderMode, ImageShape, TaskChoice};
use thalweg_eval::{Metric, Policy, SplitSpec};
use thalweg_learn::nn::{Activation, Init};
use thalweg_learn::regularize::RegularizeSpec;
use thalweg_learn::train::BatchSize;
use thalweg_optim::{Dialect, Schedule};

use super::Failure;
use super::config::read;
use super::network::NetworkChoice;
use super::written::{Listed, Rates, Wraps, schedule, texts, whole, widths, word};
use crate::report::Format;
use crate::study::{LossChoice, StudySpec};

/// Declares a command's settings, each once, and how two sets of them are laid over each other. Those of the data come
/// first, the same in every command that reads data to learn from.
macro_rules! settings {
    (@struct $(#[$about:meta])* ($see:vis) $Settings:ident, $($(#[$meta:meta])* $name:ident: ($($type:tt)+),)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, Args, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        $see struct $Settings {
            $($(#[$meta])* $name: Option<$($type)+>,)*
        }

        impl $Settings {
            /// The names of the keys, as Python writes them; TOML and flags have `-` for `_`.
            $see const KEYS: &[&str] = &[$(stringify!($name)),*];

            /// These settings, and where they say nothing, those.
            pub(super) fn or(self, those: Self) -> Self {
                Self { $($name: self.$name.or(those.$name),)* }
            }

            /// What the data's columns are.
            pub(super) fn dataset(&self) -> DatasetSpec {
                let names = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
                DatasetSpec {
                    target: self.target.clone(),
                    task: self.task.unwrap_or_default(),
                    ignore: names(&self.ignore),
                    group: self.group.clone(),
                    time: self.time.clone(),
                    keep: names(&self.keep),
                    lags: self.lags,
                    missing: names(&self.missing),
                    header: self.header.unwrap_or_default(),
                    image: self.image,
                    labels: self.labels.clone(),
                }
            }
        }
    };
    ($(#[$about:meta])* $see:vis $Settings:ident { $($own:tt)* }) => {
        settings! {
            @struct $(#[$about])* ($see) $Settings,
            /// A data set by name (see `thalweg list datasets`), a CSV/TSV file (plain or gzipped), or images: an IDX file, an
            /// array in an NPY file, a folder of PNG or JPEG images per class
            #[arg(value_name = "DATA")]
            data: (String),

            /// The column to predict
            #[arg(long, value_name = "COL", help_heading = "Data")]
            target: (String),
            /// What is predicted: auto, classification or regression
            #[arg(long, value_parser = word::<TaskChoice>, value_name = "TASK", help_heading = "Data")]
            task: (TaskChoice),
            /// A column to leave out (repeat the flag for more)
            #[arg(long, value_name = "COL", help_heading = "Data")]
            #[serde(deserialize_with = "texts")]
            ignore: (Vec<String>),
            /// The column whose equal values must stay together in a split (with a time axis: use --cv group)
            #[arg(long, value_name = "COL", help_heading = "Data")]
            group: (String),
            /// The column that orders the rows in time
            #[arg(long, value_name = "COL", help_heading = "Data")]
            time: (String),
            /// A column to keep although it looks like an identifier or a time axis (repeat the flag for more)
            #[arg(long, value_name = "COL", help_heading = "Data")]
            #[serde(deserialize_with = "texts")]
            keep: (Vec<String>),
            /// Use the previous N values of the target as features (time series)
            #[arg(long, value_parser = whole::<usize>, value_name = "N", help_heading = "Data")]
            lags: (usize),
            /// Another cell text that means «missing» (repeat the flag for more)
            #[arg(long, value_name = "TEXT", help_heading = "Data")]
            #[serde(deserialize_with = "texts")]
            missing: (Vec<String>),
            /// Whether the first row names the columns: auto, yes or no
            #[arg(long, value_parser = word::<HeaderMode>, value_name = "WHICH", help_heading = "Data")]
            header: (HeaderMode),
            /// That the columns of numbers are the pixels of images of this size: 28x28, or 32x32x3 in three channels
            #[arg(long, value_parser = word::<ImageShape>, value_name = "SHAPE", help_heading = "Data")]
            image: (ImageShape),
            /// The file of labels, where it does not stand beside a file of images under its usual name
            #[arg(long, value_name = "FILE", help_heading = "Data")]
            labels: (String),

            $($own)*
        }
    };
}
pub(super) use settings;

settings! {
    /// The settings as they were given: what was not, is `None`.
    pub Options {
        /// The optimizers, separated by commas, or all [default: sgd,momentum,nag,adagrad,adadelta,rmsprop,adam]
        #[arg(long, value_name = "NAMES", help_heading = "Methods")]
        optimizers: (Listed),
        /// Whose form of each rule: torch, keras, optax or textbook [default: torch]
        #[arg(long, value_parser = word::<Dialect>, value_name = "DIALECT", help_heading = "Methods")]
        dialect: (Dialect),
        /// What goes around every method, inner to outer, such as clip-norm=1,ema=0.999 (see `thalweg list wrappers`)
        #[arg(long, value_name = "WRAPPERS", help_heading = "Methods")]
        wrap: (Wraps),
        /// Compare techniques of regularization instead of optimizers, each with none, under one optimizer [default: adam]:
        /// names separated by commas, or all that apply (see `thalweg list regularizers`)
        #[arg(long, value_name = "NAMES", help_heading = "Methods")]
        regularizers: (Listed),
        /// What regularizes every method, such as dropout=0.3,mixup=0.2 (see `thalweg list regularizers`)
        #[arg(long, value_name = "TECHNIQUES", help_heading = "Methods")]
        regularize: (RegularizeSpec),
        /// The learning rates each method tries: LO..HI:N (log-spaced), or a list [default: 1e-4..1:9]
        #[arg(long, value_name = "RATES", help_heading = "Methods")]
        learning_rates: (Rates),
        /// What each rate is multiplied by as training goes on: a name of `thalweg list schedules`, or a TOML table such as
        /// '{ name = "cosine", final = 0.1 }' [default: constant]
        #[arg(long, value_parser = schedule, value_name = "SCHEDULE", help_heading = "Methods")]
        schedule: (Schedule),

        /// mlp, linear, resmlp; lenet, resnet8, resnet20 for images; in TOML also a list of layers (see `thalweg list
        /// architectures`) [default: mlp]
        #[arg(long, value_name = "NAME", help_heading = "Training")]
        network: (NetworkChoice),
        /// The widths of the hidden layers, separated by commas; none for a linear model [default: 64]
        #[arg(long, value_name = "WIDTHS", help_heading = "Training")]
        #[serde(deserialize_with = "widths")]
        hidden: (Listed),
        /// What follows each hidden layer (see `thalweg list activations`) [default: relu]
        #[arg(long, value_parser = word::<Activation>, value_name = "NAME", help_heading = "Training")]
        activation: (Activation),
        /// How weights start: auto, he or glorot [default: auto]
        #[arg(long, value_parser = word::<Init>, value_name = "NAME", help_heading = "Training")]
        init: (Init),
        /// auto, cross-entropy, binary, squared-error or absolute-error [default: auto]
        #[arg(long, value_name = "NAME", help_heading = "Training")]
        loss: (LossChoice),
        /// Passes over the data, at most [default: 50]
        #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Training")]
        epochs: (u32),
        /// Epochs without a better validation score before a trial stops; 0 never stops early [default: 10]
        #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Training")]
        patience: (u32),
        /// Rows per step: 1 (stochastic), N (mini-batch) or full [default: 32]
        #[arg(long, value_name = "N|full", help_heading = "Training")]
        batch_size: (BatchSize),

        /// auto, k-fold, stratified, group or time-series [default: auto, chosen from the data]
        #[arg(long, value_name = "POLICY", help_heading = "Evaluation")]
        cv: (Policy),
        /// Outer folds [default: 5]
        #[arg(long, value_parser = whole::<usize>, value_name = "N", help_heading = "Evaluation")]
        folds: (usize),
        /// How often the folds are drawn anew [default: 1]
        #[arg(long, value_parser = whole::<usize>, value_name = "N", help_heading = "Evaluation")]
        repeats: (usize),
        /// Rows left out between past and future (time series) [default: 0]
        #[arg(long, value_parser = whole::<usize>, value_name = "ROWS", help_heading = "Evaluation")]
        gap: (usize),
        /// Rows of each outer training part that are used, to see what helps when there are few [default: all]
        #[arg(long, value_parser = whole::<usize>, value_name = "ROWS", help_heading = "Evaluation")]
        train_size: (usize),
        /// The share of the training labels that are replaced, to see what helps against it [default: 0]
        #[arg(long, value_name = "SHARE", help_heading = "Evaluation")]
        label_noise: (f64),
        /// The share of each outer training part that learning rates are chosen on [default: 0.2]
        #[arg(long, value_name = "SHARE", help_heading = "Evaluation")]
        validation: (f64),
        /// accuracy, balanced-accuracy, log-loss, f1, auc; rmse, mae, r2 [default: accuracy or rmse]
        #[arg(long, value_name = "NAME", help_heading = "Evaluation")]
        metric: (Metric),
        /// Decides every random draw [default: 0]
        #[arg(long, value_parser = whole::<u64>, value_name = "N", help_heading = "Evaluation")]
        seed: (u64),

        /// Trials at a time; changes nothing but the time [default: the number of cores]
        #[arg(long, value_parser = whole::<usize>, value_name = "N", help_heading = "Running")]
        jobs: (usize),
        /// Where the store and the report go [default: runs/<name>]
        #[arg(long, value_name = "DIR", help_heading = "Running")]
        out: (PathBuf),
        /// How to write the result to standard output [default: table]
        #[arg(long, value_enum, help_heading = "Running")]
        format: (Format),
        /// Write nothing to standard error but errors
        #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL", help_heading = "Running")]
        quiet: (bool),
    }
}

impl Options {
    /// The settings in a TOML file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        read(path, Self::KEYS)
    }

    /// The settings in a JSON object, such as Python's keyword arguments; its keys may be written with `_`.
    ///
    /// # Errors
    /// [`Failure::Usage`], which names the key.
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        let wrong = |error: serde_json::Error| Failure::usage(format!("the settings: {error}"));
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(wrong)?;
        // One key at a time, so that an error can name it.
        object.into_iter().try_fold(Self::default(), |all, (key, value)| {
            let one = serde_json::Map::from_iter([(key.replace('_', "-"), value)]);
            let one: Self = serde_json::from_value(one.into())
                .map_err(|error| Failure::usage(format!("--{}: {error}", key.replace('_', "-"))))?;
            Ok(one.or(all))
        })
    }

    /// The study that these settings ask for.
    ///
    /// # Errors
    /// [`Failure::Usage`] if no data are named, or a width is not one.
    pub fn spec(&self) -> Result<StudySpec, Failure> {
        let default = StudySpec::default();
        let data = self.data.clone().ok_or_else(|| {
            Failure::usage(
                "which data? Name a built-in set, such as `thalweg compare digits`, or a file, such as `thalweg \
                 compare my.csv --target y`",
            )
        })?;
        if self.regularizers.as_ref().is_some_and(|listed| listed.0.is_empty()) {
            return Err(Failure::usage(
                "--regularizers: nothing is named; name techniques, such as dropout,mixup, or write all",
            ));
        }
        Ok(StudySpec {
            data,
            dataset: self.dataset(),
            optimizers: match (&self.optimizers, &self.regularizers) {
                (Some(named), _) => named.clone().optimizers(),
                (None, Some(_)) => vec!["adam".to_owned()],
                (None, None) => default.optimizers,
            },
            regularizers: self.regularizers.clone().map_or(default.regularizers, |listed| listed.0),
            regularize: self.regularize.clone().unwrap_or(default.regularize),
            label_noise: self.label_noise.unwrap_or(default.label_noise),
            train_size: self.train_size,
            network: self.network.clone().map_or(default.network, |choice| choice.0),
            dialect: self.dialect.unwrap_or(default.dialect),
            wrap: self.wrap.clone().map_or(default.wrap, |wraps| wraps.0),
            learning_rates: self.learning_rates.clone().map_or(default.learning_rates, |rates| rates.0),
            schedule: self.schedule.clone().unwrap_or(default.schedule),
            hidden: self.hidden.as_ref().map_or(Ok(default.hidden), Listed::widths)?,
            activation: self.activation.unwrap_or(default.activation),
            init: self.init.unwrap_or(default.init),
            loss: self.loss.unwrap_or(default.loss),
            epochs: self.epochs.unwrap_or(default.epochs),
            patience: self.patience.unwrap_or(default.patience),
            batch_size: self.batch_size.unwrap_or(default.batch_size),
            split: SplitSpec {
                policy: self.cv.unwrap_or(default.split.policy),
                folds: self.folds.unwrap_or(default.split.folds),
                repeats: self.repeats.unwrap_or(default.split.repeats),
                gap: self.gap.unwrap_or(default.split.gap),
            },
            validation: self.validation.unwrap_or(default.validation),
            metric: self.metric,
            seed: self.seed.unwrap_or(default.seed),
        })
    }

    /// The study of this one optimizer, for a single training: what decides other trainings is at its defaults.
    pub(super) fn spec_of(&self, optimizer: &str) -> Result<StudySpec, Failure> {
        let one = Self {
            optimizers: Some(Listed(vec![optimizer.to_owned()])),
            learning_rates: None,
            schedule: None,
            epochs: None,
            patience: None,
            repeats: None,
            regularizers: None,
            metric: None,
            jobs: None,
            ..self.clone()
        };
        one.spec()
    }

    /// The output folder; `name` is the data set's.
    pub(super) fn out(&self, name: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| Path::new("runs").join(name))
    }

    /// How many trials run at a time.
    ///
    /// # Errors
    /// [`Failure::Usage`] for 0.
    pub fn jobs(&self) -> Result<usize, Failure> {
        checked_jobs(self.jobs)
    }

    pub(super) fn format(&self) -> Format {
        self.format.unwrap_or_default()
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet.unwrap_or(false)
    }
}

/// How much is done at a time: what was asked for, or as much as there are cores.
pub(super) fn checked_jobs(asked: Option<usize>) -> Result<usize, Failure> {
    match asked {
        Some(0) => Err(Failure::usage("--jobs 0: nothing would run; give --jobs 1 or more")),
        Some(jobs) => Ok(jobs.min(1024)),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}
