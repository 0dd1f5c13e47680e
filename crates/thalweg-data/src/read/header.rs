//! Does the first row name the columns, and how are they named?

use std::collections::BTreeMap;

use super::{HeaderMode, ReadError};
use crate::infer::{Cells, Kind, Missing, kind};

/// How many rows are compared with the first.
const ROWS: usize = 1_000;

/// Whether the first row is a header.
pub(super) fn is_header(mode: HeaderMode, columns: &[Cells], missing: Missing<'_>) -> bool {
    match mode {
        HeaderMode::Yes => true,
        HeaderMode::No => false,
        HeaderMode::Auto => {
            let kinds =
                columns.iter().map(|cells| (kind(cells, 0, 1, missing), kind(cells, 1, ROWS, missing)));
            let mut data = false;
            for (first, rest) in kinds {
                if first == Kind::Text && !matches!(rest, Kind::Text | Kind::Nothing) {
                    return true;
                }
                data |= !matches!(first, Kind::Text | Kind::Nothing);
            }
            !data || is_count(columns)
        }
    }
}

/// Whether the first row is 0, 1, 2, …: how an unnamed matrix is saved by pandas. Two columns could be data.
fn is_count(columns: &[Cells]) -> bool {
    let named =
        if columns.first().is_some_and(|cells| cells.get(0).is_empty()) { &columns[1..] } else { columns };
    named.len() > 2 && named.iter().enumerate().all(|(at, cells)| cells.get(0).parse() == Ok(at))
}

/// The columns' names from the first row; an empty one becomes `unnamed_` and its position from 1.
pub(super) fn names(source_name: &str, line: u64, columns: &[Cells]) -> Result<Vec<String>, ReadError> {
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, name) in
        columns.iter().map(|cells| cells.get(0)).enumerate().filter(|(_, name)| !name.is_empty())
    {
        if let Some(first) = given.insert(name, at) {
            return Err(ReadError::DuplicateColumn {
                source_name: source_name.to_owned(),
                line,
                name: name.to_owned(),
                first: first + 1,
                second: at + 1,
            });
        }
    }
    let unnamed = |at: usize| {
        let mut name = format!("unnamed_{}", at + 1);
        while given.contains_key(name.as_str()) {
            name.push('_');
        }
        name
    };
    let name = |(at, cells): (usize, &Cells)| match cells.get(0) {
        "" => unnamed(at),
        name => name.to_owned(),
    };
    Ok(columns.iter().enumerate().map(name).collect())
}
