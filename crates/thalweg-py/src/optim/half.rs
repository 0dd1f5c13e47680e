//! Parameters of 16 bits (bf16).

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use thalweg::optim::state::torch::TorchTensor;
use thalweg::optim::{Half, HalfGrad, HalfSpan, Keep, Layout, Optimizer, OptimizerSpec, StateDict, Threads};

use super::params::{Ask, Params};
use super::store::Store;
use crate::flat::dtype_name;
use crate::words::usage;

/// The parameters, and the optimizer that moves them in 32 bits.
pub(super) struct Bf16 {
    params: Arc<Params>,
    layout: Layout,
    optimizer: Half,
    keep: Keep,
}

fn build(spec: &OptimizerSpec, layout: &Layout, keep: Keep, w: &[u16]) -> PyResult<Half> {
    let inner: Box<dyn Optimizer<f32>> = spec.build(layout).map_err(usage)?;
    Ok(Half::new(inner, keep, w))
}

impl Bf16 {
    pub(super) fn new(
        py: Python<'_>,
        params: Params,
        layout: Layout,
        spec: &OptimizerSpec,
        keep: Keep,
    ) -> PyResult<Self> {
        let optimizer = build(spec, &layout, keep, &params.flat::<u16>(py)?)?;
        Ok(Self { params: Arc::new(params), layout, optimizer, keep })
    }

    fn moved(&mut self, py: Python<'_>, grads: &[Bound<'_, PyAny>], learning_rate: f64) -> PyResult<()> {
        let optimizer = &mut self.optimizer;
        macro_rules! step {
            ($number:ty) => {{
                self.params.with_memory::<u16, $number, _>(py, grads, |params, grads, meanwhile| {
                    let one = |(w, grad)| HalfSpan { w, grad: HalfGrad::from(grad) };
                    let mut spans: Vec<_> = params.into_iter().zip(grads).map(one).collect();
                    meanwhile.run(py, || optimizer.step_spans(&mut spans, learning_rate)).map_err(usage)
                })?;
            }};
        }
        if grads.first().and_then(dtype_name).as_deref() == Some("float32") {
            step!(f32);
        } else {
            step!(u16);
        }
        self.params.changed(py)
    }
}

impl Store for Bf16 {
    fn params(&self) -> &Arc<Params> {
        &self.params
    }

    fn dtype(&self) -> &'static str {
        "bfloat16"
    }

    fn keep(&self) -> Option<Keep> {
        Some(self.keep)
    }

    fn forget(&mut self) {
        self.optimizer.forget();
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn steps(&self) -> u64 {
        self.optimizer.inner().steps()
    }

    fn check_learning_rate(&self, learning_rate: f64) -> PyResult<()> {
        self.optimizer.inner().check_learning_rate(learning_rate).map_err(usage)
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.optimizer.set_threads(threads);
    }

    fn step(&mut self, py: Python<'_>, grads: Option<&Bound<'_, PyAny>>, learning_rate: f64) -> PyResult<()> {
        let grads = self.params.grads(py, grads)?;
        self.moved(py, &grads, learning_rate)
    }

    /// With one gradient, at W: there is no other point that 16 bits could hold.
    fn step_with(&mut self, py: Python<'_>, ask: Ask<'_>, learning_rate: f64) -> PyResult<f64> {
        if self.optimizer.inner().needs_objective() {
            return Err(PyValueError::new_err(format!(
                "{} asks the objective elsewhere than at W, or more than once a step, which parameters of 16 bits do not \
                 allow; use float32",
                self.optimizer.inner().name()
            )));
        }
        let bits = self.params.flat::<u16>(py)?;
        let point = self.optimizer.full(&bits).to_vec();
        let (value, grads) = match ask {
            Ask::At(f) => self.params.ask_at(py, f, &point)?,
            Ask::Here(closure) => self.params.ask_here(py, closure)?,
        };
        self.moved(py, &grads, learning_rate)?;
        Ok(value)
    }

    fn average<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let bits = self.params.flat::<u16>(py)?;
        let mut point = Vec::new();
        if !self.optimizer.average(&bits, &mut point) {
            point = self.optimizer.full(&bits).to_vec();
        }
        self.params.copies(py, &point)
    }

    fn save(&self) -> StateDict {
        self.optimizer.save()
    }

    fn load(&mut self, spec: &OptimizerSpec, state: &StateDict) -> PyResult<()> {
        // What is kept of W comes with the state.
        let mut optimizer = build(spec, &self.layout, self.keep, &vec![0; self.layout.len()])?;
        optimizer.load(state).map_err(usage)?;
        self.optimizer = optimizer;
        Ok(())
    }

    fn load_torch(&mut self, _: &OptimizerSpec, _: &[TorchTensor]) -> PyResult<()> {
        Err(PyValueError::new_err(
            "PyTorch's state goes to float32 or float64 parameters; of 16 bits, PyTorch keeps nothing of what did not fit",
        ))
    }
}
