//! NumPy arrays as flat slices, or a clear refusal.

use numpy::{
    BorrowError, Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use thalweg::optim::Real;

/// A number that both sides know.
pub(crate) trait Number: Real + Element {}
impl Number for f32 {}
impl Number for f64 {}

/// One array or several: the items, and whether it was a bare array.
pub(crate) fn items<'py>(given: &Bound<'py, PyAny>, what: &str) -> PyResult<(Vec<Bound<'py, PyAny>>, bool)> {
    if given.cast::<PyUntypedArray>().is_ok() {
        return Ok((vec![given.clone()], true));
    }
    let items = given.try_iter().map_err(|_| {
        PyTypeError::new_err(format!("{what} must be a NumPy array or a list of them, not {}", kind(given)))
    })?;
    Ok((items.collect::<PyResult<_>>()?, false))
}

/// The array if it has the number type `T`.
pub(crate) fn typed<'py, T: Number>(
    item: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let wanted = numpy::dtype::<T>(item.py());
    item.cast::<PyArrayDyn<T>>().cloned().map_err(|_| match item.cast::<PyUntypedArray>() {
        Ok(array) => PyTypeError::new_err(format!(
            "{name} has dtype {}, expected {wanted}; convert it with .astype(\"{wanted}\")",
            array.dtype()
        )),
        Err(_) => PyTypeError::new_err(format!("{name} must be a NumPy array, not {}", kind(item))),
    })
}

/// The array for reading, if it has that shape and its memory is one row-major piece.
pub(crate) fn readable<'py, T: Number>(
    item: &Bound<'py, PyAny>,
    shape: &[usize],
    name: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let array = typed::<T>(item, name)?;
    if array.shape() != shape {
        return Err(PyValueError::new_err(format!(
            "{name} has shape {}, expected {}",
            tuple(array.shape()),
            tuple(shape)
        )));
    }
    check_layout(&array, name)?;
    array.try_readonly().map_err(|_| {
        PyValueError::new_err(format!("{name} shares memory with a parameter; give it memory of its own"))
    })
}

/// The array for writing, if its memory is one row-major piece and may be written.
pub(crate) fn writable<'py, T: Number>(
    array: &Bound<'py, PyArrayDyn<T>>,
    name: &str,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    check_layout(array, name)?;
    array.try_readwrite().map_err(|error| {
        PyValueError::new_err(match error {
            BorrowError::NotWriteable => {
                format!("{name} is read-only, and steps are made in place; pass a copy: array.copy()")
            }
            _ => format!("{name} shares memory with another parameter; give it memory of its own"),
        })
    })
}

/// Elements pair up by their place in memory, so column-major arrays are refused as well as views with gaps.
fn check_layout<T: Number>(array: &Bound<'_, PyArrayDyn<T>>, name: &str) -> PyResult<()> {
    if array.is_c_contiguous() && array.is_aligned() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "{name} is not contiguous (one row-major piece of memory); make it so with numpy.ascontiguousarray"
    )))
}

/// A new array of that shape.
pub(crate) fn array_of<'py, T: Element + Copy>(
    py: Python<'py>,
    values: &[T],
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    PyArray1::from_slice(py, values).reshape(shape)
}

/// `(2, 3)`, as Python writes a shape.
fn tuple(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({}{})", sizes.join(", "), if shape.len() == 1 { "," } else { "" })
}

fn kind(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}
