//! Optimizers over NumPy arrays, in place: each array is a flat slice with a state of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::{Dialect, OptimizerSpec, StateDict, registry};

use crate::flat::{items, typed};
use crate::words::usage;

mod group;
use group::Group;

/// An optimizer of the registry over float32 or float64 arrays, which it changes in place.
///
/// Use a class of `thalweg.optim`, such as `Adam`, or `thalweg.optim.make` with a name.
#[pyclass(subclass, module = "thalweg.optim")]
pub(crate) struct Optimizer {
    spec: OptimizerSpec,
    name: &'static str,
    learning_rate: f64,
    /// One bare array was given: then one bare gradient is expected.
    bare: bool,
    // A class must be shareable between threads. It is never locked: every method borrows the object as its own.
    arrays: Mutex<Arrays>,
}

/// All arrays of an optimizer have one number type.
enum Arrays {
    F32(Group<f32>),
    F64(Group<f64>),
}

/// Does the same for both number types.
macro_rules! each {
    ($arrays:expr, $group:ident => $what:expr) => {
        match $arrays {
            Arrays::F32($group) => $what,
            Arrays::F64($group) => $what,
        }
    };
}

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (name, params, lr=None, *, dialect="torch", **hyper))]
    fn new(
        name: &str,
        params: &Bound<'_, PyAny>,
        lr: Option<f64>,
        dialect: &str,
        hyper: Option<BTreeMap<String, f64>>,
    ) -> PyResult<Self> {
        let spec = spec(name, dialect, hyper.unwrap_or_default())?;
        let info = registry::find(name).map_err(usage)?.info;
        let learning_rate = lr.unwrap_or(info.learning_rate.get(spec.dialect));
        let (items, bare) = items(params, "params")?;
        let Some(first) = items.first() else {
            return Err(PyValueError::new_err("params is empty: there is nothing to optimize"));
        };
        let arrays = if typed::<f32>(first, "").is_ok() {
            Arrays::F32(Group::new(&items, &spec)?)
        } else if typed::<f64>(first, "").is_ok() {
            Arrays::F64(Group::new(&items, &spec)?)
        } else {
            return Err(typed::<f64>(first, "parameter 0")
                .err()
                .unwrap_or_else(|| PyTypeError::new_err("parameter 0 is no array of numbers")));
        };
        each!(&arrays, group => group.check_learning_rate(learning_rate))?;
        Ok(Self { spec, name: info.name, learning_rate, bare, arrays: Mutex::new(arrays) })
    }

    /// The learning rate of the next step.
    #[getter]
    fn lr(&self) -> f64 {
        self.learning_rate
    }

    #[setter]
    fn set_lr(&mut self, lr: f64) -> PyResult<()> {
        each!(self.arrays(), group => group.check_learning_rate(lr))?;
        self.learning_rate = lr;
        Ok(())
    }

    /// Whose form of the rule: torch, keras, optax or textbook.
    #[getter]
    fn dialect(&self) -> &'static str {
        self.spec.dialect.name()
    }

    /// Every hyperparameter but the learning rate.
    #[getter]
    fn hyper(&self) -> PyResult<BTreeMap<&'static str, f64>> {
        Ok(self.spec.resolved().map_err(usage)?.into_iter().collect())
    }

    /// How many steps were done.
    #[getter]
    fn steps(&mut self) -> u64 {
        each!(self.arrays(), group => group.steps())
    }

    /// One step in place with the gradients at the parameters, in the order of the parameters.
    ///
    /// All is checked first: after an error nothing has changed.
    fn step(&mut self, grads: &Bound<'_, PyAny>) -> PyResult<()> {
        let learning_rate = self.learning_rate;
        each!(self.arrays(), group => group.step(grads, learning_rate))
    }

    /// One step in place with an objective: `f(params) -> (value, grads)`, asked where the rule wants its gradient.
    ///
    /// Returns the value there. `f` gets copies; if it raises, nothing has changed.
    fn step_with(&mut self, f: &Bound<'_, PyAny>) -> PyResult<f64> {
        let (learning_rate, bare) = (self.learning_rate, self.bare);
        each!(self.arrays(), group => group.step_with(f, learning_rate, bare))
    }

    /// All that decides the next steps, as a dict of plain data and copied arrays.
    fn state_dict<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item("optimizer", self.name)?;
        state.set_item("dialect", self.dialect())?;
        state.set_item("lr", self.learning_rate)?;
        state.set_item("hyper", self.hyper()?)?;
        state.set_item("state", each!(self.arrays(), group => group.state(py))?)?;
        Ok(state)
    }

    /// Puts back what `state_dict` gave, hyperparameters included; on an error nothing is changed.
    fn load_state_dict(&mut self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let get = |key: &str| {
            state.get_item(key)?.ok_or_else(|| {
                PyKeyError::new_err(format!("the state has no «{key}»; was it made by state_dict()?"))
            })
        };
        let (name, its_dialect): (String, String) =
            (get("optimizer")?.extract()?, get("dialect")?.extract()?);
        let maker = StateDict::of(name, dialect_named(&its_dialect)?);
        let own = StateDict::of(self.name, self.spec.dialect);
        own.same_maker(&maker).map_err(usage)?;
        let spec = spec(self.name, self.dialect(), get("hyper")?.extract()?)?;
        let learning_rate: f64 = get("lr")?.extract()?;
        each!(self.arrays(), group => group.check_learning_rate(learning_rate))?;
        let saved = get("state")?;
        each!(self.arrays(), group => group.load_state(maker, &saved, &spec))?;
        (self.spec, self.learning_rate) = (spec, learning_rate);
        Ok(())
    }

    fn __repr__(&mut self) -> PyResult<String> {
        let hyper: Vec<String> =
            self.hyper()?.iter().map(|(name, value)| format!("{name}={value:?}, ")).collect();
        let title = registry::find(self.name).map_err(usage)?.info.title;
        let parameters = each!(self.arrays(), group => group.describe());
        Ok(format!(
            "{title}({parameters}, lr={:?}, {}dialect='{}')",
            self.learning_rate,
            hyper.concat(),
            self.dialect()
        ))
    }
}

impl Optimizer {
    fn arrays(&mut self) -> &mut Arrays {
        self.arrays.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

fn dialect_named(name: &str) -> PyResult<Dialect> {
    let known = Dialect::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| {
        let names = Dialect::ALL.map(Dialect::name).join(", ");
        PyValueError::new_err(format!("there is no dialect «{name}»; there are: {names}"))
    })
}

fn spec(name: &str, its_dialect: &str, hyper: BTreeMap<String, f64>) -> PyResult<OptimizerSpec> {
    let spec = OptimizerSpec { hyper, ..OptimizerSpec::named(name).dialect(dialect_named(its_dialect)?) };
    spec.resolved().map_err(usage)?;
    Ok(spec)
}
