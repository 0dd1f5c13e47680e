//! The contract of a method that sees blocks: how one block moves, given its gradient.

use super::blockwise::Blockwise;
use crate::hyper::{OptimError, check_in};
use crate::method::Method;
use crate::params::{Block, Layout};
use crate::real::Real;
use crate::state::torch::TorchStates;
use crate::threads::Threads;

/// How one block moves.
pub trait BlockRule: Method {
    /// The name of each state that it may keep of a block, as tables show them.
    const STATES: &'static [&'static str];
    /// How PyTorch's `state_dict` calls the slots of a block in the `torch` dialect; `None` where PyTorch does not have the
    /// method.
    const TORCH_STATES: Option<TorchStates> = None;

    /// What it keeps of a block between steps.
    fn slots(&self, block: &Block) -> Vec<Slot>;

    /// Moves a block, which is not empty. The values of its slots come in the order of [`BlockRule::slots`].
    fn step<T: Real>(&self, at: At, work: Work<'_, T>);

    /// An optimizer of these parameters that follows this method.
    ///
    /// # Errors
    /// If a hyperparameter is out of its range.
    fn optimizer_of<T: Real>(self, layout: &Layout) -> Result<Blockwise<Self, T>, OptimError> {
        check_in::<T, _>(&self)?;
        Ok(Blockwise::new(self, layout.clone()))
    }
}

/// One state of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its name, one of [`BlockRule::STATES`].
    pub name: &'static str,
    /// Its shape, row-major; it need not be the block's.
    pub shape: Vec<usize>,
    /// What each number is before the first step.
    pub initial: f64,
}

impl Slot {
    /// Zeros.
    pub fn zeros(name: &'static str, shape: &[usize]) -> Self {
        Self { name, shape: shape.to_vec(), initial: 0.0 }
    }
}

/// Which step it is.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// Its number; the first is 1.
    pub step: u64,
    /// η.
    pub learning_rate: f64,
}

/// A block with all that a method needs to move it.
#[derive(Debug)]
pub struct Work<'a, T> {
    /// Its name, shape and role.
    pub block: &'a Block,
    /// The parameters, changed in place; the decoupled decay of the riders is done.
    pub w: &'a mut [T],
    /// Their gradient, as the riders want it to be seen.
    pub grad: &'a [T],
    /// The values of each slot.
    pub state: &'a mut [Vec<T>],
    /// Memory to work in, with any contents.
    pub memory: &'a mut Memory<T>,
    /// Threads that the block may use.
    pub threads: &'a Threads,
}

/// Memory that is kept between steps, so that a warm step allocates nothing.
#[derive(Debug, Default)]
pub struct Memory<T> {
    /// Numbers of the parameters' type.
    pub values: Vec<T>,
    /// Numbers that need more digits.
    pub sums: Vec<f64>,
    /// Indices.
    pub order: Vec<usize>,
}

impl<T: Real> Memory<T> {
    /// This many numbers, with any contents.
    pub fn lend(&mut self, count: usize) -> &mut [T] {
        if self.values.len() < count {
            self.values.resize(count, T::ZERO);
        }
        &mut self.values[..count]
    }
}
