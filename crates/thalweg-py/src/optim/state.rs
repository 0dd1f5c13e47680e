//! A state as a dict of copied arrays, and back.

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::StateDict;
use thalweg::optim::state::{Tensor, Values};

use crate::flat::array_of;

/// The state by name, as copied arrays.
pub(super) fn to_python<'py>(py: Python<'py>, state: &StateDict) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for (name, Tensor { shape, values }) in state.entries() {
        let array = match values {
            Values::F32(values) => array_of(py, values, shape)?.into_any(),
            Values::F64(values) => array_of(py, values, shape)?.into_any(),
            Values::Bf16(values) => array_of(py, values, shape)?.into_any(),
            Values::U8(values) => array_of(py, values, shape)?.into_any(),
            Values::U16(values) => array_of(py, values, shape)?.into_any(),
            Values::U64(values) => array_of(py, values, shape)?.into_any(),
        };
        named.set_item(name, array)?;
    }
    Ok(named)
}

/// The reverse of [`to_python`], added to `state`. Python has one type for a bf16's bits and for codes of 16 bits: which of
/// them it is, `like` tells.
pub(super) fn from_python(
    saved: &Bound<'_, PyAny>,
    like: &StateDict,
    mut state: StateDict,
) -> PyResult<StateDict> {
    let saved: &Bound<'_, PyDict> =
        saved.cast().map_err(|_| PyTypeError::new_err("the state must be a dict of arrays by name"))?;
    for (name, array) in saved {
        let name: String = name.extract()?;
        let is_code = like.entries().get(&name).is_some_and(|entry| matches!(entry.values, Values::U16(_)));
        let (shape, values) = match tensor(&array, &name)? {
            (shape, Values::Bf16(bits)) if is_code => (shape, Values::U16(bits)),
            other => other,
        };
        state.insert(name, &shape, values);
    }
    Ok(state)
}

/// The shape and numbers of an array of any number type that a state may have.
pub(super) fn tensor(array: &Bound<'_, PyAny>, name: &str) -> PyResult<(Vec<usize>, Values)> {
    macro_rules! try_each {
        ($($number:ty => $variant:ident),*) => {
            $(if let Ok(array) = array.cast::<PyArrayDyn<$number>>() {
                return Ok((array.shape().to_vec(), Values::$variant(array.readonly().as_array().iter().copied().collect())));
            })*
        };
    }
    try_each!(f32 => F32, f64 => F64, u16 => Bf16, u8 => U8, u64 => U64);
    Err(PyTypeError::new_err(format!("«{name}» of the state is not an array that state_dict() gave")))
}
