//! The arrays of one optimizer, all of one number type.

use numpy::{PyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use thalweg::optim::{Optimizer, OptimizerSpec, from_fn};

use crate::flat::{Number, array_of, items, readable, typed, writable};
use crate::words::usage;

/// One optimizer per array.
pub(super) struct Group<T: Number> {
    arrays: Vec<Py<PyArrayDyn<T>>>,
    /// How many numbers each held when its optimizer was made.
    sizes: Vec<usize>,
    optimizers: Vec<Box<dyn Optimizer<T>>>,
}

impl<T: Number> Group<T> {
    pub(super) fn new(items: &[Bound<'_, PyAny>], spec: &OptimizerSpec) -> PyResult<Self> {
        let named = items.iter().enumerate().map(|(index, item)| typed(item, &format!("parameter {index}")));
        let arrays = named.collect::<PyResult<Vec<_>>>()?;
        write_all(&arrays)?;
        let build = |array: &Bound<'_, PyArrayDyn<T>>| spec.build(array.len()).map_err(usage);
        let optimizers = arrays.iter().map(build).collect::<PyResult<_>>()?;
        let sizes = arrays.iter().map(|array| array.len()).collect();
        Ok(Self { sizes, arrays: arrays.into_iter().map(Bound::unbind).collect(), optimizers })
    }

    pub(super) fn steps(&self) -> u64 {
        self.optimizers.first().map_or(0, |optimizer| optimizer.steps())
    }

    pub(super) fn describe(&self) -> String {
        let dtype = std::any::type_name::<T>().replace('f', "float");
        let numbers: usize = self.sizes.iter().sum();
        let arrays = self.arrays.len();
        format!("<{arrays} {dtype} array{}, {numbers} numbers>", if arrays == 1 { "" } else { "s" })
    }

    /// The arrays, which must be as long as they were: NumPy can resize one in place.
    fn bound<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArrayDyn<T>>>> {
        let arrays: Vec<_> = self.arrays.iter().map(|array| array.bind(py).clone()).collect();
        for (index, (array, &size)) in arrays.iter().zip(&self.sizes).enumerate() {
            if array.len() != size {
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
        for ((optimizer, param), grad) in self.optimizers.iter_mut().zip(&mut params).zip(grads) {
            // Only the rate or the rule can be refused, and then by the first optimizer: all are of one kind.
            optimizer.step_with(param.as_slice_mut()?, grad, learning_rate).map_err(usage)?;
        }
        Ok(())
    }

    /// All arrays as one vector, so that a rule that looks ahead does so with all of them at once.
    pub(super) fn step_with(
        &mut self,
        f: &Bound<'_, PyAny>,
        spec: &OptimizerSpec,
        learning_rate: f64,
        bare: bool,
    ) -> PyResult<f64> {
        let py = f.py();
        let arrays = self.bound(py)?;
        let mut w = Vec::new();
        for param in write_all(&arrays)? {
            w.extend_from_slice(param.as_slice()?);
        }
        let mut joint = self.join(spec, w.len())?;
        let mut raised = None;
        let mut objective = from_fn(w.len(), |point: &[T], grad: &mut [T]| {
            ask(py, f, &arrays, point, grad, bare).unwrap_or_else(|error| {
                grad.fill(T::ZERO);
                raised = Some(error);
                T::ZERO
            })
        });
        let report = joint.step(&mut w, &mut objective, learning_rate);
        if let Some(error) = raised {
            return Err(error);
        }
        self.bound(py)?;
        let mut params = write_all(&arrays)?;
        let mut start = 0;
        for (param, optimizer) in params.iter_mut().zip(&mut self.optimizers) {
            let end = start + param.len();
            let state: Vec<_> =
                joint.state().into_iter().map(|(name, values)| (name, &values[start..end])).collect();
            optimizer.load_state(joint.steps(), &state).map_err(usage)?;
            param.as_slice_mut()?.copy_from_slice(&w[start..end]);
            start = end;
        }
        Ok(report.value.to_f64())
    }

    /// One optimizer of all arrays, in the state that they are in.
    fn join(&self, spec: &OptimizerSpec, dim: usize) -> PyResult<Box<dyn Optimizer<T>>> {
        let mut joint = spec.build::<T>(dim).map_err(usage)?;
        let names: Vec<&'static str> = joint.state().iter().map(|(name, _)| *name).collect();
        let parts: Vec<Vec<(&'static str, &[T])>> =
            self.optimizers.iter().map(|optimizer| optimizer.state()).collect();
        let joined: Vec<Vec<T>> = (0..names.len())
            .map(|slot| {
                parts.iter().flat_map(|part| part.get(slot).map_or(&[][..], |(_, v)| v)).copied().collect()
            })
            .collect();
        let state: Vec<(&str, &[T])> =
            names.into_iter().zip(&joined).map(|(name, values)| (name, values.as_slice())).collect();
        joint.load_state(self.steps(), &state).map_err(usage)?;
        Ok(joint)
    }

    /// A dict of copied arrays per parameter.
    pub(super) fn state<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let arrays = self.bound(py)?;
        let mut all = Vec::with_capacity(arrays.len());
        for (array, optimizer) in arrays.iter().zip(&self.optimizers) {
            let named = PyDict::new(py);
            for (name, values) in optimizer.state() {
                named.set_item(name, array_of(py, values, array.shape())?)?;
            }
            all.push(named);
        }
        Ok(all)
    }

    /// The reverse of [`Group::state`]; on an error nothing is changed.
    pub(super) fn load_state(
        &mut self,
        saved: &Bound<'_, PyAny>,
        steps: u64,
        spec: &OptimizerSpec,
    ) -> PyResult<()> {
        let arrays = self.bound(saved.py())?;
        let saved: Vec<Bound<'_, PyDict>> = saved.extract()?;
        if saved.len() != arrays.len() {
            return Err(PyValueError::new_err(format!(
                "the state is of {} arrays, but there are {}",
                saved.len(),
                arrays.len()
            )));
        }
        let mut optimizers = Vec::with_capacity(arrays.len());
        for (index, (array, named)) in arrays.iter().zip(&saved).enumerate() {
            let mut guards = Vec::new();
            for (key, values) in named {
                let name: String = key.extract()?;
                let label = format!("«{name}» of parameter {index}");
                guards.push((name, readable::<T>(&values, array.shape(), &label)?));
            }
            let slices = guards
                .iter()
                .map(|(name, guard)| Ok((name.as_str(), guard.as_slice()?)))
                .collect::<PyResult<Vec<_>>>()?;
            let mut optimizer = spec.build::<T>(array.len()).map_err(usage)?;
            optimizer.load_state(steps, &slices).map_err(usage)?;
            optimizers.push(optimizer);
        }
        self.optimizers = optimizers;
        Ok(())
    }
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
