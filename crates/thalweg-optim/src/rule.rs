//! The contract of an update rule: how one element moves, given its gradient.
//!
//! A rule is one file with its formula, its hyperparameters, its documentation, and one row in [`rules`](crate::rules).
//! Everything else (whole slices, vectors, state memory, names on the command line, conformance tests) comes from that
//! row.

use std::fmt::Debug;

use crate::hyper::{ByDialect, Dialect, Hyper, OptimError, check};
use crate::optimizer::Elementwise;
use crate::real::Real;

/// What a table of optimizers shows.
#[derive(Debug)]
pub struct Info {
    /// The name in the registry, on the command line and in a recipe.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// The formula in each dialect.
    pub formula: ByDialect<&'static str>,
    /// The learning rate that the dialect's documentation gives as default.
    pub learning_rate: ByDialect<f64>,
    /// The one line that puts a winner into PyTorch; `{lr}` stands for the learning rate.
    pub torch_call: &'static str,
}

/// How one element moves.
pub trait Rule: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// What the tables show.
    const INFO: Info;
    /// The hyperparameters, each with its range and a way to reach it.
    const HYPER: &'static [Hyper<Self>];
    /// The name of each state slot; as many as `State` holds.
    const STATES: &'static [&'static str];

    /// The state of one element: an array with one number per slot, which starts at zero.
    type State<T: Real>: Slots<T>;
    /// What is equal for all elements of a step.
    type Coefficients<T: Real>: Copy;

    /// The rule with a dialect's default hyperparameters.
    fn preset(dialect: Dialect) -> Self;

    /// What is equal for all elements of step `step` (the first is 1), computed in f64.
    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64) -> Self::Coefficients<T>;

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

    /// An optimizer of `dim` parameters that follows this rule.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer<T: Real>(self, dim: usize) -> Result<Elementwise<Self, T>, OptimError> {
        check(&self)?;
        Ok(Elementwise::new(self, dim))
    }
}

/// The state of one element, kept in memory slot by slot (all elements' first numbers, then all second numbers, …).
pub trait Slots<T: Real>: Sized {
    /// The slots of all elements.
    type Slices<'a>;
    /// As many numbers as `Self` holds, for `B` elements, slot by slot.
    type Block<const B: usize>;
    /// How many slots.
    const COUNT: usize;

    /// Cuts `state` into slots of `n` numbers.
    fn split(state: &mut [T], n: usize) -> Self::Slices<'_>;
    /// The state of element `index`.
    fn load(slots: &Self::Slices<'_>, index: usize) -> Self;
    /// Writes the state of element `index`.
    fn store(self, slots: &mut Self::Slices<'_>, index: usize);
    /// The states of the elements `start..start + B`.
    fn load_block<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B>;
    /// Writes the states of the elements `start..start + B`.
    fn store_block<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>);
    /// One element of a block.
    fn lane<const B: usize>(block: &Self::Block<B>, lane: usize) -> Self;
    /// Writes one element of a block.
    fn set_lane<const B: usize>(self, block: &mut Self::Block<B>, lane: usize);
}

impl<T: Real, const N: usize> Slots<T> for [T; N] {
    type Slices<'a> = [&'a mut [T]; N];
    type Block<const B: usize> = [[T; B]; N];
    const COUNT: usize = N;

    #[inline(always)]
    fn split(state: &mut [T], n: usize) -> Self::Slices<'_> {
        assert_eq!(state.len(), N * n, "the state does not fit the parameters");
        let mut rest = state;
        std::array::from_fn(|_| {
            let (slot, tail) = std::mem::take(&mut rest).split_at_mut(n);
            rest = tail;
            slot
        })
    }

    #[inline(always)]
    fn load(slots: &Self::Slices<'_>, index: usize) -> Self {
        std::array::from_fn(|slot| slots[slot][index])
    }

    #[inline(always)]
    fn store(self, slots: &mut Self::Slices<'_>, index: usize) {
        for (slot, value) in slots.iter_mut().zip(self) {
            slot[index] = value;
        }
    }

    #[inline(always)]
    fn load_block<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B> {
        let mut block = [[T::ZERO; B]; N];
        for (values, slot) in block.iter_mut().zip(slots) {
            values.copy_from_slice(&slot[start..start + B]);
        }
        block
    }

    #[inline(always)]
    fn store_block<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>) {
        for (slot, values) in slots.iter_mut().zip(block) {
            slot[start..start + B].copy_from_slice(values);
        }
    }

    #[inline(always)]
    fn lane<const B: usize>(block: &Self::Block<B>, lane: usize) -> Self {
        std::array::from_fn(|slot| block[slot][lane])
    }

    #[inline(always)]
    fn set_lane<const B: usize>(self, block: &mut Self::Block<B>, lane: usize) {
        for (values, value) in block.iter_mut().zip(self) {
            values[lane] = value;
        }
    }
}
