//! Parameter groups, written as PyTorch's are: a list of dicts.

use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::hyper::check_learning_rate;
use thalweg::optim::{GroupSpec, OptimizerSpec};

use super::keywords;
use super::recipe::{Recipe, wrappers};
use crate::flat::items;
use crate::words::usage;

/// The parameters of all groups, one behind the other, and what each is called.
pub(super) struct Parameters<'py> {
    pub(super) items: Vec<Bound<'py, PyAny>>,
    pub(super) names: Vec<String>,
    pub(super) bare: bool,
}

impl<'py> Parameters<'py> {
    /// One array, a list of arrays, or a list of groups, which go into the recipe.
    pub(super) fn read(params: &Bound<'py, PyAny>, recipe: &mut Recipe) -> PyResult<Self> {
        let (items, bare) = items(params, "params")?;
        if items.first().is_none_or(|first| first.cast::<PyDict>().is_err()) {
            let names = (0..items.len()).map(|index| index.to_string()).collect();
            return Ok(Self { items, names, bare });
        }
        let mut all = Self { items: Vec::new(), names: Vec::new(), bare: false };
        for (index, item) in items.iter().enumerate() {
            let group = item.cast::<PyDict>().map_err(|_| {
                PyTypeError::new_err(format!("params: item 0 is a group (a dict), and item {index} is none"))
            })?;
            let own = all.add(index, group)?;
            if own == 0 {
                return Err(PyValueError::new_err(format!("group {index} has no parameters; take it out")));
            }
            let spec = group_spec(index, group, recipe)?;
            recipe.spec.groups.push(spec);
        }
        Ok(all)
    }

    fn add(&mut self, index: usize, group: &Bound<'py, PyDict>) -> PyResult<usize> {
        let params = group.get_item("params")?.ok_or_else(|| {
            PyKeyError::new_err(format!("group {index} has no «params»: give the arrays that are in it"))
        })?;
        let (own, _) = items(&params, &format!("params of group {index}"))?;
        let count = own.len();
        self.names.extend((0..count).map(|own| format!("{index}.{own}")));
        self.items.extend(own);
        Ok(count)
    }
}

/// What a group says beside its parameters: `lr`, `optimizer`, `wrap`, and hyperparameters.
fn group_spec(index: usize, group: &Bound<'_, PyDict>, recipe: &Recipe) -> PyResult<GroupSpec> {
    let mut spec = GroupSpec::of(format!("{index}.*"));
    let within = |error: PyErr| {
        let text = error.value(group.py()).to_string();
        PyValueError::new_err(format!("group {index}: {text}"))
    };
    if let Some(rate) = group.get_item("lr")? {
        let rate: f64 = rate.extract().map_err(within)?;
        check_learning_rate::<f64>(recipe.name, rate, 1.0).map_err(usage).map_err(within)?;
        if recipe.learning_rate == 0.0 {
            return Err(PyValueError::new_err(format!(
                "group {index} has an lr of its own, which is kept as a multiple of lr = 0; give a positive lr"
            )));
        }
        spec.learning_rate = rate / recipe.learning_rate;
    }
    let given = PyDict::new(group.py());
    for (key, value) in group {
        let key: String = key.extract()?;
        if !["params", "lr", "optimizer", "wrap"].contains(&key.as_str()) {
            given.set_item(key, value)?;
        }
    }
    let name =
        group.get_item("optimizer")?.map(|name| name.extract::<String>()).transpose().map_err(within)?;
    let hyper = keywords::hyper(name.as_deref().unwrap_or(recipe.name), &given).map_err(within)?;
    let wrap =
        group.get_item("wrap")?.map_or_else(|| Ok(Vec::new()), |wrap| wrappers(&wrap)).map_err(within)?;
    if hyper.is_empty() && name.is_none() && wrap.is_empty() {
        return Ok(spec);
    }
    let base = &recipe.spec;
    let mut own = match name {
        Some(name) if name != base.name => {
            OptimizerSpec::named(name).dialect(base.dialect).precision(base.precision)
        }
        _ => OptimizerSpec { wrap: Vec::new(), groups: Vec::new(), ..base.clone() },
    };
    own.hyper.extend(hyper);
    own.wrap = wrap;
    own.resolved().map_err(usage).map_err(within)?;
    Ok(spec.optimizer(own))
}
