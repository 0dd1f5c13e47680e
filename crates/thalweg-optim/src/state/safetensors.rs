//! A state as the bytes of a safetensors file, which Python, Rust and others read without running code.
//!
//! Bytes in, bytes out: opening files is the caller's. The entries keep their names; the metadata has one line, `made_by`
//! (one, as the order of several would not be the same everywhere): this crate's version, the method and its dialect, and
//! those of each group.
//!
//! ```text
//! thalweg-optim 0.1.0 adam torch, group0 sgd torch, group1 adam torch
//! ```

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use std::collections::BTreeMap;

use super::{Maker, StateDict, Values};
use crate::hyper::{Dialect, OptimError};

/// The key of the metadata.
const KEY: &str = "made_by";
/// What its value starts with; the version and the makers follow.
const CRATE: &str = "thalweg-optim ";
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn made_by(makers: &BTreeMap<String, Maker>) -> String {
    let one = |(prefix, maker): (&String, &Maker)| {
        format!("{prefix} {} {}", maker.method, maker.dialect.name()).trim_start().to_owned()
    };
    format!("{CRATE}{VERSION} {}", makers.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// The reverse of [`made_by`]; none if it is another program's line.
fn makers(line: &str) -> Result<BTreeMap<String, Maker>, OptimError> {
    let Some(ours) = line.strip_prefix(CRATE) else { return Ok(BTreeMap::new()) };
    let unknown = || OptimError::State {
        what: format!(
            "its metadata «{line}» does not name a method and a dialect; was it made by a newer version?"
        ),
    };
    // The version may differ.
    let (_, makers) = ours.split_once(' ').ok_or_else(unknown)?;
    let one = |text: &str| {
        let words: Vec<_> = text.split(' ').collect();
        let (prefix, method, dialect) = match words[..] {
            [method, dialect] => ("", method, dialect),
            [prefix, method, dialect] => (prefix, method, dialect),
            _ => return Err(unknown()),
        };
        let dialect = Dialect::ALL.into_iter().find(|known| known.name() == dialect).ok_or_else(unknown)?;
        Ok((prefix.to_owned(), Maker { method: method.to_owned(), dialect }))
    };
    makers.split(", ").map(one).collect()
}

impl Values {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Bf16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::U8(values) => values.clone(),
            Self::U16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::U64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn of_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        Some(match dtype {
            Dtype::F32 => Self::F32(chunks(bytes, f32::from_le_bytes)),
            Dtype::F64 => Self::F64(chunks(bytes, f64::from_le_bytes)),
            Dtype::BF16 => Self::Bf16(chunks(bytes, u16::from_le_bytes)),
            Dtype::U8 => Self::U8(bytes.to_vec()),
            Dtype::U16 => Self::U16(chunks(bytes, u16::from_le_bytes)),
            Dtype::U64 => Self::U64(chunks(bytes, u64::from_le_bytes)),
            _ => return None,
        })
    }

    fn safetensors_type(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::Bf16(_) => Dtype::BF16,
            Self::U8(_) => Dtype::U8,
            Self::U16(_) => Dtype::U16,
            Self::U64(_) => Dtype::U64,
        }
    }
}

fn chunks<V, const N: usize>(bytes: &[u8], read: fn([u8; N]) -> V) -> Vec<V> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| read(chunk)).collect()
}

fn unreadable(what: impl std::fmt::Display) -> OptimError {
    OptimError::State { what: format!("the bytes are no safetensors file ({what})") }
}

impl StateDict {
    /// The bytes of a safetensors file, which says whose state it is if the state does. Equal states give equal bytes.
    ///
    /// # Panics
    /// If the header would be larger than the format allows, 100 MB: some million blocks.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes: Vec<_> = self.entries.values().map(|tensor| tensor.values.to_bytes()).collect();
        let views = self.entries.iter().zip(&bytes).map(|((name, tensor), bytes)| {
            let dtype = tensor.values.safetensors_type();
            let view = TensorView::new(dtype, tensor.shape.clone(), bytes);
            (name.as_str(), view.expect("an entry has as many numbers as its shape says"))
        });
        let made_by = (!self.makers.is_empty()).then(|| [(KEY.to_owned(), made_by(&self.makers))].into());
        serialize(views, made_by).expect("a header of less than 100 MB")
    }

    /// Reads the bytes of a safetensors file. A file made elsewhere need not say whose state it is. Whether that and the
    /// entries fit is seen by [`Optimizer::load`](crate::Optimizer::load).
    ///
    /// # Errors
    /// [`OptimError::State`] if the bytes are cut short or no safetensors file, or an entry's type is none that a state has.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, OptimError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let line = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let makers = line.map_or(Ok(BTreeMap::new()), |line| makers(line))?;
        let mut state = Self { makers, ..Self::default() };
        for (name, view) in SafeTensors::deserialize(bytes).map_err(unreadable)?.iter() {
            let Some(values) = Values::of_bytes(view.dtype(), view.data()) else {
                let what = format!(
                    "«{name}» has the type {}, expected F32, F64, BF16, U8, U16 or U64",
                    view.dtype()
                );
                return Err(OptimError::State { what });
            };
            state.insert(name, view.shape(), values);
        }
        Ok(state)
    }
}
