//! NumPy arrays and PyTorch tensors as flat slices of their own memory, or a clear refusal.

use numpy::{
    BorrowError, Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use thalweg::optim::Real;

/// A number that both sides know.
pub(crate) trait Number: Real + Element {}
impl Number for f32 {}
impl Number for f64 {}

/// What an array of parameters or gradients may consist of.
pub(crate) trait Cell: Element + Copy {
    /// Whether it is the bits of a bf16.
    const BITS: bool = false;
    /// PyTorch's name of it.
    const TORCH: &'static str;
}
impl Cell for f32 {
    const TORCH: &'static str = "float32";
}
impl Cell for f64 {
    const TORCH: &'static str = "float64";
}
impl Cell for u16 {
    const BITS: bool = true;
    const TORCH: &'static str = "bfloat16";
}

/// Whether it is a PyTorch tensor, as far as that can be told without PyTorch.
pub(crate) fn is_tensor(item: &Bound<'_, PyAny>) -> bool {
    let py = item.py();
    item.cast::<PyUntypedArray>().is_err()
        && [intern!(py, "detach"), intern!(py, "numpy"), intern!(py, "requires_grad")]
            .into_iter()
            .all(|name| item.hasattr(name).unwrap_or(false))
}

/// The name of the number type, such as `float32`, of a NumPy array or a PyTorch tensor.
pub(crate) fn dtype_name(item: &Bound<'_, PyAny>) -> Option<String> {
    let dtype = item.getattr("dtype").ok()?;
    let name = dtype.getattr("name").and_then(|name| name.extract::<String>());
    let name = name.or_else(|_| dtype.str().map(|name| name.to_string())).ok()?;
    Some(name.trim_start_matches("torch.").to_owned())
}

/// One array or several: the items, and whether it was a bare array.
pub(crate) fn items<'py>(given: &Bound<'py, PyAny>, what: &str) -> PyResult<(Vec<Bound<'py, PyAny>>, bool)> {
    if given.cast::<PyUntypedArray>().is_ok() || is_tensor(given) {
        return Ok((vec![given.clone()], true));
    }
    let items = given.try_iter().map_err(|_| {
        PyTypeError::new_err(format!(
            "{what} must be a NumPy array, a PyTorch tensor or a list of them, not {}",
            kind(given)
        ))
    })?;
    Ok((items.collect::<PyResult<_>>()?, false))
}

/// The array's own memory as a NumPy array of `T`, if it is of that type: the array itself, or a view of a tensor or of
/// bf16 numbers.
pub(crate) fn typed<'py, T: Cell>(
    item: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let py = item.py();
    if let Ok(array) = item.cast::<PyArrayDyn<T>>() {
        return Ok(array.clone());
    }
    let of_torch = is_tensor(item);
    let wrong_type = || {
        let wanted = wanted::<T>(py);
        let given = match item.cast::<PyUntypedArray>() {
            Ok(array) => array.dtype().to_string(),
            Err(_) => dtype_name(item).unwrap_or_default(),
        };
        let remedy = if of_torch { format!(".to(torch.{wanted})") } else { format!(".astype(\"{wanted}\")") };
        PyTypeError::new_err(format!("{name} has dtype {given}, expected {wanted}; convert it with {remedy}"))
    };
    if of_torch {
        let array = of_tensor(item, T::BITS, name)?;
        return array.cast_into::<PyArrayDyn<T>>().map_err(|_| wrong_type());
    }
    if item.cast::<PyUntypedArray>().is_err() {
        return Err(PyTypeError::new_err(format!(
            "{name} must be a NumPy array or a PyTorch tensor, not {}",
            kind(item)
        )));
    }
    if T::BITS && dtype_name(item).as_deref() == Some("bfloat16") {
        let bits = item.call_method1("view", ("uint16",))?;
        return bits.cast_into::<PyArrayDyn<T>>().map_err(|_| wrong_type());
    }
    Err(wrong_type())
}

fn wanted<T: Cell>(py: Python<'_>) -> String {
    if T::BITS { "bfloat16".to_owned() } else { numpy::dtype::<T>(py).to_string() }
}

/// A tensor's memory as a NumPy array; NumPy has no bf16, so those come as bits.
fn of_tensor<'py>(tensor: &Bound<'py, PyAny>, bits: bool, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = tensor.py();
    let own = tensor.call_method0(intern!(py, "detach"))?;
    let failed = match own.call_method0(intern!(py, "numpy")) {
        Ok(array) => return Ok(array),
        Err(error) => error,
    };
    // What stands against it is looked for only now: this is done for every tensor in every step.
    if !tensor.getattr("is_cpu")?.is_truthy()? {
        let device = tensor.getattr("device")?;
        return Err(PyValueError::new_err(format!(
            "{name} lies on the device {device}, and steps are made on the CPU; move it with .cpu()"
        )));
    }
    if tensor.getattr("is_sparse")?.is_truthy()? {
        return Err(PyValueError::new_err(format!("{name} is sparse; make it dense with .to_dense()")));
    }
    if dtype_name(&own).as_deref() != Some("bfloat16") {
        return Err(failed);
    }
    // Among others a bf16 has no array: then the tensor stands for itself, and is refused by its type.
    if !bits {
        return Ok(own);
    }
    let int16 = py.import("torch")?.getattr("int16")?;
    own.call_method1("view", (int16,))?.call_method0("numpy")?.call_method1("view", ("uint16",))
}

/// The array for reading, if it has that shape and its memory is one row-major piece.
pub(crate) fn readable<'py, T: Cell>(
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
    array.try_readonly().map_err(|_| PyValueError::new_err(shared_grad(name)))
}

/// The array for writing, if its memory is one row-major piece and may be written.
pub(crate) fn writable<'py, T: Cell>(
    array: &Bound<'py, PyArrayDyn<T>>,
    name: &str,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    check_layout(array, name)?;
    array.try_readwrite().map_err(|error| {
        PyValueError::new_err(match error {
            BorrowError::NotWriteable => {
                format!("{name} is read-only, and steps are made in place; pass a copy: array.copy()")
            }
            _ => shared_params(name),
        })
    })
}

/// Elements pair up by their place in memory, so column-major arrays are refused as well as views with gaps.
fn check_layout<T: Cell>(array: &Bound<'_, PyArrayDyn<T>>, name: &str) -> PyResult<()> {
    if array.is_c_contiguous() && array.is_aligned() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "{name} is not contiguous (one row-major piece of memory); make it so with numpy.ascontiguousarray, or a tensor with \
         .contiguous()"
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

/// A stretch of memory: where it lies, whether it is written, and what it is called.
pub(crate) struct Stretch {
    start: usize,
    end: usize,
    written: bool,
    index: usize,
}

impl Stretch {
    pub(crate) fn of<T>(slice: &[T], written: bool, index: usize) -> Self {
        Self::at::<T>(slice.as_ptr() as usize, slice.len(), written, index)
    }

    /// Of `len` numbers from an address on.
    pub(crate) fn at<T>(start: usize, len: usize, written: bool, index: usize) -> Self {
        Self { start, end: start + len * size_of::<T>(), written, index }
    }
}

/// Refuses memory that is written and is in the list once more: NumPy cannot tell that two tensors share theirs.
pub(crate) fn check_apart(mut all: Vec<Stretch>) -> PyResult<()> {
    all.retain(|one| one.start < one.end);
    all.sort_unstable_by_key(|one| one.start);
    // The stretches that reach furthest so far: of all, and of those that are written.
    let (mut any, mut written): (Option<&Stretch>, Option<&Stretch>) = (None, None);
    for one in &all {
        let before = if one.written { any } else { written };
        if let Some(other) = before.filter(|other| other.end > one.start) {
            return Err(PyValueError::new_err(match (one.written, other.written) {
                (true, true) => shared_params(&format!("parameter {}", one.index.max(other.index))),
                (true, false) => shared_grad(&format!("gradient {}", other.index)),
                (false, _) => shared_grad(&format!("gradient {}", one.index)),
            }));
        }
        let reaches = |known: Option<&Stretch>| known.is_none_or(|known| known.end < one.end);
        if reaches(any) {
            any = Some(one);
        }
        if one.written && reaches(written) {
            written = Some(one);
        }
    }
    Ok(())
}

fn shared_params(name: &str) -> String {
    format!("{name} shares memory with another parameter; give it memory of its own, or name it once")
}

fn shared_grad(name: &str) -> String {
    format!("{name} shares memory with a parameter; give it memory of its own")
}
