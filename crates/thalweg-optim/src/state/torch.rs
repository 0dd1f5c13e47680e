//! A state in PyTorch's names: what `optimizer.state_dict()["state"]` holds, as a flat list of tensors.
//!
//! Each method that PyTorch has says how PyTorch calls its slots ([`Rule::TORCH_STATES`](crate::Rule::TORCH_STATES),
//! [`BlockRule::TORCH_STATES`](crate::BlockRule::TORCH_STATES)), in the `torch` dialect, where they mean the same. The
//! numbers are taken over as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::{StateDict, Tensor, Values};
use crate::hyper::{Dialect, OptimError};
use crate::params::{Block, Layout};
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
    /// A number per row of the last two axes; PyTorch keeps the last axis with the length 1.
    Rows,
    /// A number per column of them; PyTorch keeps the last but one with the length 1.
    Columns,
}

/// How PyTorch keeps each part of the state of a block.
pub type TorchStates = fn(&Block) -> &'static [TorchState];

/// Why most methods cannot have a state from PyTorch.
pub(crate) const NONE_IN_TORCH: &str = "it has no such optimizer";

impl TorchState {
    /// The number of steps.
    pub const STEPS: Self = Self { torch: "step", own: "steps", kind: TorchKind::Steps };

    /// A number per element.
    pub const fn slot(torch: &'static str, own: &'static str) -> Self {
        Self { torch, own, kind: TorchKind::Slot }
    }

    /// The name of this part of a block's state.
    fn key(&self, block: &Block) -> String {
        match self.kind {
            TorchKind::Steps | TorchKind::Shared => self.own.to_owned(),
            _ => format!("{}/{}", self.own, block.name),
        }
    }

    /// Its shape in PyTorch and here; the numbers lie in the same order.
    fn shapes(&self, block: &Block) -> [Vec<usize>; 2] {
        let (mut torch, mut own) = (block.shape.clone(), block.shape.clone());
        let behind = match self.kind {
            TorchKind::Steps | TorchKind::Shared => return [Vec::new(), Vec::new()],
            TorchKind::Slot | TorchKind::SlotOrZero => return [torch, own],
            TorchKind::Rows => 1,
            TorchKind::Columns => 2,
        };
        let axis = own.len() - behind;
        torch[axis] = 1;
        own.remove(axis);
        [torch, own]
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

fn states_of(optimizer: &str) -> Result<TorchStates, OptimError> {
    registry::find(optimizer)?.torch_states.or_else(|why| {
        wrong(format!("the state of {optimizer} is not to be had in PyTorch's form, as {why}"))
    })
}

/// PyTorch has no optimizer that keeps such numbers.
fn is_packed(values: &Values) -> bool {
    matches!(values, Values::Bf16(_) | Values::U8(_) | Values::U16(_))
}

/// A block with what PyTorch keeps of it: all there may be, and what was given by name.
struct Own<'a> {
    block: &'a Block,
    states: &'static [TorchState],
    tensors: BTreeMap<&'a str, &'a Tensor>,
}

/// The tensors of each block.
struct Given<'a>(Vec<Own<'a>>);

impl<'a> Given<'a> {
    fn sort(layout: &'a Layout, tensors: &'a [TorchTensor], states: TorchStates) -> Result<Self, OptimError> {
        let own = |block| Own { block, states: states(block), tensors: BTreeMap::new() };
        let mut sorted: Vec<_> = layout.blocks().iter().map(own).collect();
        for TorchTensor { parameter, name, tensor } in tensors {
            let Own { block, states, tensors } = &mut sorted[find_block(layout, parameter)?];
            let title = &block.name;
            if !states.iter().any(|state| state.torch == name) {
                let hint = did_you_mean(name, states.iter().map(|state| state.torch));
                return wrong(format!("«{name}» of {title} is not part of it{hint}"));
            }
            if tensors.insert(name.as_str(), tensor).is_some() {
                return wrong(format!("«{name}» of {title} is there twice"));
            }
        }
        Ok(Self(sorted))
    }

    /// All that some block may have, each once.
    fn states(&self) -> Vec<TorchState> {
        let mut all = Vec::new();
        for state in self.0.iter().flat_map(|own| own.states) {
            if !all.contains(state) {
                all.push(*state);
            }
        }
        all
    }

    /// The blocks that have such a part, with the tensor that each must bring.
    fn each(&self, state: &TorchState) -> Result<Vec<(&'a Block, &'a Tensor)>, OptimError> {
        let having = self.0.iter().filter(|own| own.states.contains(state));
        having
            .map(|own| match own.tensors.get(state.torch) {
                Some(&tensor) => Ok((own.block, tensor)),
                None => wrong(format!("«{}» of {} is missing", state.torch, own.block.name)),
            })
            .collect()
    }

    /// The one number that all blocks must have.
    fn shared(&self, state: &TorchState) -> Result<f64, OptimError> {
        let (name, mut found) = (state.torch, None);
        for (block, tensor) in self.each(state)? {
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

    fn steps(&self, state: &TorchState) -> Result<u64, OptimError> {
        let (name, steps) = (state.torch, self.shared(state)?);
        // Beyond 2⁵³, neighbouring counts are one number.
        if steps.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&steps) {
            Ok(steps as u64)
        } else {
            wrong(format!("«{name}» must be a number of steps, but is {steps}"))
        }
    }

    fn slot<T: Real>(&self, state: &TorchState, into: &mut StateDict) -> Result<(), OptimError> {
        for (block, tensor) in self.each(state)? {
            let title = format!("«{}» of {}", state.torch, block.name);
            let [expected, own] = state.shapes(block);
            if tensor.shape != expected {
                return wrong(format!("{title} has the shape {:?}, expected {expected:?}", tensor.shape));
            }
            if T::from_values(&tensor.values).is_none() {
                let (given, expected) = (tensor.values.dtype(), T::values(Vec::new()).dtype());
                let remedy = if is_packed(&tensor.values) {
                    format!("; convert it in PyTorch (`.to(torch.float{})`)", &expected[1..])
                } else {
                    String::new()
                };
                return wrong(format!("{title} has the type {given}, expected {expected}{remedy}"));
            }
            into.insert(state.key(block), &own, tensor.values.clone());
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
    /// PyTorch counts no steps (its SGD and Muon), there was one if there is a tensor: all that matters is whether it was
    /// the first. Muon's blocks that are no matrices are in the state of PyTorch's AdamW beside its Muon: give both.
    ///
    /// # Errors
    /// [`OptimError::State`] where PyTorch does not have the optimizer or its state lacks what is needed (L-BFGS), and for a
    /// tensor that is missing, extra, twice there, misshapen, or of another type than `T`.
    /// [`OptimError::UnknownOptimizer`].
    pub fn from_torch<T: Real>(
        optimizer: &str,
        layout: &Layout,
        tensors: &[TorchTensor],
    ) -> Result<Self, OptimError> {
        let states = states_of(optimizer)?;
        let given = Given::sort(layout, tensors, states)?;
        let mut found = Self::of(optimizer, Dialect::Torch);
        found.insert_count("steps", u64::from(!tensors.is_empty()));
        for state in &given.states() {
            let absent = given.0.iter().all(|own| !own.tensors.contains_key(state.torch));
            match state.kind {
                TorchKind::Steps => found.insert_count(state.own, given.steps(state)?),
                TorchKind::Shared => found.insert_scalar(state.own, given.shared(state)?),
                TorchKind::SlotOrZero if absent => {
                    found.insert_slot(state.own, layout, &vec![T::ZERO; layout.len()]);
                }
                _ => given.slot::<T>(state, &mut found)?,
            }
        }
        Ok(found)
    }

    /// The same state in PyTorch's names, block by block, each known by its place: what [`StateDict::from_torch`] reads. A
    /// `step` is one F32, as in PyTorch.
    ///
    /// # Errors
    /// [`OptimError::State`] where PyTorch does not have the optimizer; and where the state is not one of it over `layout`,
    /// in the dialect `torch` and in full precision, or has entries that PyTorch has no place for (those of wrappers).
    pub fn to_torch(&self, optimizer: &str, layout: &Layout) -> Result<Vec<TorchTensor>, OptimError> {
        let states = states_of(optimizer)?;
        Self::of(optimizer, Dialect::Torch).same_maker(self)?;
        let mut tensors = Vec::new();
        // PyTorch's SGD counts no steps.
        let mut known = BTreeSet::from(["steps".to_owned()]);
        for (index, block) in layout.blocks().iter().enumerate() {
            for state in states(block) {
                let key = state.key(block);
                let Some(tensor) = self.entries.get(&key) else {
                    return wrong(format!("«{key}» is missing"));
                };
                if is_packed(&tensor.values) {
                    return wrong(format!(
                        "«{key}» is packed in {} and PyTorch keeps its states in full; build the optimizer in full \
                         precision if its state is to go there, or keep this one as safetensors",
                        tensor.values.dtype()
                    ));
                }
                let [shape, own] = state.shapes(block);
                if tensor.shape != own {
                    return wrong(format!("«{key}» has the shape {:?}, expected {own:?}", tensor.shape));
                }
                let values = match &tensor.values {
                    Values::U64(steps) => Values::F32(steps.iter().map(|&steps| steps as f32).collect()),
                    values => values.clone(),
                };
                known.insert(key);
                let tensor = Tensor { shape, values };
                let (parameter, name) = (Parameter::Index(index), state.torch.to_owned());
                tensors.push(TorchTensor { parameter, name, tensor });
            }
        }
        if let Some(extra) = self.entries.keys().find(|key| !known.contains(*key)) {
            return wrong(format!(
                "PyTorch's {optimizer} has no place for «{extra}»; save what is inside of the wrapper alone"
            ));
        }
        Ok(tensors)
    }
}
