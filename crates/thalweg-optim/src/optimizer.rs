//! The contract of an optimizer: where the gradient is taken, and how W moves.

use crate::half::HalfPart;
use crate::hyper::{self, OptimError};
use crate::objective::Objective;
use crate::params::Layout;
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;
use crate::state::StateDict;
use crate::threads::Threads;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport<T> {
    /// The objective where its gradient was taken: at W, or at the look-ahead point.
    pub value: T,
    /// How often the objective was evaluated.
    pub evaluations: u32,
    /// What became of the gradient.
    pub outcome: Outcome,
}

/// What became of a step's gradient.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// The L2 norm of the whole gradient before clipping, if it was asked for (by clipping or a guard).
    pub norm: Option<f64>,
    /// Whether a guard refused the gradient: then W and the state are as before.
    pub skipped: bool,
    /// Whether the gradient was only added to others (accumulation): then W is as before.
    pub collected: bool,
    /// Whether a search found no lower point: then W is as before, not even shrunk by a decoupled decay.
    pub stuck: bool,
}

/// What parameter groups multiply settings by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors {
    /// The learning rate of a step.
    pub learning_rate: f64,
    /// A weight decay that rides in from outside.
    pub decay: f64,
}

impl Default for Factors {
    /// They multiply nothing.
    fn default() -> Self {
        Self { learning_rate: 1.0, decay: 1.0 }
    }
}

/// Memory that an optimizer keeps so that its steps allocate nothing.
#[derive(Debug, Clone, Default)]
pub struct Scratch<T> {
    /// A gradient.
    pub grad: Vec<T>,
    /// A look-ahead point.
    pub point: Vec<T>,
}

/// How W moves, given f or its gradient.
///
/// The learning rate is a plain argument of each step: a schedule is a function of the step, not a state. It must be
/// finite, also in `T`, and not negative: [`check_learning_rate`](Optimizer::check_learning_rate) says so before.
///
/// Call [`step`](Optimizer::step) with an objective, or [`step_with`](Optimizer::step_with) and
/// [`step_spans`](Optimizer::step_spans) with gradients. Who writes an optimizer writes
/// [`apply`](Optimizer::apply) (and [`drive`](Optimizer::drive), where it asks the objective more than once); who writes
/// a wrapper hands both inwards with more [`Riders`].
pub trait Optimizer<T: Real>: Send {
    /// The method's name in the registry.
    fn name(&self) -> &'static str;

    /// The parameters that it was built for.
    fn layout(&self) -> &Layout;

    /// How many steps were done (those that a guard refused are not counted).
    fn steps(&self) -> u64;

    /// Moves W along the gradient that the spans bring, which was taken where [`Optimizer::probe`] said. The spans are
    /// checked and the learning rate is in range.
    fn apply(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, riders: Riders) -> Outcome;

    /// Whether [`Optimizer::apply_half`] moves parameters of 16 bits. Where not, [`Half`](crate::Half) hands copies in f32 to
    /// [`Optimizer::apply`].
    fn takes_halves(&self) -> bool {
        false
    }

    /// Moves parameters of 16 bits in one pass: as [`Optimizer::apply`], the parts for the spans.
    fn apply_half(&mut self, _parts: &mut [HalfPart<'_>], _learning_rate: f64, _riders: Riders) -> Outcome {
        unreachable!("{} takes no halves, and said so", self.name())
    }

    /// All that decides the next steps, by name.
    fn save(&self) -> StateDict;

    /// Puts a state back that [`Optimizer::load`] has checked.
    fn restore(&mut self, state: &StateDict);

    /// The hyperparameters by name.
    fn hyper(&self) -> Vec<(&'static str, f64)>;

    /// Changes a hyperparameter for the steps to come.
    ///
    /// # Errors
    /// If there is none of that name, or the value is out of its range; then nothing is changed.
    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError>;

    /// Refuses a learning rate that no step can be done with: one that is negative, NaN, or infinite in `T` (1e39 in f32),
    /// itself or times the factor of a group. Each step asks first; settings ask when they enter.
    ///
    /// # Errors
    /// [`OptimError::OutOfRange`], [`OptimError::TooLarge`], which name what is allowed.
    fn check_learning_rate(&self, learning_rate: f64) -> Result<(), OptimError> {
        hyper::check_learning_rate::<T>(self.name(), learning_rate, self.largest_factors().learning_rate)
    }

    /// The largest factors by which parameter groups multiply a step's learning rate and a decay from outside.
    fn largest_factors(&self) -> Factors {
        Factors::default()
    }

    /// Memory for a gradient of the whole W, kept between steps.
    fn scratch(&mut self) -> &mut Scratch<T>;

    /// Whether the gradient is wanted elsewhere than at W, or more than once: then it cannot be given.
    fn needs_objective(&self) -> bool {
        false
    }

    /// Whether the method asks the objective itself, more than once a step (SAM, a line search): then a gradient taken
    /// for it at one point is of no use to it.
    fn drives(&self) -> bool {
        false
    }

    /// The names of the wrappers around the method, inner to outer.
    fn wrappers(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Writes the point at which the gradient is wanted and says so, or says no: then it is W.
    fn probe(&mut self, _w: &[T], _learning_rate: f64, _point: &mut Vec<T>) -> bool {
        false
    }

    /// Writes the point at which the model should be judged and says so, or says no: then it is W.
    fn average(&mut self, _w: &[T], _point: &mut Vec<T>) -> bool {
        false
    }

    /// Lets steps use these threads; the default is the caller's own.
    fn set_threads(&mut self, _threads: &Threads) {}

    /// One step with an objective, riders, and an average that moves with W. The default takes one gradient, at W or
    /// where [`Optimizer::probe`] says.
    fn drive(
        &mut self,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        with_one_gradient(self, w, average, f, learning_rate, riders)
    }

    /// One step from `w` in place.
    ///
    /// # Errors
    /// Those of [`Optimizer::check_learning_rate`]; then nothing is changed, and the objective was not asked.
    ///
    /// # Panics
    /// If `w` is not as long as the optimizer was built for.
    fn step(
        &mut self,
        w: &mut [T],
        f: &mut dyn Objective<T>,
        learning_rate: f64,
    ) -> Result<StepReport<T>, OptimError> {
        let dim = self.layout().len();
        assert_eq!(w.len(), dim, "the optimizer was built for {dim} parameters");
        self.check_learning_rate(learning_rate)?;
        Ok(self.drive(w, None, f, learning_rate, Riders::default()))
    }

    /// One step from `w` in place with a gradient that the caller took at `w`: for foreign memory (NumPy, PyTorch).
    ///
    /// # Errors
    /// [`OptimError::NeedsObjective`] if the method wants its gradient elsewhere, [`OptimError::OutOfRange`] and
    /// [`OptimError::TooLarge`] for the learning rate.
    ///
    /// # Panics
    /// If `w` or `grad` is not as long as the optimizer was built for.
    fn step_with(&mut self, w: &mut [T], grad: &[T], learning_rate: f64) -> Result<Outcome, OptimError> {
        self.step_spans(&mut [Span::new(w, grad)], learning_rate)
    }

    /// One step in place of all parameters, given as arrays of their own with their gradients.
    ///
    /// # Errors
    /// As [`Optimizer::step_with`].
    ///
    /// # Panics
    /// If the spans are neither one for all parameters nor one per block of the layout, in its order.
    fn step_spans(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64) -> Result<Outcome, OptimError> {
        self.check_learning_rate(learning_rate)?;
        self.layout().check_spans(spans);
        if self.needs_objective() {
            return Err(OptimError::NeedsObjective { optimizer: self.name() });
        }
        Ok(self.apply(spans, learning_rate, Riders::default()))
    }

    /// Puts a saved state back: strictly, by method, dialect, name, shape and number type; on an error nothing is changed.
    ///
    /// # Errors
    /// [`OptimError::State`] for a state of another method or dialect (as far as it says whose it is), and for a missing,
    /// extra or misshapen entry.
    fn load(&mut self, state: &StateDict) -> Result<(), OptimError> {
        self.save().same_form(state)?;
        self.restore(state);
        Ok(())
    }
}

/// A step with one gradient, taken at W or where the optimizer's probe says.
pub(crate) fn with_one_gradient<T: Real, O: Optimizer<T> + ?Sized>(
    optimizer: &mut O,
    w: &mut [T],
    average: Option<&mut [T]>,
    f: &mut dyn Objective<T>,
    learning_rate: f64,
    riders: Riders,
) -> StepReport<T> {
    let Scratch { mut grad, mut point } = std::mem::take(optimizer.scratch());
    grad.resize(w.len(), T::ZERO);
    let value = if optimizer.probe(w, learning_rate, &mut point) {
        f.value_and_grad(&point, &mut grad)
    } else {
        f.value_and_grad(w, &mut grad)
    };
    let outcome = optimizer.apply(&mut [Span { average, ..Span::new(w, &grad) }], learning_rate, riders);
    *optimizer.scratch() = Scratch { grad, point };
    StepReport { value, evaluations: 1, outcome }
}

/// What is in a box is an optimizer too, so that wrappers go around it.
impl<T: Real> Optimizer<T> for Box<dyn Optimizer<T>> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn layout(&self) -> &Layout {
        (**self).layout()
    }

    fn steps(&self) -> u64 {
        (**self).steps()
    }

    fn apply(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, riders: Riders) -> Outcome {
        (**self).apply(spans, learning_rate, riders)
    }

    fn takes_halves(&self) -> bool {
        (**self).takes_halves()
    }

    fn apply_half(&mut self, parts: &mut [HalfPart<'_>], learning_rate: f64, riders: Riders) -> Outcome {
        (**self).apply_half(parts, learning_rate, riders)
    }

    fn save(&self) -> StateDict {
        (**self).save()
    }

    fn restore(&mut self, state: &StateDict) {
        (**self).restore(state);
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        (**self).hyper()
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        (**self).set_hyper(name, value)
    }

    fn largest_factors(&self) -> Factors {
        (**self).largest_factors()
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        (**self).scratch()
    }

    fn needs_objective(&self) -> bool {
        (**self).needs_objective()
    }

    fn drives(&self) -> bool {
        (**self).drives()
    }

    fn wrappers(&self) -> Vec<&'static str> {
        (**self).wrappers()
    }

    fn probe(&mut self, w: &[T], learning_rate: f64, point: &mut Vec<T>) -> bool {
        (**self).probe(w, learning_rate, point)
    }

    fn average(&mut self, w: &[T], point: &mut Vec<T>) -> bool {
        (**self).average(w, point)
    }

    fn set_threads(&mut self, threads: &Threads) {
        (**self).set_threads(threads);
    }

    fn drive(
        &mut self,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        (**self).drive(w, average, f, learning_rate, riders)
    }
}
