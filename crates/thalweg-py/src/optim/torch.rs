//! What PyTorch's `optimizer.state_dict()` holds: its states by place, and its hyperparameters under its own names.

use numpy::PyUntypedArray;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::hyper::check_learning_rate;
use thalweg::optim::state::Values;
use thalweg::optim::state::torch::{Parameter, TorchTensor};
use thalweg::optim::{Dialect, Layout, registry};

use super::recipe::Recipe;
use super::state::tensor;
use crate::flat::{dtype_name, is_tensor, typed};
use crate::words::usage;

/// PyTorch's names of hyperparameters that have others here.
const NAMES: &[(&str, &[&str])] = &[
    ("betas", &["beta1", "beta2"]),
    ("etas", &["eta_minus", "eta_plus"]),
    ("step_sizes", &["step_min", "step_max"]),
    ("initial_accumulator_value", &["initial_accumulator"]),
    ("d", &["clip_threshold"]),
];

/// What PyTorch keeps for others, or what was read before.
const OF_NO_CONSEQUENCE: &[&str] = &["params", "param_names", "lr", "initial_lr"];

/// What is only about how PyTorch computes.
pub(super) const HOW_IT_COMPUTES: &[&str] = &["foreach", "fused", "capturable", "differentiable"];

/// Switches that are rules of their own here: which rules are on.
pub(super) const RULES: &[(&str, &[&str])] =
    &[("amsgrad", &["amsgrad"]), ("centered", &["rmsprop-centered"]), ("nesterov", &["nag"])];

/// The coefficients of Muon's iteration, which are no hyperparameters here.
const NEWTON_SCHULZ: [f64; 3] = [3.4445, -4.775, 2.0315];

/// What PyTorch's `match_rms_adamw` multiplies by.
const RMS_OF_ADAMW: f64 = 0.2;

/// The recipe with PyTorch's learning rate and hyperparameters, and the tensors of all blocks.
pub(super) fn read(
    recipe: &Recipe,
    layout: &Layout,
    dtype_epsilon: f64,
    state: &Bound<'_, PyDict>,
    rest: Option<&Bound<'_, PyDict>>,
) -> PyResult<(Recipe, Vec<TorchTensor>)> {
    let mut found = recipe.clone();
    let name = recipe.name;
    if recipe.spec.dialect != Dialect::Torch {
        return Err(PyValueError::new_err(format!(
            "PyTorch's state is of the dialect torch, and this optimizer is of {}",
            recipe.spec.dialect.name()
        )));
    }
    if !recipe.spec.groups.is_empty() {
        return Err(PyValueError::new_err(
            "PyTorch's state can be taken over without parameter groups only; make an optimizer of each group",
        ));
    }
    let is_matrix = |index: &usize| name != "muon" || layout.blocks()[*index].shape.len() == 2;
    let (own, others): (Vec<_>, Vec<_>) = (0..layout.blocks().len()).partition(is_matrix);
    if rest.is_some() && name != "muon" {
        return Err(PyValueError::new_err(
            "rest is the state of the AdamW beside a Muon, and this is no Muon",
        ));
    }
    if name == "muon" && rest.is_none() && !others.is_empty() {
        return Err(PyValueError::new_err(format!(
            "{} of the parameters are no matrices, and PyTorch's Muon does not move them; give the state of the AdamW \
             that does, too: load_torch_state_dict(muon, rest=adamw)",
            others.len()
        )));
    }
    if let Some(group) = group_of(state)? {
        found.learning_rate = learning_rate(&group, recipe)?;
        take_over(&group, &mut found, dtype_epsilon, "")?;
    }
    let mut tensors = tensors(state, &own)?;
    if let Some(rest) = rest {
        if let Some(group) = group_of(rest)? {
            let ratio = learning_rate(&group, recipe)? / found.learning_rate;
            if !ratio.is_finite() {
                return Err(PyValueError::new_err("lr of Muon is 0, of which AdamW's cannot be a multiple"));
            }
            found.spec.hyper.insert("adam_lr_ratio".to_owned(), ratio);
            take_over(&group, &mut found, dtype_epsilon, "adam_")?;
        }
        tensors.extend(self::tensors(rest, &others)?);
    }
    found.spec.resolved().map_err(usage)?;
    Ok((found, tensors))
}

/// PyTorch's schedules write the rate over; a schedule here wants what it was before.
fn learning_rate(group: &Bound<'_, PyDict>, recipe: &Recipe) -> PyResult<f64> {
    let first = if recipe.has_schedule() { group.get_item("initial_lr")? } else { None };
    let rate = match first {
        Some(rate) => rate,
        None => group.get_item("lr")?.ok_or_else(|| PyKeyError::new_err("PyTorch's group has no «lr»"))?,
    };
    let rate = number("lr", &rate)?;
    check_learning_rate::<f64>(recipe.name, rate, 1.0).map_err(usage)?;
    Ok(rate)
}

/// The hyperparameters, which all groups must share; none if there is nothing but a state.
fn group_of<'py>(state: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(groups) = state.get_item("param_groups")? else { return Ok(None) };
    let mut first: Option<Bound<'py, PyDict>> = None;
    for group in groups.try_iter()? {
        let group = group?.cast_into::<PyDict>()?.copy()?;
        for place in ["params", "param_names"] {
            if group.contains(place)? {
                group.del_item(place)?;
            }
        }
        match &first {
            None => first = Some(group),
            Some(first) if first.eq(&group)? => {}
            Some(_) => {
                return Err(PyValueError::new_err(
                    "PyTorch's groups differ in their hyperparameters, and only one set can be taken over; make an \
                     optimizer of each group",
                ));
            }
        }
    }
    Ok(first)
}

/// What PyTorch's hyperparameter is called here.
pub(super) fn own_names(key: &str, rule: &str, prefix: &str) -> Vec<String> {
    match (key, rule) {
        ("eps", "adafactor") => vec!["epsilon1".to_owned(), "epsilon2".to_owned()],
        ("eps", _) => vec![format!("{prefix}epsilon")],
        _ => match NAMES.iter().find(|(torch, _)| *torch == key) {
            Some((_, names)) => names.iter().map(|name| format!("{prefix}{name}")).collect(),
            None => vec![format!("{prefix}{key}")],
        },
    }
}

/// Writes PyTorch's hyperparameters over those of the recipe; what the rule here does not have must be off.
fn take_over(
    group: &Bound<'_, PyDict>,
    recipe: &mut Recipe,
    dtype_epsilon: f64,
    prefix: &str,
) -> PyResult<()> {
    let known: Vec<&str> =
        (registry::find(recipe.name).map_err(usage)?.hyper)().iter().map(|row| row.0).collect();
    let decoupled = matches!(group.get_item("decoupled_weight_decay")?, Some(flag) if flag.is_truthy()?);
    for (key, value) in group {
        let key: String = key.extract()?;
        let is_of_none = [OF_NO_CONSEQUENCE, HOW_IT_COMPUTES].concat().contains(&key.as_str());
        if is_of_none || key == "decoupled_weight_decay" {
            continue;
        }
        let own = own_names(&key, recipe.name, prefix);
        if own.iter().all(|name| known.contains(&name.as_str())) {
            for (name, value) in own.iter().zip(numbers(&key, &value, own.len(), dtype_epsilon)?) {
                recipe.spec.hyper.insert(name.clone(), value);
            }
        } else {
            take_over_other(&key, &value, recipe, decoupled)?;
        }
    }
    Ok(())
}

/// What is no hyperparameter of the rule here: a decay that a wrapper does, a switch that is a rule of its own, what cannot
/// be changed, or nothing.
fn take_over_other(
    key: &str,
    value: &Bound<'_, PyAny>,
    recipe: &mut Recipe,
    decoupled: bool,
) -> PyResult<()> {
    let refuse = |remedy: &str| {
        Err(PyValueError::new_err(format!(
            "PyTorch's optimizer has {key} = {value}, and {} here {remedy}",
            recipe.name
        )))
    };
    if let Some((_, rules)) = RULES.iter().find(|(switch, _)| *switch == key) {
        let (is_on, wanted) = (value.is_truthy()?, rules.contains(&recipe.name));
        return match (is_on, wanted) {
            (true, false) => refuse(&format!("has not; make a «{}» for it", rules[0])),
            (false, true) => refuse("has; make the rule without it"),
            _ => Ok(()),
        };
    }
    match key {
        "weight_decay" => {
            let decay = number(key, value)?;
            let wrapper = if decoupled { "decoupled-decay" } else { "weight-decay" };
            match recipe.spec.wrap.iter_mut().find(|wrap| wrap.name == wrapper) {
                Some(wrap) => {
                    let settings = (thalweg::optim::wrap::find(wrapper).map_err(usage)?.settings)();
                    wrap.settings.extend(settings.first().map(|row| (row.key.to_owned(), decay)));
                    Ok(())
                }
                None if decay == 0.0 => Ok(()),
                None => refuse(&format!("has none of its own; make it with wrap=\"{wrapper}={decay}\"")),
            }
        }
        "ns_coefficients" => {
            let given: Vec<f64> = value.extract()?;
            if given == NEWTON_SCHULZ { Ok(()) } else { refuse(&format!("has {NEWTON_SCHULZ:?}")) }
        }
        "adjust_lr_fn" => {
            let rate = match value.extract::<Option<String>>()?.as_deref() {
                None | Some("original") => 0.0,
                Some("match_rms_adamw") => RMS_OF_ADAMW,
                Some(_) => return refuse("knows original and match_rms_adamw"),
            };
            recipe.spec.hyper.insert("rms_rate".to_owned(), rate);
            Ok(())
        }
        _ if value.is_none() || !value.is_truthy()? => Ok(()),
        _ => refuse("has nothing of that name"),
    }
}

/// One number or as many as there are names; None is what PyTorch takes for it, the epsilon of the number type.
fn numbers(key: &str, value: &Bound<'_, PyAny>, count: usize, dtype_epsilon: f64) -> PyResult<Vec<f64>> {
    if count == 1 {
        return Ok(vec![number(key, value)?]);
    }
    let all: Vec<Option<f64>> = value.extract()?;
    if all.len() == count {
        return Ok(all.into_iter().map(|one| one.unwrap_or(dtype_epsilon)).collect());
    }
    Err(PyValueError::new_err(format!("PyTorch's {key} = {value} must be {count} numbers")))
}

fn number(key: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract().map_err(|_| PyTypeError::new_err(format!("PyTorch's {key} = {value} must be a number")))
}

/// The tensors of a state, its n-th parameter at `places[n]`.
fn tensors(state: &Bound<'_, PyDict>, places: &[usize]) -> PyResult<Vec<TorchTensor>> {
    let missing = || {
        PyKeyError::new_err("the state has no «state»; was it made by a PyTorch optimizer's state_dict()?")
    };
    let states = state.get_item("state")?.ok_or_else(missing)?.cast_into::<PyDict>()?;
    let mut found = Vec::new();
    for (key, parts) in states {
        let index: usize = key.extract().map_err(|_| {
            PyTypeError::new_err(format!(
                "PyTorch's state has a parameter {key}, expected its place, such as 0"
            ))
        })?;
        let place = *places.get(index).ok_or_else(|| {
            PyValueError::new_err(format!(
                "PyTorch's state has a parameter {index}, and there are {} for it here",
                places.len()
            ))
        })?;
        for (name, value) in parts.cast_into::<PyDict>()? {
            let name: String = name.extract()?;
            // A momentum of 0 has no buffer.
            if value.is_none() {
                continue;
            }
            let (shape, values) = values_of(&value, &format!("«{name}» of {index}"))?;
            let tensor = thalweg::optim::state::Tensor { shape, values };
            found.push(TorchTensor { parameter: Parameter::Index(place), name, tensor });
        }
    }
    Ok(found)
}

/// The numbers of a tensor of any device, of what NumPy can make an array of, or of one number.
fn values_of(value: &Bound<'_, PyAny>, name: &str) -> PyResult<(Vec<usize>, Values)> {
    let py = value.py();
    if let Ok(number) = value.extract::<f64>()
        && !is_tensor(value)
        && value.cast::<PyUntypedArray>().is_err()
    {
        return Ok((Vec::new(), Values::F64(vec![number])));
    }
    let numpy = py.import("numpy")?;
    let array = if is_tensor(value) {
        let own = value.call_method0("detach")?.call_method0("cpu")?;
        if dtype_name(&own).as_deref() == Some("bfloat16") {
            return tensor(typed::<u16>(&own, name)?.as_any(), name);
        }
        own.call_method0("numpy")?
    } else {
        numpy.call_method1("asarray", (value,))?
    };
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let array = if matches!(kind.as_str(), "i" | "b" | "u") {
        array.call_method1("astype", ("float64",))?
    } else {
        array
    };
    tensor(&array, name)
        .map_err(|_| PyTypeError::new_err(format!("{name} of PyTorch's state is no array of numbers")))
}
