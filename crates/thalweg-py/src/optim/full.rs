//! Parameters of 32 or 64 bits.

use std::sync::Arc;

use pyo3::prelude::*;
use thalweg::optim::state::torch::TorchTensor;
use thalweg::optim::{Layout, Optimizer, OptimizerSpec, Span, StateDict, Threads, from_fn};

use super::params::{Ask, Params};
use super::store::Store;
use crate::flat::{Cell, Number};
use crate::words::usage;

/// The parameters, and their one optimizer: each is a block of its layout.
pub(super) struct Full<T: Number> {
    params: Arc<Params>,
    optimizer: Box<dyn Optimizer<T>>,
}

impl<T: Number + Cell> Full<T> {
    pub(super) fn new(params: Params, layout: &Layout, spec: &OptimizerSpec) -> PyResult<Self> {
        let optimizer = spec.build(layout).map_err(usage)?;
        Ok(Self { params: Arc::new(params), optimizer })
    }

    fn moved(&mut self, py: Python<'_>, grads: &[Bound<'_, PyAny>], learning_rate: f64) -> PyResult<()> {
        let optimizer = &mut self.optimizer;
        self.params.with_memory(py, grads, |params, grads, meanwhile| {
            let mut spans: Vec<_> =
                params.into_iter().zip(grads).map(|(w, grad): (&mut [T], &[T])| Span::new(w, grad)).collect();
            meanwhile.run(py, || optimizer.step_spans(&mut spans, learning_rate)).map_err(usage)
        })?;
        self.params.changed(py)
    }

    /// A step of a method that wants one gradient, at W: nothing is changed before it is there.
    fn step_at_w(&mut self, py: Python<'_>, ask: Ask<'_>, learning_rate: f64) -> PyResult<f64> {
        self.check_learning_rate(learning_rate)?;
        let (value, grads) = match ask {
            Ask::At(f) => self.params.ask_at(py, f, &self.params.flat::<T>(py)?)?,
            Ask::Here(closure) => self.params.ask_here(py, closure)?,
        };
        self.moved(py, &grads, learning_rate)?;
        Ok(value)
    }
}

impl<T: Number + Cell> Store for Full<T> {
    fn params(&self) -> &Arc<Params> {
        &self.params
    }

    fn dtype(&self) -> &'static str {
        if size_of::<T>() == 4 { "float32" } else { "float64" }
    }

    fn layout(&self) -> &Layout {
        self.optimizer.layout()
    }

    fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    fn check_learning_rate(&self, learning_rate: f64) -> PyResult<()> {
        self.optimizer.check_learning_rate(learning_rate).map_err(usage)
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.optimizer.set_threads(threads);
    }

    fn step(&mut self, py: Python<'_>, grads: Option<&Bound<'_, PyAny>>, learning_rate: f64) -> PyResult<()> {
        let grads = self.params.grads(py, grads)?;
        self.moved(py, &grads, learning_rate)
    }

    fn step_with(&mut self, py: Python<'_>, ask: Ask<'_>, learning_rate: f64) -> PyResult<f64> {
        if !self.optimizer.needs_objective() {
            return self.step_at_w(py, ask, learning_rate);
        }
        let mut w = self.params.flat::<T>(py)?;
        let old = w.clone();
        let before = self.optimizer.save();
        let (params, optimizer) = (&self.params, &mut self.optimizer);
        let mut raised = None;
        let mut objective = from_fn(w.len(), |point: &[T], grad: &mut [T]| {
            let asked = if raised.is_none() {
                Python::attach(|py| params.ask(py, ask, point, grad).map_err(|error| raised = Some(error)))
            } else {
                Err(())
            };
            asked.map_or_else(
                |()| {
                    grad.fill(T::ZERO);
                    T::ZERO
                },
                T::from_f64,
            )
        });
        let report = py.detach(|| optimizer.step(&mut w, &mut objective, learning_rate));
        let report = report.map_err(usage)?;
        let written = raised.map_or_else(|| self.params.write(py, &w), Err);
        if let Err(error) = written {
            self.optimizer.restore(&before);
            if matches!(ask, Ask::Here(_)) {
                self.params.write(py, &old)?;
            }
            return Err(error);
        }
        Ok(report.value.to_f64())
    }

    fn average<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let w = self.params.flat::<T>(py)?;
        let mut point = Vec::new();
        let is_other = self.optimizer.average(&w, &mut point);
        self.params.copies(py, if is_other { &point } else { &w })
    }

    fn save(&self) -> StateDict {
        self.optimizer.save()
    }

    fn load(&mut self, spec: &OptimizerSpec, state: &StateDict) -> PyResult<()> {
        let mut optimizer = spec.build::<T>(self.optimizer.layout()).map_err(usage)?;
        optimizer.load(state).map_err(usage)?;
        self.optimizer = optimizer;
        Ok(())
    }

    fn load_torch(&mut self, spec: &OptimizerSpec, tensors: &[TorchTensor]) -> PyResult<()> {
        let layout = self.optimizer.layout();
        if tensors.is_empty() {
            self.optimizer = spec.build(layout).map_err(usage)?;
            return Ok(());
        }
        let state = StateDict::from_torch::<T>(&spec.name, layout, tensors).map_err(usage)?;
        self.load(spec, &state)
    }
}
