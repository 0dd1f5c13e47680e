//! Hyperparameters as keywords: under their own names, or as `torch.optim` calls them.

use std::collections::BTreeMap;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::registry;

use super::torch::{HOW_IT_COMPUTES, RULES, own_names};
use crate::words::usage;

/// The hyperparameters of the rule, by their names here. What has no consequence is left out, and what is done otherwise here
/// is refused with what to write.
pub(super) fn hyper(rule: &str, given: &Bound<'_, PyDict>) -> PyResult<BTreeMap<String, f64>> {
    let entry = registry::find(rule).map_err(usage)?;
    let known: Vec<&str> = (entry.hyper)().iter().map(|row| row.0).collect();
    let mut found = BTreeMap::new();
    for (key, value) in given {
        let key: String = key.extract()?;
        let own = own_names(&key, entry.info.name, "");
        if known.contains(&key.as_str()) {
            add(&mut found, &key, &key, number(&key, &value)?)?;
        } else if own.iter().all(|name| known.contains(&name.as_str())) {
            for (name, value) in own.iter().zip(numbers(&key, &value, own.len())?) {
                // None is the default, as in PyTorch.
                if let Some(value) = value {
                    add(&mut found, name, &key, value)?;
                }
            }
        } else if !is_of_no_consequence(&key, &value)? {
            if let Some(remedy) = remedy(&key, entry.info.name, &value)? {
                return Err(PyValueError::new_err(format!("{} has no {key}: {remedy}", entry.info.name)));
            }
            // To be refused with the names that there are.
            add(&mut found, &key, &key, number(&key, &value)?)?;
        }
    }
    Ok(found)
}

fn add(found: &mut BTreeMap<String, f64>, name: &str, key: &str, value: f64) -> PyResult<()> {
    if found.insert(name.to_owned(), value).is_none() {
        return Ok(());
    }
    let other = if key == name { "PyTorch's name of it" } else { name };
    Err(PyValueError::new_err(format!("{key} and {other} say the same; give one of them")))
}

fn number(key: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract().map_err(|_| PyTypeError::new_err(format!("{key} = {value} must be a number")))
}

fn numbers(key: &str, value: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<Option<f64>>> {
    if count == 1 {
        return Ok(vec![Some(number(key, value)?)]);
    }
    let all: Option<Vec<Option<f64>>> = value.extract().ok();
    all.filter(|all| all.len() == count)
        .ok_or_else(|| PyValueError::new_err(format!("{key} = {value} must be {count} numbers")))
}

/// What is about how PyTorch computes, and what is off and not here.
fn is_of_no_consequence(key: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    const OFF: &[&str] =
        &["maximize", "amsgrad", "centered", "nesterov", "momentum", "dampening", "weight_decay"];
    Ok(HOW_IT_COMPUTES.contains(&key) || OFF.contains(&key) && (value.is_none() || !value.is_truthy()?))
}

/// What to write in place of a keyword that PyTorch has.
fn remedy(key: &str, rule: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if let Some((_, rules)) = RULES.iter().find(|(switch, _)| *switch == key) {
        // Of the rule that it switches on, nothing is missing.
        let is_other = !rules.contains(&rule);
        return Ok(Some(match is_other {
            true => format!("make a «{}», which is the rule with it", rules[0]),
            false => "it is always on in this rule; leave it out".to_owned(),
        }));
    }
    Ok(match (key, rule) {
        ("momentum", "sgd") => {
            Some(format!("make a «momentum» with momentum={value}, or a «nag» for PyTorch's nesterov=True"))
        }
        ("momentum", "rmsprop") => Some(format!("make a «rmsprop-momentum» with momentum={value}")),
        ("weight_decay", _) => Some(format!(
            "decay is a wrapper here; wrap=\"weight-decay={value}\" adds it to the gradient, as PyTorch does, and \
             wrap=\"decoupled-decay={value}\" shrinks the parameters, as AdamW does"
        )),
        ("maximize", _) => Some("give the negative of what is to be maximized as the loss".to_owned()),
        _ => None,
    })
}
