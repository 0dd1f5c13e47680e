//! Running a plan: one trial per thread, each finished trial handed over at once.
//!
//! A fold's data are prepared once, when its first trial needs them, shared read-only, and dropped after its last. The
//! worker that finishes the last inner trial of a method in a fold goes on with the refit. Results depend on the plan
//! only; threads decide nothing but the order in which they arrive.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;

use thalweg_data::{Preparation, Prepared, Targets, TestView, TrainView};
use thalweg_eval::Metric;
use thalweg_learn::estimator::{network_targets, prepare, row_shape};
use thalweg_learn::regularize::{Finds, Labels, labels_shown};
use thalweg_learn::train::early_stopping::Best;
use thalweg_learn::train::{
    EpochRecord, Fitted, Means, NetworkSpec, Predictions, Recipe, Samples, StopReason, Validation, fit_on,
};
use thalweg_optim::Threads;

use super::plan::Plan;
use super::score_of;
use super::trial::{Role, Trial, TrialRecord, Tuned};

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A trial finished.
    Finished(&'a TrialRecord),
    /// A trial was found in the store.
    Found,
    /// A refit will not take place, for every learning rate of its method diverged in this fold.
    NoRefit,
}

/// Runs what is not in `done` and returns all records, in the order of the plan; `None` if `stop` was set before the
/// end.
///
/// # Errors
/// The first error of `on`, which is called on this thread.
pub fn run<E>(
    plan: &Plan<'_>,
    done: &HashMap<String, TrialRecord>,
    jobs: usize,
    stop: &AtomicBool,
    on: &mut dyn FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Option<Vec<TrialRecord>>, E> {
    let work = Work::new(plan, done, stop);
    let (sender, receiver) = mpsc::channel();
    let mut records = Vec::new();
    let mut outcome = Ok(());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (work, sender) = (&work, sender.clone());
            scope.spawn(move || work.labour(&sender));
        }
        drop(sender);
        for message in receiver {
            let told = match &message {
                Message::Finished(record) => on(Event::Finished(record)),
                Message::Found(_) => on(Event::Found),
                Message::NoRefit => on(Event::NoRefit),
            };
            if let Message::Finished(record) | Message::Found(record) = message {
                records.push(record);
            }
            if told.is_err() && outcome.is_ok() {
                work.halt.store(true, Ordering::Relaxed);
                outcome = told;
            }
        }
    });
    outcome?;
    let complete = work.left.load(Ordering::Relaxed) == 0;
    let place = |record: &TrialRecord| {
        let method = plan.methods.iter().position(|method| method.name == record.method);
        (record.fold, method, record.role)
    };
    records.sort_by(|a, b| place(a).cmp(&place(b)).then(a.learning_rate.total_cmp(&b.learning_rate)));
    Ok(complete.then_some(records))
}

enum Message {
    Finished(TrialRecord),
    Found(TrialRecord),
    NoRefit,
}

/// A part to fit on and a part to score on, both prepared by what the first one shows.
struct Part {
    preparation: Preparation,
    train: Prepared,
    test: Prepared,
    /// What trainings on the first find out about it.
    finds: Finds,
}

impl Part {
    fn new(network: &NetworkSpec, train: &TrainView<'_>, test: &TestView<'_>) -> Self {
        let preparation = prepare(network, train).expect("the plan has checked the data");
        let (train, test) = (preparation.apply(train), preparation.apply(test));
        Self { preparation, train, test, finds: Finds::default() }
    }

    /// The score of predictions for one of the two parts; `None` if it is not a finite number.
    fn score(&self, metric: Metric, part: &Prepared, predictions: &Predictions) -> Option<f64> {
        score_of(metric, &self.preparation, part, predictions)
    }
}

/// A [`Part`] that is made when it is first needed and dropped after it was last needed.
struct Shared {
    part: Mutex<Option<Arc<Part>>>,
    users: AtomicUsize,
}

impl Shared {
    fn new(users: usize) -> Self {
        Self { part: Mutex::new(None), users: AtomicUsize::new(users) }
    }

    fn get(&self, make: impl FnOnce() -> Part) -> Arc<Part> {
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(part.get_or_insert_with(|| Arc::new(make())))
    }

    /// One user has no more need of it, whether it ever had it or not.
    fn release(&self) {
        if self.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.part.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// One optimizer in one fold.
struct Cell {
    inner: Mutex<Vec<TrialRecord>>,
    left: AtomicUsize,
}

/// All that the workers share.
struct Work<'a> {
    plan: &'a Plan<'a>,
    done: &'a HashMap<String, TrialRecord>,
    stop: &'a AtomicBool,
    halt: AtomicBool,
    next: AtomicUsize,
    /// Cells that are not finished.
    left: AtomicUsize,
    cells: Vec<Cell>,
    inner: Vec<Shared>,
    outer: Vec<Shared>,
}

impl<'a> Work<'a> {
    fn new(plan: &'a Plan<'a>, done: &'a HashMap<String, TrialRecord>, stop: &'a AtomicBool) -> Self {
        let (folds, optimizers) = (plan.folds.len(), plan.methods.len());
        let rates = plan.spec.learning_rates.values().len();
        let cell = || Cell { inner: Mutex::new(Vec::new()), left: AtomicUsize::new(rates) };
        Self {
            plan,
            done,
            stop,
            halt: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            left: AtomicUsize::new(folds * optimizers),
            cells: (0..folds * optimizers).map(|_| cell()).collect(),
            inner: (0..folds).map(|_| Shared::new(optimizers * rates)).collect(),
            outer: (0..folds).map(|_| Shared::new(optimizers)).collect(),
        }
    }

    fn going(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && !self.halt.load(Ordering::Relaxed)
    }

    /// Takes one inner trial after the other.
    fn labour(&self, sender: &mpsc::Sender<Message>) {
        let optimizers = self.plan.methods.len();
        let rates = self.plan.spec.learning_rates.values().len();
        while self.going() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let (cell, rate) = (index / rates, index % rates);
            if cell >= self.cells.len() {
                return;
            }
            let (fold, optimizer) = (cell / optimizers, cell % optimizers);
            let trial = self.plan.inner_trials(fold, optimizer).swap_remove(rate);
            let record = self.obtain(&trial, sender);
            self.inner[fold].release();
            let Some(record) = record else { return };
            let cell = &self.cells[cell];
            cell.inner.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            if cell.left.fetch_sub(1, Ordering::AcqRel) == 1 && !self.finish(cell, fold, optimizer, sender) {
                return;
            }
        }
    }

    /// Refits with the rate and epochs that the inner trials chose. False if interrupted.
    fn finish(&self, cell: &Cell, fold: usize, optimizer: usize, sender: &mpsc::Sender<Message>) -> bool {
        let inner = cell.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = match choose(self.plan.metric, &inner) {
            Some(tuned) => {
                let trial = self.plan.refit(fold, optimizer, tuned);
                self.obtain(&trial, sender).is_some()
            }
            // Nobody listens any more only if the run was given up.
            None => sender.send(Message::NoRefit).is_ok(),
        };
        self.outer[fold].release();
        if finished {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
        finished
    }

    /// The trial's record, from the store or run now; `None` if interrupted.
    fn obtain(&self, trial: &Trial, sender: &mpsc::Sender<Message>) -> Option<TrialRecord> {
        let key = self.plan.key(trial);
        let message = match self.done.get(&key) {
            // What is stored may have been run for another study, in which the fold had another number.
            Some(record) => Message::Found(TrialRecord { fold: trial.fold, ..record.clone() }),
            None => Message::Finished(self.train(trial, key)?),
        };
        let (Message::Found(record) | Message::Finished(record)) = &message else { return None };
        let record = record.clone();
        sender.send(message).ok()?;
        Some(record)
    }

    fn train(&self, trial: &Trial, key: String) -> Option<TrialRecord> {
        let fold = &self.plan.folds[trial.fold];
        let (train, test) = fold.outer.views(self.plan.data);
        let part = match trial.role {
            Role::Inner => self.inner[trial.fold].get(|| {
                let (train, validation) = train.inner(&fold.inner);
                Part::new(&trial.recipe.network, &train, &validation)
            }),
            Role::Refit => self.outer[trial.fold].get(|| Part::new(&trial.recipe.network, &train, &test)),
        };
        let start = Instant::now();
        let metric = self.plan.metric;
        let sign = if metric.higher_is_better() { -1.0 } else { 1.0 };
        let cost = |predictions: &Predictions| {
            part.score(metric, &part.test, predictions).map_or(f64::NAN, |score| sign * score)
        };
        let validation =
            (trial.role == Role::Inner).then(|| Validation { samples: samples(&part.test), cost: &cost });
        let outputs = self.plan.outputs;
        let means = Means { threads: &Threads::default(), finds: Some(&part.finds) };
        let train = samples(&part.train);
        let fitted = fit_on(means, &trial.recipe, train, outputs, validation, fold.seed, &|| self.going())
            .expect("the plan has checked the recipe");
        if fitted.stop == StopReason::Interrupted {
            return None;
        }
        let scores =
            (trial.role == Role::Refit && !matches!(fitted.stop, StopReason::Diverged { .. })).then(|| {
                let predict = |rows: &Prepared| fitted.model.predict(&rows.x);
                // Scored on what it was shown: its labels may have been replaced.
                let shown = self.shown(&trial.recipe, &part, fold.seed);
                let train = shown.as_ref().unwrap_or(&part.train);
                [
                    part.score(metric, train, &predict(&part.train)),
                    part.score(metric, &part.test, &predict(&part.test)),
                ]
            });
        let seconds = start.elapsed().as_secs_f64();
        Some(record(trial, key, fitted, sign, scores, seconds))
    }

    /// The training part with the labels that the training saw, if they are not its own.
    fn shown(&self, recipe: &Recipe, part: &Part, seed: u64) -> Option<Prepared> {
        let labels = labels_shown(recipe, samples(&part.train), self.plan.outputs, seed)?;
        let y = match labels {
            Labels::Classes { codes, .. } => Targets::Classes(codes),
            Labels::Values(scaled) => {
                let raw = scaled.iter().map(|&value| part.preparation.restore_target(value)).collect();
                Targets::Values { raw, scaled }
            }
        };
        Some(Prepared { y, x: Vec::new(), ..part.train })
    }
}

fn samples(prepared: &Prepared) -> Samples<'_> {
    Samples { shape: row_shape(prepared), x: &prepared.x, targets: network_targets(&prepared.y) }
}

fn record(
    trial: &Trial,
    key: String,
    fitted: Fitted,
    sign: f64,
    scores: Option<[Option<f64>; 2]>,
    seconds: f64,
) -> TrialRecord {
    let diverged = matches!(fitted.stop, StopReason::Diverged { .. });
    let epochs = fitted.history.len() as u32;
    let judged = if trial.best_epoch { steady_best } else { steady_last };
    let best = judged(&fitted.history).filter(|_| !diverged);
    let [train_score, test_score] = scores.unwrap_or([None, None]);
    TrialRecord {
        key,
        fold: trial.fold,
        method: trial.method.clone(),
        strength: trial.strength,
        role: trial.role,
        learning_rate: trial.recipe.learning_rate,
        stop: fitted.stop,
        epoch: match trial.role {
            Role::Inner => best.map(|best| best.epoch),
            Role::Refit => Some(epochs).filter(|_| !diverged),
        },
        epochs,
        steps: fitted.steps,
        valid_score: best.map(|best| sign * best.cost),
        valid_loss: best.map(|best| best.loss),
        train_score,
        test_score,
        history: fitted.history,
        seconds,
    }
}

/// Epochs on either side that an epoch is judged together with.
const STEADY: usize = 2;

/// The epoch with the best validation cost, averaged with its neighbours' (ties: by loss, then the earlier one).
///
/// A refit can repeat the number of epochs, but not the luck of one: a training at the edge of stability jumps from epoch
/// to epoch, and the best of its jumps says little about where another run ends.
fn steady_best(history: &[EpochRecord]) -> Option<Best> {
    (0..history.len())
        .filter_map(|index| steady(history, index))
        .min_by(|a, b| a.cost.total_cmp(&b.cost).then(a.loss.total_cmp(&b.loss)))
}

/// The last epoch, averaged with its neighbours.
fn steady_last(history: &[EpochRecord]) -> Option<Best> {
    steady(history, history.len().checked_sub(1)?)
}

/// An epoch, averaged with its neighbours.
fn steady(history: &[EpochRecord], index: usize) -> Option<Best> {
    let window = &history[index.saturating_sub(STEADY)..history.len().min(index + STEADY + 1)];
    let mean = |value: fn(&EpochRecord) -> Option<f64>| {
        let sum: Option<f64> = window.iter().map(value).sum();
        sum.map(|sum| sum / window.len() as f64)
    };
    let (cost, loss) = (mean(|epoch| epoch.valid_cost)?, mean(|epoch| epoch.valid_loss)?);
    Some(Best { epoch: index as u32 + 1, cost, loss })
}

/// What the best inner trial had: by validation score, ties by validation loss, then by the
/// smaller rate. `None` if all diverged.
fn choose(metric: Metric, inner: &[TrialRecord]) -> Option<Tuned> {
    let loss = |record: &TrialRecord| record.valid_loss.unwrap_or(f64::INFINITY);
    inner
        .iter()
        .filter_map(|record| Some((record, record.valid_score?, record.epoch?)))
        .min_by(|(a, a_score, _), (b, b_score, _)| {
            metric
                .better(*b_score, *a_score)
                .then(loss(a).total_cmp(&loss(b)))
                .then(a.learning_rate.total_cmp(&b.learning_rate))
        })
        .map(|(record, _, epochs)| Tuned {
            learning_rate: record.learning_rate,
            strength: record.strength,
            epochs,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(costs: &[Option<f64>]) -> Vec<EpochRecord> {
        let epoch = |&cost: &Option<f64>| EpochRecord { train_loss: 0.0, valid_loss: cost, valid_cost: cost };
        costs.iter().map(epoch).collect()
    }

    #[test]
    fn a_lucky_epoch_is_not_chosen() {
        let jumping = [0.9, 0.8, 0.1, 0.9, 0.8, 0.4, 0.4, 0.4, 0.4, 0.4, 0.7].map(Some);
        assert_eq!(steady_best(&history(&jumping)).map(|best| best.epoch), Some(8));
        assert_eq!(steady_best(&history(&[Some(0.3)])).map(|best| (best.epoch, best.cost)), Some((1, 0.3)));
        assert_eq!(steady_best(&history(&[])), None);
    }

    #[test]
    fn an_epoch_without_a_cost_spoils_its_neighbours() {
        let mut costs = [0.5; 9].map(Some);
        costs[2] = None;
        costs[7] = Some(0.2);
        assert_eq!(steady_best(&history(&costs)).map(|best| best.epoch), Some(9));
    }
}
