//! The room from outside: through files and the public interface only.

mod bad_input;
mod builtin;
mod codes;
mod dabl;
mod fingerprint;
mod golden;
mod images;
mod invariants;
mod leakage;
mod new_rows;
mod properties;
mod roles;

use thalweg_data::read::csv::{CsvOptions, parse};
use thalweg_data::{DataError, Dataset, DatasetSpec};

/// The data set that a text makes, with `y` as the target unless the specification says otherwise.
fn dataset(text: &str, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let options = CsvOptions { header: spec.header, extra_missing: spec.missing.clone() };
    let table = parse("t.csv", text.as_bytes().to_vec(), &options)?;
    let defaults = DatasetSpec { target: Some("y".to_owned()), ..DatasetSpec::default() };
    Dataset::from_table(&table, &spec.or(&defaults))
}

/// A specification in JSON, as a front end would give it.
fn spec(json: &str) -> DatasetSpec {
    serde_json::from_str(json).expect("a specification")
}

/// `header`, then `rows` lines made from their number.
fn csv(header: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = format!("{header}\n");
    (0..rows).for_each(|row| text.push_str(&(line(row) + "\n")));
    text
}
