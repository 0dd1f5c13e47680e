//! The training loop. There is one.

use rand::RngCore;
use rand::seq::SliceRandom;
use thalweg_optim::kernel::denormal::FlushDenormals;
use thalweg_optim::random::stream;
use thalweg_optim::schedule::Plateau;
use thalweg_optim::{Curve, OptimError, Optimizer, StepReport, Threads};

use super::early_stopping::{Best, EarlyStopping, Progress, Scores};
use super::gathered::Gathered;
use super::history::{EpochRecord, History, StopReason};
use super::model::{Desk, Model};
use super::recipe::{Recipe, RecipeError};
use super::statistics::{Statistics, unaveraged};
use crate::kernel::line::Lines;
use crate::nn::{Loss, Mode, Network, Shape, ShardedObjective, Shards, Targets};
use crate::predictions::Predictions;
use crate::regularize::noise::weight::NoisyWeights;
use crate::regularize::{BatchPlan, Finds};

/// Prepared rows with their targets.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// What a row is.
    pub shape: Shape,
    /// The rows, row-major.
    pub x: &'a [f32],
    /// A target per row.
    pub targets: Targets<'a, f32>,
}

impl Samples<'_> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.targets.len()
    }

    /// Whether a row may be of several classes: such targets are made of a batch, within a step.
    fn are_soft(&self) -> bool {
        matches!(self.targets, Targets::Soft(_))
    }
}

/// What watches a training.
#[derive(Clone, Copy)]
pub struct Validation<'a> {
    /// The rows to validate on.
    pub samples: Samples<'a>,
    /// The cost of predictions for them: smaller is better, NaN is worst.
    pub cost: &'a dyn Fn(&Predictions) -> f64,
}

/// What a training has at hand. It changes how long a training takes, and no bit.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// As many as the recipe's [`shards`](Recipe::shards) find work.
    pub threads: &'a Threads,
    /// What is known of the training rows from other trainings on them.
    pub finds: Option<&'a Finds>,
}

impl<'a> From<&'a Threads> for Means<'a> {
    fn from(threads: &'a Threads) -> Self {
        Self { threads, finds: None }
    }
}

/// What a training gives.
#[derive(Debug)]
pub struct Fitted {
    /// The network with its weights: the best epoch's if there was a validation part, else the last.
    pub model: Model,
    /// Every epoch.
    pub history: History,
    /// Why it ended.
    pub stop: StopReason,
    /// The epoch (from 1) with the best validation cost.
    pub best: Option<Best>,
    /// Steps done.
    pub steps: u64,
    /// What its user should know: full sentences.
    pub notes: Vec<String>,
}

/// Trains the recipe's network on `train`.
///
/// The bits of the result depend on the arguments and the CPU's feature level only. Denormals are flushed to zero while
/// it runs. `keep_going` is asked before each step, and now and then while a technique looks through the rows before the
/// first; once it says no, training ends as [`StopReason::Interrupted`].
///
/// Where the optimizer keeps an average ([EMA, SWA, Lookahead](thalweg_optim::wrap), Schedule-Free), the average is
/// validated and kept; batch normalization then has running statistics of its own for it, at the price of another forward
/// pass over the training rows: at the end of each epoch that is validated, else at the end of the training.
///
/// A schedule that reduces on a plateau observes the validation loss of each epoch, or the training loss if there is no
/// validation part.
///
/// # Errors
/// If the recipe's optimizer, learning rate or schedule is not valid, or if targets are [`Targets::Soft`].
pub fn fit(
    recipe: &Recipe,
    train: Samples<'_>,
    outputs: usize,
    validation: Option<Validation<'_>>,
    seed: u64,
    keep_going: &dyn Fn() -> bool,
) -> Result<Fitted, RecipeError> {
    fit_on(&Threads::default(), recipe, train, outputs, validation, seed, keep_going)
}

/// As [`fit`], on several threads (`&threads` are [`Means`]), or with what other trainings on the same rows have found. The
/// bits are the same.
///
/// # Errors
/// As [`fit`].
pub fn fit_on<'a>(
    means: impl Into<Means<'a>>,
    recipe: &Recipe,
    train: Samples<'_>,
    outputs: usize,
    validation: Option<Validation<'_>>,
    seed: u64,
    keep_going: &dyn Fn() -> bool,
) -> Result<Fitted, RecipeError> {
    let _fast = FlushDenormals::start();
    let (Means { threads, finds }, own) = (means.into(), Finds::default());
    let finds = finds.unwrap_or(&own);
    if validation.is_some_and(|validation| validation.samples.are_soft()) {
        return Err(RecipeError::SoftTargets);
    }
    let mut training = Training::new(threads, finds, recipe, train, outputs, seed)?;
    let mut watch = validation.map(|validation| Watch::new(threads, validation, recipe, &training.network));
    let mut history = History::with_capacity(recipe.epochs as usize);
    let mut stop = StopReason::Completed;
    for epoch in 1..=recipe.epochs {
        let train_loss = match training.epoch(epoch, keep_going, &mut |_| true) {
            Ok(loss) => loss,
            Err(reason) => {
                stop = reason;
                break;
            }
        };
        let (record, progress) = match &mut watch {
            Some(watch) => watch.look(epoch, train_loss, &mut training),
            None => (EpochRecord { train_loss, valid_loss: None, valid_cost: None }, Progress::default()),
        };
        training.pace.observe(match watch {
            // A loss that is not finite is no part of a record.
            Some(_) => record.valid_loss.unwrap_or(f64::NAN),
            None => record.train_loss,
        });
        history.push(record);
        if progress.stop {
            stop = StopReason::EarlyStopped;
            break;
        }
    }
    let best = watch.as_ref().and_then(|watch| watch.stopping.best());
    let done = training.optimizer.steps();
    let (w, buffers, kept) = match watch {
        Some(watch) if best.is_some() => {
            (Lines::copy_of(&watch.best_w), watch.best_buffers, watch.best_steps)
        }
        // What was cut short is judged by nobody: no pass over all rows for its average.
        _ if matches!(stop, StopReason::Interrupted | StopReason::Diverged { .. }) => {
            (Lines::copy_of(&training.w), training.buffers.clone(), done)
        }
        _ => {
            let judged = training.judged();
            (Lines::copy_of(judged.w), judged.buffers.to_vec(), done)
        }
    };
    let notes = unaveraged(&recipe.optimizer(train.rows(), seed), kept, done).into_iter().collect();
    let Training { network, .. } = training;
    Ok(Fitted {
        model: Model { network, w, buffers, loss: recipe.loss },
        history,
        stop,
        best,
        steps: done,
        notes,
    })
}

/// What a training is judged by.
struct Judged<'a> {
    network: &'a Network<f32>,
    /// An average of the path if the optimizer keeps one, else W.
    w: &'a [f32],
    /// The running statistics: of W's path, or of an average its own.
    buffers: &'a [f32],
}

/// A training under way: all memory that its steps use.
pub(super) struct Training<'a> {
    recipe: &'a Recipe,
    train: Samples<'a>,
    seed: u64,
    batch: usize,
    network: Network<f32>,
    w: Lines<f32>,
    buffers: Vec<f32>,
    /// What the keys of all steps are made of.
    key: u64,
    /// Where the optimizer wants the model judged, if not at `w`.
    average: Vec<f32>,
    optimizer: Box<dyn Optimizer<f32>>,
    pub(super) pace: Pace,
    /// Batches so far. An optimizer that accumulates or guards has done fewer steps.
    batches: u64,
    shards: Shards<f32>,
    order: Vec<u32>,
    gathered: Gathered,
    /// For an average, once there is one.
    statistics: Option<Statistics>,
    plan: BatchPlan,
    finds: &'a Finds,
    noise: Option<NoisyWeights>,
}

impl<'a> Training<'a> {
    pub(super) fn new(
        threads: &Threads,
        finds: &'a Finds,
        recipe: &'a Recipe,
        train: Samples<'a>,
        outputs: usize,
        seed: u64,
    ) -> Result<Self, RecipeError> {
        if train.are_soft() {
            return Err(RecipeError::SoftTargets);
        }
        let rows = train.rows();
        assert!(
            rows > 0 && train.x.len() == rows * train.shape.len(),
            "the samples do not fit their targets"
        );
        let batch = recipe.batch_size.resolve(rows);
        recipe.check(train.shape, rows)?;
        let network = recipe.network(train.shape, outputs)?;
        let (w, buffers) = (Lines::copy_of(&network.init(seed)), network.init_buffers());
        let mut optimizer = recipe.build_optimizer(network.layout(), rows, seed)?;
        optimizer.set_threads(threads);
        optimizer.check_learning_rate(recipe.learning_rate)?;
        let pace = Pace::new(recipe, rows)?;
        let shards = Shards::new(&network, batch, recipe.shards.max(1) as usize, threads.clone());
        let gathered = Gathered::new(&train, batch);
        let order = (0..rows as u32).collect();
        let plan = BatchPlan::new(recipe, train, outputs, seed, finds);
        let noise = recipe.regularize.weight_noise(network.layout(), seed);
        Ok(Self {
            recipe,
            train,
            seed,
            batch,
            network,
            w,
            buffers,
            key: stream(seed, "step", 0).next_u64(),
            average: Vec::new(),
            optimizer,
            pace,
            batches: 0,
            shards,
            order,
            gathered,
            statistics: None,
            plan,
            finds,
            noise,
        })
    }

    fn judged(&mut self) -> Judged<'_> {
        let averaged = self.optimizer.average(&self.w, &mut self.average);
        let (network, w) = (&self.network, if averaged { &self.average[..] } else { &self.w[..] });
        let buffers = if averaged && !self.buffers.is_empty() {
            let new = || Statistics::new(self.recipe, &self.train, network.outputs());
            let statistics = self.statistics.get_or_insert_with(new);
            let (batch, seed) = (self.batch, self.seed);
            statistics.take(w, &self.train, batch, seed, &mut self.gathered, &mut self.shards)
        } else {
            &self.buffers
        };
        Judged { network, w, buffers }
    }

    /// One pass over the data in the order of the stream (seed, "shuffle", epoch). Returns the mean loss.
    ///
    /// Before the first, techniques look through the rows. `keep_going` is asked then and before each step, `seen` is told
    /// each batch's finite loss; each may end it.
    pub(super) fn epoch(
        &mut self,
        epoch: u32,
        keep_going: &dyn Fn() -> bool,
        seen: &mut dyn FnMut(f64) -> bool,
    ) -> Result<f64, StopReason> {
        if epoch == 1 && !self.plan.survey(self.train, self.finds, keep_going) {
            return Err(StopReason::Interrupted);
        }
        let rows = self.order.len();
        let shuffled = self.batch < rows;
        if shuffled {
            // From the identity each time: an epoch's order depends on its number only, not on the epochs before.
            self.order.iter_mut().zip(0..).for_each(|(row, index)| *row = index);
            self.order.shuffle(&mut stream(self.seed, "shuffle", u64::from(epoch)));
        }
        let (mut total, mut counted) = (0.0, 0);
        for start in (0..rows).step_by(self.batch) {
            if !keep_going() {
                return Err(StopReason::Interrupted);
            }
            let count = self.batch.min(rows - start);
            let report = if shuffled || !self.plan.leaves_batches() {
                self.gathered_step(start, count)
            } else {
                self.step(self.train)
            };
            // The recipe's rate was checked; one that a schedule made larger than all numbers diverges, as any too large.
            let Ok(report) = report else {
                return Err(StopReason::Diverged { step: self.optimizer.steps() + 1 });
            };
            // What a guard refused has moved nothing: it is no divergence, and no loss to average.
            if report.outcome.skipped {
                continue;
            }
            let loss = report.value;
            if !loss.is_finite() {
                return Err(StopReason::Diverged { step: self.optimizer.steps() });
            }
            if !seen(f64::from(loss)) {
                return Err(StopReason::Interrupted);
            }
            total += f64::from(loss) * count as f64;
            counted += count;
        }
        // The last step may have thrown the weights away after its loss was still finite; or no step was possible at all.
        if counted > 0 && self.w.iter().all(|w| w.is_finite()) {
            Ok(total / counted as f64)
        } else {
            Err(StopReason::Diverged { step: self.optimizer.steps() })
        }
    }

    fn gathered_step(&mut self, start: usize, count: usize) -> Result<StepReport<f32>, OptimError> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let rows = &self.order[start..start + count];
        gathered.fill(&self.train, rows);
        let mut plan = std::mem::take(&mut self.plan);
        let mut batch;
        if plan.leaves_batches() {
            batch = gathered.samples(&self.train);
        } else {
            let Gathered { x, classes, values } = &mut gathered;
            let step_key = self.mode().key().unwrap_or_default();
            plan.alter(self.train, rows, x, classes, values, self.batches, step_key);
            batch = gathered.samples(&self.train);
            batch.targets = plan.targets(batch.targets);
        }
        let report = self.step(batch);
        self.plan = plan;
        self.gathered = gathered;
        report
    }

    /// The mode of the next step.
    fn mode(&self) -> Mode {
        Mode::step(self.key, self.batches)
    }

    fn step(&mut self, batch: Samples<'_>) -> Result<StepReport<f32>, OptimError> {
        let mode = self.mode();
        let mut objective = ShardedObjective {
            network: &self.network,
            buffers: &self.buffers,
            shards: &mut self.shards,
            loss: self.recipe.loss,
            x: batch.x,
            targets: batch.targets,
            mode,
        };
        let rate = self.pace.rate(self.batches);
        let report = match &mut self.noise {
            Some(noise) => {
                self.optimizer.step(&mut self.w, &mut noise.around(&mut objective, self.batches), rate)
            }
            None => self.optimizer.step(&mut self.w, &mut objective, rate),
        };
        self.batches += 1;
        let report = report?;
        if !report.outcome.skipped {
            self.shards.update_buffers(&self.network, &mut self.buffers);
        }
        Ok(report)
    }
}

/// The learning rate of each step.
#[derive(Debug)]
pub(super) enum Pace {
    /// The recipe's.
    Scheduled { learning_rate: f64, curve: Curve, plateau: Plateau },
    /// One for each step; the last goes on.
    Listed(Vec<f64>),
}

impl Pace {
    fn new(recipe: &Recipe, rows: usize) -> Result<Self, RecipeError> {
        let curve = recipe.curve(rows)?;
        Ok(Self::Scheduled { learning_rate: recipe.learning_rate, curve, plateau: Plateau::default() })
    }

    /// The rate of the step after `done` steps.
    fn rate(&self, done: u64) -> f64 {
        match self {
            Self::Scheduled { learning_rate, curve, plateau } => {
                learning_rate * curve.factor(done) * plateau.factor
            }
            Self::Listed(rates) => rates[rates.len().saturating_sub(1).min(done as usize)],
        }
    }

    fn observe(&mut self, loss: f64) {
        if let Self::Scheduled { curve, plateau, .. } = self {
            *plateau = curve.observe(*plateau, loss);
        }
    }
}

/// A validation part under watch.
struct Watch<'a> {
    validation: Validation<'a>,
    loss: Loss,
    stopping: EarlyStopping,
    best_w: Vec<f32>,
    best_buffers: Vec<f32>,
    /// Steps up to the best epoch.
    best_steps: u64,
    desk: Desk,
    predictions: Predictions,
}

impl<'a> Watch<'a> {
    fn new(threads: &Threads, validation: Validation<'a>, recipe: &Recipe, network: &Network<f32>) -> Self {
        Self {
            validation,
            loss: recipe.loss,
            stopping: EarlyStopping::new(recipe.stopping()),
            best_w: vec![0.0; network.layout().len()],
            best_buffers: vec![0.0; network.buffers().len()],
            best_steps: 0,
            desk: Desk::new(threads, network, validation.samples.rows()),
            predictions: recipe.loss.no_predictions(network.outputs()),
        }
    }

    fn look(&mut self, epoch: u32, train_loss: f64, training: &mut Training<'_>) -> (EpochRecord, Progress) {
        let samples = self.validation.samples;
        let Self { desk, predictions, .. } = self;
        let steps = training.optimizer.steps();
        let Judged { network, w, buffers } = training.judged();
        desk.predict(network, w, buffers, self.loss, samples.x, predictions);
        let valid_cost = (self.validation.cost)(predictions);
        let valid_loss = self.loss.of_predictions(predictions, samples.targets);
        let progress =
            self.stopping.observe(epoch, Scores { cost: valid_cost, loss: valid_loss, train_loss });
        if progress.improved {
            self.best_w.copy_from_slice(w);
            self.best_buffers.copy_from_slice(buffers);
            self.best_steps = steps;
        }
        let record =
            EpochRecord { train_loss, valid_loss: finite(valid_loss), valid_cost: finite(valid_cost) };
        (record, progress)
    }
}

/// A number that a history can hold: files have no NaN.
fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}
