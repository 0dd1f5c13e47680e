//! A recipe: all that decides a training but the data and the seed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_optim::schedule::ScheduleError;
use thalweg_optim::{Curve, Horizon, Layout, OptimError, Optimizer, OptimizerSpec, Schedule};

use crate::nn::{Activation, Architecture, Init, LayerError, LayerSpec, Loss, Network, Shape};
use crate::regularize::{Course, Family, RegularizeError, RegularizeSpec, Site};
use crate::train::StoppingSpec;

/// How a network is built and trained. Fitting never changes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// The layers before the output: a named architecture, or a list.
    #[serde(default, skip_serializing_if = "NetworkSpec::is_default")]
    pub network: NetworkSpec,
    /// The widths of the hidden dense layers, for an architecture that has such; none makes a linear model.
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
    /// Parts that each batch is cut into, so that as many threads can share a training: see
    /// [`Shards`](crate::nn::Shards). The bits of a training depend on it, and not on the threads.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub shards: u32,
    /// Epochs without a better validation score after which training stops; `None` never stops early, and is written as 0.
    #[serde(default, with = "patience")]
    pub patience: Option<u32>,
    /// How the learning rate goes with the step: what it is multiplied by.
    #[serde(default, skip_serializing_if = "Schedule::is_default")]
    pub schedule: Schedule,
    /// The epochs that the schedule is laid over, if not `epochs`: a training that repeats the first epochs of a longer
    /// one has its rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_epochs: Option<u32>,
    /// What is done against over-fitting; nothing by default.
    #[serde(default, skip_serializing_if = "RegularizeSpec::is_empty")]
    pub regularize: RegularizeSpec,
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_one(shards: &u32) -> bool {
    *shards == 1
}

/// A patience in a file, where «none» must be said: a key that is missing may mean a default.
mod patience {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands a reference")]
    pub(super) fn serialize<S: Serializer>(patience: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(patience.unwrap_or(0))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
        let written = Option::<u32>::deserialize(deserializer)?;
        Ok(written.filter(|&epochs| epochs > 0))
    }
}

/// What can be wrong with a recipe.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The optimizer or its learning rate.
    #[error(transparent)]
    Optimizer(#[from] OptimError),
    /// The schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The network's layers.
    #[error("the network does not fit the data: {0}")]
    Network(#[from] LayerError),
    /// A regularization technique.
    #[error(transparent)]
    Regularize(#[from] RegularizeError),
    /// Rows to train or validate on that may be of several classes.
    #[error(
        "the rows have soft targets, which are made of a batch within a step: give each row one class or one number, and say \
         regularize = {{ label-smoothing = 0.1 }} or {{ mixup = 0.2 }}"
    )]
    SoftTargets,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            network: NetworkSpec::default(),
            hidden: vec![64],
            activation: Activation::Relu,
            init: Init::Auto,
            loss: Loss::CrossEntropy,
            optimizer: OptimizerSpec::named("adam"),
            learning_rate: 1e-3,
            epochs: 50,
            batch_size: BatchSize::Rows(32),
            shards: 1,
            patience: None,
            schedule: Schedule::default(),
            schedule_epochs: None,
            regularize: RegularizeSpec::default(),
        }
    }
}

impl Recipe {
    /// The layers before the output, with those of the regularization.
    pub fn layers(&self) -> Vec<LayerSpec> {
        self.regularize.layers(self.plain_layers())
    }

    /// The layers before the output, without regularization.
    pub(crate) fn plain_layers(&self) -> Vec<LayerSpec> {
        match &self.network {
            NetworkSpec::Named(architecture) => architecture.layers(&self.hidden, self.activation),
            NetworkSpec::Layers(layers) => layers.clone(),
        }
    }

    /// The recipe's network for rows of a shape.
    ///
    /// # Errors
    /// If a layer does not fit the one before it: which, and why.
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network<f32>, LayerError> {
        Network::build(&self.layers(), input, outputs, self.init)
    }

    /// The optimizer with what the regularization puts around it, for a training on `rows` rows.
    pub fn optimizer(&self, rows: usize, seed: u64) -> OptimizerSpec {
        self.regularize.wrapped(&self.optimizer, Course { steps: self.horizon(rows).steps, seed })
    }

    /// That optimizer, for a network's parameters.
    ///
    /// # Errors
    /// [`RecipeError::Regularize`] names the technique that cannot go around it so; what is wrong without any is
    /// [`RecipeError::Optimizer`].
    pub fn build_optimizer(
        &self,
        layout: &Layout,
        rows: usize,
        seed: u64,
    ) -> Result<Box<dyn Optimizer<f32>>, RecipeError> {
        let course = Course { steps: self.horizon(rows).steps, seed };
        let whole = self.regularize.wrapped(&self.optimizer, course).build(layout);
        whole.map_err(|error| match self.regularize.refused(&self.optimizer, course, layout) {
            Some(technique) => technique.into(),
            None => error.into(),
        })
    }

    /// When a training that is watched stops: as a technique says, else by the recipe's patience.
    pub fn stopping(&self) -> StoppingSpec {
        self.regularize.stopping().unwrap_or_else(|| self.patience.into())
    }

    /// Whether the regularization can be used on `rows` rows of this shape, before anything is trained. (Whether layers
    /// fit is told by [`Recipe::network`].)
    ///
    /// # Errors
    /// The first technique that does not apply, or two that exclude each other: why, and what to do.
    pub fn check(&self, input: Shape, rows: usize) -> Result<(), RegularizeError> {
        let layers = self.plain_layers();
        let batch = self.batch_size.resolve(rows);
        if self.shards == 0 || self.shards as usize > batch {
            return Err(RegularizeError::Shards { shards: self.shards, batch });
        }
        if layers.iter().any(LayerSpec::has_mix_point) {
            return Err(RegularizeError::MixPoint);
        }
        self.regularize.check(&Site { input, loss: self.loss, layers: &layers, batch })?;
        // Images have many positions to normalize over, a row of a table has one.
        let least = batch / self.shards as usize;
        if matches!(input, Shape::Flat(_)) && least < 2 && self.layers().iter().any(LayerSpec::has_batch_norm)
        {
            return Err(RegularizeError::OneRow { rows: least });
        }
        match self.regularize.chosen().iter().find(|chosen| chosen.info().family == Family::Stopping) {
            Some(chosen) if self.patience.is_some() => Err(RegularizeError::Together {
                first: "patience",
                second: chosen.name(),
                why: "a training ends by one criterion: leave one out",
            }),
            _ => Ok(()),
        }
    }

    /// The recipe's schedule, laid over a training on `rows` rows.
    ///
    /// # Errors
    /// If a setting of it is out of its range.
    pub fn curve(&self, rows: usize) -> Result<Curve, ScheduleError> {
        self.schedule.resolve(self.horizon(rows))
    }

    fn horizon(&self, rows: usize) -> Horizon {
        let steps_per_epoch = rows.div_ceil(self.batch_size.resolve(rows).max(1)) as u64;
        let epochs = u64::from(self.schedule_epochs.unwrap_or(self.epochs));
        Horizon { steps: epochs * steps_per_epoch, steps_per_epoch }
    }
}

/// The layers before the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NetworkSpec {
    /// By one word.
    Named(Architecture),
    /// One by one.
    Layers(Vec<LayerSpec>),
}

impl NetworkSpec {
    /// Whether it is a multilayer perceptron.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The architecture's name, or the layers' names.
impl fmt::Display for NetworkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(architecture) => f.write_str(architecture.name()),
            Self::Layers(layers) => {
                let names: Vec<_> = layers.iter().map(LayerSpec::name).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self::Named(Architecture::default())
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
mod tests;
