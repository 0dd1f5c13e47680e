//! Does the first row name the columns, and how are they named?

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
    let given: Vec<&str> = columns.iter().map(|cells| cells.get(0)).collect();
    for (second, name) in given.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = given[..second].iter().position(|other| other == name) {
            let (name, source_name) = ((*name).to_owned(), source_name.to_owned());
            return Err(ReadError::DuplicateColumn {
                source_name,
                line,
                name,
                first: first + 1,
                second: second + 1,
            });
        }
    }
    let unnamed = |at: usize| {
        let mut name = format!("unnamed_{}", at + 1);
        while given.contains(&name.as_str()) {
            name.push('_');
        }
        name
    };
    Ok(given
        .iter()
        .enumerate()
        .map(|(at, name)| if name.is_empty() { unnamed(at) } else { (*name).to_owned() })
        .collect())
}
