//! The parameters as Python gave them, and all that is asked of them: their memory, copies like them, their gradients.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use numpy::{PyArrayDyn, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use thalweg::optim::{Layout, Orientation, Role};

use super::direct::Direct;
use super::groups::Parameters;
use crate::flat::{
    Cell, Stretch, array_of, check_apart, dtype_name, is_tensor, items, readable, typed, writable,
};

/// NumPy arrays or PyTorch tensors, all of one number type.
pub(super) struct Params {
    owners: Vec<Py<PyAny>>,
    /// How many numbers each had at first.
    lens: Vec<usize>,
    /// One bare array was given: then one bare gradient is expected.
    bare: bool,
    /// Which are tensors.
    tensors: Vec<bool>,
    /// PyTorch, if any is.
    torch: Option<Direct>,
}

/// Whether Python may run during a step.
#[derive(Clone, Copy)]
pub(super) enum Meanwhile {
    /// Other threads may run it: the arrays are held, so that their memory stays.
    Runs,
    /// Nothing holds the memory but that Python stands still.
    Stands,
}

impl Meanwhile {
    pub(super) fn run<R: Send>(self, py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Runs => py.detach(work),
            Self::Stands => work(),
        }
    }
}

/// What an objective is, as Python says it.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// `f(params) -> (value, grads)`.
    At(&'a Py<PyAny>),
    /// `closure() -> loss`, which leaves its gradients in `.grad` of the parameters, as PyTorch's do.
    Here(&'a Py<PyAny>),
}

impl Params {
    /// The parameters and their layout, in which each is a block.
    pub(super) fn new<T: Cell>(given: &Parameters<'_>) -> PyResult<(Self, Layout)> {
        let Parameters { items, names, bare } = given;
        let bare = *bare;
        let tensors: Vec<bool> = items.iter().map(is_tensor).collect();
        let own: Vec<_> = items.iter().zip(&tensors).filter(|one| *one.1).map(|one| one.0.clone()).collect();
        let torch = own.first().map(|first| Direct::new(first.py(), &own)).transpose()?;
        // PyTorch's weights are [out, in]; of NumPy's arrays that is not known.
        let mut layout = if torch.is_some() {
            Layout::default().with_orientation(Orientation::OutIn)
        } else {
            Layout::default()
        };
        let mut lens = Vec::new();
        let mut arrays = Vec::new();
        for (index, (item, name)) in items.iter().zip(names).enumerate() {
            let array = typed::<T>(item, &parameter(index))?;
            let role = if array.ndim() > 1 { Role::Weight } else { Role::Bias };
            layout.push(name.as_str(), array.shape(), role);
            lens.push(array.len());
            arrays.push(array);
        }
        let owners = items.iter().map(|item| item.clone().unbind()).collect();
        let params = Self { owners, lens, bare, tensors, torch };
        with_slices::<T, T, ()>(&mut write_all(&arrays)?, &[], |_, _| Ok(()))?;
        Ok((params, layout))
    }

    /// `2 float32 arrays, 7 numbers`.
    pub(super) fn describe(&self, dtype: &str) -> String {
        let (count, numbers) = (self.lens.len(), self.lens.iter().sum::<usize>());
        let what = if self.torch.is_some() { "tensor" } else { "array" };
        format!("<{count} {dtype} {what}{}, {numbers} numbers>", if count == 1 { "" } else { "s" })
    }

    /// The parameters' memory now: a tensor can get another, and NumPy can resize an array in place.
    pub(super) fn arrays<'py, T: Cell>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArrayDyn<T>>>> {
        let one = |(index, (owner, &len)): (usize, (&Py<PyAny>, &usize))| {
            let array = typed::<T>(owner.bind(py), &parameter(index))?;
            if array.len() == len {
                return Ok(array);
            }
            Err(PyValueError::new_err(format!(
                "parameter {index} was resized to {} numbers; make a new optimizer for it",
                array.len()
            )))
        };
        self.owners.iter().zip(&self.lens).enumerate().map(one).collect()
    }

    /// All numbers behind each other.
    pub(super) fn flat<T: Cell>(&self, py: Python<'_>) -> PyResult<Vec<T>> {
        let mut flat = Vec::with_capacity(self.lens.iter().sum());
        for param in write_all(&self.arrays::<T>(py)?)? {
            flat.extend_from_slice(param.as_slice()?);
        }
        Ok(flat)
    }

    /// The reverse of [`Params::flat`].
    pub(super) fn write<T: Cell>(&self, py: Python<'_>, flat: &[T]) -> PyResult<()> {
        let arrays = self.arrays::<T>(py)?;
        let mut params = write_all(&arrays)?;
        let mut rest = flat;
        for (param, &len) in params.iter_mut().zip(&self.lens) {
            let (own, others) = rest.split_at(len);
            param.as_slice_mut()?.copy_from_slice(own);
            rest = others;
        }
        self.changed(py)
    }

    /// To be called after the parameters were changed in place.
    pub(super) fn changed(&self, py: Python<'_>) -> PyResult<()> {
        self.torch.as_ref().map_or(Ok(()), |torch| torch.changed(py))
    }

    /// Copies like the parameters (a bf16's in float32), with these numbers.
    pub(super) fn copies<'py, T: Cell>(
        &self,
        py: Python<'py>,
        flat: &[T],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut rest = flat;
        let mut copies = Vec::with_capacity(self.owners.len());
        for (owner, &len) in self.owners.iter().zip(&self.lens) {
            let (own, others) = rest.split_at(len);
            let owner = owner.bind(py);
            copies.push(if is_tensor(owner) {
                let copy = owner.call_method0("detach")?;
                let is_like = dtype_name(&copy).as_deref() != Some("bfloat16");
                let copy = copy.call_method0(if is_like { "clone" } else { "float" })?;
                let array = typed::<T>(&copy, "a copy")?;
                writable(&array, "a copy")?.as_slice_mut()?.copy_from_slice(own);
                copy
            } else {
                let shape: Vec<usize> = owner.getattr("shape")?.extract()?;
                array_of(py, own, &shape)?.into_any()
            });
            rest = others;
        }
        Ok(copies)
    }

    /// As the parameters were given: one bare array, or a list.
    pub(super) fn as_given<'py>(
        &self,
        py: Python<'py>,
        mut all: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match (self.bare, all.pop()) {
            (true, Some(only)) => Ok(only),
            (_, last) => Ok(PyList::new(py, all.into_iter().chain(last))?.into_any()),
        }
    }

    /// The gradients that were given, or else those that the parameters have.
    pub(super) fn grads<'py>(
        &self,
        py: Python<'py>,
        given: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let Some(given) = given else {
            return self
                .owners
                .iter()
                .enumerate()
                .map(|(index, owner)| {
                    self.check_has_grad(index)?;
                    own_grad(owner.bind(py), index)
                })
                .collect();
        };
        let (grads, _) = items(given, "the gradients")?;
        if grads.len() != self.owners.len() {
            return Err(PyValueError::new_err(format!(
                "there are {} gradients for {} parameters",
                grads.len(),
                self.owners.len()
            )));
        }
        Ok(grads)
    }

    /// Forgets the gradients that the parameters have, or sets them to zero.
    pub(super) fn zero_grad(&self, py: Python<'_>, set_to_none: bool) -> PyResult<()> {
        for (index, owner) in self.owners.iter().enumerate() {
            let owner = owner.bind(py);
            self.check_has_grad(index)?;
            let grad = owner.getattr(intern!(py, "grad"))?;
            if grad.is_none() {
                continue;
            }
            if set_to_none {
                owner.setattr(intern!(py, "grad"), py.None())?;
            } else {
                grad.call_method0("detach")?.call_method0("zero_")?;
            }
        }
        Ok(())
    }

    /// Asks an objective at copies of the parameters: its value and its gradients.
    pub(super) fn ask_at<'py, T: Cell>(
        &self,
        py: Python<'py>,
        f: &Py<PyAny>,
        point: &[T],
    ) -> PyResult<(f64, Vec<Bound<'py, PyAny>>)> {
        let copies = self.copies(py, point)?;
        let answer = f.bind(py).call1((self.as_given(py, copies)?,))?;
        let wrong = |error: PyErr| {
            PyTypeError::new_err(format!("the objective must return (value, gradients): {error}"))
        };
        let (value, grads): (Bound<'_, PyAny>, Bound<'_, PyAny>) = answer.extract().map_err(wrong)?;
        Ok((number(&value).map_err(wrong)?, self.grads(py, Some(&grads))?))
    }

    /// Lets PyTorch record what it computes, whatever was said around the step: a closure's backward pass needs it.
    fn with_grad<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.torch.is_none() {
            return work();
        }
        let recording = py.import("torch")?.call_method0("enable_grad")?;
        recording.call_method0("__enter__")?;
        let result = work();
        recording.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
        result
    }

    /// Calls a closure, which does a backward pass at the parameters as they are: its loss and the gradients.
    pub(super) fn ask_here<'py>(
        &self,
        py: Python<'py>,
        closure: &Py<PyAny>,
    ) -> PyResult<(f64, Vec<Bound<'py, PyAny>>)> {
        let value = self.with_grad(py, || closure.bind(py).call0())?;
        let value = number(&value).map_err(|error| {
            PyTypeError::new_err(format!("the closure must return the loss, one number: {error}"))
        })?;
        Ok((value, self.grads(py, None)?))
    }

    /// Asks the objective at a point, which a closure finds in the parameters; its gradients one behind the other.
    pub(super) fn ask<T: Cell>(
        &self,
        py: Python<'_>,
        ask: Ask<'_>,
        point: &[T],
        grad: &mut [T],
    ) -> PyResult<f64> {
        let (value, grads) = match ask {
            Ask::At(f) => self.ask_at(py, f, point)?,
            Ask::Here(closure) => {
                self.write(py, point)?;
                self.ask_here(py, closure)?
            }
        };
        let mut rest = grad;
        for (index, (given, owner)) in grads.iter().zip(&self.owners).enumerate() {
            let own = gradient::<T>(given, owner.bind(py), index)?;
            let values = own.as_slice()?;
            let (part, others) = rest.split_at_mut_checked(values.len()).ok_or_else(|| {
                PyValueError::new_err(format!("parameter {index} was resized while the objective ran"))
            })?;
            part.copy_from_slice(values);
            rest = others;
        }
        Ok(value)
    }
}

/// A loss; PyTorch warns of one that still has its graph.
fn number(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if is_tensor(value) { value.call_method0("detach")?.extract() } else { value.extract() }
}

fn parameter(index: usize) -> String {
    format!("parameter {index}")
}

/// `.grad`, which must be there: all parameters step together, while PyTorch would leave this one out.
fn own_grad<'py>(owner: &Bound<'py, PyAny>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = owner.py();
    let grad = owner.getattr(intern!(py, "grad"))?;
    if grad.is_none() {
        return Err(PyValueError::new_err(format!(
            "parameter {index} has no gradient (.grad is None), and all parameters step together: call backward() \
             first, and give the optimizer only what is trained, such as [p for p in model.parameters() if \
             p.requires_grad]"
        )));
    }
    // A gradient may lie otherwise than its parameter; to be read, a copy does as well.
    match grad.call_method0(intern!(py, "is_contiguous")) {
        Ok(is_so) if is_so.is_truthy()? => Ok(grad),
        _ if grad.getattr("is_sparse")?.is_truthy()? => Err(PyValueError::new_err(format!(
            "parameter {index} has a sparse gradient, and all numbers of a parameter step together: make the embedding with \
             sparse=False, or give step() the gradients made dense with .to_dense()"
        ))),
        _ => grad.call_method0(intern!(py, "contiguous")),
    }
}

/// A gradient for reading, which must have its parameter's shape.
pub(super) fn gradient<'py, T: Cell>(
    given: &Bound<'py, PyAny>,
    owner: &Bound<'py, PyAny>,
    index: usize,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let shape: Vec<usize> = owner.getattr(intern!(owner.py(), "shape"))?.extract()?;
    readable(given, &shape, &format!("gradient {index}"))
}

pub(super) fn write_all<'py, T: Cell>(
    arrays: &[Bound<'py, PyArrayDyn<T>>],
) -> PyResult<Vec<PyReadwriteArrayDyn<'py, T>>> {
    arrays.iter().enumerate().map(|(index, array)| writable(array, &parameter(index))).collect()
}

/// The parameters' and the gradients' memory, of which no piece is there twice.
pub(super) fn with_slices<T: Cell, G: Cell, R>(
    params: &mut [PyReadwriteArrayDyn<'_, T>],
    grads: &[PyReadonlyArrayDyn<'_, G>],
    work: impl FnOnce(Vec<&mut [T]>, Vec<&[G]>) -> PyResult<R>,
) -> PyResult<R> {
    let grads = grads.iter().map(|grad| Ok(grad.as_slice()?)).collect::<PyResult<Vec<_>>>()?;
    let mut memory = Vec::with_capacity(params.len() + grads.len());
    for (index, param) in params.iter().enumerate() {
        memory.push(Stretch::of(param.as_slice()?, true, index));
    }
    memory.extend(grads.iter().enumerate().map(|(index, grad)| Stretch::of(grad, false, index)));
    check_apart(memory)?;
    let params = params.iter_mut().map(|param| Ok(param.as_slice_mut()?)).collect::<PyResult<Vec<_>>>()?;
    work(params, grads)
}

impl Params {
    /// The parameters' and the gradients' memory, each gradient with its parameter's shape, and no piece there twice.
    pub(super) fn with_memory<T: Cell, G: Cell, R>(
        &self,
        py: Python<'_>,
        grads: &[Bound<'_, PyAny>],
        work: impl FnOnce(Vec<&mut [T]>, Vec<&[G]>, Meanwhile) -> PyResult<R>,
    ) -> PyResult<R> {
        let direct = self.torch.as_ref();
        if let Some((params, grads)) =
            direct.and_then(|torch| torch.addresses::<T, G>(py, &self.owners, &self.lens, grads))
        {
            let stretches = |all: &[usize], written| -> Vec<Stretch> {
                let one = |(index, (&start, &len)): (usize, (&usize, &usize))| match written {
                    true => Stretch::at::<T>(start, len, written, index),
                    false => Stretch::at::<G>(start, len, written, index),
                };
                all.iter().zip(&self.lens).enumerate().map(one).collect()
            };
            let mut memory = stretches(&params, true);
            memory.extend(stretches(&grads, false));
            check_apart(memory)?;
            let (params, grads) = (params.iter().zip(&self.lens), grads.iter().zip(&self.lens));
            // SAFETY: each address was just asked of a tensor that has `len` numbers of this type there, one behind the
            // other. Python stands still until they are used, so the tensors keep them. What is written is there once.
            #[expect(unsafe_code, reason = "PyTorch gives addresses")]
            let (params, grads) = unsafe {
                (
                    params.map(|(&at, &len)| from_raw_parts_mut(at as *mut T, len)).collect(),
                    grads.map(|(&at, &len)| from_raw_parts(at as *const G, len)).collect(),
                )
            };
            return work(params, grads, Meanwhile::Stands);
        }
        let arrays = self.arrays::<T>(py)?;
        let mut params = write_all(&arrays)?;
        let grads = self.readable_grads::<G>(py, grads)?;
        with_slices(&mut params, &grads, |params, grads| work(params, grads, Meanwhile::Runs))
    }

    /// Refuses an array, which has no `.grad`.
    fn check_has_grad(&self, index: usize) -> PyResult<()> {
        if self.tensors[index] {
            return Ok(());
        }
        Err(PyTypeError::new_err(format!(
            "parameter {index} is a NumPy array, which has no gradient of its own: give the gradients, step(grads)"
        )))
    }

    /// The gradients for reading, each with its parameter's shape.
    pub(super) fn readable_grads<'py, G: Cell>(
        &self,
        py: Python<'py>,
        grads: &[Bound<'py, PyAny>],
    ) -> PyResult<Vec<PyReadonlyArrayDyn<'py, G>>> {
        let both = grads.iter().zip(&self.owners).enumerate();
        both.map(|(index, (given, owner))| gradient(given, owner.bind(py), index)).collect()
    }
}
