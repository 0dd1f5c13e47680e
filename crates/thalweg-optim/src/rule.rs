//! The contract of an update rule: how one element moves, given its gradient.
//!
//! A rule is one file with its formula, its hyperparameters, its documentation, and one row in the
//! [registry](crate::registry). Everything else (whole slices, vectors, state memory, threads, names on the command line,
//! conformance tests) comes from that row.

use crate::elementwise::Elementwise;
use crate::hyper::{OptimError, check_in};
use crate::method::Method;
use crate::packed::Precision;
use crate::params::Layout;
use crate::real::Real;
use crate::slots::Slots;
use crate::state::torch::TorchState;

/// How one element moves.
pub trait Rule: Method {
    /// The name of each state slot; as many as `State` holds.
    const STATES: &'static [&'static str];
    /// The name of each number that all elements share between steps (most rules have none: the number of the step is
    /// kept for all).
    const SCALARS: &'static [&'static str] = &[];
    /// How PyTorch's `state_dict` calls the slots and shared numbers of the `torch` dialect; `None` where PyTorch does not
    /// have the rule.
    const TORCH_STATES: Option<&'static [TorchState]> = None;
    /// In how few bits the state can be kept, and what stands against fewer.
    const SHORTEST: (Precision, &'static str) = (Precision::Byte, "");
    /// Whether the rule needs the sums of [`Rule::measure`].
    const MEASURES: bool = false;

    /// The state of one element: an array with one number per slot.
    type State<T: Real>: Slots<T>;
    /// What is equal for all elements of a step.
    type Coefficients<T: Real>: Copy + Send + Sync;

    /// The state of every element before the first step.
    fn initial<T: Real>(&self) -> Self::State<T>;

    /// What the shared numbers are before the first step.
    fn initial_scalars(&self, _scalars: &mut [f64]) {}

    /// What is equal for all elements of step `step` (the first is 1), computed in f64. The shared numbers are moved on.
    fn coefficients<T: Real>(
        &self,
        step: u64,
        learning_rate: f64,
        scalars: &mut [f64],
    ) -> Self::Coefficients<T>;

    /// The formula: returns the new parameter. Must be `#[inline(always)]`.
    fn update<T: Real>(c: &Self::Coefficients<T>, w: T, g: T, state: &mut Self::State<T>) -> T;

    /// Whether the gradient is wanted at [`Rule::probe`] instead of at `w`.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// Where the gradient is wanted.
    #[inline(always)]
    fn probe<T: Real>(_c: &Self::Coefficients<T>, w: T, _state: &Self::State<T>) -> T {
        w
    }

    /// Two terms of sums over all elements, taken before the element moves; 0 where all numbers are 0. Must be
    /// `#[inline(always)]`.
    #[inline(always)]
    fn measure<T: Real>(_c: &Self::Coefficients<T>, _w: T, _g: T, _state: &Self::State<T>) -> [T; 2] {
        [T::ZERO; 2]
    }

    /// Whether the sums decide this very step, so that a pass of their own must take them before any element moves.
    fn measures_first(&self) -> bool {
        false
    }

    /// The coefficients once the sums are known; of use to [`Rule::measures_first`] only.
    fn settle<T: Real>(
        &self,
        c: Self::Coefficients<T>,
        _sums: [f64; 2],
        _scalars: &mut [f64],
    ) -> Self::Coefficients<T> {
        c
    }

    /// Whether the model should be judged at [`Rule::average`] instead of at `w`.
    fn averages(&self) -> bool {
        false
    }

    /// Where the model should be judged.
    #[inline(always)]
    fn average<T: Real>(&self, w: T, _state: &Self::State<T>) -> T {
        w
    }

    /// An optimizer of `dim` parameters without names that follows this rule.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer<T: Real>(self, dim: usize) -> Result<Elementwise<Self, T>, OptimError> {
        self.optimizer_of(&Layout::vector(dim))
    }

    /// An optimizer of these parameters that follows this rule.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer_of<T: Real>(self, layout: &Layout) -> Result<Elementwise<Self, T>, OptimError> {
        check_in::<T, _>(&self)?;
        Ok(Elementwise::new(self, layout.clone()))
    }
}
