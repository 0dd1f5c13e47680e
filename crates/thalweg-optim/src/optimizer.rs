//! Where the gradient is taken, and the rule applied to the whole slice.

use crate::hyper::OptimError;
use crate::kernel::dispatch;
use crate::kernel::step::{Probe, Step};
use crate::objective::Objective;
use crate::real::Real;
use crate::rule::{Rule, Slots};

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport<T> {
    /// The objective where its gradient was taken: at W, or at the look-ahead point.
    pub value: T,
    /// How often the objective was evaluated.
    pub evaluations: u32,
}

/// How W moves, given f.
///
/// The learning rate is a plain argument of each step: a schedule is a function of the step, not a state. It must be
/// finite and not negative (settings are checked where they enter, by
/// [`check_learning_rate`](crate::hyper::check_learning_rate)).
pub trait Optimizer<T: Real>: Send {
    /// One step from `w` in place.
    ///
    /// # Panics
    /// If `w` is not as long as the optimizer was built for, or the learning rate is out of its range.
    fn step(&mut self, w: &mut [T], f: &mut dyn Objective<T>, learning_rate: f64) -> StepReport<T>;

    /// One step from `w` in place with a gradient that the caller took at `w`: for foreign memory (NumPy, PyTorch).
    ///
    /// # Errors
    /// [`OptimError::NeedsObjective`] if the rule wants its gradient elsewhere, [`OptimError::OutOfRange`] for the
    /// learning rate.
    fn step_with(&mut self, w: &mut [T], grad: &[T], learning_rate: f64) -> Result<(), OptimError>;

    /// How many steps were done.
    fn steps(&self) -> u64;

    /// The state by name, each as long as W.
    fn state(&self) -> Vec<(&'static str, &[T])>;

    /// Puts a saved state back: strictly, by name and length; on an error nothing is changed.
    ///
    /// # Errors
    /// [`OptimError::State`] for a missing, extra or misshapen entry.
    fn load_state(&mut self, steps: u64, state: &[(&str, &[T])]) -> Result<(), OptimError>;
}

/// An optimizer that follows an elementwise [`Rule`].
#[derive(Debug, Clone)]
pub struct Elementwise<R: Rule, T: Real> {
    rule: R,
    dim: usize,
    steps: u64,
    state: Vec<T>,
    grad: Vec<T>,
    probe: Vec<T>,
}

impl<R: Rule, T: Real> Elementwise<R, T> {
    /// The rule must have been checked: see [`Rule::optimizer`].
    pub(crate) fn new(rule: R, dim: usize) -> Self {
        let slots = <R::State<T> as Slots<T>>::COUNT;
        assert_eq!(slots, R::STATES.len(), "a rule must name each of its states");
        let probe = if rule.looks_ahead() { dim } else { 0 };
        Self {
            rule,
            dim,
            steps: 0,
            state: vec![T::ZERO; slots * dim],
            grad: Vec::new(),
            probe: vec![T::ZERO; probe],
        }
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    fn coefficients(&self, learning_rate: f64) -> R::Coefficients<T> {
        self.rule.coefficients(self.steps + 1, learning_rate)
    }

    fn apply(&mut self, w: &mut [T], grad: &[T], coefficients: R::Coefficients<T>) {
        dispatch(Step::<R, T> { coefficients, w, grad, state: &mut self.state });
        self.steps += 1;
    }
}

impl<R: Rule, T: Real> Optimizer<T> for Elementwise<R, T> {
    fn step(&mut self, w: &mut [T], f: &mut dyn Objective<T>, learning_rate: f64) -> StepReport<T> {
        assert_eq!(w.len(), self.dim, "the optimizer was built for {} parameters", self.dim);
        assert!(
            learning_rate >= 0.0 && learning_rate.is_finite(),
            "learning rate {learning_rate} is out of range"
        );
        let coefficients = self.coefficients(learning_rate);
        let mut grad = std::mem::take(&mut self.grad);
        grad.resize(self.dim, T::ZERO);
        let value = if self.rule.looks_ahead() {
            let (state, probe) = (&mut self.state, &mut self.probe);
            dispatch(Probe::<R, T> { coefficients, w, state, probe });
            f.value_and_grad(probe, &mut grad)
        } else {
            f.value_and_grad(w, &mut grad)
        };
        self.apply(w, &grad, coefficients);
        self.grad = grad;
        StepReport { value, evaluations: 1 }
    }

    fn step_with(&mut self, w: &mut [T], grad: &[T], learning_rate: f64) -> Result<(), OptimError> {
        assert_eq!(w.len(), self.dim, "the optimizer was built for {} parameters", self.dim);
        crate::hyper::check_learning_rate(R::INFO.name, learning_rate)?;
        if self.rule.looks_ahead() {
            return Err(OptimError::NeedsObjective { optimizer: R::INFO.name });
        }
        self.apply(w, grad, self.coefficients(learning_rate));
        Ok(())
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn state(&self) -> Vec<(&'static str, &[T])> {
        // Not by chunks: an optimizer of no parameters has its states too, each empty.
        let slot = |(slot, &name)| (name, &self.state[slot * self.dim..(slot + 1) * self.dim]);
        R::STATES.iter().enumerate().map(slot).collect()
    }

    fn load_state(&mut self, steps: u64, state: &[(&str, &[T])]) -> Result<(), OptimError> {
        let wrong = |what| OptimError::State { optimizer: R::INFO.name, what };
        let mut loaded = Vec::with_capacity(self.state.len());
        for &name in R::STATES {
            let Some((_, values)) = state.iter().find(|(given, _)| *given == name) else {
                return Err(wrong(format!("«{name}» is missing")));
            };
            if values.len() != self.dim {
                return Err(wrong(format!("«{name}» has {} numbers, expected {}", values.len(), self.dim)));
            }
            loaded.extend_from_slice(values);
        }
        if let Some((extra, _)) = state.iter().find(|(given, _)| !R::STATES.contains(given)) {
            return Err(wrong(format!(
                "«{extra}» is not a state of it; those are: {}",
                R::STATES.join(", ")
            )));
        }
        if state.len() != R::STATES.len() {
            return Err(wrong("a state is given twice".to_owned()));
        }
        self.state = loaded;
        self.steps = steps;
        Ok(())
    }
}
