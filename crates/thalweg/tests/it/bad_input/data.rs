//! Files, columns and splits that are refused.

use super::{Case, file, files, good};
use crate::common::csv;

/// What is wrong with a file.
pub(super) fn broken_files() -> Vec<Case> {
    let gigantic = format!("x,y\n1,a\n{},b\n", "9".repeat((1 << 20) + 1));
    let truncated = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b][..];
    vec![
        (
            "no such file",
            vec![],
            "compare no.csv --target y",
            &["there is no file «no.csv»", "check the spelling"],
        ),
        ("no such set", vec![], "compare irys", &["«irys»", "did you mean «iris»?", "digits, iris, wine"]),
        ("no data", vec![], "compare", &["which data?", "thalweg compare digits"]),
        ("a folder", files([("d/t.csv", b"")]), "compare ./d", &["«./d» is a folder", "name one CSV file"]),
        (
            "an empty file",
            file(""),
            "compare t.csv --target y",
            &["t.csv is empty", "expected a header and rows"],
        ),
        ("only blank lines", file("\n\n"), "compare t.csv --target y", &["t.csv is empty"]),
        ("a header only", file("x,y\n"), "compare t.csv --target y", &["header but no rows", "--header no"]),
        (
            "a short row",
            file("x,y\n1,a\n2\n"),
            "compare t.csv --target y",
            &["t.csv, line 3", "1 instead of 2"],
        ),
        (
            "a long row",
            file("x,y\n1,a\n\n2,b,c\n"),
            "compare t.csv --target y",
            &["line 4", "3 instead of 2", "mend"],
        ),
        (
            "an open quote",
            file("x,y\n1,\"a\n2,b\n"),
            "compare t.csv --target y",
            &["line 2", "quote", "close it"],
        ),
        (
            "a name twice",
            file("x,y,x\n1,a,2\n"),
            "compare t.csv --target y",
            &["columns 1 and 3", "«x»", "rename"],
        ),
        (
            "Latin-1",
            file(b"x,y\n1,a\n2,\xe9t\xe9\n"),
            "compare t.csv --target y",
            &["line 3", "not UTF-8", "save"],
        ),
        (
            "UTF-16",
            file(b"\xff\xfex\0,\0y\0\n\0"),
            "compare t.csv --target y",
            &["UTF-16", "save the file as UTF-8"],
        ),
        (
            "a picture",
            file(b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
            "compare t.csv --target y",
            &["t.csv, line 1", "not UTF-8"],
        ),
        (
            "a gigantic field",
            file(gigantic),
            "compare t.csv --target y",
            &["line 3, column 1", "1048577 bytes"],
        ),
        (
            "a cut-off gzip",
            files([("t.csv.gz", truncated)]),
            "compare t.csv.gz --target y",
            &["t.csv.gz", "damaged or cut-off gzip"],
        ),
        (
            "NaN",
            file("x,y\n1,a\nNaN,b\n"),
            "compare t.csv --target y",
            &["line 3", "«x»", "«NaN»", "--missing NaN"],
        ),
        (
            "∞",
            file("x,y\ninf,a\n2,b\n"),
            "compare t.csv --target y --header yes",
            &["line 2", "«inf»", "--ignore x"],
        ),
        (
            "beyond f64",
            file("x,y\n1e400,a\n2,b\n"),
            "compare t.csv --target y",
            &["line 2", "«1e400»", "finite"],
        ),
        (
            "a NaN target",
            file("x,y\n1,2.5\n2,NaN\n"),
            "compare t.csv --target y",
            &["line 3", "«y»", "«NaN»", "--missing NaN"],
        ),
    ]
}

/// What is wrong with the columns' roles.
pub(super) fn wrong_columns() -> Vec<Case> {
    let good = || file(good());
    vec![
        (
            "no target",
            good(),
            "compare t.csv",
            &["t.csv: which column is to be predicted?", "--target", "x, länge, g"],
        ),
        (
            "target",
            good(),
            "compare t.csv --target prise",
            &["no column «prise»", "--target", "did you mean «price»?"],
        ),
        ("group", good(), "compare t.csv --target y --group G", &["no column «G»", "--group", "«g»?"]),
        (
            "time",
            good(),
            "compare t.csv --target y --time day",
            &["no column «day»", "--time", "The columns are: x"],
        ),
        ("ignore", good(), "compare t.csv --target y --ignore lange", &["--ignore", "did you mean «länge»?"]),
        ("keep", good(), "compare t.csv --target y --keep id", &["no column «id»", "--keep"]),
        (
            "two roles",
            good(),
            "compare t.csv --target y --ignore y",
            &["«y»", "--target", "--ignore", "only one"],
        ),
        (
            "group and time",
            good(),
            "compare t.csv --target y --group t --time t",
            &["«t»", "--group", "--time"],
        ),
        ("not a time", good(), "compare t.csv --target y --time g", &["line 2", "«g»", "«g0»", "2024-01-31"]),
        (
            "one class",
            file("x,y\n1,a\n2,a\n3,a\n"),
            "compare t.csv --target y",
            &["t.csv", "«y» is «a» in every row", "choose another"],
        ),
        (
            "an empty target",
            file("x,y\n1,\n2,\n"),
            "compare t.csv --target y",
            &["«y» is missing in every row"],
        ),
        (
            "text in a regression target",
            good(),
            "compare t.csv --target y --task regression",
            &["t.csv, line 2", "«y» must be a number", "--task classification"],
        ),
        (
            "no feature left",
            file("x,y\n1,a\n2,b\n"),
            "compare t.csv --target y --ignore x",
            &["no feature", "--keep"],
        ),
        (
            "constant features",
            file(csv("x,z,y", 30, |i| format!("1,c,{}", ["a", "b"][i % 2]))),
            "compare t.csv --target y",
            &["constant"],
        ),
        (
            "too many lags",
            file("t,y\n1,1.5\n2,2.5\n3,2\n"),
            "compare t.csv --target y --time t --lags 9",
            &["--lags 9", "3 rows"],
        ),
        (
            "lags of classes",
            good(),
            "compare t.csv --target y --lags 2 --task classification",
            &["--lags needs", "--task regression"],
        ),
    ]
}

/// Splits that the data do not allow.
pub(super) fn impossible_splits() -> Vec<Case> {
    let good = || file(good());
    vec![
        ("folds 0", vec![], "compare iris --folds 0", &["--folds 0", "at least 2"]),
        ("folds 1", vec![], "compare iris --folds 1", &["--folds 1", "at least 2"]),
        ("more folds than rows", vec![], "compare diabetes --folds 500", &["--folds 500", "442 rows"]),
        (
            "a small class",
            vec![],
            "compare iris --folds 51",
            &["class «setosa»", "50 row", "--folds 50 or fewer"],
        ),
        (
            "a class of one",
            file(csv("x,y", 30, |i| {
                format!("{}.5,{}", i * i, ["a", "b", "c"][if i == 7 { 2 } else { i % 2 }])
            })),
            "compare t.csv --target y",
            &["class «c»", "1 row"],
        ),
        (
            "more folds than groups",
            good(),
            "compare t.csv --target y --group g --folds 5",
            &["--folds 5", "4 different"],
        ),
        (
            "groups taken apart",
            good(),
            "compare t.csv --target y --group g --cv k-fold --folds 2",
            &["--cv k-fold", "--cv group"],
        ),
        (
            "group without a column",
            good(),
            "compare t.csv --target y --cv group",
            &["--cv group", "--group COLUMN"],
        ),
        (
            "time without a column",
            vec![],
            "compare iris --cv time-series",
            &["--cv time-series", "--time COLUMN"],
        ),
        (
            "stratified numbers",
            vec![],
            "compare diabetes --cv stratified",
            &["--cv stratified", "--cv k-fold"],
        ),
        ("repeats 0", vec![], "compare iris --repeats 0", &["--repeats 0", "--repeats 1 or more"]),
        ("repeats of time", vec![], "compare air-passengers --repeats 2", &["--repeats 2", "only one order"]),
        ("a gap without time", vec![], "compare iris --gap 3", &["--gap 3", "--cv time-series"]),
        (
            "a gap as long as time",
            vec![],
            "compare air-passengers --gap 500",
            &["--gap 500", "smaller --gap"],
        ),
        ("validation 0", vec![], "compare iris --validation 0", &["--validation 0", "between 0 and 1"]),
        ("validation 1", vec![], "compare iris --validation 1", &["--validation 1", "between 0 and 1"]),
        ("validation NaN", vec![], "compare iris --validation nan", &["--validation", "between 0 and 1"]),
        (
            "AUC of one class",
            file(csv("x,y", 40, |i| format!("{}.5,{}", i * i % 13, ["a", "b"][usize::from(i < 20)]))),
            "compare t.csv --target y --cv k-fold --folds 39 --metric auc",
            &["--metric auc is not defined", "fewer --folds"],
        ),
    ]
}
