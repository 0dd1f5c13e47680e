//! The settings of a race.

use serde::Serialize;
use thalweg_optim::functions::{self, TestFunction, UnknownFunction};
use thalweg_optim::{Dialect, OptimError, registry};

use crate::study::LearningRates;
use crate::study::verdict::rate_text;

/// What is raced.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RaceSpec {
    /// Names of test functions; `all` stands for every one.
    pub functions: Vec<String>,
    /// Names of optimizers; `all` stands for every one.
    pub optimizers: Vec<String>,
    /// Whose form of each rule.
    pub dialect: Dialect,
    /// How many steps each walk takes.
    pub steps: u32,
    /// The learning rates that each method tries; of one rate there is nothing to choose.
    pub learning_rates: LearningRates,
    /// Where all walks start; each function's own start if not set.
    pub start: Option<[f64; 2]>,
}

impl Default for RaceSpec {
    fn default() -> Self {
        Self {
            functions: vec!["rosenbrock".to_owned()],
            optimizers: vec!["all".to_owned()],
            dialect: Dialect::default(),
            steps: 1000,
            learning_rates: LearningRates::log_spaced(1e-4, 10.0, 21).expect("a valid grid"),
            start: None,
        }
    }
}

/// What is wrong with a race's settings.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RaceError {
    /// A function's name.
    #[error("--function: {0}; `all` runs every one")]
    Function(#[from] UnknownFunction),
    /// An optimizer's name or settings.
    #[error("--optimizers: {0}")]
    Optimizer(#[from] OptimError),
    /// Something out of range.
    #[error("--{flag} {value}: it must be {expected}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
}

/// The most steps of a walk.
const STEPS_MAX: u32 = 100_000;
/// The farthest start from 0, in each coordinate.
const START_MAX: f64 = 1000.0;
/// A tenth and ten times of a learning rate are walked, too: both must be numbers.
const RATES: [f64; 2] = [1e-30, 1e30];

impl RaceSpec {
    /// Refuses settings that cannot be run.
    pub(super) fn check(&self) -> Result<(), RaceError> {
        let setting =
            |flag, value: String, expected: String| Err(RaceError::Setting { flag, value, expected });
        if !(1..=STEPS_MAX).contains(&self.steps) {
            return setting("steps", self.steps.to_string(), format!("a whole number from 1 to {STEPS_MAX}"));
        }
        if let Some([x, y]) = self.start
            && ![x, y].iter().all(|at| at.abs() <= START_MAX)
        {
            let expected = format!("two numbers from −{START_MAX} to {START_MAX}, such as -1.5,2");
            return setting("start", format!("{x},{y}"), expected);
        }
        let [low, high] = RATES;
        match self.learning_rates.values().iter().find(|rate| !(low..=high).contains(*rate)) {
            Some(rate) => setting("lr", rate_text(*rate), format!("from {low:e} to {high:e}")),
            None => Ok(()),
        }
    }

    /// The functions, in the order in which they were named.
    pub(super) fn functions(&self) -> Result<Vec<&'static TestFunction>, RaceError> {
        let names = named("function", &self.functions, functions::REGISTRY.iter().map(|row| row.name))?;
        Ok(names.into_iter().map(functions::find).collect::<Result<_, _>>()?)
    }

    /// The names of the optimizers, in the order in which they were given.
    pub(super) fn optimizers(&self) -> Result<Vec<&'static str>, RaceError> {
        let all = registry::REGISTRY.iter().map(|entry| entry.info.name);
        let names = named("optimizers", &self.optimizers, all)?;
        let find = |name| registry::find(name).map(|entry| entry.info.name);
        Ok(names.into_iter().map(find).collect::<Result<_, _>>()?)
    }

    /// Whether there is a learning rate to choose.
    pub fn is_tuned(&self) -> bool {
        self.learning_rates.values().len() > 1
    }
}

/// The names with `all` written out; refuses none at all, and one that comes twice.
fn named<'a>(
    flag: &'static str,
    given: &'a [String],
    all: impl Iterator<Item = &'static str>,
) -> Result<Vec<&'a str>, RaceError> {
    if given == ["all"] {
        return Ok(all.collect());
    }
    let wrong = |value: &str, expected: &str| {
        Err(RaceError::Setting { flag, value: value.to_owned(), expected: expected.to_owned() })
    };
    if given.is_empty() {
        return wrong("(none)", "at least one name, or all");
    }
    for (index, name) in given.iter().enumerate() {
        if given[..index].contains(name) {
            return wrong(name, "named once");
        }
        if name == "all" {
            return wrong(name, "the only name, since it stands for every one");
        }
    }
    Ok(given.iter().map(String::as_str).collect())
}
