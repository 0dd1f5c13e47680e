//! IDX, the format of MNIST: a block of bytes with its sizes in front, plain or gzipped.
//!
//! Two zero bytes, the type of the numbers (08: a byte; no other is read), how many sizes there are, each size as four
//! bytes, the most significant first, then the numbers, the last size's running fastest. Images are `idx3` (row,
//! height, width) or `idx4` (with channels behind), labels `idx1`. Source: Y. LeCun, C. Cortes and C. Burges, «The MNIST
//! database of handwritten digits».

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{ReadError, bytes};
use crate::images::{ImageShape, Images, Pixels};

/// Whether a file of this name is IDX.
pub(crate) fn is_idx(file_name: &str) -> bool {
    let name = file_name.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    plain.ends_with("-ubyte") || plain.ends_with(".idx")
}

/// The usual names of the labels' file beside a file of images: with or without `.gz`, as the images are first.
pub(crate) fn labels_beside(images: &Path) -> Vec<PathBuf> {
    let name = images.file_name().unwrap_or_default().to_string_lossy();
    let renamed = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    if renamed == name {
        return Vec::new();
    }
    let other = renamed.strip_suffix(".gz").map_or(format!("{renamed}.gz"), str::to_owned);
    [renamed, other].iter().map(|name| images.with_file_name(name)).collect()
}

/// The images of a file.
///
/// # Errors
/// See [`ReadError`].
pub fn images(path: &Path) -> Result<Images, ReadError> {
    parse_images(&path.display().to_string(), bytes::load(path)?)
}

/// The labels of a file, 0 to 255.
///
/// # Errors
/// See [`ReadError`].
pub fn labels(path: &Path) -> Result<Vec<u8>, ReadError> {
    parse_labels(&path.display().to_string(), bytes::load(path)?)
}

fn parse_images(source: &str, bytes: Vec<u8>) -> Result<Images, ReadError> {
    let (sizes, pixels) = parse(source, &bytes, &[3, 4], "images (00 00 08 03, or 04 with channels)")?;
    let shape =
        ImageShape { height: sizes[1], width: sizes[2], channels: sizes.get(3).copied().unwrap_or(1) };
    Ok(Images { shape, pixels: Pixels::Bytes(pixels) })
}

fn parse_labels(source: &str, bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    Ok(parse(source, &bytes, &[1], "labels (00 00 08 01)")?.1)
}

/// The sizes and the numbers.
fn parse(
    source: &str,
    bytes: &[u8],
    dimensions: &[u8],
    expected: &'static str,
) -> Result<(Vec<usize>, Vec<u8>), ReadError> {
    let mut packed = MultiGzDecoder::new(bytes);
    let mut plain = bytes;
    let reader: &mut dyn Read = if bytes::is_gzip(bytes) { &mut packed } else { &mut plain };
    let mut take = |count: u64| {
        // As much as there is, however much is claimed.
        let mut taken = Vec::new();
        let read = (&mut *reader).take(count).read_to_end(&mut taken);
        let corrupt = |cause| ReadError::CorruptGzip { source_name: source.to_owned(), cause };
        read.map(|_| taken).map_err(corrupt)
    };
    let magic = take(4)?;
    if magic.len() < 4 || magic[..3] != [0, 0, 8] || !dimensions.contains(&magic[3]) {
        let found: Vec<String> = magic.iter().map(|byte| format!("{byte:02x}")).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" ") };
        return Err(ReadError::NotIdx { source_name: source.to_owned(), expected, found });
    }
    let count = usize::from(magic[3]);
    let header = take(4 * count as u64)?;
    let sizes: Vec<usize> = header
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize)
        .collect();
    if sizes.len() < count {
        let (source_name, sizes) = (source.to_owned(), format!("{count} sizes"));
        return Err(ReadError::WrongLength {
            source_name,
            sizes,
            expected: 4 * count as u64,
            found: header.len() as u64,
        });
    }
    bytes::check_sizes(source, &sizes)?;
    let claimed = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let mut numbers = take(claimed.unwrap_or(u64::MAX).saturating_add(1))?;
    if claimed != Some(numbers.len() as u64) {
        return Err(bytes::wrong_length(source, &sizes, 1, numbers.len() as u64));
    }
    numbers.shrink_to_fit();
    Ok((sizes, numbers))
}

#[cfg(test)]
mod tests;
