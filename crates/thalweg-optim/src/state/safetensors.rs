//! A state as the bytes of a safetensors file, which Python, Rust and others read without running code.
//!
//! Bytes in, bytes out: opening files is the caller's. The entries keep their names; the metadata has one line, `made_by`,
//! with this crate's version and the optimizer's name (one, as the order of several would not be the same everywhere).

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::{StateDict, Values};
use crate::hyper::OptimError;

/// The key of the metadata.
const KEY: &str = "made_by";
/// What its value starts with; the optimizer's name follows.
const MAKER: &str = concat!("thalweg-optim ", env!("CARGO_PKG_VERSION"), " ");

impl Values {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Bf16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::U8(values) => values.clone(),
            Self::U64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn of_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        Some(match dtype {
            Dtype::F32 => Self::F32(chunks(bytes, f32::from_le_bytes)),
            Dtype::F64 => Self::F64(chunks(bytes, f64::from_le_bytes)),
            Dtype::BF16 => Self::Bf16(chunks(bytes, u16::from_le_bytes)),
            Dtype::U8 => Self::U8(bytes.to_vec()),
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
    /// The bytes of a safetensors file that says whose state it is (a name of the registry). Equal states give equal bytes.
    ///
    /// # Panics
    /// If the header would be larger than the format allows, 100 MB: some million blocks.
    pub fn to_safetensors(&self, optimizer: &str) -> Vec<u8> {
        let bytes: Vec<_> = self.entries.values().map(|tensor| tensor.values.bytes()).collect();
        let views = self.entries.iter().zip(&bytes).map(|((name, tensor), bytes)| {
            let dtype = tensor.values.safetensors_type();
            let view = TensorView::new(dtype, tensor.shape.clone(), bytes);
            (name.as_str(), view.expect("an entry has as many numbers as its shape says"))
        });
        let made_by = [(KEY.to_owned(), format!("{MAKER}{optimizer}"))];
        serialize(views, Some(made_by.into_iter().collect())).expect("a header of less than 100 MB")
    }

    /// Reads the bytes of a safetensors file. A file that names its optimizer must name this one; a file made elsewhere
    /// names none. Whether the entries fit is seen by [`Optimizer::load`](crate::Optimizer::load).
    ///
    /// # Errors
    /// [`OptimError::State`] if the bytes are cut short or no safetensors file, an entry's type is none that a state has, or
    /// the file is another optimizer's.
    pub fn from_safetensors(bytes: &[u8], optimizer: &str) -> Result<Self, OptimError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let maker = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        // The version may differ: only the name must not.
        if let Some(named) = maker.filter(|maker| maker.starts_with("thalweg-optim "))
            && named.rsplit(' ').next() != Some(optimizer)
        {
            let what = format!("it was made by «{named}», expected one of {optimizer}");
            return Err(OptimError::State { what });
        }
        let mut state = Self::default();
        for (name, view) in SafeTensors::deserialize(bytes).map_err(unreadable)?.iter() {
            let Some(values) = Values::of_bytes(view.dtype(), view.data()) else {
                let what =
                    format!("«{name}» has the type {}, expected F32, F64, BF16, U8 or U64", view.dtype());
                return Err(OptimError::State { what });
            };
            state.insert(name, view.shape(), values);
        }
        Ok(state)
    }
}
