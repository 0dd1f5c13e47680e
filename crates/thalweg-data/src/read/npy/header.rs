//! The header of an NPY file: which type, which sizes.

use crate::read::{ReadError, bytes};

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type: `<f4`.
    pub(super) descr: String,
    /// One size per dimension; none is 0.
    pub(super) shape: Vec<usize>,
}

/// The header and what is behind it.
pub(super) fn parse<'a>(source: &str, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), ReadError> {
    let bad = |problem: &str, remedy| ReadError::BadNpy {
        source_name: source.to_owned(),
        problem: problem.to_owned(),
        remedy,
    };
    const AGAIN: &str = "save it again with numpy.save";
    let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
        return Err(bad("it does not start like one", "save the array with numpy.save(\"x.npy\", x)"));
    };
    let cut = || bad("it ends within its header", AGAIN);
    let (len, rest) = match *rest {
        [1, _, low, high, ..] => (usize::from(u16::from_le_bytes([low, high])), &rest[4..]),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, &rest[6..]),
        [version, _, ..] if !(1..=3).contains(&version) => {
            return Err(bad(&format!("its header is of version {version}, and 1 to 3 are known"), AGAIN));
        }
        _ => return Err(cut()),
    };
    let (text, body) = rest.split_at_checked(len).ok_or_else(cut)?;
    let text = std::str::from_utf8(text).map_err(|_| bad("its header is no text", AGAIN))?;
    let unread = || bad(&format!("its header says «{}»", text.trim()), AGAIN);
    let quoted = |value: &str| {
        value.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|found| found.0.to_owned())
    };
    let descr = value(text, "'descr':").ok_or_else(unread)?;
    let Some(descr) = quoted(descr) else {
        return Err(bad("it is a structured array, or of Python objects", "save one plain array a file"));
    };
    match value(text, "'fortran_order':").ok_or_else(unread)? {
        order if order.starts_with("False") => {}
        order if order.starts_with("True") => {
            return Err(bad(
                "it is in Fortran order",
                "save it with numpy.save(FILE, numpy.ascontiguousarray(x))",
            ));
        }
        _ => return Err(unread()),
    }
    let shape = value(text, "'shape':").and_then(sizes).ok_or_else(unread)?;
    if shape.is_empty() {
        return Err(bad("it is a single value", "save an array with a row per example"));
    }
    bytes::check_sizes(source, &shape)?;
    Ok((Header { descr, shape }, body))
}

/// What stands behind a key.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    Some(text[text.find(key)? + key.len()..].trim_start())
}

/// `(2, 3)`, `(2,)` or `()`.
fn sizes(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let inside = inside.trim().trim_end_matches(',');
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside.split(',').map(|size| size.trim().parse().ok()).collect()
}
