//! Everything that can be wrong with a file or with what is said about it: one clear error, with place and remedy.

use std::path::PathBuf;

use thalweg_data::{DatasetSpec, open};

use crate::{csv, dataset, spec};

/// A text, a specification, and words the error must have: what, where, and what to do.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    // What is no table.
    ("", "{}", &["t.csv is empty"]),
    ("\n\n  \n", "{}", &["t.csv is empty"]),
    ("\u{feff}", "{}", &["t.csv is empty"]),
    ("x,y\n", "{}", &["header but no rows", "--header no"]),
    ("x,y", r#"{"header": "yes"}"#, &["header but no rows"]),
    ("1,2\n", r#"{"header": "yes"}"#, &["header but no rows"]),
    ("x,y\n1,2\n3\n", "{}", &["line 3", "1 instead of 2 fields", "commas"]),
    ("x,y\n1,2\n\n3,4,5\n", "{}", &["line 4", "3 instead of 2 fields"]),
    ("x;y\n1;2\n3;4;5\n", "{}", &["line 3", "semicolons"]),
    ("x,y\n\"1\n\n\",2\n3,4,5\n", "{}", &["line 5", "3 instead of 2"]),
    ("x,y\n1,2\n3,\"4\n5,6\n", "{}", &["line 3", "quote is opened", "close it"]),
    ("x,y,x\n1,2,3\n", "{}", &["line 1", "columns 1 and 3", "«x»", "rename"]),
    ("x, x ,y\n1,2,3\n", "{}", &["columns 1 and 2", "«x»"]),
    // What is no finite number.
    ("x,y\n1,2\nNaN,3\n", "{}", &["line 3", "«x»", "«NaN»", "leave the cell empty", "--missing NaN"]),
    ("x,y\n1,2\n2,nan\n", "{}", &["line 3", "«y»", "--missing nan"]),
    ("x,y\n1,2\n\ninf,3\n", "{}", &["line 4", "«inf»"]),
    ("x,y\n-Infinity,2\n1,3\n", r#"{"header": "yes"}"#, &["line 2", "«-Infinity»"]),
    ("x,y\n1e999,2\n1,3\n", "{}", &["line 2", "«1e999»", "not a finite number"]),
    ("x,t,y\n1,1,1\n1,inf,2\n", r#"{"time": "t"}"#, &["line 3", "«t»", "«inf»"]),
    ("x,g,y\n1,1,1\n1,NaN,2\n", r#"{"group": "g"}"#, &["line 3", "«g»", "«NaN»"]),
    // Columns.
    (
        "length,y\n1,2\n2,3\n",
        r#"{"target": "lenght"}"#,
        &["no column «lenght»", "--target", "did you mean «length»?", "length, y"],
    ),
    ("x,y\n1,2\n2,3\n", r#"{"ignore": ["q"]}"#, &["no column «q»", "--ignore", "The columns are: x, y"]),
    ("x,y\n1,2\n2,3\n", r#"{"keep": ["q"]}"#, &["no column «q»", "--keep"]),
    ("x,y\n1,2\n2,3\n", r#"{"group": "X"}"#, &["no column «X»", "--group", "did you mean «x»?"]),
    ("x,y\n1,2\n2,3\n", r#"{"time": "when"}"#, &["no column «when»", "--time"]),
    ("x,y\n1,2\n2,3\n", r#"{"ignore": ["y"]}"#, &["«y»", "--target", "--ignore", "only one"]),
    ("x,y\n1,2\n2,3\n", r#"{"group": "y"}"#, &["«y»", "--target", "--group"]),
    ("x,y,z\n1,2,3\n2,3,4\n", r#"{"group": "x", "time": "x"}"#, &["«x»", "--group", "--time"]),
    ("x,y,z\n1,2,3\n2,3,4\n", r#"{"keep": ["x"], "ignore": ["x"]}"#, &["«x»", "--ignore", "--keep"]),
    ("y\n1.5\n2.5\n", "{}", &["no feature is left", "«y»", "--lags"]),
    ("x,y\n1,2.5\n2,3.5\n", r#"{"ignore": ["x"]}"#, &["no feature is left"]),
    // The target.
    ("x,y\n1,\n2,?\n", r#"{"header": "yes"}"#, &["«y» is missing in every row", "--target"]),
    ("x,y\n1,a\n2,a\n", "{}", &["«y» is «a» in every row", "--target"]),
    ("x,y\n1,7.5\n2,7.5\n", "{}", &["«y» is «7.5» in every row"]),
    ("x,y\n1,yes\n2,\n", "{}", &["«y» is «yes» in every row"]),
    (
        "x,y\n1,2\n2,tall\n",
        r#"{"task": "regression"}"#,
        &["line 3", "«y»", "«tall»", "--task classification"],
    ),
    (
        "x,y\n1,a\n2,b\n3,c\n",
        r#"{"lags": 1, "task": "classification"}"#,
        &["--lags needs", "classes", "--task regression"],
    ),
    (
        "land,2019,2020\nA,1.5,2.5\nB,2.5,9.5\n",
        r#"{"target": "2020"}"#,
        &["no column «2020»", "c1, c2, c3", "--header yes"],
    ),
    // Groups, times and lags.
    ("x,g,y\n1,a,1.5\n1,,2.5\n", r#"{"group": "g"}"#, &["line 3", "the group «g» is missing"]),
    ("x,t,y\n1,1,1.5\n1,,2.5\n", r#"{"time": "t"}"#, &["line 3", "the time «t» is missing"]),
    ("x,t,y\n1,2020-01-01,1.5\n1,soon,2.5\n", r#"{"time": "t"}"#, &["line 3", "«t»", "«soon»", "2024-01-31"]),
    (
        "t,y\n1,1.5\n2,2.5\n3,2.7\n",
        r#"{"lags": 2, "time": "t"}"#,
        &["--lags 2", "1 of the 3 rows", "at most 1"],
    ),
    ("y\n1.5\n2.5\n3\n", r#"{"lags": 99}"#, &["--lags 99", "0 of the 3 rows"]),
    (
        "g,t,y\na,1,1.5\nb,2,2.5\nb,3,2.7\n",
        r#"{"lags": 1, "time": "t", "group": "g"}"#,
        &["--lags needs one series", "--group"],
    ),
    // Columns that are to be pixels.
    (
        "a,b,y\n1,2,1.5\n3,4,2.5\n",
        r#"{"image": "2x2"}"#,
        &["t.csv", "an image of 2x2x1 has 4 pixels", "there are 2 feature columns", "--image"],
    ),
    (
        "a,b,y\n1,p,1.5\n3,q,2.5\n",
        r#"{"image": "1x2"}"#,
        &["1 feature column of numbers and 1 of text", "--ignore"],
    ),
    ("lag_1,y\n5,1.5\n2,2.5\n7,2.7\n", r#"{"lags": 1}"#, &["«lag_1»", "rename it"]),
];

#[test]
fn each_text_has_its_error() {
    for (text, json, words) in CASES {
        let error = match dataset(text, &spec(json)) {
            Ok(data) => panic!("{text:?} {json} was taken: {data:?}"),
            Err(error) => error.to_string(),
        };
        for word in *words {
            assert!(error.contains(word), "{text:?} {json}: no «{word}» in: {error}");
        }
    }
}

#[test]
fn a_target_that_is_nearly_all_numbers_is_not_made_classes() {
    let text =
        csv(
            "x,y",
            40,
            |row| if row == 30 { "1.5,oops".to_owned() } else { format!("{}.5,{row}.5", row * row) },
        );
    let error = dataset(&text, &DatasetSpec::default()).expect_err("a damaged target").to_string();
    assert!(["line 32", "«oops»", "--missing oops"].iter().all(|word| error.contains(word)), "{error}");
}

#[test]
fn an_ignored_column_may_be_damaged() {
    let data = dataset("bad,x,y\nNaN,1.5,2.5\n1,2.5,9.5\n3,0.5,4.5\n", &spec(r#"{"ignore": ["bad"]}"#));
    assert_eq!(data.expect("a data set").features.len(), 1);
}

/// A folder of its own for this test run, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("thalweg-bad-input-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary place harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_file_has_its_error() {
    let folder = Folder::new();
    let long = format!("x,y\n1,2\n3,{}\n", "9".repeat((1 << 20) + 1));
    let open_quote = format!("x,y\n1,2\n\"3,{}\n", "4,5\n".repeat(1 << 19));
    for (path, words) in [
        (folder.0.join("none.csv").display().to_string(), &["there is no file", "none.csv", "spelling"][..]),
        (folder.0.display().to_string(), &["is a folder", "name one CSV file"]),
        (folder.file("empty.csv", b""), &["empty.csv is empty"]),
        (format!("{}/x.csv", folder.file("plain.csv", b"x\n1\n")), &["x.csv» cannot be read", "permissions"]),
        (folder.file("no-target.csv", b"a,b\n1,2\n"), &["no-target.csv", "--target", "a, b"]),
        (folder.file("latin.csv", b"x,y\n1,2\n3,\xe9\n"), &["latin.csv, line 3", "not UTF-8", "Latin-1"]),
        (folder.file("utf16.csv", b"\xff\xfex\0,\0"), &["line 1", "UTF-16"]),
        (folder.file("sheet.csv", b"PK\x03\x04\xff\xff"), &["spreadsheet"]),
        (folder.file("cut.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0]), &["cut.csv.gz", "damaged or cut-off gzip"]),
        (folder.file("long.csv", long.as_bytes()), &["line 3, column 2", "1048577 bytes", "never closed"]),
        (folder.file("quote.csv", open_quote.as_bytes()), &["line 3", "never closed"]),
        ("irys".to_owned(), &["no built-in data set «irys»", "did you mean «iris»?", "digits, iris, wine"]),
        ("xyzzy".to_owned(), &["no built-in data set «xyzzy»", "Built in are"]),
        ("none.csv".to_owned(), &["there is no file «none.csv»"]),
    ] {
        let error = open(&path, &DatasetSpec::default()).expect_err(&path).to_string();
        for word in words {
            assert!(error.contains(word), "{path}: no «{word}» in: {error}");
        }
    }
}

#[test]
fn a_tsv_file_is_separated_by_tabs_whatever_it_looks_like() {
    let folder = Folder(std::env::temp_dir().join(format!("thalweg-tsv-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).expect("a temporary folder");
    let path = folder.file("t.v1.tsv", b"a;b\ty;z\n1;2\t1.5\n3;4\t2.5\n");
    let spec = spec(r#"{"target": "y;z"}"#);
    let data = open(&path, &spec).expect("a data set");
    assert_eq!((data.name.as_str(), data.features[0].name.as_str()), ("t.v1", "a;b"));
}
