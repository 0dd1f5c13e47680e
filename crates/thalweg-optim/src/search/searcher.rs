//! An optimizer that searches along a line.

use super::line::largest;
use super::seen::Seen;
use crate::hyper::{self, Dialect, OptimError};
use crate::method::{Method, dialect_of};
use crate::norm::gradient_norm;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, Scratch, StepReport};
use crate::params::Layout;
use crate::real::Real;
use crate::riders::{Penalties, Riders};
use crate::span::Span;
use crate::state::StateDict;
use crate::state::torch::NONE_IN_TORCH;
use crate::threads::Threads;

/// A method that finds its step along a line.
pub trait Search: Method {
    /// The name of each number that it keeps per parameter.
    const STATES: &'static [&'static str];
    /// Why a state cannot come from PyTorch.
    const WHY_NOT_TORCH: &'static str = NONE_IN_TORCH;
    /// What it keeps between steps, and memory for the next.
    type Memory<T: Real>: Default + Send;

    /// No number of the gradient is larger than this: W is at rest, and is left there.
    fn tolerance(&self) -> f64 {
        0.0
    }

    /// Moves W; says whether it found a lower point, or none was wanted.
    fn search<T: Real>(
        &self,
        memory: &mut Self::Memory<T>,
        start: Start<'_, T>,
        w: &mut [T],
        learning_rate: f64,
    ) -> bool;

    /// Adds what the next steps need.
    fn save<T: Real>(&self, _memory: &Self::Memory<T>, _layout: &Layout, _state: &mut StateDict) {}

    /// Puts it back.
    fn restore<T: Real>(&self, _memory: &mut Self::Memory<T>, _layout: &Layout, _state: &StateDict) {}

    /// An optimizer of `dim` parameters without names that follows this method.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer<T: Real>(self, dim: usize) -> Result<Searcher<Self, T>, OptimError> {
        self.optimizer_of(&Layout::vector(dim))
    }

    /// An optimizer of these parameters that follows this method.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer_of<T: Real>(self, layout: &Layout) -> Result<Searcher<Self, T>, OptimError> {
        hyper::check_in::<T, _>(&self)?;
        Ok(Searcher {
            dialect: dialect_of(&self),
            method: self,
            layout: layout.clone(),
            steps: 0,
            memory: Self::Memory::default(),
            scratch: Scratch::default(),
            kept: Vec::new(),
            threads: Threads::default(),
        })
    }
}

/// Where a search starts.
pub struct Start<'a, T: Real> {
    /// What is minimized.
    pub f: &'a mut dyn Objective<T>,
    /// f(w).
    pub value: f64,
    /// ∇f(w).
    pub grad: &'a [T],
    /// What the direction is made of: ∇f(w), clipped.
    pub clipped: &'a [T],
}

/// See [`Search::optimizer`].
pub struct Searcher<M: Search, T: Real> {
    method: M,
    dialect: Dialect,
    layout: Layout,
    steps: u64,
    memory: M::Memory<T>,
    scratch: Scratch<T>,
    /// W before the step.
    kept: Vec<T>,
    threads: Threads,
}

impl<M: Search, T: Real> Searcher<M, T> {
    /// The same, saying of its states that they are of this dialect. Without, it is the first that computes alike.
    pub fn of_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The method.
    pub fn method(&self) -> &M {
        &self.method
    }

    /// The step, once the memory for gradients is at hand. Whether W was searched from, and the value there.
    fn go(
        &mut self,
        w: &mut [T],
        seen: &mut Seen<'_, T>,
        learning_rate: f64,
        riders: Riders,
        Scratch { grad, point: clipped }: &mut Scratch<T>,
    ) -> (T, Outcome) {
        grad.resize(w.len(), T::ZERO);
        let value = seen.value_and_grad(w, grad);
        let norm = riders.look_first().then(|| gradient_norm(&[Span::new(&mut *w, grad)], &self.threads));
        let outcome = Outcome { norm, ..Outcome::default() };
        if riders.guard && norm.is_some_and(|norm| !norm.is_finite()) {
            return (value, Outcome { skipped: true, ..outcome });
        }
        self.steps += 1;
        let finite = value.is_finite() && grad.iter().all(|g| g.is_finite());
        if !finite {
            return (value, Outcome { stuck: true, ..outcome });
        }
        if learning_rate == 0.0 || largest(grad) <= self.method.tolerance() {
            return (value, outcome);
        }
        clip(clipped, grad, norm, &riders);
        let start = Start { f: seen, value: value.to_f64(), grad, clipped };
        let found = self.method.search(&mut self.memory, start, w, learning_rate);
        (value, Outcome { stuck: !found, ..outcome })
    }
}

/// W ← sign(W)·max(|W| − ηλ, 0), where a penalty says so.
fn soften<T: Real>(w: &mut [T], learning_rate: f64, riders: Riders, layout: &Layout) {
    for (range, Penalties { soft, .. }) in riders.stretches(layout).filter(|(_, own)| own.soft != 0.0) {
        let threshold = T::from_f64(learning_rate * soft);
        w[range].iter_mut().for_each(|w| *w -= w.min(threshold).max(-threshold));
    }
}

/// The gradient as clipping leaves it.
fn clip<T: Real>(clipped: &mut Vec<T>, grad: &[T], norm: Option<f64>, riders: &Riders) {
    clipped.clear();
    clipped.extend_from_slice(grad);
    if let (Some(limit), Some(norm)) = (riders.clip_norm, norm) {
        let factor = T::from_f64((limit / (norm + 1e-6)).min(1.0));
        clipped.iter_mut().for_each(|g| *g *= factor);
    }
    if let Some(limit) = riders.clip_value {
        let limit = T::from_f64(limit);
        clipped.iter_mut().for_each(|g| *g = g.min(limit).max(-limit));
    }
}

impl<M: Search, T: Real> Optimizer<T> for Searcher<M, T> {
    fn name(&self) -> &'static str {
        M::INFO.name
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    /// # Panics
    /// Always: a search needs the objective, as [`Optimizer::needs_objective`] says.
    fn apply(&mut self, _spans: &mut [Span<'_, T>], _learning_rate: f64, _riders: Riders) -> Outcome {
        panic!("{} searches along the objective: drive it with one", M::INFO.name)
    }

    fn save(&self) -> StateDict {
        let mut state = StateDict::of(M::INFO.name, self.dialect);
        state.insert_count("steps", self.steps);
        self.method.save(&self.memory, &self.layout, &mut state);
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.steps = state.count("steps");
        self.method.restore(&mut self.memory, &self.layout, state);
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        hyper::values(&self.method)
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let mut method = self.method;
        hyper::set(&mut method, name, value)?;
        hyper::check_in::<T, _>(&method)?;
        self.method = method;
        Ok(())
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.scratch
    }

    fn needs_objective(&self) -> bool {
        true
    }

    fn drives(&self) -> bool {
        true
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.threads = threads.clone();
    }

    fn drive(
        &mut self,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        let layout = std::mem::take(&mut self.layout);
        let decays = riders.stretches(&layout).any(|(_, own)| own.decay != 0.0);
        if decays {
            self.kept.clear();
            self.kept.extend_from_slice(w);
            for (range, Penalties { decay, .. }) in riders.stretches(&layout) {
                let shrink = T::from_f64(1.0 - learning_rate * decay);
                w[range].iter_mut().for_each(|w| *w *= shrink);
            }
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut seen = Seen::new(f, riders, &layout);
        let (value, outcome) = self.go(w, &mut seen, learning_rate, riders, &mut scratch);
        let evaluations = seen.evaluations;
        self.scratch = scratch;
        if !outcome.skipped && !outcome.stuck {
            soften(w, learning_rate, riders, &layout);
        } else if decays {
            w.copy_from_slice(&self.kept);
        }
        self.layout = layout;
        if let (false, Some(average)) = (outcome.skipped, average) {
            let weight = T::from_f64(riders.average_weight);
            average.iter_mut().zip(w).for_each(|(average, &mut w)| *average += weight * (w - *average));
        }
        StepReport { value, evaluations, outcome }
    }
}
