//! NPY: one NumPy array in a file.
//!
//! `\x93NUMPY`, the version of the header (1 to 3), its length, the header (a Python dictionary as text), the numbers.
//! Read are little-endian arrays in C order of bytes, whole numbers, `f4`, `f8`, booleans and texts (`U`). Source:
//! NumPy Enhancement Proposal 1 and `numpy.lib.format`.

mod header;

use std::path::{Path, PathBuf};

use super::{ReadError, bytes};
use crate::arrays::ArrayColumn;
use header::Header;

/// Numbers or texts with their sizes, the last size's running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// One size per dimension.
    pub shape: Vec<usize>,
    /// As many values as the sizes' product.
    pub data: ArrayData,
}

/// The values of an [`Array`].
#[derive(Debug, Clone, PartialEq)]
pub enum ArrayData {
    /// `u1`.
    Bytes(Vec<u8>),
    /// `f4`.
    Floats(Vec<f32>),
    /// `f8`, and whole numbers of any width, rounded where an `f64` is not exact (beyond 2⁵³).
    Numbers(Vec<f64>),
    /// `b1`.
    Booleans(Vec<bool>),
    /// `U`.
    Texts(Vec<String>),
}

/// The usual name of the labels' file beside a file of data: `y.npy` for `x.npy`, `y_test.npy` for `X_test.npy`,
/// `labels.npy` for `images.npy`.
pub(crate) fn labels_beside(data: &Path) -> Vec<PathBuf> {
    let name = data.file_name().unwrap_or_default().to_string_lossy();
    let renamed = match name.strip_prefix(['x', 'X']) {
        Some(rest) => format!("y{rest}"),
        None => name.replace("images", "labels"),
    };
    if renamed == name { Vec::new() } else { vec![data.with_file_name(renamed)] }
}

/// The array of a file.
///
/// # Errors
/// See [`ReadError`].
pub fn read(path: &Path) -> Result<Array, ReadError> {
    parse(&path.display().to_string(), &bytes::load(path)?)
}

/// Parses bytes that are already in memory, called `source` in errors.
///
/// # Errors
/// See [`ReadError`].
pub fn parse(source: &str, bytes: &[u8]) -> Result<Array, ReadError> {
    let (Header { descr, shape }, body) = header::parse(source, bytes)?;
    let (order, code) = descr.split_at_checked(1).unwrap_or(("", ""));
    let unread = || ReadError::BadNpy {
        source_name: source.to_owned(),
        problem: format!("its numbers are of the type «{descr}»"),
        remedy: "save it with numpy.save(FILE, x.astype(\"<f4\"), allow_pickle=False)",
    };
    let width = match code {
        "u1" | "i1" | "b1" => 1,
        "u2" | "i2" => 2,
        "u4" | "i4" | "f4" => 4,
        "u8" | "i8" | "f8" => 8,
        _ => match code.strip_prefix('U').and_then(|letters| letters.parse::<usize>().ok()) {
            Some(letters @ 1..=65_536) => 4 * letters,
            _ => return Err(unread()),
        },
    };
    if !(order == "<" || (width == 1 && order == "|")) {
        return Err(unread());
    }
    let claimed = shape.iter().try_fold(width, |product, &size| product.checked_mul(size));
    if claimed != Some(body.len()) {
        return Err(bytes::wrong_length(source, &shape, width as u64, body.len() as u64));
    }
    let data = match code {
        "u1" => ArrayData::Bytes(body.to_vec()),
        "b1" => ArrayData::Booleans(body.iter().map(|&byte| byte != 0).collect()),
        "f4" => ArrayData::Floats(decode(body, f32::from_le_bytes)),
        "f8" => ArrayData::Numbers(decode(body, f64::from_le_bytes)),
        "i1" => ArrayData::Numbers(decode(body, |bytes| f64::from(i8::from_le_bytes(bytes)))),
        "i2" => ArrayData::Numbers(decode(body, |bytes| f64::from(i16::from_le_bytes(bytes)))),
        "i4" => ArrayData::Numbers(decode(body, |bytes| f64::from(i32::from_le_bytes(bytes)))),
        "i8" => ArrayData::Numbers(decode(body, |bytes| i64::from_le_bytes(bytes) as f64)),
        "u2" => ArrayData::Numbers(decode(body, |bytes| f64::from(u16::from_le_bytes(bytes)))),
        "u4" => ArrayData::Numbers(decode(body, |bytes| f64::from(u32::from_le_bytes(bytes)))),
        "u8" => ArrayData::Numbers(decode(body, |bytes| u64::from_le_bytes(bytes) as f64)),
        _ => ArrayData::Texts(body.chunks_exact(width).map(text).collect::<Option<_>>().ok_or_else(unread)?),
    };
    Ok(Array { shape, data })
}

fn decode<const N: usize, T>(body: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    body.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
}

/// Four bytes a letter, filled up with zeros.
fn text(cell: &[u8]) -> Option<String> {
    let letters: Vec<u32> = decode(cell, u32::from_le_bytes);
    let end = letters.iter().rposition(|&letter| letter != 0).map_or(0, |last| last + 1);
    letters[..end].iter().map(|&letter| char::from_u32(letter)).collect()
}

impl Array {
    /// The values as labels, one a row; an empty text is missing. `None` if there are several a row.
    pub(crate) fn into_labels(self) -> Option<ArrayColumn> {
        if !(self.shape.len() == 1 || (self.shape.len() == 2 && self.shape[1] == 1)) {
            return None;
        }
        Some(match self.data {
            ArrayData::Bytes(bytes) => ArrayColumn::Numbers(bytes.into_iter().map(f64::from).collect()),
            ArrayData::Floats(floats) => ArrayColumn::Numbers(floats.into_iter().map(f64::from).collect()),
            ArrayData::Numbers(numbers) => ArrayColumn::Numbers(numbers),
            ArrayData::Booleans(values) => ArrayColumn::Booleans(values),
            ArrayData::Texts(texts) => {
                ArrayColumn::Texts(texts.into_iter().map(|text| (!text.is_empty()).then_some(text)).collect())
            }
        })
    }
}

#[cfg(test)]
mod tests;
