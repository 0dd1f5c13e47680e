//! A state in PyTorch's names: what `optimizer.state_dict()["state"]` holds, as a flat list of tensors.
//!
//! Each rule that PyTorch has says how PyTorch calls its slots ([`Rule::TORCH_STATES`](crate::Rule::TORCH_STATES)), in the
//! `torch` dialect, where they mean the same. The numbers are taken over as they are.

use std::collections::BTreeMap;

use super::{StateDict, Tensor, Values};
use crate::hyper::OptimError;
use crate::params::Layout;
use crate::real::Real;
use crate::registry;
use crate::suggest::did_you_mean;

/// How PyTorch keeps one part of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TorchState {
    /// PyTorch's name.
    pub torch: &'static str,
    /// The name of the slot, the shared number, or `steps`.
    pub own: &'static str,
    /// What kind of number it is.
    pub kind: TorchKind,
}

/// What kind of number a part of a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TorchKind {
    /// The number of steps; PyTorch keeps it once per parameter, but they agree.
    Steps,
    /// A shared number; likewise.
    Shared,
    /// A number per element.
    Slot,
    /// The same, but PyTorch leaves it out where a hyperparameter makes it useless: then it is zero.
    SlotOrZero,
}

impl TorchState {
    /// The number of steps.
    pub const STEPS: Self = Self { torch: "step", own: "steps", kind: TorchKind::Steps };

    /// A number per element.
    pub const fn slot(torch: &'static str, own: &'static str) -> Self {
        Self { torch, own, kind: TorchKind::Slot }
    }
}

/// Which parameter a tensor belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// Its place in PyTorch's parameter groups, which is its block's place in the layout.
    Index(usize),
    /// Its block's name.
    Name(String),
}

/// A tensor of PyTorch's state.
#[derive(Debug, Clone, PartialEq)]
pub struct TorchTensor {
    /// What it belongs to.
    pub parameter: Parameter,
    /// PyTorch's name for it, such as `exp_avg`.
    pub name: String,
    /// Its numbers, in the type of the parameters; a `step` may have any.
    pub tensor: Tensor,
}

fn wrong<V>(what: String) -> Result<V, OptimError> {
    Err(OptimError::State { what })
}

fn states_of(optimizer: &str) -> Result<&'static [TorchState], OptimError> {
    match registry::find(optimizer)?.torch_states {
        Some(states) => Ok(states),
        None => wrong(format!("PyTorch has no optimizer whose state is that of {optimizer}")),
    }
}

/// The tensors of each block by PyTorch's name.
struct Given<'a> {
    layout: &'a Layout,
    tensors: Vec<BTreeMap<&'a str, &'a Tensor>>,
}

impl<'a> Given<'a> {
    fn sort(
        layout: &'a Layout,
        tensors: &'a [TorchTensor],
        states: &[TorchState],
    ) -> Result<Self, OptimError> {
        let mut sorted = vec![BTreeMap::new(); layout.blocks().len()];
        for TorchTensor { parameter, name, tensor } in tensors {
            let block = find_block(layout, parameter)?;
            let title = &layout.blocks()[block].name;
            if !states.iter().any(|state| state.torch == name) {
                let hint = did_you_mean(name, states.iter().map(|state| state.torch));
                return wrong(format!("«{name}» of {title} is not part of it{hint}"));
            }
            if sorted[block].insert(name.as_str(), tensor).is_some() {
                return wrong(format!("«{name}» of {title} is there twice"));
            }
        }
        Ok(Self { layout, tensors: sorted })
    }

    /// The tensor that each block must have.
    fn each(&self, name: &str) -> Result<Vec<&'a Tensor>, OptimError> {
        let blocks = self.layout.blocks().iter().zip(&self.tensors);
        blocks
            .map(|(block, tensors)| match tensors.get(name) {
                Some(&tensor) => Ok(tensor),
                None => wrong(format!("«{name}» of {} is missing", block.name)),
            })
            .collect()
    }

    /// The one number that all blocks must have.
    fn shared(&self, name: &str) -> Result<f64, OptimError> {
        let mut found = None;
        for (tensor, block) in self.each(name)?.into_iter().zip(self.layout.blocks()) {
            let value = match &tensor.values {
                Values::F64(values) if values.len() == 1 => values[0],
                Values::F32(values) if values.len() == 1 => f64::from(values[0]),
                Values::U64(values) if values.len() == 1 => values[0] as f64,
                _ => {
                    let (shape, dtype) = (&tensor.shape, tensor.values.dtype());
                    return wrong(format!(
                        "«{name}» of {} must be one number, but has the shape {shape:?} and the type {dtype}",
                        block.name
                    ));
                }
            };
            if *found.get_or_insert(value) != value {
                return wrong(format!("«{name}» of {} is {value}, but that of others is not", block.name));
            }
        }
        Ok(found.unwrap_or_default())
    }

    fn steps(&self, name: &str) -> Result<u64, OptimError> {
        let steps = self.shared(name)?;
        // Beyond 2⁵³, neighbouring counts are one number.
        if steps.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&steps) {
            Ok(steps as u64)
        } else {
            wrong(format!("«{name}» must be a number of steps, but is {steps}"))
        }
    }

    fn slot<T: Real>(&self, state: &TorchState, into: &mut StateDict) -> Result<(), OptimError> {
        for (tensor, block) in self.each(state.torch)?.into_iter().zip(self.layout.blocks()) {
            let title = format!("«{}» of {}", state.torch, block.name);
            if tensor.shape != block.shape {
                return wrong(format!(
                    "{title} has the shape {:?}, expected {:?}",
                    tensor.shape, block.shape
                ));
            }
            if T::from_values(&tensor.values).is_none() {
                let (given, expected) = (tensor.values.dtype(), T::values(Vec::new()).dtype());
                return wrong(format!("{title} has the type {given}, expected {expected}"));
            }
            into.insert(format!("{}/{}", state.own, block.name), &tensor.shape, tensor.values.clone());
        }
        Ok(())
    }
}

fn find_block(layout: &Layout, parameter: &Parameter) -> Result<usize, OptimError> {
    let blocks = layout.blocks();
    match parameter {
        Parameter::Index(index) if *index < blocks.len() => Ok(*index),
        Parameter::Index(index) => {
            wrong(format!("there is no parameter {index}: the layout has {} blocks", blocks.len()))
        }
        Parameter::Name(name) => match blocks.iter().position(|block| block.name == *name) {
            Some(index) => Ok(index),
            None => {
                let hint = did_you_mean(name, blocks.iter().map(|block| block.name.as_str()));
                wrong(format!("there is no parameter «{name}»{hint}"))
            }
        },
    }
}

impl StateDict {
    /// The state of `optimizer` (a name of the registry; its `torch` dialect) over `layout`, from PyTorch's tensors. Where
    /// PyTorch counts no steps (its SGD), there was one if there is a tensor: all that matters is whether it was the first.
    ///
    /// # Errors
    /// [`OptimError::State`] where PyTorch does not have the optimizer, and for a tensor that is missing, extra, twice
    /// there, misshapen, or of another type than `T`. [`OptimError::UnknownOptimizer`].
    pub fn from_torch<T: Real>(
        optimizer: &str,
        layout: &Layout,
        tensors: &[TorchTensor],
    ) -> Result<Self, OptimError> {
        let states = states_of(optimizer)?;
        let given = Given::sort(layout, tensors, states)?;
        let mut found = Self::default();
        found.insert_count("steps", u64::from(!tensors.is_empty()));
        for state in states {
            let absent = given.tensors.iter().all(|tensors| !tensors.contains_key(state.torch));
            match state.kind {
                TorchKind::Steps => found.insert_count(state.own, given.steps(state.torch)?),
                TorchKind::Shared => found.insert_scalar(state.own, given.shared(state.torch)?),
                TorchKind::SlotOrZero if absent => {
                    found.insert_slot(state.own, layout, &vec![T::ZERO; layout.len()]);
                }
                TorchKind::Slot | TorchKind::SlotOrZero => given.slot::<T>(state, &mut found)?,
            }
        }
        Ok(found)
    }

    /// The same state in PyTorch's names, block by block, each known by its place: what [`StateDict::from_torch`] reads. A
    /// `step` is one F32, as in PyTorch.
    ///
    /// # Errors
    /// [`OptimError::State`] where PyTorch does not have the optimizer, or the state is not one of it over `layout`.
    pub fn to_torch(&self, optimizer: &str, layout: &Layout) -> Result<Vec<TorchTensor>, OptimError> {
        let states = states_of(optimizer)?;
        let mut tensors = Vec::new();
        for (index, block) in layout.blocks().iter().enumerate() {
            for state in states {
                let key = match state.kind {
                    TorchKind::Steps | TorchKind::Shared => state.own.to_owned(),
                    TorchKind::Slot | TorchKind::SlotOrZero => format!("{}/{}", state.own, block.name),
                };
                let Some(tensor) = self.entries.get(&key) else {
                    return wrong(format!("«{key}» is missing"));
                };
                let tensor = match &tensor.values {
                    Values::U64(steps) => {
                        let steps = steps.iter().map(|&steps| steps as f32).collect();
                        Tensor { shape: tensor.shape.clone(), values: Values::F32(steps) }
                    }
                    _ => tensor.clone(),
                };
                let (parameter, name) = (Parameter::Index(index), state.torch.to_owned());
                tensors.push(TorchTensor { parameter, name, tensor });
            }
        }
        Ok(tensors)
    }
}
