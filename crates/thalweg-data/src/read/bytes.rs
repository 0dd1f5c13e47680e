//! From a path to UTF-8 text: opening, unpacking, decoding.

use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::ReadError;

/// The bytes of a file.
pub(super) fn load(path: &Path) -> Result<Vec<u8>, ReadError> {
    let fail = |cause: std::io::Error| match cause.kind() {
        ErrorKind::NotFound => ReadError::NoSuchFile { path: path.to_owned() },
        ErrorKind::IsADirectory => ReadError::Folder { path: path.to_owned() },
        _ => ReadError::Unreadable { path: path.to_owned(), cause },
    };
    if std::fs::metadata(path).map_err(fail)?.is_dir() {
        return Err(ReadError::Folder { path: path.to_owned() });
    }
    std::fs::read(path).map_err(fail)
}

/// Whether bytes start like gzip.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Refuses a block in which nothing is, or more rows than can be counted.
pub(super) fn check_sizes(source_name: &str, sizes: &[usize]) -> Result<(), ReadError> {
    let source_name = source_name.to_owned();
    if sizes.contains(&0) {
        return Err(ReadError::EmptyBlock { source_name, sizes: times(sizes) });
    }
    // Row numbers are `u32`, whose largest value means «missing».
    match sizes.first() {
        Some(&rows) if rows >= u32::MAX as usize => Err(ReadError::TooManyRowsInBlock { source_name, rows }),
        _ => Ok(()),
    }
}

/// A block that says it has `sizes` numbers of `width` bytes, and has not.
pub(super) fn wrong_length(source_name: &str, sizes: &[usize], width: u64, found: u64) -> ReadError {
    let bytes = sizes.iter().try_fold(width, |product, &size| product.checked_mul(size as u64));
    ReadError::WrongLength {
        source_name: source_name.to_owned(),
        sizes: times(sizes),
        expected: bytes.unwrap_or(u64::MAX),
        found,
    }
}

fn times(sizes: &[usize]) -> String {
    sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ")
}

/// The text of `bytes`: unpacked if they start like gzip (whatever the file's name), without a byte order mark.
pub(super) fn decode(source_name: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    let mut bytes = if is_gzip(&bytes) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut unpacked)
            .map_err(|cause| ReadError::CorruptGzip { source_name: source_name.to_owned(), cause })?;
        unpacked
    } else {
        bytes
    };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..valid].iter().filter(|&&byte| byte == b'\n').count() as u64;
        ReadError::NotUtf8 { source_name: source_name.to_owned(), line, guess: guess(bytes) }
    })
}

/// What a file that is not UTF-8 may be, by its first bytes.
fn guess(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it looks like UTF-16)",
        [b'P', b'K', 3, 4, ..] => " (it looks like a zip archive or a spreadsheet)",
        [b'P', b'A', b'R', b'1', ..] => " (it looks like Parquet)",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, ..] => " (it looks like an image)",
        _ => " (perhaps it is Latin-1 or Windows-1252)",
    }
}
