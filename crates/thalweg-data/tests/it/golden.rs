//! The preparation agrees with scikit-learn, number by number.

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_data::{Preparation, Prepared, Split, Targets, View};

use crate::dataset;

#[derive(Deserialize)]
struct Golden {
    train_rows: u32,
    y_scaled: Vec<f64>,
    columns: BTreeMap<String, Vec<f64>>,
}

#[test]
fn every_prepared_value_is_that_of_scikit_learn() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../goldens/preparation.json")).expect("a golden file");
    let spec = crate::spec(r#"{"keep": ["plain", "far", "y"]}"#);
    assert!(
        dataset(include_str!("../../goldens/preparation.csv"), &spec).is_err(),
        "a target cannot be kept"
    );
    let data =
        dataset(include_str!("../../goldens/preparation.csv"), &Default::default()).expect("a data set");
    let rows = data.rows() as u32;
    let split =
        Split::new(data.rows(), (0..golden.train_rows).collect(), (golden.train_rows..rows).collect());
    let (train, test) = split.views(&data);
    let preparation = Preparation::fit(&train);
    let mut names: Vec<&String> = preparation.feature_names().iter().collect();
    names.sort();
    assert_eq!(names, golden.columns.keys().collect::<Vec<_>>());
    check(&golden, &preparation, &preparation.apply(&train), train.rows());
    check(&golden, &preparation, &preparation.apply(&test), test.rows());
}

fn check(golden: &Golden, preparation: &Preparation, prepared: &Prepared, rows: &[u32]) {
    assert_eq!(prepared.width, preparation.width());
    let Targets::Values { raw, scaled } = &prepared.y else { panic!("not a regression") };
    for (at, &row) in rows.iter().enumerate() {
        for (column, name) in preparation.feature_names().iter().enumerate() {
            close(prepared.x[at * prepared.width + column], golden.columns[name][row as usize], name, row);
        }
        close(scaled[at], golden.y_scaled[row as usize], "y", row);
        assert!((preparation.restore_target(scaled[at]) - raw[at]).abs() < 1e-4);
    }
}

fn close(ours: f32, theirs: f64, name: &str, row: u32) {
    let error = (f64::from(ours) - theirs).abs();
    assert!(error <= 1e-6 * theirs.abs().max(1.0), "{name}, row {row}: {ours} for {theirs}");
}
