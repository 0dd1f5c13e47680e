//! Rows of a table that a model predicts, part by part: a prepared row is many times as large as a raw one.

use std::ops::Range;

use thalweg_data::{Column, Schema, Table, Values};

/// Rows that are prepared and predicted at once.
pub(super) const CHUNK: usize = 16_384;

/// Whether all rows can be predicted once the first can: what is wrong with a column is then wrong with it everywhere.
pub(super) fn sound(table: &Table, schema: &Schema) -> bool {
    schema.columns.iter().all(|wanted| {
        let found = table.columns.iter().find(|column| column.name == wanted.name);
        found.is_some_and(|column| column.not_finite.is_none())
    })
}

/// The columns that the schema names, in some rows of a table that is [`sound`].
pub(super) fn part(table: &Table, schema: &Schema, rows: Range<usize>) -> Table {
    let wanted = |column: &&Column| schema.columns.iter().any(|wanted| wanted.name == column.name);
    let columns = table.columns.iter().filter(wanted).map(|column| Column {
        name: column.name.clone(),
        values: slice(&column.values, rows.clone()),
        not_finite: None,
    });
    let lines = table.lines.get(rows.clone()).unwrap_or_default().to_vec();
    Table { name: table.name.clone(), source: table.source.clone(), columns: columns.collect(), lines }
}

fn slice(values: &Values, rows: Range<usize>) -> Values {
    match values {
        Values::Integers(values) => Values::Integers(values[rows].to_vec()),
        Values::Reals(values) => Values::Reals(values[rows].to_vec()),
        Values::Dates(values) => Values::Dates(values[rows].to_vec()),
        Values::Booleans { values, names } => {
            Values::Booleans { values: values[rows].to_vec(), names: names.clone() }
        }
        Values::Text { codes, levels } => {
            Values::Text { codes: codes[rows].to_vec(), levels: levels.clone() }
        }
    }
}
