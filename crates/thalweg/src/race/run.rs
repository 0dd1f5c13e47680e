//! Running a race.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use thalweg_optim::functions::TestFunction;
use thalweg_optim::{OptimError, OptimizerSpec};

use super::measure::Outcome;
use super::spec::{RaceError, RaceSpec};
use super::track::{Leg, frames};
use super::tune;
use super::walk::Walk;

/// A finished race.
#[derive(Debug, Clone)]
pub struct Race {
    /// Its settings.
    pub spec: RaceSpec,
    /// The steps that are kept of each walk.
    pub frames: Vec<u32>,
    /// One per function.
    pub courses: Vec<Course>,
}

/// All methods on one function.
#[derive(Debug, Clone)]
pub struct Course {
    /// The function.
    pub function: &'static TestFunction,
    /// Where all start.
    pub start: [f64; 2],
    /// One per method, in the order in which they were named.
    pub walkers: Vec<Walker>,
}

/// One method on one function.
#[derive(Debug, Clone)]
pub struct Walker {
    /// Its name in the registry.
    pub optimizer: &'static str,
    /// What was tried, by learning rate.
    pub tried: Vec<Outcome>,
    /// The walk at the rate that was chosen.
    pub chosen: Leg,
    /// The walk at a tenth of that rate.
    pub slower: Leg,
    /// The walk at ten times that rate.
    pub faster: Leg,
}

impl Course {
    /// The walkers, best first: as learning rates are chosen; those that are equal in the order of their names given.
    pub fn ranking(&self) -> Vec<&Walker> {
        let mut walkers: Vec<&Walker> = self.walkers.iter().collect();
        walkers.sort_by(|a, b| tune::compare(&a.chosen.outcome, &b.chosen.outcome));
        walkers
    }

    /// The walker of this name.
    pub fn walker(&self, optimizer: &str) -> Option<&Walker> {
        self.walkers.iter().find(|walker| walker.optimizer == optimizer)
    }
}

impl Walker {
    /// What was found at this learning rate, if it was tried.
    pub fn at(&self, learning_rate: f64) -> Option<&Outcome> {
        self.tried.iter().find(|outcome| outcome.learning_rate == learning_rate)
    }

    /// Whether the chosen rate is the smallest or the largest of several.
    pub fn on_edge(&self) -> bool {
        let rate = self.chosen.outcome.learning_rate;
        let ends = [self.tried.first(), self.tried.last()];
        self.tried.len() > 1 && ends.into_iter().flatten().any(|end| end.learning_rate == rate)
    }
}

/// Runs a race, on all cores; their number changes nothing but the time.
///
/// # Errors
/// See [`RaceError`]: settings that cannot be run.
pub fn run(spec: RaceSpec) -> Result<Race, RaceError> {
    spec.check()?;
    let (functions, optimizers) = (spec.functions()?, spec.optimizers()?);
    let frames = frames(spec.steps);
    let jobs: Vec<_> =
        functions.iter().flat_map(|&function| optimizers.iter().map(move |&name| (function, name))).collect();
    let walkers = in_parallel(jobs.len(), |job| {
        let (function, name) = jobs[job];
        walker(&spec, function, name, &frames)
    });
    let mut walkers = walkers.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter();
    let course = |&function: &&'static TestFunction| Course {
        function,
        start: spec.start.unwrap_or(function.start),
        walkers: walkers.by_ref().take(optimizers.len()).collect(),
    };
    let courses = functions.iter().map(course).collect();
    Ok(Race { frames, courses, spec })
}

fn walker(
    spec: &RaceSpec,
    function: &'static TestFunction,
    optimizer: &'static str,
    frames: &[u32],
) -> Result<Walker, OptimError> {
    let start = spec.start.unwrap_or(function.start);
    let rule = OptimizerSpec::named(optimizer).dialect(spec.dialect);
    let tried = tune::try_all(function, &rule, spec.learning_rates.values(), start, spec.steps)?;
    let rate = tried[tune::best(&rule, &tried)?].learning_rate;
    let leg = |rate| Ok(Leg::new(function, &Walk::new(function, &rule, rate, start, spec.steps)?, frames));
    Ok(Walker {
        optimizer,
        tried,
        chosen: leg(rate)?,
        slower: leg(times(rate, 0.1))?,
        faster: leg(times(rate, 10.0))?,
    })
}

/// The product to 12 digits: ten times 0.0003 is 0.003, and not 0.0029999999999999996.
fn times(rate: f64, factor: f64) -> f64 {
    let exact = rate * factor;
    format!("{exact:.11e}").parse().unwrap_or(exact)
}

/// The results of `work(0)`, `work(1)`, …, in this order.
fn in_parallel<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (done, next, work) = (done.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= count || done.send((job, work(job))).is_err() {
                        break;
                    }
                }
            });
        }
    });
    drop(done);
    let mut results: Vec<(usize, R)> = results.into_iter().collect();
    results.sort_by_key(|(job, _)| *job);
    results.into_iter().map(|(_, result)| result).collect()
}
