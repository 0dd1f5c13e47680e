//! Which column is what, and what the reader is told about it.

use thalweg_data::{Dataset, DatasetSpec, FeatureColumn, MISSING, Target, Task};

use crate::{csv, dataset, spec};

fn load(text: &str, json: &str) -> Dataset {
    dataset(text, &spec(json)).unwrap_or_else(|error| panic!("{error}"))
}

fn names(data: &Dataset) -> Vec<&str> {
    data.features.iter().map(|feature| feature.name.as_str()).collect()
}

fn numbers<'a>(data: &'a Dataset, name: &str) -> &'a [f64] {
    match data.features.iter().find(|feature| feature.name == name).map(|feature| &feature.column) {
        Some(FeatureColumn::Numbers(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

/// Whether exactly one warning has all of these words.
fn warned(data: &Dataset, words: &[&str]) -> bool {
    data.warnings.iter().filter(|warning| words.iter().all(|word| warning.contains(word))).count() == 1
}

#[test]
fn the_task_follows_from_the_target() {
    let of = |json: &str, y: fn(usize) -> String| {
        load(&csv("x,y", 100, |row| format!("{}.5,{}", row * row, y(row))), json).task()
    };
    assert_eq!(of("{}", |row| ["no", "yes"][row % 2].to_owned()), Task::Classification);
    assert_eq!(of("{}", |row| ["a", "b", "c"][row % 3].to_owned()), Task::Classification);
    assert_eq!(of("{}", |row| (row % 2).to_string()), Task::Classification);
    assert_eq!(of("{}", |row| format!("{}.0", row % 5)), Task::Classification);
    assert_eq!(of("{}", |row| (row % 6).to_string()), Task::Regression);
    assert_eq!(of("{}", |row| format!("{}.5", row % 2)), Task::Regression);
    assert_eq!(of(r#"{"lags": 1}"#, |row| (row % 2).to_string()), Task::Regression);
    assert_eq!(of(r#"{"task": "regression"}"#, |row| (row % 2).to_string()), Task::Regression);
    assert_eq!(of(r#"{"task": "classification"}"#, |row| (row % 6).to_string()), Task::Classification);
}

#[test]
fn classes_are_sorted_and_numbers_by_value() {
    let data = load(
        &csv("x,y", 30, |row| format!("{}.5,{}", row * row, [10, 9, -1][row % 3])),
        r#"{"task":"classification"}"#,
    );
    assert_eq!(data.class_names(), ["-1", "9", "10"]);
    let Target::Classes { codes, .. } = &data.target else { panic!("not classes") };
    assert_eq!(codes[..3], [2, 1, 0]);
}

#[test]
fn whole_numbers_taken_as_classes_are_announced() {
    let text = csv("x,y", 100, |row| format!("{}.5,{}", row * row, row % 3));
    assert!(warned(&load(&text, "{}"), &["«y»", "--task regression"]));
    assert!(load(&text, r#"{"task": "classification"}"#).warnings.is_empty());
    let text = csv("x,y", 30, |row| format!("{}.5,{}", row * row, row % 3));
    assert!(warned(&load(&text, "{}"), &["«y»", "as a number", "--task classification"]));
}

#[test]
fn rows_without_a_target_are_dropped_and_counted() {
    let data = load("c,x,y\np,1.5,1.5\nq,2.5,\nr,3.5,?\np,4.5,2.5\n", "{}");
    assert_eq!(data.target, Target::Values(vec![1.5, 2.5]));
    assert_eq!(numbers(&data, "x"), [1.5, 4.5]);
    // Levels of dropped rows go with them.
    let expected = FeatureColumn::Categories { codes: vec![0, 0], levels: vec!["p".to_owned()] };
    assert_eq!(data.features[0].column, expected);
    assert!(warned(&data, &["2 rows have", "«y»"]));
}

#[test]
fn identifiers_are_left_out_unless_kept() {
    let rows =
        |rows| csv("id,code,x,y", rows, |row| format!("{},c{row},{}.5,{}.5", 100 - row, row * row, row % 7));
    let data = load(&rows(20), "{}");
    assert_eq!(names(&data), ["x"]);
    assert!(warned(&data, &["«id»", "--keep id"]) && warned(&data, &["«code»", "--keep code"]));
    assert_eq!(names(&load(&rows(20), r#"{"keep": ["id", "code"]}"#)), ["id", "code", "x"]);
    assert_eq!(names(&load(&rows(19), "{}")), ["id", "code", "x"]);
    // A gap in the sequence: these are numbers that happen to differ.
    let gap =
        csv("id,x,y", 20, |row| format!("{},{}.5,{}.5", row + usize::from(row > 9), row * row, row % 7));
    assert_eq!(names(&load(&gap, "{}")), ["id", "x"]);
}

#[test]
fn copies_of_the_target_are_kept_and_named() {
    let noise = |row: usize| (row * 7919) % 101;
    let text = csv("c,twice,near,y", 60, |row| {
        format!("{}.5,{},{},{}.5", row * row, 2 * noise(row), noise(row) + row % 2, noise(row))
    });
    let data = load(&text, "{}");
    assert_eq!(names(&data), ["c", "twice", "near"]);
    assert!(warned(&data, &["«twice»", "copy"]) && !warned(&data, &["«near»", "copy"]));
    let text = csv("code,word,other,y", 60, |row| {
        format!("{},{},{},k{}", 7 + row % 3, ["p", "q", "r"][row % 3], row % 2, row % 3)
    });
    let data = load(&text, "{}");
    assert!(warned(&data, &["«code»", "copy"]) && warned(&data, &["«word»", "copy"]));
    assert_eq!(data.warnings.len(), 2);
}

#[test]
fn one_column_of_dates_is_the_time_axis() {
    let text =
        "day,x,y\n2020-01-03,3.5,30.5\n2020-01-01,1.5,11.5\n2020-01-02,2.5,20.5\n2020-01-01,4.5,40.5\n";
    let data = load(text, "{}");
    assert_eq!(names(&data), ["x"]);
    assert_eq!(data.target, Target::Values(vec![11.5, 40.5, 20.5, 30.5]));
    assert_eq!(data.times.as_deref(), Some(&[18262.0, 18262.0, 18263.0, 18264.0][..]));
    assert!(warned(&data, &["«day»", "time axis", "--keep day", "--ignore day"]));
    let data = load(text, r#"{"time": "day"}"#);
    assert!(data.times.is_some() && data.warnings.is_empty());
    let data = load(text, r#"{"keep": ["day"]}"#);
    assert_eq!((names(&data), data.times.is_none()), (vec!["day", "x"], true));
    let data = load(text, r#"{"ignore": ["day"]}"#);
    assert_eq!((names(&data), data.times.is_none()), (vec!["x"], true));
}

#[test]
fn several_dates_or_a_group_make_dates_numbers() {
    let text = csv("from,to,g,x,y", 12, |row| {
        format!("2020-01-{:02},2020-02-{:02},g{},{}.5,{}.5", row + 1, 20 - row, row % 3, row * row, row % 5)
    });
    let data = load(&text, r#"{"ignore": ["g"]}"#);
    assert_eq!((names(&data), &data.times), (vec!["from", "to", "x"], &None));
    assert!(warned(&data, &["«from»", "--time from"]) && warned(&data, &["«to»", "--time to"]));
    let data = load(&text, r#"{"group": "g", "ignore": ["to"]}"#);
    assert_eq!((names(&data), &data.times), (vec!["from", "x"], &None));
    assert_eq!(data.groups.as_deref().map(|groups| &groups[..4]), Some(&[0, 1, 2, 0][..]));
    let data = load(&text, r#"{"group": "g", "time": "to"}"#);
    assert_eq!(names(&data), ["from", "x"]);
    assert_eq!(data.times.as_deref().map(|times| times[0]), Some(18301.0));
    // The groups move with their rows.
    assert_eq!(data.groups.as_deref().map(|groups| &groups[..3]), Some(&[2, 1, 0][..]));
}

#[test]
fn groups_may_be_numbers() {
    let data = load("g,x,y\n10,1.5,1.5\n9,2.5,2.5\n10,3.5,3.1\n", r#"{"group": "g"}"#);
    assert_eq!(data.groups.as_deref(), Some(&[1, 0, 1][..]));
}

#[test]
fn lags_are_the_target_of_the_rows_before() {
    let data = load("x,t,y\n10.5,3,3.5\n20.5,1,1.5\n30.5,2,2.5\n40.5,4,4.5\n", r#"{"lags": 2, "time": "t"}"#);
    assert_eq!(names(&data), ["x", "lag_1", "lag_2"]);
    assert_eq!(data.target, Target::Values(vec![3.5, 4.5]));
    assert_eq!(numbers(&data, "lag_1"), [2.5, 3.5]);
    assert_eq!(numbers(&data, "lag_2"), [1.5, 2.5]);
    assert_eq!(numbers(&data, "x"), [10.5, 40.5]);
    assert_eq!(data.times.as_deref(), Some(&[3.0, 4.0][..]));
    assert!(warned(&data, &["«x»", "known before the target"]));
}

#[test]
fn a_single_column_is_a_series_in_file_order() {
    let data = load("y\n1\n2\n4\n3\n5\n", r#"{"lags": 1}"#);
    assert_eq!(data.target, Target::Values(vec![2.0, 4.0, 3.0, 5.0]));
    assert_eq!(data.times.as_deref(), Some(&[1.0, 2.0, 3.0, 4.0][..]));
    assert!(warned(&data, &["order in the file", "--time"]));
}

#[test]
fn damaged_numbers_are_pointed_at() {
    let x = |row: usize| if row == 7 { "12..5".to_owned() } else { format!("{}.5", row % 9) };
    let data = load(&csv("x,y", 40, |row| format!("{},{}.5", x(row), row % 7)), "{}");
    assert!(matches!(data.features[0].column, FeatureColumn::Categories { .. }));
    assert!(warned(&data, &["«x»", "«12..5»", "line 9", "--missing"]));
    let text =
        csv("c,x,y", 40, |row| format!("{},{}.5,{}.5", ["a", "b", "NaN"][row % 3], row * row, row % 7));
    assert!(warned(&load(&text, "{}"), &["«c»", "«NaN»", "line 4", "--missing NaN"]));
    let data = load(&text, r#"{"missing": ["NaN"]}"#);
    let FeatureColumn::Categories { codes, .. } = &data.features[0].column else { panic!("not categories") };
    assert_eq!((codes[2], data.warnings.len()), (MISSING, 0));
}

#[test]
fn booleans_are_numbers_as_features_and_words_as_classes() {
    let data = load("b,y\nyes,True\nno,false\n,true\n", "{}");
    assert_eq!(numbers(&data, "b")[..2], [1.0, 0.0]);
    assert!(numbers(&data, "b")[2].is_nan());
    assert_eq!(data.class_names(), ["false", "true"]);
}

#[test]
fn a_specification_is_strict_and_survives_json() {
    let full = r#"{"target":"y","task":"regression","ignore":["a"],"group":"g","time":"t","keep":["k"],"lags":3,"missing":["-"],"header":"no","image":"8x8x1","labels":"l.npy"}"#;
    assert_eq!(serde_json::to_string(&spec(full)).expect("JSON"), full);
    assert_eq!(spec("{}"), DatasetSpec::default());
    for bad in [
        r#"{"tarket": "y"}"#,
        r#"{"task": "guess"}"#,
        r#"{"header": true}"#,
        r#"{"lags": -1}"#,
        r#"{"image": "8"}"#,
    ] {
        assert!(serde_json::from_str::<DatasetSpec>(bad).is_err(), "{bad}");
    }
}
