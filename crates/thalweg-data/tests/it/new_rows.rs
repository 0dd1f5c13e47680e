//! A preparation on new files: the same numbers as on the training rows, or an error with its place.

use thalweg_data::{
    ArrayColumn, Dataset, Form, Inputs, Preparation, Schema, Table, TrainView, builtin, read::csv,
};

use crate::{dataset, spec};

/// Through JSON, as they are kept beside a model.
fn saved<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).expect("JSON")).expect("the same again")
}

fn new_rows(data: &Dataset, form: Form, text: &str) -> Result<Inputs, thalweg_data::DataError> {
    let fitted = saved(&Preparation::fit_as(&TrainView::all(data), form).expect("a form"));
    let schema: Schema = saved(&data.schema());
    fitted.apply_table(&schema.parse("new.csv", text.as_bytes().to_vec())?, &schema)
}

fn same_as_training(data: &Dataset, form: Form, text: &str) {
    let train = TrainView::all(data);
    let old = Preparation::fit_as(&train, form).expect("a form").apply(&train);
    let new = new_rows(data, form, text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((new.rows, new.width, new.shape, new.x), (old.rows, old.width, old.shape, old.x));
}

/// The features of a data set of numbers as a file, last column first, with one more and without the target.
fn file_of(data: &Dataset) -> String {
    let mut text = String::new();
    let names: Vec<&str> = data.features.iter().rev().map(|feature| feature.name.as_str()).collect();
    text.push_str(&format!("extra,{}\n", names.join(",")));
    for row in 0..data.rows() {
        let cell = |feature: &thalweg_data::Feature| match &feature.column {
            thalweg_data::FeatureColumn::Numbers(values) => values[row].to_string(),
            thalweg_data::FeatureColumn::Categories { .. } => panic!("not numbers"),
        };
        let cells: Vec<String> = data.features.iter().rev().map(cell).collect();
        text.push_str(&format!("anything,{}\n", cells.join(",")));
    }
    text
}

#[test]
fn built_in_rows_give_the_same_bits() {
    for name in ["iris", "diabetes", "digits"] {
        let data = builtin::find(name).expect("a set").load();
        let text = file_of(&data);
        same_as_training(&data, Form::Table, &text);
        same_as_training(&data, Form::Codes, &text);
    }
    let digits = builtin::find("digits").expect("a set").load();
    same_as_training(&digits, Form::Images, &file_of(&digits));
}

/// Missing values, dates, booleans, categories that look like numbers, and a target of classes.
fn rows(from: usize, to: usize, line: impl Fn([String; 9]) -> String) -> String {
    let cell = |missing: bool, text: String| if missing { String::new() } else { text };
    (from..to).fold(String::new(), |text, row| {
        let cells = [
            format!("{}.{}", row * 7 % 31, row % 10),
            cell(row % 7 == 3, format!("{}", row * row % 23)),
            cell(row % 11 == 4, format!("2020-{:02}-{:02}", row % 12 + 1, row % 28 + 1)),
            format!("2021-05-{:02}T10:{:02}", row % 28 + 1, row % 60),
            cell(row % 13 == 5, ["yes", "No"][row % 2].to_owned()),
            ["TRUE", "false"][row / 3 % 2].to_owned(),
            cell(row % 6 == 1, ["red", "green", "Blau, süß"][row % 3].to_owned()),
            // All numbers but for a few early rows: what later rows look like must not matter.
            if row < 4 { "none".to_owned() } else { format!("0{}", row % 5) },
            ["no", "yes", "maybe"][row % 3].to_owned(),
        ];
        text + &line(cells) + "\n"
    })
}

fn quoted(cells: &[&String]) -> String {
    cells.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",")
}

const NAMES: [&str; 9] = ["real", "count", "from", "to", "flag", "late", "colour", "zip", "answer"];

fn training() -> Dataset {
    let text = format!("{}\n", NAMES.join(",")) + &rows(0, 120, |cells| quoted(&cells.each_ref()));
    dataset(&text, &spec(r#"{"target": "answer", "task": "classification"}"#)).expect("a data set")
}

#[test]
fn a_mixed_file_gives_the_same_bits() {
    let data = training();
    assert!(data.times.is_none() && data.features.len() == 8, "{:?}", data.warnings);
    // Other order, no target, a further column; the same rows.
    let order = [7, 3, 0, 6, 1, 5, 2, 4];
    let line = |cells: [String; 9]| quoted(&order.map(|at| &cells[at])) + ",7";
    let header = order.map(|at| NAMES[at]).join(",") + ",more\n";
    for form in [Form::Table, Form::Codes] {
        let text = format!("{header}{}", rows(0, 120, line));
        same_as_training(&data, form, &text);
        // Later rows alone, where zip looks like a number, and one row alone.
        let all = new_rows(&data, form, &text).expect("rows");
        for (from, to) in [(50, 120), (77, 78)] {
            let part = new_rows(&data, form, &format!("{header}{}", rows(from, to, line))).expect("rows");
            assert_eq!(part.x, all.x[from * all.width..to * all.width], "{from} to {to}");
        }
    }
}

#[test]
fn the_schema_says_how_each_column_is_read() {
    let schema = serde_json::to_value(training().schema()).expect("JSON");
    let kinds: Vec<_> = schema["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| column["kind"].to_string())
        .collect();
    assert_eq!(
        kinds,
        [
            r#""number""#,
            r#""number""#,
            r#""date""#,
            r#""date""#,
            r#"{"boolean":["no","yes"]}"#,
            r#"{"boolean":["false","true"]}"#,
            r#""category""#,
            r#""category""#
        ]
    );
    assert_eq!(schema["target"].to_string(), r#"{"classes":["maybe","no","yes"],"name":"answer"}"#);
    let more = r#"{"columns": [], "target": {"name": "y"}, "colums": []}"#;
    assert!(serde_json::from_str::<Schema>(more).is_err());
}

#[test]
fn tokens_for_missing_are_remembered() {
    let data =
        dataset("x,c,y\n1,p,1.5\n-,q,2.5\n3,-,3.5\n", &spec(r#"{"missing": ["-"]}"#)).expect("a data set");
    same_as_training(&data, Form::Table, "c,x\np,1\nq,-\n-,3\n");
}

#[test]
fn columns_without_names_and_decimal_commas_are_read_alike() {
    let data = dataset("1,5;4;a\n2,5;7;b\n0,5;9;a\n", &spec(r#"{"target": "c3"}"#)).expect("a data set");
    same_as_training(&data, Form::Table, "1,5;4\n2,5;7\n0,5;9\n");
    same_as_training(&data, Form::Table, "c2;c1\n4;1,5\n7;2,5\n9;0,5\n");
    let data = dataset("a;b;y\n1,5;x;a\n2,5;0,5;b\n0,5;x;a\n", &spec("{}")).expect("a data set");
    same_as_training(&data, Form::Table, "a;b\n1,5;x\n2,5;0,5\n0,5;x\n");
    // A number with a decimal comma alone in a column of text stays the text that it was.
    let new = new_rows(&data, Form::Table, "a;b\n2,5;0,5\n").expect("rows");
    assert_eq!(new.x[1..], [1.0, 0.0]);
}

#[test]
fn what_is_new_counts_as_unseen() {
    let data = dataset("c,x,y\np,1,1.5\nq,2,2.5\np,4,3.5\n", &spec("{}")).expect("a data set");
    let new = new_rows(&data, Form::Table, "c,x\nnew,\n").expect("rows");
    // Neither p nor q; the median, 2, standardized.
    assert_eq!(new.x[..2], [0.0, 0.0]);
    assert!((f64::from(new.x[2]) - (2.0 - 7.0 / 3.0) / (14.0_f64 / 9.0).sqrt()).abs() < 1e-6);
}

#[test]
fn each_file_that_does_not_fit_has_its_error() {
    let data = training();
    let row = |at: usize, cell: &str| {
        let mut cells =
            ["1.5", "2", "2020-01-01", "2021-01-01", "yes", "true", "red", "01"].map(str::to_owned);
        cells[at] = cell.to_owned();
        format!("{}\n{}\n{}\n", NAMES[..8].join(","), "1.5,,,,,,,", cells.join(","))
    };
    for (text, words) in [
        (
            "real,count\n1,2\n".to_owned(),
            &["new.csv has no column «from»", "trained on", "The columns are: real, count"][..],
        ),
        (row(0, "1").replace("real", "reel"), &["no column «real»", "did you mean «reel»?"]),
        (row(0, "tall"), &["new.csv, line 3", "«real»", "«tall» is not a number", "leave it empty"]),
        (row(1, "2020-01-01"), &["line 3", "«count»", "is not a number"]),
        (row(1, "yes"), &["line 3", "«yes» is not a number"]),
        (row(0, "NaN"), &["line 3", "«real»", "«NaN» is not a finite number"]),
        (row(2, "7"), &["line 3", "«from»", "«7» is not a date such as 2024-01-31"]),
        (row(3, "soon"), &["line 3", "«to»", "«soon» is not a date"]),
        (row(4, "true"), &["line 3", "«flag»", "«true» is not «no» or «yes»"]),
        (row(5, "1"), &["line 3", "«late»", "«1» is not «false» or «true»"]),
        ("real\n1\n2,3\n".to_owned(), &["line 3", "2 instead of 1 fields"]),
        ("real,count\n".to_owned(), &["header but no rows"]),
    ] {
        let error = new_rows(&data, Form::Table, &text).expect_err(&text).to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{text}: no «{word}» in: {error}"));
    }
    assert!(new_rows(&data, Form::Table, &row(6, "unseen")).is_ok());
}

#[test]
fn arrays_in_memory_are_new_rows_as_well() {
    let data = dataset("c,b,x,y\n1,yes,1,1.5\nq,no,2,2.5\n1,no,4,3.5\n", &spec("{}")).expect("a data set");
    let fitted = Preparation::fit(&TrainView::all(&data));
    let texts = |texts: [&str; 3]| ArrayColumn::Texts(texts.map(|text| Some(text.to_owned())).to_vec());
    let table = |c: ArrayColumn, x: ArrayColumn| {
        let columns =
            vec![("x".to_owned(), x), ("c".to_owned(), c), ("b".to_owned(), texts(["yes", "no", "no"]))];
        Table::from_arrays("rows", columns).expect("a table")
    };
    let numbers = |values: [f64; 3]| ArrayColumn::Numbers(values.to_vec());
    // Booleans that were words are words.
    let given = table(texts(["1", "q", "1"]), numbers([1.0, 2.0, 4.0]));
    let error = fitted.apply_table(&given, &data.schema()).expect_err("text for words").to_string();
    assert!(error.contains("rows, row 1, column «b»"), "{error}");
    let csv = csv::parse("t", b"x,c,b\n1,1,yes\n2,1,no\n".to_vec(), &Default::default()).expect("a table");
    // A table that was read without the schema: a category that looks like numbers is taken by its usual text.
    let new = fitted.apply_table(&csv, &data.schema()).expect("rows");
    assert_eq!(new.x[..2], [1.0, 0.0]);
    assert_eq!(new.x[new.width..][..2], [1.0, 0.0]);
}
