//! The arrays of one optimizer, all of one number type.

use numpy::{PyArrayDyn, PyArrayMethods, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::state::{Tensor, Values};
use thalweg::optim::{Layout, Optimizer, OptimizerSpec, Role, Span, StateDict, from_fn};

use crate::flat::{Number, array_of, items, readable, typed, writable};
use crate::words::usage;

/// The arrays, and their one optimizer: each array is a block of its layout.
pub(super) struct Group<T: Number> {
    arrays: Vec<Py<PyArrayDyn<T>>>,
    optimizer: Box<dyn Optimizer<T>>,
}

impl<T: Number> Group<T> {
    pub(super) fn new(items: &[Bound<'_, PyAny>], spec: &OptimizerSpec) -> PyResult<Self> {
        let named = items.iter().enumerate().map(|(index, item)| typed(item, &format!("parameter {index}")));
        let arrays = named.collect::<PyResult<Vec<_>>>()?;
        write_all(&arrays)?;
        let optimizer = spec.build(&layout_of(&arrays)).map_err(usage)?;
        Ok(Self { arrays: arrays.into_iter().map(Bound::unbind).collect(), optimizer })
    }

    pub(super) fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    pub(super) fn check_learning_rate(&self, learning_rate: f64) -> PyResult<()> {
        self.optimizer.check_learning_rate(learning_rate).map_err(usage)
    }

    pub(super) fn describe(&self) -> String {
        let dtype = std::any::type_name::<T>().replace('f', "float");
        let numbers = self.optimizer.layout().len();
        let arrays = self.arrays.len();
        format!("<{arrays} {dtype} array{}, {numbers} numbers>", if arrays == 1 { "" } else { "s" })
    }

    /// The arrays, which must be as long as they were: NumPy can resize one in place.
    fn bound<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArrayDyn<T>>>> {
        let arrays: Vec<_> = self.arrays.iter().map(|array| array.bind(py).clone()).collect();
        for (index, (array, block)) in arrays.iter().zip(self.optimizer.layout().blocks()).enumerate() {
            if array.len() != block.range.len() {
                return Err(PyValueError::new_err(format!(
                    "parameter {index} was resized to {} numbers; make a new optimizer for it",
                    array.len()
                )));
            }
        }
        Ok(arrays)
    }

    pub(super) fn step(&mut self, grads: &Bound<'_, PyAny>, learning_rate: f64) -> PyResult<()> {
        let arrays = self.bound(grads.py())?;
        let mut params = write_all(&arrays)?;
        let grads = gradients(grads, &arrays)?;
        let grads = grads.iter().map(|grad| Ok(grad.as_slice()?)).collect::<PyResult<Vec<_>>>()?;
        let mut spans = Vec::with_capacity(params.len());
        for (param, grad) in params.iter_mut().zip(grads) {
            spans.push(Span::new(param.as_slice_mut()?, grad));
        }
        self.optimizer.step_spans(&mut spans, learning_rate).map_err(usage)?;
        Ok(())
    }

    /// All arrays as one vector, which is what an objective is asked at.
    pub(super) fn step_with(
        &mut self,
        f: &Bound<'_, PyAny>,
        learning_rate: f64,
        bare: bool,
    ) -> PyResult<f64> {
        let py = f.py();
        let arrays = self.bound(py)?;
        let mut w = Vec::new();
        for param in write_all(&arrays)? {
            w.extend_from_slice(param.as_slice()?);
        }
        let before = self.optimizer.save();
        let mut raised = None;
        let mut objective = from_fn(w.len(), |point: &[T], grad: &mut [T]| {
            ask(py, f, &arrays, point, grad, bare).unwrap_or_else(|error| {
                grad.fill(T::ZERO);
                raised = Some(error);
                T::ZERO
            })
        });
        let report = self.optimizer.step(&mut w, &mut objective, learning_rate).map_err(usage)?;
        let written = match raised {
            Some(error) => Err(error),
            None => self.write(py, &w),
        };
        if let Err(error) = written {
            self.optimizer.restore(&before);
            return Err(error);
        }
        Ok(report.value.to_f64())
    }

    fn write(&self, py: Python<'_>, w: &[T]) -> PyResult<()> {
        let arrays = self.bound(py)?;
        let mut params = write_all(&arrays)?;
        for (param, block) in params.iter_mut().zip(self.optimizer.layout().blocks()) {
            param.as_slice_mut()?.copy_from_slice(&w[block.range.clone()]);
        }
        Ok(())
    }

    /// The state by name, as copied arrays.
    pub(super) fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let named = PyDict::new(py);
        for (name, Tensor { shape, values }) in self.optimizer.save().entries() {
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

    /// The reverse of [`Group::state`], into the optimizer of `spec`; on an error nothing is changed. `state` says whose it
    /// is, and has no entries yet.
    pub(super) fn load_state(
        &mut self,
        mut state: StateDict,
        saved: &Bound<'_, PyAny>,
        spec: &OptimizerSpec,
    ) -> PyResult<()> {
        let saved: &Bound<'_, PyDict> =
            saved.cast().map_err(|_| PyTypeError::new_err("the state must be a dict of arrays by name"))?;
        for (name, array) in saved {
            let name: String = name.extract()?;
            let (shape, values) = tensor(&array, &name)?;
            state.insert(name, &shape, values);
        }
        let mut optimizer = spec.build::<T>(self.optimizer.layout()).map_err(usage)?;
        optimizer.load(&state).map_err(usage)?;
        self.optimizer = optimizer;
        Ok(())
    }
}

/// The shape and numbers of an array of any number type that a state may have.
fn tensor(array: &Bound<'_, PyAny>, name: &str) -> PyResult<(Vec<usize>, Values)> {
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

/// A block per array, called by its number.
fn layout_of<T: Number>(arrays: &[Bound<'_, PyArrayDyn<T>>]) -> Layout {
    let mut layout = Layout::default();
    for (index, array) in arrays.iter().enumerate() {
        let role = if array.ndim() > 1 { Role::Weight } else { Role::Bias };
        layout.push(index.to_string(), array.shape(), role);
    }
    layout
}

fn write_all<'py, T: Number>(
    arrays: &[Bound<'py, PyArrayDyn<T>>],
) -> PyResult<Vec<PyReadwriteArrayDyn<'py, T>>> {
    arrays.iter().enumerate().map(|(index, array)| writable(array, &format!("parameter {index}"))).collect()
}

fn gradients<'py, T: Number>(
    grads: &Bound<'py, PyAny>,
    arrays: &[Bound<'py, PyArrayDyn<T>>],
) -> PyResult<Vec<numpy::PyReadonlyArrayDyn<'py, T>>> {
    let (grads, _) = items(grads, "the gradients")?;
    if grads.len() != arrays.len() {
        return Err(PyValueError::new_err(format!(
            "there are {} gradients for {} parameters",
            grads.len(),
            arrays.len()
        )));
    }
    let one = |(index, (grad, array)): (usize, (&Bound<'py, PyAny>, &Bound<'py, PyArrayDyn<T>>))| {
        readable(grad, array.shape(), &format!("gradient {index}"))
    };
    grads.iter().zip(arrays).enumerate().map(one).collect()
}

/// Calls the objective at `point` and writes its gradients behind each other.
fn ask<T: Number>(
    py: Python<'_>,
    f: &Bound<'_, PyAny>,
    arrays: &[Bound<'_, PyArrayDyn<T>>],
    point: &[T],
    grad: &mut [T],
    bare: bool,
) -> PyResult<T> {
    let mut rest = point;
    let mut copies = Vec::with_capacity(arrays.len());
    for array in arrays {
        let (own, others) = rest.split_at(array.len());
        copies.push(array_of(py, own, array.shape())?);
        rest = others;
    }
    let answer = if bare { f.call1((&copies[0],))? } else { f.call1((copies,))? };
    let (value, grads): (f64, Bound<'_, PyAny>) = answer.extract().map_err(|error| {
        PyTypeError::new_err(format!("the objective must return (value, gradients): {error}"))
    })?;
    let mut rest = grad;
    for own in gradients(&grads, arrays)? {
        let values = own.as_slice()?;
        let (part, others) = rest
            .split_at_mut_checked(values.len())
            .ok_or_else(|| PyRuntimeError::new_err("a parameter was resized while the objective ran"))?;
        part.copy_from_slice(values);
        rest = others;
    }
    Ok(T::from_f64(value))
}
