//! Optimizers over NumPy arrays and PyTorch tensors, in place: each array is a flat slice with a state of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::{Keep, StateDict, registry};

use crate::flat::{dtype_name, typed};
use crate::words::usage;

mod direct;
mod full;
mod groups;
mod half;
mod keywords;
mod params;
mod recipe;
mod state;
mod store;
mod torch;
mod turn;
mod workers;
use full::Full;
use groups::Parameters;
use half::Bf16;
use params::{Ask, Params};
use recipe::{Recipe, Settings, dialect_named, keep_named};
use store::Store;
use turn::{Turns, lock};
use workers::Workers;

/// An optimizer of the registry over NumPy arrays or PyTorch tensors, which it changes in place.
///
/// Use a class of `thalweg.optim`, such as `Adam`, or `thalweg.optim.make` with a name.
///
/// It is frozen: a closure reads it during a step, as other threads do. Only what needs the optimizer itself waits for it.
#[pyclass(subclass, frozen, module = "thalweg.optim")]
pub(crate) struct Optimizer {
    recipe: Mutex<Recipe>,
    workers: Mutex<Workers>,
    params: Arc<Params>,
    dtype: &'static str,
    keep: Option<Keep>,
    turns: Turns,
}

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (
        name, params, lr=None, *, dialect=None, threads=None, state_precision=None, wrap=None, schedule=None,
        total_steps=None, keep=None, **hyper
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        name: &str,
        params: &Bound<'_, PyAny>,
        lr: Option<f64>,
        dialect: Option<String>,
        threads: Option<&Bound<'_, PyAny>>,
        state_precision: Option<String>,
        wrap: Option<Bound<'_, PyAny>>,
        schedule: Option<Bound<'_, PyAny>>,
        total_steps: Option<u64>,
        keep: Option<&str>,
        hyper: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let hyper = hyper.map(|given| keywords::hyper(name, given)).transpose()?.unwrap_or_default();
        let settings = Settings { dialect, state_precision, wrap, schedule, total_steps };
        let mut recipe = Recipe::new(name, lr, hyper, &settings)?;
        let workers = Workers::new(threads)?;
        let params = Parameters::read(params, &mut recipe)?;
        let mut store = store(&params, &recipe, keep)?;
        store.check_learning_rate(recipe.learning_rate)?;
        workers.lend(&mut *store);
        Ok(Self {
            recipe: Mutex::new(recipe),
            workers: Mutex::new(workers),
            params: store.params().clone(),
            dtype: store.dtype(),
            keep: store.keep(),
            turns: Turns::new(store),
        })
    }

    /// The learning rate; a schedule multiplies it, see `next_lr`.
    #[getter]
    fn lr(&self) -> f64 {
        lock(&self.recipe).learning_rate
    }

    #[setter]
    fn set_lr(&self, py: Python<'_>, lr: f64) -> PyResult<()> {
        self.turns.take(py, "lr = …")?.store().check_learning_rate(lr)?;
        lock(&self.recipe).learning_rate = lr;
        Ok(())
    }

    /// The learning rate of the next step: `lr` times what the schedule says of it.
    #[getter]
    fn next_lr(&self) -> PyResult<f64> {
        lock(&self.recipe).rate(self.turns.steps())
    }

    /// How many threads share a step; the bits do not depend on it.
    #[getter]
    fn threads(&self) -> usize {
        lock(&self.workers).count()
    }

    #[setter]
    fn set_threads(&self, py: Python<'_>, threads: &Bound<'_, PyAny>) -> PyResult<()> {
        let workers = Workers::new(Some(threads))?;
        workers.lend(self.turns.take(py, "threads = …")?.store());
        *lock(&self.workers) = workers;
        Ok(())
    }

    /// Whose form of the rule: torch, keras, optax or textbook.
    #[getter]
    fn dialect(&self) -> &'static str {
        lock(&self.recipe).spec.dialect.name()
    }

    /// In how many bits the state is kept: full, bf16 or byte.
    #[getter]
    fn state_precision(&self) -> &'static str {
        lock(&self.recipe).spec.precision.name()
    }

    /// Every hyperparameter but the learning rate.
    #[getter]
    fn hyper(&self) -> PyResult<BTreeMap<&'static str, f64>> {
        lock(&self.recipe).hyper()
    }

    /// What goes around the rule, inner to outer, such as `["clip-norm=1", "ema=0.999"]`.
    #[getter]
    fn wrap(&self) -> Vec<String> {
        lock(&self.recipe).spec.wrap.iter().map(ToString::to_string).collect()
    }

    /// What becomes of the digits of bfloat16 parameters that do not fit; None for other parameters.
    #[getter]
    fn keep(&self) -> Option<&'static str> {
        self.keep.map(Keep::name)
    }

    /// How many steps were done.
    #[getter]
    fn steps(&self) -> u64 {
        self.turns.steps()
    }

    /// One step in place with the gradients at the parameters, in the order of the parameters.
    ///
    /// Without gradients, each PyTorch tensor's own `.grad` is taken; every one must be there. With a function, as
    /// PyTorch's `closure`, which does the backward pass and returns the loss, the method asks it as often and where it
    /// likes, and the loss is returned. All is checked first: after an error nothing has changed.
    #[pyo3(signature = (grads=None))]
    fn step(&self, py: Python<'_>, grads: Option<&Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
        let mut turn = self.turns.take(py, "step")?;
        let store = turn.store();
        let rate = self.prepare(store)?;
        match grads {
            Some(closure) if closure.is_callable() => {
                let closure = closure.clone().unbind();
                store.step_with(py, Ask::Here(&closure), rate).map(Some)
            }
            grads => store.step(py, grads, rate).map(|()| None),
        }
    }

    /// One step in place with an objective: `f(params) -> (value, grads)`, asked where the rule wants its gradient.
    ///
    /// Returns the value there. `f` gets copies; if it raises, nothing has changed.
    fn step_with(&self, f: &Bound<'_, PyAny>) -> PyResult<f64> {
        let (py, f) = (f.py(), f.clone().unbind());
        let mut turn = self.turns.take(py, "step_with")?;
        let store = turn.store();
        let rate = self.prepare(store)?;
        store.step_with(py, Ask::At(&f), rate)
    }

    /// Forgets the gradients of PyTorch tensors, or fills them with zeros.
    #[pyo3(signature = (set_to_none=true))]
    fn zero_grad(&self, py: Python<'_>, set_to_none: bool) -> PyResult<()> {
        self.params.zero_grad(py, set_to_none)
    }

    /// Forgets the digits of bfloat16 parameters that did not fit (see `keep`): to be called after the parameters were changed
    /// otherwise, by a checkpoint or a mask, as those digits belong to what they were. Others have none.
    fn forget(&self, py: Python<'_>) -> PyResult<()> {
        self.turns.take(py, "forget")?.store().forget();
        Ok(())
    }

    /// The point at which the model should be judged, as copies like the parameters: the average of Schedule-Free, EMA,
    /// SWA or Lookahead; the parameters themselves where nothing is averaged.
    fn average<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let copies = self.turns.take(py, "average")?.store().average(py)?;
        self.params.as_given(py, copies)
    }

    /// All that decides the next steps, as a dict of plain data and copied arrays.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut turn = self.turns.take(py, "state_dict")?;
        let (recipe, state) = (lock(&self.recipe).clone(), PyDict::new(py));
        state.set_item("optimizer", recipe.name)?;
        state.set_item("dialect", recipe.spec.dialect.name())?;
        recipe.save(&state)?;
        state.set_item("state", state::to_python(py, &turn.store().save())?)?;
        Ok(state)
    }

    /// Puts back what `state_dict` gave, with the learning rate, hyperparameters, wrappers, groups and schedule that it was
    /// saved with; on an error nothing is changed.
    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut turn = self.turns.take(state.py(), "load_state_dict")?;
        let own = lock(&self.recipe).clone();
        let get = |key: &str| {
            state.get_item(key)?.ok_or_else(|| {
                PyKeyError::new_err(format!("the state has no «{key}»; was it made by state_dict()?"))
            })
        };
        let (name, its_dialect): (String, String) =
            (get("optimizer")?.extract()?, get("dialect")?.extract()?);
        let maker = StateDict::of(name, dialect_named(&its_dialect)?);
        StateDict::of(own.name, own.spec.dialect).same_maker(&maker).map_err(usage)?;
        for key in ["hyper", "lr"] {
            get(key)?;
        }
        let recipe = own.saved_with(state)?;
        let saved = get("state")?;
        let store = turn.store();
        store.check_learning_rate(recipe.learning_rate)?;
        let found = state::from_python(&saved, &store.save(), StateDict::default())?;
        store.load(&recipe.spec, &found)?;
        lock(&self.workers).lend(store);
        *lock(&self.recipe) = recipe;
        Ok(())
    }

    /// Takes over what PyTorch's optimizer of the same rule had reached: its `state_dict()`, with its learning rate and
    /// hyperparameters, in the dialect torch; on an error nothing is changed.
    ///
    /// Of a Muon, `rest` is the state of the AdamW that moves what is no matrix.
    #[pyo3(signature = (state, rest=None))]
    fn load_torch_state_dict(
        &self,
        state: &Bound<'_, PyDict>,
        rest: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let mut turn = self.turns.take(state.py(), "load_torch_state_dict")?;
        let (store, own) = (turn.store(), lock(&self.recipe).clone());
        let epsilon = if self.dtype == "float64" { f64::EPSILON } else { f64::from(f32::EPSILON) };
        let (recipe, tensors) = torch::read(&own, store.layout(), epsilon, state, rest)?;
        store.load_torch(&recipe.spec, &tensors)?;
        lock(&self.workers).lend(store);
        *lock(&self.recipe) = recipe;
        Ok(())
    }

    fn __repr__(&self) -> PyResult<String> {
        let hyper: Vec<String> =
            self.hyper()?.iter().map(|(name, value)| format!("{name}={value:?}, ")).collect();
        let name = lock(&self.recipe).name;
        let title = registry::find(name).map_err(usage)?.info.title;
        let parameters = self.params.describe(self.dtype);
        let wrap = self.wrap();
        let wrap = if wrap.is_empty() { String::new() } else { format!("wrap='{}', ", wrap.join(",")) };
        Ok(format!(
            "{title}({parameters}, lr={:?}, {}{wrap}dialect='{}')",
            self.lr(),
            hyper.concat(),
            self.dialect()
        ))
    }
}

impl Optimizer {
    /// Sees to it that there are threads; the learning rate of the step to come.
    fn prepare(&self, store: &mut dyn Store) -> PyResult<f64> {
        lock(&self.workers).renew(store)?;
        lock(&self.recipe).rate(store.steps())
    }
}

/// The store for the number type of the first parameter, which all must have.
fn store(params: &Parameters<'_>, recipe: &Recipe, keep: Option<&str>) -> PyResult<Box<dyn Store>> {
    let Some(first) = params.items.first() else {
        return Err(PyValueError::new_err("params is empty: there is nothing to optimize"));
    };
    let keep = keep.map(keep_named).transpose()?;
    let dtype = dtype_name(first);
    Ok(match (dtype.as_deref(), keep) {
        (Some("bfloat16"), _) | (Some("uint16"), Some(_)) => {
            let (params, layout) = Params::new::<u16>(params)?;
            let keep = keep.unwrap_or(Keep::Master);
            Box::new(Bf16::new(first.py(), params, layout, &recipe.spec, keep)?)
        }
        (Some("uint16"), None) => {
            return Err(PyTypeError::new_err(
                "parameter 0 has dtype uint16; if these are the bits of bf16 numbers, say what becomes of the digits that \
                 do not fit: keep=\"master\", \"kahan\" or \"stochastic\"",
            ));
        }
        (dtype, Some(_)) => {
            return Err(PyValueError::new_err(format!(
                "keep is for parameters of 16 bits (bfloat16), and these are {}; take it out",
                dtype.unwrap_or("no arrays")
            )));
        }
        (Some("float32"), None) => {
            let (params, layout) = Params::new::<f32>(params)?;
            Box::new(Full::<f32>::new(params, &layout, &recipe.spec)?)
        }
        (Some("float64"), None) => {
            let (params, layout) = Params::new::<f64>(params)?;
            Box::new(Full::<f64>::new(params, &layout, &recipe.spec)?)
        }
        _ => {
            return Err(typed::<f64>(first, "parameter 0")
                .err()
                .unwrap_or_else(|| PyTypeError::new_err("parameter 0 is no array of numbers")));
        }
    })
}
