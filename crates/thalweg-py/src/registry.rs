//! The registry of optimizers as plain Python data: the package makes a class of each row.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::registry::{Entry, REGISTRY};
use thalweg::optim::{Dialect, OptimizerSpec};

use crate::words::usage;

/// Every optimizer in the order of the tables, each as a dict: names, source, and what each dialect makes of it.
#[pyfunction]
pub(crate) fn optimizers(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    REGISTRY.iter().map(|entry| row(py, entry)).collect()
}

fn row<'py>(py: Python<'py>, entry: &Entry) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    let info = entry.info;
    for (key, value) in
        [("name", info.name), ("title", info.title), ("summary", info.summary), ("paper", info.paper)]
    {
        row.set_item(key, value)?;
    }
    let hyper = PyDict::new(py);
    for (name, symbol, range) in (entry.hyper)() {
        hyper.set_item(name, (symbol, range.to_string()))?;
    }
    row.set_item("hyper", hyper)?;
    let dialects = PyDict::new(py);
    for dialect in Dialect::ALL {
        let form = PyDict::new(py);
        form.set_item("formula", info.formula.get(dialect))?;
        form.set_item("lr", info.learning_rate.get(dialect))?;
        let defaults = PyDict::new(py);
        for (name, value) in OptimizerSpec::named(info.name).dialect(dialect).resolved().map_err(usage)? {
            defaults.set_item(name, value)?;
        }
        form.set_item("defaults", defaults)?;
        dialects.set_item(dialect.name(), form)?;
    }
    row.set_item("dialects", dialects)?;
    Ok(row)
}
