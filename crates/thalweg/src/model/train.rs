//! Training a model to keep: a validation part by the outer policy, early stopping, and what came of it.

use std::fmt::Display;

use serde::Serialize;
use thalweg_data::{Dataset, Preparation, Prepared, Rows, Split, TestView, TrainView};
use thalweg_eval::{Metric, MetricError, SplitError, SplitSpec};
use thalweg_learn::estimator::{network_targets, outputs, prepare, shape_of};
use thalweg_learn::nn::LayerError;
use thalweg_learn::nn::spec::MOST_WEIGHTS;
use thalweg_learn::regularize::RegularizeError;
use thalweg_learn::train::{
    Fitted, NetworkSpec, Predictions, Recipe, RecipeError, Samples, StopReason, Validation, fit_on,
};
use thalweg_learn::{FitError, Model};
use thalweg_optim::{OptimizerSpec, Threads, registry};

use super::SavedModel;
use crate::study::score_of;
use crate::study::verdict::rate_text;

/// What to train.
#[derive(Debug, Clone)]
pub struct Training {
    /// The network and how it is trained. Its patience is for the validation part.
    pub recipe: Recipe,
    /// Who may be apart from whom.
    pub split: SplitSpec,
    /// The share of the rows to validate on; 0 trains on all.
    pub validation: f64,
    /// What is scored; the task's usual metric if not set.
    pub metric: Option<Metric>,
    /// Decides every draw.
    pub seed: u64,
    /// How many threads share the parts of a batch; `None` is as many as there are cores and parts. Changes no bit.
    pub threads: Option<usize>,
}

/// A model with what is to be told of its training.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub saved: SavedModel,
    /// What is to be told.
    pub report: TrainReport,
}

/// What is to be told of a training.
#[derive(Debug, Clone, Serialize)]
pub struct TrainReport {
    /// The data's name.
    pub data: String,
    /// All rows of the data.
    pub rows: usize,
    /// Numbers in a prepared row.
    pub inputs: usize,
    /// Numbers that are trained.
    pub parameters: usize,
    /// The optimizer's name.
    pub optimizer: String,
    /// η.
    pub learning_rate: f64,
    /// Epochs that were run.
    pub epochs: usize,
    /// The epoch whose weights were kept.
    pub kept_epoch: usize,
    /// Why it ended.
    pub stop: String,
    /// What is scored.
    pub metric: Metric,
    /// The rows that were trained on.
    pub training: PartReport,
    /// The rows that were validated on.
    pub validation: Option<PartReport>,
    /// What preparing dropped or merged, in sentences.
    pub notes: Vec<String>,
}

/// How the kept weights do on some rows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PartReport {
    /// How many.
    pub rows: usize,
    /// By the metric; `None` where it is not defined.
    pub score: Option<f64>,
    /// The mean loss; for numbers of the standardized target.
    pub loss: Option<f64>,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A layer that does not fit.
    #[error("--network, --hidden: {0}")]
    Network(#[from] LayerError),
    /// The optimizer's name or hyperparameters, its rate, what goes around it, or the schedule.
    #[error("--{flag}: {why}")]
    Refused {
        /// The flag.
        flag: &'static str,
        /// Why.
        why: String,
    },
    /// The metric.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The loss.
    #[error(transparent)]
    Loss(#[from] FitError),
    /// The validation part.
    #[error("{0}")]
    Split(String),
    /// A number out of range.
    #[error("--{flag} {value}: it must be {expected}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// Nothing to learn from.
    #[error(
        "there is nothing to learn from: every feature is constant in the training rows; check --ignore, or give more rows"
    )]
    NoFeatures,
    /// It diverged: a result, and no bug.
    #[error(
        "training diverged in step {step}: the loss or a weight became NaN or infinite with {optimizer} at rate {}; try a \
         smaller --learning-rate, such as {}, or --wrap clip-norm=1. No model was written", rate_text(*.learning_rate),
        rate_text(.learning_rate / 10.0)
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The optimizer's name.
        optimizer: String,
        /// η.
        learning_rate: f64,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TrainError {
    /// Whether the user's input is to blame: exit code 2.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Diverged { .. } | Self::Interrupted)
    }
}

fn refused<E: Display>(flag: &'static str) -> impl FnOnce(E) -> TrainError {
    move |error| TrainError::Refused { flag, why: error.to_string() }
}

/// What regularization says, behind the flag that is to blame.
fn regularization(error: RegularizeError) -> TrainError {
    match error {
        RegularizeError::Shards { shards, batch } => TrainError::Setting {
            flag: error.key(),
            value: shards.to_string(),
            expected: format!("from 1 to {batch}, the rows of a batch"),
        },
        error => refused(error.key())(error),
    }
}

/// The learning rate that the optimizer's package documents, in its dialect.
///
/// # Errors
/// If there is no such optimizer.
pub fn usual_rate(recipe: &Recipe) -> Result<f64, TrainError> {
    let entry = registry::find(&recipe.optimizer.name).map_err(refused("optimizer"))?;
    Ok(entry.info.learning_rate.get(recipe.optimizer.dialect))
}

/// The rows to fit on with those to validate on, prepared by what the first show.
struct Parts {
    preparation: Preparation,
    train: Prepared,
    validation: Option<Prepared>,
}

/// All that can be checked before the first step.
pub struct Ready<'d> {
    training: Training,
    data: &'d Dataset,
    metric: Metric,
    outputs: usize,
    parts: Parts,
    parameters: usize,
}

impl<'d> Ready<'d> {
    /// Checks all settings against the data, draws the validation part, and prepares the rows.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn new(training: Training, data: &'d Dataset) -> Result<Self, TrainError> {
        check_settings(&training)?;
        let metric = training.metric.unwrap_or(Metric::default_for(data.task()));
        metric.check(data.task())?;
        let outputs = outputs(training.recipe.loss, data)?;
        let split = holdout(&training, data)?;
        let parts = Parts::new(&training.recipe.network, data, split.as_ref())?;
        if parts.preparation.width() == 0 {
            return Err(TrainError::NoFeatures);
        }
        let recipe = &training.recipe;
        let (input, rows) = (shape_of(&parts.preparation), parts.train.rows);
        // First, so that a technique is blamed for the layers that it would add.
        recipe.check(input, rows).map_err(regularization)?;
        let network = recipe.network(input, outputs)?;
        let parameters = network.layout().len();
        if parameters > MOST_WEIGHTS {
            return Err(TrainError::Setting {
                flag: "network",
                value: recipe.network.to_string(),
                expected: format!(
                    "a network of at most {MOST_WEIGHTS} weights, and this one has {parameters}"
                ),
            });
        }
        // Built once, so that settings are refused before a step.
        OptimizerSpec { wrap: Vec::new(), ..recipe.optimizer.clone() }
            .resolved()
            .map_err(refused("optimizer"))?;
        let optimizer =
            recipe.build_optimizer(network.layout(), rows, training.seed).map_err(|error| match error {
                RecipeError::Regularize(error) => regularization(error),
                error => refused("wrap")(error),
            })?;
        optimizer.check_learning_rate(recipe.learning_rate).map_err(refused("learning-rate"))?;
        recipe.curve(rows).map_err(refused("schedule"))?;
        Ok(Self { training, data, metric, outputs, parts, parameters })
    }

    /// How many steps there are at most.
    pub fn steps(&self) -> u64 {
        let (recipe, rows) = (&self.training.recipe, self.parts.train.rows);
        u64::from(recipe.epochs) * rows.div_ceil(recipe.batch_size.resolve(rows).max(1)) as u64
    }

    /// Trains. `keep_going` is asked before each step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`], [`TrainError::Interrupted`].
    pub fn train(self, keep_going: &dyn Fn() -> bool) -> Result<Trained, TrainError> {
        let Self { training, data, metric, outputs, parts, parameters } = self;
        let Training { recipe, seed, threads, .. } = training;
        let cores =
            || std::thread::available_parallelism().map_or(1, usize::from).min(recipe.shards as usize);
        let threads =
            Threads::new(threads.unwrap_or_else(cores).min(recipe.shards as usize)).unwrap_or_default();
        let cost = |predictions: &Predictions| {
            let validation = parts.validation.as_ref().expect("costs are asked of a validation part");
            let score = parts.score(metric, validation, predictions).unwrap_or(f64::NAN);
            if metric.higher_is_better() { -score } else { score }
        };
        let watched =
            parts.validation.as_ref().map(|part| Validation { samples: parts.samples(part), cost: &cost });
        let fitted =
            fit_on(&threads, &recipe, parts.samples(&parts.train), outputs, watched, seed, keep_going)
                .expect("the settings were checked");
        match fitted.stop {
            StopReason::Interrupted => return Err(TrainError::Interrupted),
            StopReason::Diverged { step } => {
                let (optimizer, learning_rate) = (recipe.optimizer.name, recipe.learning_rate);
                return Err(TrainError::Diverged { step, optimizer, learning_rate });
            }
            StopReason::Completed | StopReason::EarlyStopped => {}
        }
        let Fitted { model, history, stop, best, notes, .. } = fitted;
        let report = |part: &Prepared| parts.report(&model, metric, part);
        let report = TrainReport {
            data: data.name.clone(),
            rows: data.rows(),
            inputs: parts.preparation.width(),
            parameters,
            optimizer: recipe.optimizer.name.clone(),
            learning_rate: recipe.learning_rate,
            epochs: history.len(),
            kept_epoch: best.map_or(history.len(), |best| best.epoch as usize),
            stop: stop.under(recipe.stopping()),
            metric,
            training: report(&parts.train),
            validation: parts.validation.as_ref().map(report),
            notes: [parts.preparation.notes(), &notes].concat(),
        };
        let Parts { preparation, .. } = parts;
        let saved = SavedModel { data: data.name.clone(), recipe, schema: data.schema(), preparation, model };
        Ok(Trained { saved, report })
    }
}

impl Parts {
    fn new(network: &NetworkSpec, data: &Dataset, split: Option<&Split>) -> Result<Self, TrainError> {
        let all = TrainView::all(data);
        let (train, test): (TrainView<'_>, Option<TestView<'_>>) = match split {
            Some(split) => {
                let (train, test) = all.inner(split);
                (train, Some(test))
            }
            None => (all, None),
        };
        let preparation = prepare(network, &train)?;
        let validation = test.map(|test| preparation.apply(&test));
        Ok(Self { train: preparation.apply(&train), validation, preparation })
    }

    fn samples<'a>(&self, part: &'a Prepared) -> Samples<'a> {
        Samples { shape: shape_of(&self.preparation), x: &part.x, targets: network_targets(&part.y) }
    }

    /// The score of a network's predictions; `None` if it is not a finite number.
    fn score(&self, metric: Metric, part: &Prepared, predictions: &Predictions) -> Option<f64> {
        score_of(metric, &self.preparation, part, predictions)
    }

    fn report(&self, model: &Model, metric: Metric, part: &Prepared) -> PartReport {
        let predictions = model.predict(&part.x);
        let loss = model.loss().of_predictions(&predictions, network_targets(&part.y));
        PartReport {
            rows: part.rows,
            score: self.score(metric, part, &predictions),
            loss: Some(loss).filter(|loss| loss.is_finite()),
        }
    }
}

/// The rows to validate on, if any.
fn holdout(training: &Training, data: &Dataset) -> Result<Option<Split>, TrainError> {
    if training.validation == 0.0 {
        return Ok(None);
    }
    let named = |error: SplitError| TrainError::Split(error.with_class_names(data.class_names()).to_string());
    let rows = Rows::all(data);
    let splitter = training.split.resolve(&rows).map_err(named)?;
    // A group that is named but taken apart would be a promise broken in silence.
    if rows.groups.is_some() && ["k-fold", "stratified"].contains(&splitter.name()) {
        return Err(named(SplitError::GroupsDivided { policy: splitter.name() }));
    }
    splitter.holdout(&rows, training.validation, training.seed).map(Some).map_err(named)
}

fn check_settings(training: &Training) -> Result<(), TrainError> {
    let setting = |flag, value: String, expected: &str| {
        Err(TrainError::Setting { flag, value, expected: expected.to_owned() })
    };
    let recipe = &training.recipe;
    if let Some(width) = recipe.hidden.iter().find(|width| !(1..=65_536).contains(*width)) {
        return setting("hidden", width.to_string(), "widths from 1 to 65536, separated by commas");
    }
    if !(1..=1_000_000).contains(&recipe.epochs) {
        return setting("epochs", recipe.epochs.to_string(), "from 1 to 1000000");
    }
    if !(training.validation >= 0.0 && training.validation < 1.0) {
        let expected = "at least 0 (train on all rows) and less than 1, such as 0.2";
        return setting("validation", training.validation.to_string(), expected);
    }
    if training.validation == 0.0 && recipe.regularize.stopping().is_some() {
        let expected = "more than 0 with early stopping, which needs rows to validate on";
        return setting("validation", training.validation.to_string(), expected);
    }
    Ok(())
}
