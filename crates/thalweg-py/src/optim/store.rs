//! What the class asks of its parameters and their optimizer, whatever the number type.

use std::sync::Arc;

use pyo3::prelude::*;
use thalweg::optim::state::torch::TorchTensor;
use thalweg::optim::{Keep, Layout, OptimizerSpec, StateDict, Threads};

use super::params::{Ask, Params};

/// The parameters and the optimizer that moves them.
pub(super) trait Store: Send {
    fn params(&self) -> &Arc<Params>;

    /// Such as `float32`.
    fn dtype(&self) -> &'static str;

    /// What becomes of the digits that do not fit into 16 bits.
    fn keep(&self) -> Option<Keep> {
        None
    }

    /// Forgets the digits of parameters of 16 bits that did not fit.
    fn forget(&mut self) {}

    fn layout(&self) -> &Layout;

    fn steps(&self) -> u64;

    /// Refuses a rate that no step of these numbers can be done with.
    fn check_learning_rate(&self, learning_rate: f64) -> PyResult<()>;

    fn set_threads(&mut self, threads: &Threads);

    /// One step with the gradients that are given, or those that the parameters have. On an error nothing has changed.
    fn step(&mut self, py: Python<'_>, grads: Option<&Bound<'_, PyAny>>, learning_rate: f64) -> PyResult<()>;

    /// One step with an objective; the value where its gradient was taken. On an error nothing has changed.
    fn step_with(&mut self, py: Python<'_>, ask: Ask<'_>, learning_rate: f64) -> PyResult<f64>;

    /// Copies of the point at which the model should be judged.
    fn average<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>>;

    /// All that decides the next steps.
    fn save(&self) -> StateDict;

    /// Puts a state into the optimizer of `spec`, which takes the place of the one here. On an error nothing is changed.
    fn load(&mut self, spec: &OptimizerSpec, state: &StateDict) -> PyResult<()>;

    /// The same with PyTorch's state of the same rule; there is none before the first step.
    fn load_torch(&mut self, spec: &OptimizerSpec, tensors: &[TorchTensor]) -> PyResult<()>;
}
