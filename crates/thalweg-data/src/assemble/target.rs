//! The target: classes or numbers?

use super::{number_codes, pick, used_levels};
use crate::dataset::Target;
use crate::error::DataError;
use crate::spec::{DatasetSpec, TaskChoice};
use crate::table::{Column, Table, Values};

/// The most distinct whole numbers that are taken as classes without being asked.
const CLASSES: usize = 20;

/// A text column of which this share are numbers is a damaged column of numbers, not classes.
pub(super) const NEARLY_ALL: f64 = 0.9;

/// The target of the kept rows.
pub(super) fn target(
    table: &Table,
    at: usize,
    spec: &DatasetSpec,
    rows: &[u32],
    warnings: &mut Vec<String>,
) -> Result<Target, DataError> {
    let column = &table.columns[at];
    let lagged = spec.lags.is_some_and(|lags| lags > 0);
    let classes = match spec.task {
        TaskChoice::Classification => true,
        TaskChoice::Regression => false,
        TaskChoice::Auto => !lagged && looks_like_classes(column, rows, warnings),
    };
    let target = if classes { self::classes(&column.values, rows) } else { values(table, column, rows)? };
    refuse_constant(table, column, &target)?;
    Ok(target)
}

/// The rule of [`TaskChoice::Auto`].
fn looks_like_classes(column: &Column, rows: &[u32], warnings: &mut Vec<String>) -> bool {
    let numbers = match &column.values {
        Values::Text { codes, levels } => {
            // A few broken cells would otherwise turn a number to predict into hundreds of classes.
            let is_number = |&&row: &&u32| {
                levels.get(codes[row as usize] as usize).is_some_and(|level| level.parse::<f64>().is_ok())
            };
            return (rows.iter().filter(is_number).count() as f64) < NEARLY_ALL * rows.len() as f64;
        }
        Values::Booleans { .. } => return true,
        Values::Dates(_) => return false,
        Values::Integers(values) | Values::Reals(values) => pick(values, rows),
    };
    if numbers.iter().any(|value| value.fract() != 0.0) {
        return false;
    }
    let distinct = number_codes(&numbers).1.len();
    let classes = distinct <= CLASSES && distinct <= (rows.len() / 20).max(2);
    let (taken, instead) = if classes {
        ("as classes", "--task regression predicts it as a number")
    } else {
        ("as a number", "--task classification takes each value as a class")
    };
    if (3..=CLASSES).contains(&distinct) {
        warnings.push(format!(
            "The target «{}» has {distinct} whole values and is taken {taken}; {instead}.",
            column.name
        ));
    }
    classes
}

/// A class per distinct value, sorted: texts by their bytes, numbers by value.
fn classes(values: &Values, rows: &[u32]) -> Target {
    let (codes, names) = match values {
        Values::Text { codes, levels } => used_levels(&pick(codes, rows), levels),
        _ => {
            let (codes, distinct) = number_codes(&pick(values.numbers().unwrap_or_default(), rows));
            let name = |value: &f64| match values {
                Values::Booleans { names, .. } => names[usize::from(*value == 1.0)].clone(),
                _ => value.to_string(),
            };
            (codes, distinct.iter().map(name).collect())
        }
    };
    Target::Classes { codes, names }
}

/// The numbers to predict.
fn values(table: &Table, column: &Column, rows: &[u32]) -> Result<Target, DataError> {
    let Values::Text { codes, levels } = &column.values else {
        return Ok(Target::Values(pick(column.values.numbers().unwrap_or_default(), rows)));
    };
    // Text as a whole, so some cell is not a finite number; the first one is named.
    let finite = |row: u32| levels[codes[row as usize] as usize].parse::<f64>().is_ok_and(f64::is_finite);
    let row = rows.iter().copied().filter(|&row| !finite(row)).min().unwrap_or(rows[0]);
    let cell = levels[codes[row as usize] as usize].clone();
    Err(DataError::NonNumericTarget { place: table.place(row as usize), column: column.name.clone(), cell })
}

fn refuse_constant(table: &Table, column: &Column, target: &Target) -> Result<(), DataError> {
    let only = match target {
        Target::Classes { names, .. } => (names.len() == 1).then(|| names[0].clone()),
        Target::Values(values) => {
            values.iter().all(|value| *value == values[0]).then(|| values[0].to_string())
        }
    };
    match only {
        Some(value) => {
            let (source_name, column) = (table.source.clone(), column.name.clone());
            Err(DataError::ConstantTarget { source_name, column, value })
        }
        None => Ok(()),
    }
}
