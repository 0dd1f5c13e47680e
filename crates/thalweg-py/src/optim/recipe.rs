//! What an optimizer is made of, beside its parameters: the rule with all that goes around it, and its learning rates.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg::optim::hyper::check_learning_rate;
use thalweg::optim::schedule::{Curve, Horizon};
use thalweg::optim::{Dialect, Keep, OptimizerSpec, Precision, Schedule, WrapSpec, registry};

use crate::words::usage;

/// The rule, its learning rate, and what becomes of the rate as steps go by.
#[derive(Clone)]
pub(super) struct Recipe {
    /// The rule's name in the registry.
    pub(super) name: &'static str,
    pub(super) spec: OptimizerSpec,
    /// Before the schedule.
    pub(super) learning_rate: f64,
    plan: Option<Plan>,
}

/// A schedule over a training of known length.
#[derive(Clone)]
struct Plan {
    schedule: Schedule,
    total_steps: Option<u64>,
    curve: Curve,
}

/// The keywords that are no hyperparameters.
#[derive(Clone, Default)]
pub(super) struct Settings<'py> {
    pub(super) dialect: Option<String>,
    pub(super) state_precision: Option<String>,
    pub(super) wrap: Option<Bound<'py, PyAny>>,
    pub(super) schedule: Option<Bound<'py, PyAny>>,
    pub(super) total_steps: Option<u64>,
}

impl Recipe {
    pub(super) fn new(
        name: &str,
        learning_rate: Option<f64>,
        hyper: BTreeMap<String, f64>,
        settings: &Settings<'_>,
    ) -> PyResult<Self> {
        let dialect = settings.dialect.as_deref().map_or(Ok(Dialect::Torch), dialect_named)?;
        let precision = settings.state_precision.as_deref().map_or(Ok(Precision::Full), precision_named)?;
        let wrap = settings.wrap.as_ref().map_or_else(|| Ok(Vec::new()), wrappers)?;
        let spec =
            OptimizerSpec { hyper, wrap, ..OptimizerSpec::named(name).dialect(dialect).precision(precision) };
        spec.resolved().map_err(usage)?;
        let plan = Plan::read(settings.schedule.as_ref(), settings.total_steps)?;
        let info = registry::find(name).map_err(usage)?.info;
        let learning_rate = learning_rate.unwrap_or(info.learning_rate.get(dialect));
        check_learning_rate::<f64>(info.name, learning_rate, 1.0).map_err(usage)?;
        Ok(Self { name: info.name, spec, learning_rate, plan })
    }

    /// The learning rate of step `step`; the first is 0.
    pub(super) fn rate(&self, step: u64) -> PyResult<f64> {
        let factor = self.plan.as_ref().map_or(1.0, |plan| plan.curve.factor(step));
        let rate = self.learning_rate * factor;
        check_learning_rate::<f64>(self.name, rate, 1.0).map_err(usage)?;
        Ok(rate)
    }

    pub(super) fn has_schedule(&self) -> bool {
        self.plan.is_some()
    }

    /// Every hyperparameter but the learning rate.
    pub(super) fn hyper(&self) -> PyResult<BTreeMap<&'static str, f64>> {
        Ok(self.spec.resolved().map_err(usage)?.into_iter().collect())
    }

    /// All but the name and the dialect, as plain data.
    pub(super) fn save(&self, into: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = into.py();
        into.set_item("lr", self.learning_rate)?;
        into.set_item("hyper", self.hyper()?)?;
        into.set_item("state_precision", self.spec.precision.name())?;
        into.set_item("wrap", self.spec.wrap.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        into.set_item("groups", plain(py, &self.spec.groups)?)?;
        let plan = self.plan.as_ref();
        into.set_item("schedule", plan.map(|plan| plain(py, &plan.schedule)).transpose()?)?;
        into.set_item("total_steps", plan.and_then(|plan| plan.total_steps))
    }

    /// The recipe that a state was saved with; what it does not say is as it is here.
    pub(super) fn saved_with(&self, state: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut found = self.clone();
        let given = |key| -> PyResult<Option<Bound<'_, PyAny>>> { state.get_item(key) };
        if let Some(hyper) = given("hyper")? {
            found.spec.hyper = hyper.extract()?;
        }
        if let Some(rate) = given("lr")? {
            found.learning_rate = rate.extract()?;
        }
        if let Some(wrap) = given("wrap")? {
            found.spec.wrap = wrappers(&wrap)?;
        }
        if let Some(groups) = given("groups")? {
            found.spec.groups = read(&groups, "groups")?;
            let (saved, own) = (found.spec.groups.len(), self.spec.groups.len());
            if saved != own {
                return Err(PyValueError::new_err(format!(
                    "the state is of {saved} parameter groups, and there are {own} here; build the optimizer that it is of"
                )));
            }
        }
        if let Some(schedule) = given("schedule")? {
            let total = given("total_steps")?.map(|total| total.extract()).transpose()?.flatten();
            found.plan = Plan::read(Some(&schedule).filter(|schedule| !schedule.is_none()), total)?;
        }
        found.spec.resolved().map_err(usage)?;
        check_learning_rate::<f64>(found.name, found.learning_rate, 1.0).map_err(usage)?;
        Ok(found)
    }
}

impl Plan {
    fn read(schedule: Option<&Bound<'_, PyAny>>, total_steps: Option<u64>) -> PyResult<Option<Self>> {
        let Some(given) = schedule else {
            return match total_steps {
                None => Ok(None),
                Some(_) => {
                    Err(PyValueError::new_err("total_steps goes with a schedule; name one, or take it out"))
                }
            };
        };
        let schedule: Schedule = read(given, "schedule")?;
        let name = schedule.info().name;
        if watches_loss(&schedule) {
            return Err(PyValueError::new_err(format!(
                "schedule = «{name}» goes by the validation loss, which the optimizer does not see; set lr yourself"
            )));
        }
        let over = |steps, steps_per_epoch| {
            schedule
                .resolve(Horizon { steps, steps_per_epoch })
                .map_err(|error| usage(format!("schedule: {error}")))
        };
        let (short, long) = (1_000_000, 3_000_000);
        if over(short, short)? != over(short, long)? {
            return Err(PyValueError::new_err(format!(
                "schedule = «{name}» has a length in epochs, and the optimizer sees only steps; write it in steps or \
                 percent"
            )));
        }
        let total = match total_steps {
            Some(steps) => steps,
            None if over(short, short)? == over(long, short)? => short,
            None => {
                return Err(PyValueError::new_err(format!(
                    "schedule = «{name}» goes by the length of the training; say total_steps=…, or give its lengths in \
                     steps"
                )));
            }
        };
        let curve = over(total, total)?;
        Ok(Some(Self { schedule, total_steps, curve }))
    }
}

/// Whether the factor depends on more than the step.
fn watches_loss(schedule: &Schedule) -> bool {
    match schedule {
        Schedule::ReduceOnPlateau(_) => true,
        Schedule::WarmUp(warm_up) => watches_loss(&warm_up.times),
        Schedule::Sequence(sequence) => sequence.parts.iter().any(|part| watches_loss(&part.schedule)),
        _ => false,
    }
}

/// `"clip-norm=1,ema=0.999"` as on the command line, or a list of such texts or of dicts, inner to outer.
pub(super) fn wrappers(given: &Bound<'_, PyAny>) -> PyResult<Vec<WrapSpec>> {
    if let Ok(text) = given.cast::<PyString>() {
        let text = text.to_string();
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return items.map(|item| item.parse::<WrapSpec>().map_err(usage)).collect();
    }
    read(given, "wrap")
}

/// Plain data of Python as what it is in Rust.
fn read<V: DeserializeOwned>(given: &Bound<'_, PyAny>, key: &str) -> PyResult<V> {
    let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(format!("{key}: {error}"));
    let json = given.py().import("json")?.call_method1("dumps", (given,)).map_err(|error| wrong(&error))?;
    serde_json::from_str(&json.extract::<String>()?).map_err(|error| {
        // The place in a text that the caller has never seen is of no use.
        let (text, place) =
            (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
        wrong(&text.strip_suffix(&place).unwrap_or(&text))
    })
}

fn plain<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_string(value).map_err(usage)?;
    py.import("json")?.call_method1("loads", (json,))
}

fn one_of<V: Copy>(what: &str, given: &str, all: &[V], name: fn(V) -> &'static str) -> PyResult<V> {
    all.iter().copied().find(|&known| name(known) == given).ok_or_else(|| {
        let names: Vec<_> = all.iter().copied().map(name).collect();
        PyValueError::new_err(format!("there is no {what} «{given}»; there are: {}", names.join(", ")))
    })
}

pub(super) fn dialect_named(given: &str) -> PyResult<Dialect> {
    one_of("dialect", given, &Dialect::ALL, Dialect::name)
}

fn precision_named(given: &str) -> PyResult<Precision> {
    one_of("state_precision", given, &Precision::ALL, Precision::name)
}

pub(super) fn keep_named(given: &str) -> PyResult<Keep> {
    one_of("keep", given, &Keep::ALL, Keep::name)
}
