//! What an optimizer remembers, by name, so that it can be kept and put back.

mod safetensors;
pub mod torch;

use std::collections::BTreeMap;
use std::fmt;

use crate::hyper::{Dialect, OptimError};
use crate::params::Layout;
use crate::real::Real;
use crate::suggest::did_you_mean;

/// The numbers of a [`Tensor`], in their own type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// The upper half of a single-precision number.
    Bf16(Vec<u16>),
    /// Codes of 8 bits.
    U8(Vec<u8>),
    /// Codes of 16 bits.
    U16(Vec<u16>),
    /// Counts.
    U64(Vec<u64>),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Bf16(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::U64(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        let each = match self {
            Self::U8(_) => 1,
            Self::Bf16(_) | Self::U16(_) => 2,
            Self::F32(_) => 4,
            Self::F64(_) | Self::U64(_) => 8,
        };
        each * self.len()
    }

    /// The name of the number type, as in safetensors.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::F32(_) => "F32",
            Self::F64(_) => "F64",
            Self::Bf16(_) => "BF16",
            Self::U8(_) => "U8",
            Self::U16(_) => "U16",
            Self::U64(_) => "U64",
        }
    }
}

/// Numbers with a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Row-major; empty for a single number.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Values,
}

/// Whose state it is: the same names and shapes mean other numbers to another method, or in another dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// The method's name in the registry.
    pub method: String,
    /// Whose form.
    pub dialect: Dialect,
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the dialect {}", self.method, self.dialect.name())
    }
}

/// Everything that decides an optimizer's next steps, by name: its counts and shared numbers (`steps`), and its slots
/// block by block (`velocity/0.dense.weight`); and whose it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StateDict {
    entries: BTreeMap<String, Tensor>,
    /// By the prefix of what is theirs; that of the whole is empty.
    makers: BTreeMap<String, Maker>,
}

impl StateDict {
    /// A state of this method, empty so far. [`StateDict::default`] does not say whose it is: then it fits by its entries
    /// alone.
    pub fn of(method: impl Into<String>, dialect: Dialect) -> Self {
        let maker = Maker { method: method.into(), dialect };
        Self { entries: BTreeMap::new(), makers: BTreeMap::from([(String::new(), maker)]) }
    }

    /// Whose state it is, if it says so.
    pub fn maker(&self) -> Option<&Maker> {
        self.makers.get("")
    }

    /// All entries by name.
    pub fn entries(&self) -> &BTreeMap<String, Tensor> {
        &self.entries
    }

    /// Adds or replaces an entry.
    ///
    /// # Panics
    /// If there are not as many numbers as the shape says.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Values) {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "the numbers do not fill the shape");
        self.entries.insert(name.into(), Tensor { shape: shape.to_vec(), values });
    }

    /// Takes an entry out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.entries.remove(name)
    }

    /// Adds a count.
    pub fn insert_count(&mut self, name: impl Into<String>, count: u64) {
        self.insert(name, &[], Values::U64(vec![count]));
    }

    /// Adds a number that all elements share.
    pub fn insert_scalar(&mut self, name: impl Into<String>, value: f64) {
        self.insert(name, &[], Values::F64(vec![value]));
    }

    /// Adds a number per parameter, block by block, as `name/block`.
    pub fn insert_slot<T: Real>(&mut self, name: &str, layout: &Layout, values: &[T]) {
        for block in layout.blocks() {
            let own = T::values(values[block.range.clone()].to_vec());
            self.insert(format!("{name}/{}", block.name), &block.shape, own);
        }
    }

    /// Adds all entries of another optimizer, their names behind `prefix/`.
    pub fn insert_all(&mut self, prefix: &str, state: Self) {
        let named = state.entries.into_iter().map(|(name, tensor)| (format!("{prefix}/{name}"), tensor));
        self.entries.extend(named);
        let under = |own: String| if own.is_empty() { prefix.to_owned() } else { format!("{prefix}/{own}") };
        self.makers.extend(state.makers.into_iter().map(|(own, maker)| (under(own), maker)));
    }

    /// The entries behind `prefix/`.
    pub fn part(&self, prefix: &str) -> Self {
        let own = self.entries.iter().filter_map(|(name, tensor)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('/')?;
            Some((rest.to_owned(), tensor.clone()))
        });
        let makers = self.makers.iter().filter_map(|(name, maker)| {
            let rest = name.strip_prefix(prefix)?;
            let own = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
            Some((own.to_owned(), maker.clone()))
        });
        Self { entries: own.collect(), makers: makers.collect() }
    }

    /// A count of a state whose form was checked.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn count(&self, name: &str) -> u64 {
        match self.entries.get(name).map(|tensor| &tensor.values) {
            Some(Values::U64(values)) => values[0],
            other => panic!("«{name}» must be a count, but is {other:?}"),
        }
    }

    /// A shared number of a state whose form was checked.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn scalar(&self, name: &str) -> f64 {
        match self.entries.get(name).map(|tensor| &tensor.values) {
            Some(Values::F64(values)) => values[0],
            other => panic!("«{name}» must be a number, but is {other:?}"),
        }
    }

    /// Reads a number per parameter of a state whose form was checked.
    ///
    /// # Panics
    /// If a block is missing.
    pub fn slot<T: Real>(&self, name: &str, layout: &Layout, into: &mut [T]) {
        for block in layout.blocks() {
            let key = format!("{name}/{}", block.name);
            let own = self.entries.get(&key).and_then(|tensor| T::from_values(&tensor.values));
            into[block.range.clone()].copy_from_slice(own.expect("the form of the state was checked"));
        }
    }

    /// Whether `other` is of the same method and dialect, in every group, as far as it says whose it is.
    ///
    /// # Errors
    /// [`OptimError::State`], with both.
    pub fn same_maker(&self, other: &Self) -> Result<(), OptimError> {
        for (prefix, maker) in &self.makers {
            if let Some(given) = other.makers.get(prefix).filter(|given| *given != maker) {
                let place = if prefix.is_empty() { String::new() } else { format!("in {prefix}, ") };
                let what =
                    format!("{place}it is of {given}, expected {maker}; build the optimizer that it is of");
                return Err(OptimError::State { what });
            }
        }
        Ok(())
    }

    /// Whether `other` is of the same [maker](StateDict::same_maker), and has the same names, shapes and number types.
    ///
    /// # Errors
    /// [`OptimError::State`] with the first difference.
    pub fn same_form(&self, other: &Self) -> Result<(), OptimError> {
        self.same_maker(other)?;
        let wrong = |what| Err(OptimError::State { what });
        for (name, tensor) in &self.entries {
            let Some(given) = other.entries.get(name) else {
                return wrong(format!("«{name}» is missing"));
            };
            if given.shape != tensor.shape {
                return wrong(format!(
                    "«{name}» has the shape {:?}, expected {:?}",
                    given.shape, tensor.shape
                ));
            }
            if given.values.dtype() != tensor.values.dtype() {
                let (given, expected) = (given.values.dtype(), tensor.values.dtype());
                return wrong(format!("«{name}» has the type {given}, expected {expected}"));
            }
        }
        if let Some(extra) = other.entries.keys().find(|name| !self.entries.contains_key(*name)) {
            let hint = did_you_mean(extra, self.entries.keys().map(String::as_str));
            return wrong(format!("«{extra}» is not part of it{hint}"));
        }
        Ok(())
    }
}
