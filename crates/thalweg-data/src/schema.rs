//! What a new file must hold to be prepared like the one that was trained on: its columns, and how each is read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg_optim::suggest::did_you_mean;

use crate::dataset::{Dataset, Feature, FeatureColumn, MISSING};
use crate::error::DataError;
use crate::images::ImageShape;
use crate::read::csv;
use crate::table::{Column, Table, Values};

/// How a column's texts are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// A number.
    Number,
    /// One of two words, as 0 and 1; upper and lower case are one.
    Boolean([String; 2]),
    /// An ISO 8601 date, as days since 1970-01-01T00:00.
    Date,
    /// A text, compared letter by letter.
    Category,
}

/// How a data set's texts were read, where its columns do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The booleans and dates among the features, by name.
    pub kinds: BTreeMap<String, ColumnKind>,
    /// Texts that mean «missing», beside those that always do.
    pub missing: Vec<String>,
}

/// The columns of a data set by name and kind, and its target: what is kept beside a model, so that new rows are read
/// as the training rows were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Schema {
    /// The features, in the order of the preparation.
    pub columns: Vec<SchemaColumn>,
    /// The shape of a row that is an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// What is predicted. A new file need not have it.
    pub target: SchemaTarget,
    /// Texts that mean «missing», beside those that always do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A feature by name and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SchemaColumn {
    /// The column's name in the file.
    pub name: String,
    /// How it is read.
    pub kind: ColumnKind,
}

/// The target by name and, if it is classes, by their names in the order of their codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SchemaTarget {
    /// The column's name in the file.
    pub name: String,
    /// The class names; `None` for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
}

impl Dataset {
    /// The data set's columns and target, without their values.
    pub fn schema(&self) -> Schema {
        let kind = |feature: &Feature| match (&feature.column, self.reading.kinds.get(&feature.name)) {
            (FeatureColumn::Categories { .. }, _) => ColumnKind::Category,
            (FeatureColumn::Numbers(_), Some(kind)) => kind.clone(),
            (FeatureColumn::Numbers(_), None) => ColumnKind::Number,
        };
        let column = |feature: &Feature| SchemaColumn { name: feature.name.clone(), kind: kind(feature) };
        let classes = self.class_names();
        Schema {
            columns: self.features.iter().map(column).collect(),
            image: self.image_shape(),
            target: SchemaTarget {
                name: self.target_name.clone(),
                classes: (!classes.is_empty()).then(|| classes.to_vec()),
            },
            missing: self.reading.missing.clone(),
        }
    }
}

impl Schema {
    /// Reads a CSV file of new rows. Columns that were text in training stay text, whatever their new cells look like.
    /// The first row names the columns, unless they had no names in training (`c1`, `c2`, …).
    ///
    /// # Errors
    /// See [`ReadError`](crate::ReadError).
    pub fn read(&self, path: &Path) -> Result<Table, DataError> {
        Ok(csv::read_like(path, self)?)
    }

    /// As [`Schema::read`], from bytes that are already in memory (plain or gzipped), called `name` in errors.
    ///
    /// # Errors
    /// See [`ReadError`](crate::ReadError).
    pub fn parse(&self, name: &str, bytes: Vec<u8>) -> Result<Table, DataError> {
        Ok(csv::parse_like(name, bytes, self)?)
    }

    /// Every text that means «missing» in these data, each once; the first is the empty one.
    pub fn missing_texts(&self) -> Vec<&str> {
        let own = self.missing.iter().map(|token| token.trim());
        let mut texts = crate::infer::MISSING_TOKENS.to_vec();
        own.for_each(|token| {
            if !texts.contains(&token) {
                texts.push(token);
            }
        });
        texts
    }

    /// Whether the column of that name is to be read as text.
    pub(crate) fn is_text(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name && column.kind == ColumnKind::Category)
    }

    /// The features of a table, by name: their order may be another, and further columns are not looked at.
    pub(crate) fn features(&self, table: &Table) -> Result<Vec<Feature>, DataError> {
        let feature = |wanted: &SchemaColumn| {
            let Some(at) = table.position(&wanted.name) else {
                return Err(missing_column(table, &wanted.name));
            };
            let column = cells(table, &table.columns[at], &wanted.kind)?;
            Ok(Feature { name: wanted.name.clone(), column })
        };
        self.columns.iter().map(feature).collect()
    }
}

fn missing_column(table: &Table, name: &str) -> DataError {
    let hint = did_you_mean(name, table.names());
    DataError::MissingColumn {
        source_name: table.source.clone(),
        name: name.to_owned(),
        hint: if hint.is_empty() { ".".to_owned() } else { hint },
        columns: crate::assemble::list(table.names()),
    }
}

/// A column's cells as they were read in training.
fn cells(table: &Table, column: &Column, kind: &ColumnKind) -> Result<FeatureColumn, DataError> {
    if let Some(bad) = column.not_finite.as_ref().filter(|_| *kind != ColumnKind::Category) {
        let (column, cell) = (column.name.clone(), bad.text.clone());
        return Err(DataError::NotFinite { place: table.place(bad.row), column, cell });
    }
    let empty = column.values.missing() == column.values.len();
    match (kind, &column.values) {
        (ColumnKind::Category, values) => categories(values),
        (_, values) if empty => Some(FeatureColumn::Numbers(vec![f64::NAN; values.len()])),
        (ColumnKind::Number, Values::Integers(values) | Values::Reals(values))
        | (ColumnKind::Date, Values::Dates(values)) => Some(FeatureColumn::Numbers(values.clone())),
        (ColumnKind::Boolean(words), Values::Booleans { values, names }) if words == names => {
            Some(FeatureColumn::Numbers(values.clone()))
        }
        _ => None,
    }
    .ok_or_else(|| wrong_kind(table, column, kind))
}

/// Levels of their own for each distinct text; numbers and booleans by their usual text.
fn categories(values: &Values) -> Option<FeatureColumn> {
    let texts: Vec<Option<String>> = match values {
        Values::Text { codes, levels } => {
            return Some(FeatureColumn::Categories { codes: codes.clone(), levels: levels.clone() });
        }
        Values::Dates(days) if days.iter().any(|day| !day.is_nan()) => return None,
        Values::Integers(values) | Values::Reals(values) | Values::Dates(values) => {
            values.iter().map(|value| (!value.is_nan()).then(|| value.to_string())).collect()
        }
        Values::Booleans { values, names } => {
            let word = |value: &f64| (!value.is_nan()).then(|| names[usize::from(*value == 1.0)].clone());
            values.iter().map(word).collect()
        }
    };
    let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
    levels.sort_unstable();
    levels.dedup();
    let code = |text: &String| levels.binary_search(text).map_or(MISSING, |at| at as u32);
    let codes = texts.iter().map(|text| text.as_ref().map_or(MISSING, code)).collect();
    Some(FeatureColumn::Categories { codes, levels })
}

/// Names the first cell that is not of the kind.
fn wrong_kind(table: &Table, column: &Column, kind: &ColumnKind) -> DataError {
    let fits = |text: &str| match kind {
        ColumnKind::Number => text.parse::<f64>().is_ok(),
        ColumnKind::Boolean(words) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
        ColumnKind::Date => crate::date::parse_days(text).is_some(),
        ColumnKind::Category => false,
    };
    let given = |row: &usize| !column.values.is_missing(*row);
    let text = |row: usize| match &column.values {
        Values::Text { codes, levels } => levels[codes[row] as usize].clone(),
        Values::Booleans { values, names } => names[usize::from(values[row] == 1.0)].clone(),
        Values::Dates(_) => "a date".to_owned(),
        Values::Integers(values) | Values::Reals(values) => values[row].to_string(),
    };
    let rows = || (0..column.values.len()).filter(given);
    let row = rows().find(|&row| !fits(&text(row))).or_else(|| rows().next()).unwrap_or(0);
    DataError::WrongKind {
        place: table.place(row),
        column: column.name.clone(),
        cell: text(row),
        expected: match kind {
            ColumnKind::Number => "a number".to_owned(),
            ColumnKind::Boolean([no, yes]) => format!("«{no}» or «{yes}»"),
            ColumnKind::Date => "a date such as 2024-01-31".to_owned(),
            ColumnKind::Category => "a text".to_owned(),
        },
    }
}
