//! A table from columns in memory, such as NumPy arrays: what they mean is as certain as in a typed file.

use std::collections::BTreeMap;

use crate::dataset::MISSING;
use crate::table::{Column, Table, Values};

/// The cells of a column in memory.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrayColumn {
    /// Numbers; NaN means missing. Whoever gives numbers means numbers: they are never taken for an identifier.
    Numbers(Vec<f64>),
    /// Yes or no.
    Booleans(Vec<bool>),
    /// Texts; `None` means missing.
    Texts(Vec<Option<String>>),
}

impl ArrayColumn {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }
}

/// Why columns make no table.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// Columns of different lengths.
    #[error("column «{first}» has {first_rows} rows, but «{other}» has {other_rows}; they must have as many")]
    Lengths {
        /// The first column.
        first: String,
        /// Its length.
        first_rows: usize,
        /// Another one.
        other: String,
        /// Its length.
        other_rows: usize,
    },
    /// Two columns of one name.
    #[error("two columns are named «{name}»; give each a name of its own")]
    SameName {
        /// The name.
        name: String,
    },
    /// No column, or no row.
    #[error("there are {rows} rows of {columns} columns; at least one of each is needed")]
    Empty {
        /// The rows.
        rows: usize,
        /// The columns.
        columns: usize,
    },
    /// ∞ among the numbers.
    #[error(
        "column «{column}» is {value} at row {row} (counted from 0); numbers must be finite, and NaN marks a missing \
         one"
    )]
    Infinite {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
        /// ∞ or −∞.
        value: f64,
    },
}

impl Table {
    /// A table of named columns in memory, which have as many rows and names that differ.
    ///
    /// # Errors
    /// See [`ArrayError`].
    pub fn from_arrays(name: &str, columns: Vec<(String, ArrayColumn)>) -> Result<Self, ArrayError> {
        let rows = columns.first().map_or(0, |(_, cells)| cells.len());
        if rows == 0 {
            return Err(ArrayError::Empty { rows, columns: columns.len() });
        }
        for (index, (column, cells)) in columns.iter().enumerate() {
            if columns[..index].iter().any(|(other, _)| other == column) {
                return Err(ArrayError::SameName { name: column.clone() });
            }
            if cells.len() != rows {
                let (first, other) = (columns[0].0.clone(), column.clone());
                return Err(ArrayError::Lengths { first, first_rows: rows, other, other_rows: cells.len() });
            }
            if let ArrayColumn::Numbers(values) = cells
                && let Some(row) = values.iter().position(|value| value.is_infinite())
            {
                return Err(ArrayError::Infinite { column: column.clone(), row, value: values[row] });
            }
        }
        let column = |(name, cells)| Column { name, values: values(cells), not_finite: None };
        Ok(Self {
            name: name.to_owned(),
            source: name.to_owned(),
            columns: columns.into_iter().map(column).collect(),
            lines: Vec::new(),
        })
    }
}

fn values(cells: ArrayColumn) -> Values {
    match cells {
        ArrayColumn::Numbers(values) => Values::Reals(values),
        ArrayColumn::Booleans(values) => Values::Booleans {
            values: values.into_iter().map(|yes| f64::from(u8::from(yes))).collect(),
            names: ["false", "true"].map(str::to_owned),
        },
        ArrayColumn::Texts(texts) => dictionary(&texts),
    }
}

/// Codes into the distinct texts, sorted by their bytes.
fn dictionary(texts: &[Option<String>]) -> Values {
    let mut codes: BTreeMap<&str, u32> = texts.iter().flatten().map(|text| (text.as_str(), 0)).collect();
    for (rank, code) in codes.values_mut().enumerate() {
        *code = rank as u32;
    }
    let code = |text: &Option<String>| text.as_deref().map_or(MISSING, |text| codes[text]);
    Values::Text {
        codes: texts.iter().map(code).collect(),
        levels: codes.keys().map(|level| (*level).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, DatasetSpec, Target};

    fn numbers(name: &str, values: &[f64]) -> (String, ArrayColumn) {
        (name.to_owned(), ArrayColumn::Numbers(values.to_vec()))
    }

    fn texts(name: &str, values: &[&str]) -> (String, ArrayColumn) {
        let cell = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
        (name.to_owned(), ArrayColumn::Texts(values.iter().map(cell).collect()))
    }

    #[test]
    fn texts_are_coded_in_the_order_of_their_bytes() {
        let table = Table::from_arrays("t", vec![texts("y", &["pear", "Apple", "", "pear"])]).unwrap();
        let levels = vec!["Apple".to_owned(), "pear".to_owned()];
        assert_eq!(table.columns[0].values, Values::Text { codes: vec![1, 0, MISSING, 1], levels });
    }

    #[test]
    fn a_table_in_memory_becomes_a_data_set() {
        let row_numbers: Vec<f64> = (0..30).map(f64::from).collect();
        let labels: Vec<&str> = (0..30).map(|row| if row % 2 == 0 { "b" } else { "a" }).collect();
        let table = Table::from_arrays("t", vec![numbers("x0", &row_numbers), texts("y", &labels)]).unwrap();
        let spec = DatasetSpec { target: Some("y".to_owned()), ..DatasetSpec::default() };
        let data = Dataset::from_table(&table, &spec).unwrap();
        assert_eq!(data.features.len(), 1, "numbers in memory are no identifier, although a file's would be");
        assert!(matches!(&data.target, Target::Classes { names, .. } if names == &["a", "b"]));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |columns| Table::from_arrays("t", columns).expect_err("no table");
        assert_eq!(refused(vec![]), ArrayError::Empty { rows: 0, columns: 0 });
        assert_eq!(refused(vec![numbers("a", &[])]), ArrayError::Empty { rows: 0, columns: 1 });
        let twice = vec![numbers("a", &[1.0]), numbers("a", &[1.0])];
        assert_eq!(refused(twice), ArrayError::SameName { name: "a".to_owned() });
        let ragged = refused(vec![numbers("a", &[1.0]), numbers("b", &[1.0, 2.0])]);
        assert!(ragged.to_string().contains("«a» has 1 rows, but «b» has 2"), "{ragged}");
        let infinite = refused(vec![numbers("a", &[1.0, f64::NAN, f64::NEG_INFINITY])]);
        assert!(infinite.to_string().contains("is -inf at row 2"), "{infinite}");
    }
}
