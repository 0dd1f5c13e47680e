//! Python's door: conversions only. What is computed, is computed by the crate `thalweg`.
//!
//! The package is `python/thalweg`; this is its private module `_thalweg`. [`optim`] steps NumPy arrays in place,
//! [`compare`] runs a study, [`data`] makes data sets of arrays and arrays of data sets.

mod compare;
mod data;
mod flat;
mod optim;
mod registry;
mod words;

use pyo3::prelude::*;

/// The private module of the package `thalweg`.
#[pymodule]
mod _thalweg {
    #[pymodule_export]
    use crate::compare::{Comparison, compare_arrays, compare_named, settings};
    #[pymodule_export]
    use crate::data::{datasets, load};
    #[pymodule_export]
    use crate::optim::Optimizer;
    #[pymodule_export]
    use crate::registry::optimizers;

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
