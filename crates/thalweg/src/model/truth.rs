//! The target's own column in new data, where it is there: what predictions are scored against.

use thalweg_data::{ArrayColumn, DataError, MISSING, Schema, Table, Target, Values};
use thalweg_eval::{Metric, Truth};
use thalweg_learn::train::Predictions;

/// The rows that have a target, and what it is.
#[derive(Debug)]
pub struct KnownTruth {
    rows: Vec<usize>,
    target: Target,
    /// Cells that are no target that was there in training: their number and the first.
    pub strange: Option<(usize, String)>,
}

impl KnownTruth {
    /// The truth in a table that was read with the schema; `None` if the target's column is not there, or is empty.
    pub fn of(table: &Table, schema: &Schema) -> Option<Self> {
        let column = &table.columns[table.position(&schema.target.name)?];
        let texts = (0..table.rows()).map(|row| cell(&column.values, row));
        let mut strange: Option<(usize, String)> = None;
        let mut refuse = |text: &str| match &mut strange {
            Some((count, _)) => *count += 1,
            None => strange = Some((1, text.to_owned())),
        };
        let mut rows = Vec::new();
        let target = match &schema.target.classes {
            Some(names) => {
                let mut codes = Vec::new();
                for (row, text) in texts.enumerate().filter_map(|(row, text)| Some((row, text?))) {
                    match names.iter().position(|name| *name == text) {
                        Some(code) => {
                            rows.push(row);
                            codes.push(code as u32);
                        }
                        None => refuse(&text),
                    }
                }
                Target::Classes { codes, names: names.clone() }
            }
            None => {
                let mut values = Vec::new();
                for (row, text) in texts.enumerate().filter_map(|(row, text)| Some((row, text?))) {
                    match text.parse::<f64>().ok().filter(|value| value.is_finite()) {
                        Some(value) => {
                            rows.push(row);
                            values.push(value);
                        }
                        None => refuse(&text),
                    }
                }
                Target::Values(values)
            }
        };
        (!rows.is_empty() || strange.is_some()).then_some(Self { rows, target, strange })
    }

    /// The truth in the labels of images.
    ///
    /// # Errors
    /// If they are no labels: ∞ among numbers.
    pub fn of_labels(labels: ArrayColumn, schema: &Schema) -> Result<Option<Self>, DataError> {
        let table = Table::from_arrays("the labels", vec![(schema.target.name.clone(), labels)])?;
        Ok(Self::of(&table, schema))
    }

    /// How many rows have a target.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The score of all rows' predictions where there is a target; `None` where it is not defined.
    pub fn score(&self, metric: Metric, predictions: &Predictions) -> Option<f64> {
        if self.rows.is_empty() {
            return None;
        }
        match (&self.target, predictions) {
            (Target::Classes { codes, .. }, Predictions::Probabilities { values, classes }) => {
                let known = self.rows.iter().flat_map(|row| &values[row * classes..][..*classes]).copied();
                let known = Predictions::Probabilities { values: known.collect(), classes: *classes };
                metric.score(Truth::Classes(codes), (&known).into())
            }
            (Target::Values(truth), Predictions::Values(values)) => {
                let known = Predictions::Values(self.rows.iter().map(|&row| values[row]).collect());
                metric.score(Truth::Values(truth), (&known).into())
            }
            _ => None,
        }
    }
}

/// A cell as training wrote it: numbers in their shortest form, booleans in lower case.
fn cell(values: &Values, row: usize) -> Option<String> {
    match values {
        Values::Text { codes, levels } => {
            (codes[row] != MISSING).then(|| levels[codes[row] as usize].clone())
        }
        Values::Booleans { values, names } => {
            (!values[row].is_nan()).then(|| names[usize::from(values[row] == 1.0)].clone())
        }
        Values::Integers(values) | Values::Reals(values) | Values::Dates(values) => {
            (!values[row].is_nan()).then(|| values[row].to_string())
        }
    }
}
