//! What is predicted is what the model said in memory.

use thalweg::data::{DatasetSpec, TrainView};
use thalweg::eval::SplitSpec;
use thalweg::learn::Recipe;
use thalweg::learn::nn::Loss;
use thalweg::learn::train::Predictions;
use thalweg::model::{Ready, Trained, Training};
use thalweg::optim::{OptimizerSpec, Threads};

use super::{MIXED, mixed, with_model};
use crate::common::{Folder, csv};

/// The records of a CSV text, the header first.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.expect("CSV").iter().map(str::to_owned).collect()).collect()
}

fn trained(path: &str) -> Trained {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let spec = DatasetSpec {
        target: Some("y".to_owned()),
        keep: names(&["joined"]),
        ignore: names(&["price"]),
        ..DatasetSpec::default()
    };
    let data = thalweg::data::open(path, &spec).expect("a data set");
    let recipe = Recipe {
        hidden: vec![6],
        epochs: 3,
        patience: Some(10),
        loss: Loss::Binary,
        optimizer: OptimizerSpec::named("adam"),
        learning_rate: 1e-3,
        ..Recipe::default()
    };
    let training = Training {
        recipe,
        split: SplitSpec::default(),
        validation: 0.2,
        metric: None,
        seed: 0,
        threads: None,
    };
    let trained = Ready::new(training, &data).expect("settings").train(&|| true).expect("a model");
    // Prepared by the view of a training and by the schema, rows are the same.
    let prepared = trained.saved.preparation.apply(&TrainView::all(&data));
    let table = trained.saved.schema.read(path.as_ref()).expect("a table");
    let inputs = trained.saved.preparation.apply_table(&table, &trained.saved.schema).expect("columns");
    assert_eq!(prepared.x, inputs.x);
    trained
}

#[test]
fn predictions_are_those_of_the_model_in_memory() {
    let folder = with_model("predict-memory");
    let path = folder.path().join("mixed.csv").display().to_string();
    let Trained { saved, report } = trained(&path);
    let mut expected = Vec::new();
    let table = saved.schema.read(path.as_ref()).expect("a table");
    saved
        .predict(&Threads::new(2).unwrap(), &table, &mut |part| {
            let Predictions::Probabilities { values, classes: 2 } = part else { panic!("two classes") };
            expected.extend(values);
            Ok::<(), thalweg::data::DataError>(())
        })
        .expect("predictions");
    let ran = folder.good("predict m mixed.csv --format csv");
    let found = records(&ran.out);
    assert_eq!(found[0], ["prediction", "p(high)", "p(low)"]);
    assert_eq!(found.len(), 261);
    for (row, (found, expected)) in found[1..].iter().zip(expected.chunks_exact(2)).enumerate() {
        let wanted: Vec<String> = expected.iter().map(f32::to_string).collect();
        assert_eq!(found[1..], wanted, "row {row}");
        assert_eq!(found[0], if expected[0] >= expected[1] { "high" } else { "low" }, "row {row}");
    }
    // The score of the file is told: accuracy from the same predictions.
    let hits =
        found[1..].iter().zip(&records(&mixed(260))[1..]).filter(|(found, row)| found[0] == row[6]).count();
    assert!(ran.err.starts_with(&format!("accuracy {:.4}", hits as f64 / 260.0)), "{}", ran.err);
    assert!(ran.err.contains("260 rows with a target"), "{}", ran.err);
    assert_eq!((report.rows, report.training.rows + report.validation.expect("a part").rows), (260, 260));
}

#[test]
fn columns_are_found_by_name_and_further_ones_not_looked_at() {
    let folder = with_model("predict-order");
    let rows = records(&mixed(260));
    // The features backwards, without the target, with a column that nobody knows.
    let turned: String = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row[..6].iter().rev().map(|cell| format!("\"{cell}\"")).collect();
            format!("{},note\n", cells.join(","))
        })
        .collect();
    folder.write("turned.csv", turned);
    let plain = folder.good("predict m mixed.csv --format csv --quiet");
    let turned = folder.good("predict m turned.csv --format csv");
    assert_eq!((plain.err.as_str(), turned.err.as_str()), ("", ""));
    assert_eq!(plain.out, turned.out);
}

#[test]
fn every_format_says_the_same() {
    let folder = with_model("predict-formats");
    let csv = records(&folder.good("predict m mixed.csv --format csv --quiet").out);
    let json = folder.good("predict m mixed.csv --format json --quiet").out;
    assert_eq!(json.lines().count(), 262, "an object per line");
    let items: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let table = folder.good("predict m mixed.csv --quiet").out;
    for (row, record) in csv[1..].iter().enumerate() {
        assert_eq!(items[row]["prediction"], record[0].as_str());
        let high = items[row]["probabilities"]["high"].as_f64().expect("a probability");
        assert_eq!(high.to_string(), record[1].parse::<f64>().expect("a number").to_string());
        let line: Vec<&str> = table.lines().nth(row + 2).expect("a line").split_whitespace().collect();
        assert_eq!(line[..2], [(row + 1).to_string().as_str(), record[0].as_str()]);
        assert_eq!(line[2], format!("{:.4}", record[1].parse::<f32>().expect("a number")));
    }
    // A file is the same bytes, and nothing stands on standard output.
    let ran = folder.good("predict m mixed.csv --out p.csv --quiet");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let written = std::fs::read_to_string(folder.path().join("p.csv")).expect("a file");
    assert_eq!(written, folder.good("predict m mixed.csv --format csv --quiet").out);
}

#[test]
fn values_come_in_the_targets_own_unit() {
    let folder = Folder::new("predict-values");
    let row = |i: usize| format!("{i},{}", 1000 + 3 * i);
    folder.write("line.csv", csv("x,y", 60, row));
    folder.good("train line.csv --target y --network linear --keep x --optimizer lbfgs --batch-size full --out m --quiet");
    let ran = folder.good("predict m line.csv --format csv");
    for (i, record) in records(&ran.out)[1..].iter().enumerate() {
        let value: f64 = record[0].parse().expect("a number");
        assert!((value - (1000 + 3 * i) as f64).abs() < 0.5, "row {i}: {value}");
    }
    assert!(ran.err.starts_with("rmse 0."), "{}", ran.err);
}

#[test]
fn a_target_that_training_never_saw_is_not_scored() {
    let folder = with_model("predict-strange");
    let header = "age,joined,member,city,job,flat,y\n";
    folder.write(
        "new.csv",
        format!("{header}1,2020-01-01,no,Rome,j01,5,huge\n2,2020-01-02,no,Rome,j01,5,low\n"),
    );
    let ran = folder.good("predict m new.csv --format csv");
    assert_eq!(records(&ran.out).len(), 3);
    assert!(ran.err.contains("on the 1 rows") && ran.err.contains("«huge»"), "{}", ran.err);
}

#[test]
fn many_rows_are_predicted_in_parts() {
    let folder = with_model("predict-many");
    let small = records(&folder.good("predict m mixed.csv --format csv --quiet").out);
    let text = mixed(260);
    let (header, rows) = text.split_once('\n').expect("a header");
    folder.write("many.csv", format!("{header}\n{}", rows.repeat(100)));
    let many = records(&folder.good("predict m many.csv --format csv --quiet").out);
    assert_eq!(many.len(), 26_001);
    assert!(many[1..].iter().enumerate().all(|(row, record)| *record == small[row % 260 + 1]));
}

#[test]
fn a_recipe_trains_the_same_model_again() {
    let folder = with_model("predict-again");
    // All that the recipe does not hold is what the data are.
    folder.good(
        "train mixed.csv --target y --keep joined --ignore price --config m/recipe.toml --quiet --out n",
    );
    for file in ["model.safetensors", "recipe.toml", "preparation.json"] {
        let read = |model: &str| std::fs::read(folder.path().join(model).join(file)).expect("a file");
        assert!(read("m") == read("n"), "{file}");
    }
    // Another seed is another model.
    folder.good(&format!("train mixed.csv {MIXED} --seed 1 --out o"));
    let weights =
        |model: &str| std::fs::read(folder.path().join(model).join("model.safetensors")).expect("a file");
    assert!(weights("m") != weights("o"));
}

#[test]
fn a_recipe_without_patience_or_hidden_layers_is_the_same_again() {
    let folder = Folder::new("predict-recipe");
    // It would stop after ten epochs without a better score, if it had the usual patience.
    folder.good(
        "train iris --hidden none --patience 0 --optimizer sgd --learning-rate 3 --epochs 40 --quiet --out m",
    );
    let again = folder.json("train iris --config m/recipe.toml --out n");
    assert_eq!(again["epochs"], 40, "{again}");
    for file in ["model.safetensors", "recipe.toml"] {
        let read = |model: &str| std::fs::read(folder.path().join(model).join(file)).expect("a file");
        assert!(read("m") == read("n"), "{file}");
    }
    let recipe = std::fs::read_to_string(folder.path().join("m/recipe.toml")).expect("a recipe");
    assert!(recipe.contains("patience = 0\n") && recipe.contains("hidden = []\n"), "{recipe}");
}
