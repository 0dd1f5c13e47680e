//! Whatever is wrong with the input: one clear error with place and remedy, exit code 2, and nothing left behind.

use rusqlite::Connection;

use crate::common::{Folder, csv};

/// A name, the files beside the command, its arguments, and words the error must have: what, where, what to do.
type Case = (&'static str, Vec<(&'static str, Vec<u8>)>, &'static str, &'static [&'static str]);

/// Forty rows that can be learned from: two numbers, a group, a day, a class and a number to predict.
fn good() -> String {
    csv("x,länge,g,t,y,price", 40, |i| {
        let class = if i * 7 % 3 == 0 { "high" } else { "low" };
        format!(
            "{}.5,{},g{},2024-01-{:02},{class},{}.25",
            i * i % 11,
            i * 5 % 13,
            i % 4,
            i % 28 + 1,
            i * 3 % 17
        )
    })
}

fn files<const N: usize>(files: [(&'static str, &[u8]); N]) -> Vec<(&'static str, Vec<u8>)> {
    files.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect()
}

fn file(text: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    files([("t.csv", text.as_ref())])
}

fn with_config(toml: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    files([("t.csv", good().as_bytes()), ("s.toml", toml.as_ref())])
}

/// What is wrong with a file.
fn broken_files() -> Vec<Case> {
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
fn wrong_columns() -> Vec<Case> {
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
fn impossible_splits() -> Vec<Case> {
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

/// Settings that nobody can run.
fn wrong_settings() -> Vec<Case> {
    vec![
        ("an optimizer", vec![], "compare iris --optimizers sgd,adm", &["--optimizers", "«adm»", "«adam»?"]),
        (
            "no optimizer",
            vec![],
            "compare iris --optimizers ,",
            &["--optimizers (none)", "at least one name"],
        ),
        (
            "an optimizer twice",
            vec![],
            "compare iris --optimizers sgd,adam,sgd",
            &["--optimizers sgd", "named once"],
        ),
        ("a metric", vec![], "compare iris --metric acuracy", &["--metric", "acuracy", "«accuracy»?"]),
        ("a metric of numbers", vec![], "compare iris --metric rmse", &["--metric rmse", "accuracy"]),
        ("a metric of classes", vec![], "compare diabetes --metric auc", &["--metric auc", "rmse"]),
        (
            "a loss",
            vec![],
            "compare iris --loss hinge",
            &["--loss", "«hinge». There are: auto, cross-entropy"],
        ),
        (
            "a loss of numbers",
            vec![],
            "compare iris --loss squared-error",
            &["--loss squared-error", "cross-entropy"],
        ),
        ("binary of three", vec![], "compare iris --loss binary", &["--loss binary", "cross-entropy"]),
        (
            "a loss of classes",
            vec![],
            "compare diabetes --loss cross-entropy",
            &["--loss cross-entropy", "squared-error"],
        ),
        ("a dialect", vec![], "compare iris --dialect keras9", &["--dialect", "keras9", "torch", "textbook"]),
        ("an activation", vec![], "compare iris --activation rellu", &["--activation", "rellu", "relu"]),
        ("a start", vec![], "compare iris --init zeros", &["--init", "zeros", "glorot"]),
        ("a task", vec![], "compare iris --task ranking", &["--task", "ranking", "regression"]),
        ("a header", vec![], "compare iris --header maybe", &["--header", "maybe", "auto"]),
        ("a policy", vec![], "compare iris --cv bootstrap", &["--cv", "bootstrap", "stratified"]),
        ("a format", vec![], "compare iris --format xml", &["--format", "xml", "markdown"]),
        (
            "a grid downwards",
            vec![],
            "compare iris --learning-rates 1..0.1:3",
            &["--learning-rates", "first must be smaller"],
        ),
        ("no grid", vec![], "compare iris --learning-rates 0.1..1:0", &["--learning-rates", "2 to 1000"]),
        (
            "a grid without a count",
            vec![],
            "compare iris --learning-rates 0.1..1",
            &["--learning-rates", "LO..HI:N"],
        ),
        ("NaN as a rate", vec![], "compare iris --learning-rates nan", &["--learning-rates", "(0, ∞)"]),
        ("∞ as a rate", vec![], "compare iris --learning-rates 0.1,inf", &["--learning-rates", "(0, ∞)"]),
        ("a negative rate", vec![], "compare iris --learning-rates=-0.1", &["--learning-rates", "(0, ∞)"]),
        ("a rate of 0", vec![], "compare iris --learning-rates 0..1:3", &["--learning-rates", "(0, ∞)"]),
        ("a rate twice", vec![], "compare iris --learning-rates 0.1,0.1", &["0.1", "twice"]),
        (
            "words as rates",
            vec![],
            "compare iris --learning-rates fast",
            &["«fast»", "not a number", "1e-4..1:9"],
        ),
        ("epochs 0", vec![], "compare iris --epochs 0", &["--epochs 0", "1"]),
        ("epochs in words", vec![], "compare iris --epochs many", &["--epochs", "many", "whole number"]),
        ("epochs beyond u32", vec![], "compare iris --epochs 5000000000", &["--epochs", "5000000000"]),
        ("jobs 0", vec![], "compare iris --jobs 0", &["--jobs 0", "--jobs 1 or more"]),
        ("a negative fold", vec![], "compare iris --folds=-1", &["--folds", "-1", "whole number"]),
        ("a batch of 0", vec![], "compare iris --batch-size 0", &["--batch-size", "full"]),
        ("a batch in words", vec![], "compare iris --batch-size abc", &["--batch-size", "abc", "full"]),
        ("a layer of 0", vec![], "compare iris --hidden 64,0", &["--hidden", "0", "65536"]),
        ("a layer in words", vec![], "compare iris --hidden abc", &["--hidden abc", "whole number"]),
        ("a huge layer", vec![], "compare iris --hidden 99999999", &["--hidden 99999999", "65536"]),
        ("huge layers", vec![], "compare iris --hidden 65536,65536,65536", &["--hidden", "weights"]),
        (
            "a layer beyond usize",
            vec![],
            "compare iris --hidden 99999999999999999999999",
            &["--hidden", "65536"],
        ),
        ("a seed in words", vec![], "compare iris --seed x", &["--seed", "x", "whole number"]),
        ("a flag", vec![], "compare iris --epoch 3", &["--epoch", "--epochs"]),
        ("a verb", vec![], "compere iris", &["compere", "compare"]),
        ("no verb", vec![], "", &["Usage"]),
        ("two data sets", vec![], "compare iris wine", &["wine"]),
        ("a list", vec![], "list optimisers", &["optimisers", "optimizers"]),
        ("a shell", vec![], "completions cmd", &["cmd", "bash"]),
    ]
}

/// What is wrong with a TOML file.
fn wrong_configs() -> Vec<Case> {
    const RUN: &str = "compare t.csv --config s.toml";
    vec![
        ("no config", file(good()), RUN, &["--config s.toml", "no file", "check the spelling"]),
        ("a folder as config", files([("s.toml/x", b"")]), RUN, &["--config s.toml", "folder"]),
        (
            "a config's syntax",
            with_config("target = \"y\"\nfolds = = 3\n"),
            RUN,
            &["--config s.toml, line 2", "`=`"],
        ),
        (
            "a config's key",
            with_config("folds = 3\nepoch = 5\n"),
            RUN,
            &["«epoch»", "did you mean «epochs»?"],
        ),
        (
            "a config's type",
            with_config("target = \"y\"\n\nfolds = \"many\"\n"),
            RUN,
            &["line 3, folds", "expected a whole number"],
        ),
        ("a config's sign", with_config("target = \"y\"\nepochs = -5\n"), RUN, &["line 2", "epochs", "-5"]),
        (
            "a config's range",
            with_config("target = \"y\"\nvalidation = 1.5\n"),
            RUN,
            &["--validation 1.5", "between 0 and 1"],
        ),
        (
            "a config's word",
            with_config("target = \"y\"\nactivation = \"rellu\"\n"),
            RUN,
            &["line 2", "rellu", "relu"],
        ),
        (
            "a config's rates",
            with_config("target = \"y\"\nlearning-rates = [0.1, -1]\n"),
            RUN,
            &["line 2", "(0, ∞)"],
        ),
        (
            "a config's optimizer",
            with_config("target = \"y\"\noptimizers = [\"adm\"]\n"),
            RUN,
            &["«adm»", "«adam»?"],
        ),
        ("a config in Latin-1", with_config(b"target = \"\xe9\"\n"), RUN, &["--config s.toml", "UTF-8"]),
        (
            "a config's table",
            with_config("[compare]\nfolds = 3\n"),
            RUN,
            &["«compare». There are: data", "epochs"],
        ),
        ("a key twice", with_config("folds = 3\nfolds = 4\n"), RUN, &["line 2", "duplicate key"]),
        (
            "a config without data",
            files([("s.toml", b"folds = 3\n")]),
            "compare --config s.toml",
            &["which data?"],
        ),
    ]
}

/// Output paths that cannot be used.
fn wrong_outputs() -> Vec<Case> {
    const RUN: &str = "compare iris --out o --epochs 1 --optimizers sgd --learning-rates 0.1";
    let store = |bytes: &[u8]| files([("o/study.sqlite", bytes)]);
    let jpeg: Vec<u8> =
        b"\xff\xd8\xff\xe0\0\x10JFIF\0".iter().copied().chain((0..=255).cycle().take(5000)).collect();
    vec![
        ("out is a file", files([("o", b"mine")]), RUN, &["--out o", "a file, not a folder"]),
        (
            "out below a file",
            files([("o", b"mine")]),
            "compare iris --out o/deep/er",
            &["--out o/deep/er", "another"],
        ),
        (
            "out in /proc",
            vec![],
            "compare iris --out /proc/thalweg",
            &["--out /proc/thalweg", "cannot be made"],
        ),
        ("out is a device", vec![], "compare iris --out /dev/full", &["--out /dev/full", "not a folder"]),
        ("runs is a file", files([("runs", b"mine")]), "compare iris", &["runs/iris", "--out DIR"]),
        (
            "text named like the store",
            store(b"my notes\n"),
            RUN,
            &["o/study.sqlite", "not a Thalweg store", "move it"],
        ),
        (
            "JPEG named like the store",
            store(&jpeg),
            RUN,
            &["o/study.sqlite", "not a Thalweg store", "move it"],
        ),
        ("somebody's database", store(&database(0, 0)), RUN, &["o/study.sqlite", "not a Thalweg store"]),
        (
            "somebody's marked database",
            store(&database(0x1234, 1)),
            RUN,
            &["not a Thalweg store", "--out DIR"],
        ),
        ("a newer store", store(&database(0x5448_4c57, 99)), RUN, &["layout 99", "layout 1", "another"]),
        (
            "a folder named like the store",
            files([("o/study.sqlite/x", b"")]),
            RUN,
            &["o/study.sqlite", "--out DIR"],
        ),
        (
            "a folder named like the report",
            files([("o/report.html/x", b"")]),
            RUN,
            &["o/report.html", "a folder"],
        ),
        ("report of nothing", vec![], "report o", &["o", "no study here", "thalweg compare"]),
        ("report of text", store(b"my notes\n"), "report o", &["o/study.sqlite", "not a Thalweg store"]),
        ("report of a newer store", store(&database(0x5448_4c57, 99)), "report o", &["layout 99"]),
        ("report of somebody's", store(&database(0, 0)), "report o", &["not a Thalweg store"]),
        ("report of an empty file", store(b""), "report o", &["not a Thalweg store"]),
        ("report's format", vec![], "report o --format pdf", &["--format", "pdf", "markdown"]),
    ]
}

/// A SQLite file with a table, marked as an application's.
fn database(application: i64, version: i64) -> Vec<u8> {
    let folder = Folder::new(&format!("database-{application}-{version}"));
    let path = folder.path().join("a.sqlite");
    let connection = Connection::open(&path).expect("a database");
    connection
        .execute_batch("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')")
        .expect("a table");
    connection.pragma_update(None, "application_id", application).expect("a mark");
    connection.pragma_update(None, "user_version", version).expect("a mark");
    connection.close().expect("closed");
    std::fs::read(path).expect("a database file")
}

fn check(group: &str, cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (name, files, arguments, words) in cases {
        let folder = Folder::new(&format!("bad-{group}"));
        for (path, bytes) in files {
            folder.write(path, bytes);
        }
        let before = folder.contents();
        let ran = folder.run(arguments);
        let mut fail = |what: &str| wrong.push(format!("{name} ({arguments}): {what}\n    {}", ran.err));
        if ran.code != Some(2) {
            fail(&format!("exit code {:?}", ran.code));
        }
        if !ran.out.is_empty() {
            fail("something on standard output");
        }
        let usage = name == "no verb";
        if !usage && !ran.err.starts_with("error: ") {
            fail("it does not start with «error: »");
        }
        // clap adds usage and a pointer to --help below its message; what is our own is one line.
        let ours =
            ran.err.lines().count() == 1 || ran.err.contains("For more information, try '--help'") || usage;
        if !ours {
            fail("more than one line");
        }
        for alien in ["panicked", "RUST_BACKTRACE", "Os {", "Some(", "Error {", "  |"] {
            if ran.err.contains(alien) {
                fail(&format!("«{alien}» is no language for users"));
            }
        }
        for word in words.iter().filter(|word| !ran.err.contains(**word)) {
            fail(&format!("no «{word}»"));
        }
        if folder.contents() != before {
            fail("something was left behind or changed");
        }
        if std::env::var_os("THALWEG_SHOW_ERRORS").is_some() {
            eprintln!("{name}: {}", ran.err.lines().next().unwrap_or_default());
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn broken_files_are_refused() {
    check("files", broken_files());
}

#[test]
fn wrong_columns_are_refused() {
    check("columns", wrong_columns());
}

#[test]
fn impossible_splits_are_refused() {
    check("splits", impossible_splits());
}

#[test]
fn wrong_settings_are_refused() {
    check("settings", wrong_settings());
}

#[test]
fn wrong_configs_are_refused() {
    check("configs", wrong_configs());
}

#[test]
fn wrong_outputs_are_refused() {
    check("outputs", wrong_outputs());
}
