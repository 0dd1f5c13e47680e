//! Data sets of arrays, and arrays of data sets.

use numpy::{PyArray1, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::data::{
    ArrayColumn, Dataset, DatasetSpec, FeatureColumn, MISSING, Table, Target, builtin, open,
};

use crate::words::usage;

/// The cells of one column, as the package has sorted them out.
#[derive(FromPyObject)]
pub(crate) enum Cells {
    /// Before numbers, for Python counts its booleans among them.
    #[pyo3(transparent)]
    Booleans(Vec<Strictly<bool>>),
    #[pyo3(transparent)]
    Numbers(Vec<f64>),
    #[pyo3(transparent)]
    Texts(Vec<Option<String>>),
}

/// A value that is not converted from another type.
pub(crate) struct Strictly<T>(T);

impl<'a, 'py> FromPyObject<'a, 'py> for Strictly<bool> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|_| PyTypeError::new_err("no boolean"))
    }
}

impl From<Cells> for ArrayColumn {
    fn from(cells: Cells) -> Self {
        match cells {
            Cells::Booleans(values) => Self::Booleans(values.into_iter().map(|value| value.0).collect()),
            Cells::Numbers(values) => Self::Numbers(values),
            Cells::Texts(values) => Self::Texts(values),
        }
    }
}

/// The data set of a matrix of features, one name per column, and further columns (the target, groups).
pub(crate) fn dataset(
    name: &str,
    x: &PyReadonlyArray2<'_, f64>,
    names: Vec<String>,
    more: Vec<(String, Cells)>,
    spec: &DatasetSpec,
) -> PyResult<Dataset> {
    let width = x.shape()[1];
    if names.len() != width {
        return Err(usage(format!("there are {} feature_names for {width} columns of X", names.len())));
    }
    let matrix = x.as_array();
    let features = names.into_iter().zip(matrix.columns());
    let columns = features
        .map(|(name, values)| (name, ArrayColumn::Numbers(values.to_vec())))
        .chain(more.into_iter().map(|(name, cells)| (name, cells.into())));
    let table = Table::from_arrays(name, columns.collect()).map_err(usage)?;
    Dataset::from_table(&table, spec).map_err(usage)
}

/// The built-in data sets: a dict from each name to its facts.
#[pyfunction]
pub(crate) fn datasets(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let sets = PyDict::new(py);
    for set in builtin::all() {
        let facts = PyDict::new(py);
        facts.set_item("rows", set.rows)?;
        facts.set_item("features", set.features)?;
        facts.set_item("task", format!("{:?}", set.task).to_lowercase())?;
        facts.set_item("description", set.description)?;
        facts.set_item("source", set.source)?;
        facts.set_item("licence", set.licence)?;
        sets.set_item(set.name, facts)?;
    }
    Ok(sets)
}

/// X, y, the classes' names, the features' names.
type Loaded<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyAny>, Vec<String>, Vec<String>);

/// A built-in data set: X, the target (codes of classes, or numbers), the classes' names and the features' names.
#[pyfunction]
pub(crate) fn load<'py>(py: Python<'py>, name: &str) -> PyResult<Loaded<'py>> {
    if builtin::find(name).is_none() {
        let names: Vec<&str> = builtin::all().iter().map(|set| set.name).collect();
        return Err(usage(format!(
            "there is no built-in data set «{name}»; there are: {}",
            names.join(", ")
        )));
    }
    let data = open(name, &DatasetSpec::default()).map_err(usage)?;
    let columns: Vec<Vec<f64>> = data.features.iter().map(|feature| numbers(&feature.column)).collect();
    let rows: Vec<Vec<f64>> =
        (0..data.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
    let y = match &data.target {
        Target::Classes { codes, .. } => {
            PyArray1::from_iter(py, codes.iter().map(|&code| i64::from(code))).into_any()
        }
        Target::Values(values) => PyArray1::from_slice(py, values).into_any(),
    };
    let features = data.features.iter().map(|feature| feature.name.clone()).collect();
    Ok((PyArray2::from_vec2(py, &rows)?, y, data.class_names().to_vec(), features))
}

/// A column as numbers: categories are their codes, NaN is missing.
fn numbers(column: &FeatureColumn) -> Vec<f64> {
    match column {
        FeatureColumn::Numbers(values) => values.clone(),
        FeatureColumn::Categories { codes, .. } => {
            codes.iter().map(|&code| if code == MISSING { f64::NAN } else { f64::from(code) }).collect()
        }
    }
}
