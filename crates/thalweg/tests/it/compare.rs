//! `compare`, `report` and `list` in working order: formats, settings, data of each kind, and what may not matter.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Folder, csv, timeless};

/// A study of a second: two methods, two rates, three folds.
const SMALL: &str = "--optimizers sgd,adam --learning-rates 0.01,0.1 --folds 3 --epochs 4 --hidden 8";

fn names(study: &Value) -> Vec<&str> {
    let ranking = study["ranking"].as_array().expect("a ranking");
    ranking.iter().map(|method| method["method"].as_str().expect("a name")).collect()
}

/// The best method's mean, and the constant prediction's.
fn best_and_baseline(study: &Value) -> (f64, f64) {
    let best = study["ranking"][0]["score"]["mean"].as_f64().expect("a mean");
    (best, study["protocol"]["baseline"].as_f64().expect("a baseline"))
}

#[test]
fn json_has_the_promised_shape() {
    let folder = Folder::new("json");
    let study = folder.json(&format!("compare iris {SMALL}"));
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    assert!(text(&study["study"]) && text(&study["metric"]));
    let data = &study["data"];
    assert_eq!((data["name"].as_str(), data["task"].as_str()), (Some("iris"), Some("classification")));
    assert_eq!((data["rows"].as_u64(), data["features"].as_u64()), (Some(150), Some(4)));
    assert!(study["protocol"].is_object() && study["verdict"].is_object());
    assert_eq!(study["verdict"]["best"], study["ranking"][0]["method"]);
    assert!(
        study["verdict"]["sentences"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(text))
    );
    // 3 folds, 2 methods, 2 rates and a refit each.
    assert_eq!(study["trials"].as_array().map(Vec::len), Some(3 * 2 * 3));
    let ranking = study["ranking"].as_array().expect("a ranking");
    assert_eq!(ranking.len(), 2);
    for method in ranking {
        assert!(text(&method["method"]), "{method}");
        let score = |key: &str| method["score"][key].as_f64().expect("a number");
        assert!(score("low") <= score("mean") && score("mean") <= score("high"), "{method}");
        let (train, gap) = (method["train_score"].as_f64().expect("a score"), method["gap"].as_f64());
        assert!((gap.expect("a gap") - (train - score("mean"))).abs() < 1e-12, "{method}");
        assert!([0.01, 0.1].contains(&method["learning_rate"].as_f64().expect("a rate")), "{method}");
        assert!(method["tied_with_best"].is_boolean() && method["diverged"].is_u64(), "{method}");
        assert!(method["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{method}");
    }
    assert_eq!(ranking[0]["tied_with_best"], true);
    // The mean is what its folds say.
    let folds: Vec<f64> =
        ranking[0]["scores"].as_array().expect("scores").iter().filter_map(Value::as_f64).collect();
    let mean = folds.iter().sum::<f64>() / folds.len() as f64;
    assert!((mean - ranking[0]["score"]["mean"].as_f64().expect("a mean")).abs() < 1e-12);
}

#[test]
fn every_format_goes_to_standard_output_and_words_to_standard_error() {
    let folder = Folder::new("formats");
    let table = folder.good(&format!("compare iris {SMALL}"));
    for word in ["iris: 150 rows, 4 features, 3 classes", "Adam", "SGD", "Verdict", "torch.optim."] {
        assert!(table.out.contains(word), "no «{word}» in:\n{}", table.out);
    }
    assert!(table.err.contains("Report: runs/iris/report.html"), "{}", table.err);
    assert!(!table.out.contains('\u{1b}') && !table.err.contains('\u{1b}'), "no terminal, no escapes");

    let csv_text = folder.good(&format!("compare iris {SMALL} --format csv")).out;
    let lines: Vec<Vec<&str>> = csv_text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{csv_text}");
    let column = |name: &str| lines[0].iter().position(|column| *column == name).expect("a column");
    let study = folder.json(&format!("compare iris {SMALL}"));
    let best = &study["ranking"][0];
    assert_eq!(lines[1][column("method")], best["method"]);
    assert!(
        lines[1].iter().any(|cell| cell.parse::<f64>().ok() == best["score"]["mean"].as_f64()),
        "{csv_text}"
    );

    let markdown = folder.good(&format!("compare iris {SMALL} --format markdown")).out;
    assert!(markdown.lines().filter(|line| line.starts_with('|')).count() == 4, "{markdown}");
    assert!(markdown.contains("Verdict") && markdown.contains("`torch.optim."), "{markdown}");

    let quiet = folder.good(&format!("compare iris {SMALL} --quiet"));
    assert_eq!((quiet.err.as_str(), quiet.out), ("", table.out));
}

#[test]
fn a_report_says_what_the_comparison_said() {
    let folder = Folder::new("report");
    for format in ["table", "json", "csv", "markdown"] {
        let compared = folder.good(&format!("compare iris {SMALL} --format {format}"));
        std::fs::remove_file(folder.path().join("runs/iris/report.html")).expect("a report");
        let reported = folder.good(&format!("report runs/iris --format {format}"));
        assert_eq!(reported.out, compared.out);
        assert!(folder.path().join("runs/iris/report.html").is_file());
    }
    assert_eq!(folder.good("report runs/iris --quiet").err, "");
}

#[test]
fn the_reproducing_command_reproduces() {
    let folder = Folder::new("reproduce");
    folder.write(
        "my data.csv",
        csv("a b,it's", 40, |i| format!("{}.5,{}", i * i % 13, i * i % 13 * 2 + i % 2)),
    );
    let arguments = ["compare", "my data.csv", "--target", "it's", "--task", "regression", "--folds", "3"];
    let small =
        ["--epochs", "3", "--hidden", "8,4", "--learning-rates", "1e-2..1:2", "--optimizers", "sgd,adagrad"];
    let mut command = folder.command("");
    let output = command.args(arguments).args(small).args(["--format", "json"]).output().expect("it starts");
    assert!(output.status.success());
    let first: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let said = first["protocol"]["command"].as_str().expect("a command");
    let rest = said.strip_prefix("thalweg ").expect("a command");
    let script = format!("\"$THALWEG\" {rest} --format json --out again");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("THALWEG", env!("CARGO_BIN_EXE_thalweg")).current_dir(folder.path());
    let again = serde_json::from_slice(&shell.output().expect("a shell").stdout).expect("JSON");
    assert_eq!(timeless(again), timeless(first));
}

#[test]
fn threads_change_nothing_but_the_time() {
    let folder = Folder::new("threads");
    for data in ["iris", "diabetes"] {
        let study = |jobs: u32| {
            timeless(folder.json(&format!("compare {data} {SMALL} --jobs {jobs} --out {data}{jobs}")))
        };
        let one = study(1);
        assert_eq!(one, study(2));
        assert_eq!(one, study(5));
    }
}

#[test]
fn a_seed_decides_the_draws() {
    let folder = Folder::new("seed");
    let study = |seed: u32| timeless(folder.json(&format!("compare iris {SMALL} --seed {seed} --out o")));
    let (zero, one) = (study(0), study(1));
    assert_ne!(zero, one);
    assert_eq!(zero, study(0));
}

#[test]
fn a_moved_file_keeps_its_trials() {
    let folder = Folder::new("moved");
    let text = csv("x,y", 40, |i| format!("{}.5,{}", i * i % 13, ["a", "b"][usize::from(i * i % 13 > 5)]));
    folder.write("here.csv", &text);
    folder.write("else where/dort.txt", &text);
    let first = folder.json(&format!("compare here.csv --target y --out o {SMALL}"));
    let mut command = folder.command(&format!("compare --target y --out o --format json {SMALL}"));
    let output = command.arg("else where/dort.txt").output().expect("it starts");
    let second: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(second["data"]["name"], "dort");
    // Seconds too: nothing was run again.
    assert_eq!(first["ranking"], second["ranking"]);
    assert_eq!(first["trials"], second["trials"]);
}

#[test]
fn a_settings_file_says_what_flags_say_and_flags_win() {
    let folder = Folder::new("config");
    folder.write(
        "s.toml",
        "data = \"iris\"\noptimizers = [\"sgd\", \"adam\"]\nlearning-rates = [0.01, 0.1]\nfolds = 3\nepochs = 4\n\
         hidden = 8\nseed = 5\nquiet = true\nformat = \"json\"\nout = \"from-file\"\n",
    );
    let flags = folder.json(&format!("compare iris --seed 5 --out from-flags {SMALL}"));
    let ran = folder.good("compare --config s.toml");
    assert_eq!(ran.err, "");
    assert!(folder.path().join("from-file/study.sqlite").is_file());
    let file: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(timeless(file), timeless(flags));
    let won = folder.json("compare --config s.toml --seed 6 --optimizers adam,sgd,nag --out won");
    assert_eq!(won["protocol"]["seed"], 6);
    assert_eq!(names(&won).len(), 3);
    let other = folder.json("compare wine --config s.toml --out wine");
    assert_eq!(other["data"]["name"], "wine");
    assert!(!folder.good("compare --config s.toml --quiet=false").err.is_empty());
}

/// Each method's scores; not its seconds.
fn scores(study: &Value) -> Vec<&Value> {
    study["ranking"].as_array().expect("a ranking").iter().map(|method| &method["scores"]).collect()
}

#[test]
fn wrappers_go_around_every_method() {
    let folder = Folder::new("wrap");
    let plain = folder.json(&format!("compare iris {SMALL} --out o"));
    assert!(plain["protocol"].get("wrap").is_none());
    let wrapped = folder.json(&format!("compare iris {SMALL} --out o --wrap clip-norm=0.1,ema=0.9"));
    assert_eq!(wrapped["protocol"]["wrap"], serde_json::json!(["clip-norm=0.1", "ema=0.9"]));
    assert_ne!(wrapped["ranking"], plain["ranking"]);
    assert!(
        wrapped["protocol"]["command"].as_str().expect("a command").contains("--wrap clip-norm=0.1,ema=0.9")
    );
    let said = wrapped["verdict"]["sentences"].to_string();
    assert!(said.contains("had clip-norm=0.1, ema=0.9 around it"), "{said}");
    let page = std::fs::read_to_string(folder.path().join("o/report.html")).expect("a report");
    assert!(page.contains("inner to outer: clip-norm=0.1, ema=0.9."));
    // The same from a file, as tables; and a study without wrappers finds its trials where they were.
    folder.write("s.toml", "wrap = [{ clip-norm = 0.1 }, { ema = { decay = 0.9 } }]\n");
    let file = folder.json(&format!("compare iris {SMALL} --config s.toml --out file"));
    assert_eq!(scores(&file), scores(&wrapped));
    assert_eq!(folder.json(&format!("compare iris {SMALL} --out o")), plain, "nothing was run again");
    // Searches, on mini-batches, with an average and SAM around them.
    let searches = SMALL.replace("sgd,adam", "lbfgs,gradient-descent");
    let searched = folder.json(&format!("compare iris {searches} --wrap ema=0.5,sam"));
    assert_eq!(names(&searched).len(), 2);
}

#[test]
fn a_schedule_is_a_setting_like_any_other() {
    let folder = Folder::new("schedule");
    let plain = folder.json(&format!("compare iris {SMALL} --out o"));
    assert_eq!(plain["protocol"]["schedule"], "constant");
    // Naming what holds anyway finds every trial in the store: their keys are what they were.
    let constant = folder.json(&format!("compare iris {SMALL} --out o --schedule constant"));
    assert_eq!(constant, plain, "seconds too: nothing was run again");
    let cosine = folder.json(&format!("compare iris {SMALL} --out o --schedule cosine"));
    assert_eq!(cosine["protocol"]["schedule"], "cosine");
    assert_ne!(cosine["ranking"], plain["ranking"]);
    let said = cosine["verdict"]["sentences"].to_string();
    assert!(said.contains("schedule cosine, laid over 4 epochs"), "{said}");
    let page = std::fs::read_to_string(folder.path().join("o/report.html")).expect("a report");
    assert!(page.contains("multiplied by the schedule cosine"));
    // The same from a file, with settings, and by the command that the study says.
    folder.write("s.toml", "schedule = { name = \"warm-up\", steps = \"1 epoch\", times = \"cosine\" }\n");
    let file = folder.json(&format!("compare iris {SMALL} --config s.toml --out file"));
    let command = file["protocol"]["command"].as_str().expect("a command");
    let written = r#"--schedule '{ name = "warm-up", steps = "1 epoch", times = "cosine" }'"#;
    assert!(command.contains(written), "{command}");
    let script = format!("\"$THALWEG\" {} --format json --out again", &command["thalweg ".len()..]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("THALWEG", env!("CARGO_BIN_EXE_thalweg")).current_dir(folder.path());
    let again = serde_json::from_slice(&shell.output().expect("a shell").stdout).expect("JSON");
    assert_eq!(timeless(again), timeless(file));
    for name in ["step", "multi-step", "exponential", "polynomial", "warm-restarts", "one-cycle"] {
        folder.json(&format!("compare iris {SMALL} --schedule {name}"));
    }
    for name in ["warm-up-stable-decay", "inverse-square-root", "reduce-on-plateau", "sequence"] {
        folder.json(&format!("compare iris {SMALL} --schedule {name}"));
    }
}

#[test]
fn each_kind_of_data_gets_a_sensible_verdict() {
    let folder = Folder::new("kinds");
    let study = |arguments: &str| {
        folder.json(&format!("compare {arguments} --epochs 15 --folds 3 --optimizers sgd,adam"))
    };
    let cancer = study("breast-cancer --learning-rates 0.01,0.1 --metric auc");
    assert!(best_and_baseline(&cancer).0 > 0.97, "{}", cancer["ranking"]);
    let diabetes = study("diabetes --learning-rates 0.001..0.1:3");
    let (best, baseline) = best_and_baseline(&diabetes);
    assert!(best < 0.85 * baseline, "RMSE {best}, baseline {baseline}");
    assert_eq!(diabetes["data"]["task"], "regression");
    assert_eq!(diabetes["metric"], "rmse");
    let passengers = study("air-passengers --learning-rates 0.001..0.1:3");
    let (best, baseline) = best_and_baseline(&passengers);
    assert!(best < 0.7 * baseline, "RMSE {best}, baseline {baseline}");
    assert_eq!(passengers["protocol"]["cv"], "time-series");
    let train = passengers["protocol"]["train_rows"].as_array().expect("sizes").clone();
    assert!(train.windows(2).all(|pair| pair[0].as_u64() < pair[1].as_u64()), "windows grow: {train:?}");
}

#[test]
fn other_settings_go_through() {
    let folder = Folder::new("settings");
    for (index, settings) in [
        "iris --dialect textbook --batch-size full --activation gelu --metric log-loss",
        "iris --batch-size 1 --epochs 1 --hidden none --init glorot",
        "diabetes --loss absolute-error --metric mae --activation silu",
        "diabetes --metric r2 --cv k-fold --repeats 2",
        "breast-cancer --metric f1 --loss binary --patience 0",
        "wine --metric balanced-accuracy --hidden 8,8 --activation tanh --validation 0.4",
        "air-passengers --gap 2 --lags 3",
    ]
    .iter()
    .enumerate()
    {
        // A flag may be given once.
        let repeated =
            ["--epochs 4", "--hidden 8"].into_iter().filter(|own| settings.contains(&own[..own.len() - 2]));
        let small = repeated.fold(SMALL.to_owned(), |small, own| small.replace(own, ""));
        let study = folder.json(&format!("compare {small} --out o{index} {settings}"));
        let (best, baseline) = best_and_baseline(&study);
        assert!(best.is_finite() && baseline.is_finite(), "{settings}");
    }
}

#[test]
fn what_diverges_is_ranked_last_and_is_no_failure() {
    let folder = Folder::new("diverged");
    let study = folder.json(
        "compare diabetes --optimizers sgd,adam --learning-rates 1e4,1e5 --folds 3 --epochs 2 --out all",
    );
    assert_eq!(study["verdict"]["best"], "adam");
    let last = &study["ranking"][1];
    assert_eq!(last["method"], "sgd");
    assert!(
        last["score"]["mean"].is_null() && last["gap"].is_null() && last["learning_rate"].is_null(),
        "{last}"
    );
    assert_eq!((last["diverged"].as_u64(), last["failed_folds"].as_u64()), (Some(6), Some(3)));
    assert_eq!(last["tied_with_best"], false);
    // Nothing at all is left to rank.
    let ran = folder.good("compare diabetes --optimizers sgd,momentum --learning-rates 1e20,1e21 --folds 3 --epochs 2 --out none");
    assert!(
        ran.out.contains("none can be called best") && ran.out.contains("smaller learning rates"),
        "{}",
        ran.out
    );
    let none = folder.json("report none");
    assert!(none["verdict"]["best"].is_null(), "{}", none["verdict"]);
    for format in ["csv", "markdown"] {
        folder.good(&format!("report none --format {format}"));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new("closed");
    for arguments in ["list optimizers", "completions bash", &format!("compare iris {SMALL}")] {
        let mut child = folder.command(arguments).stdout(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {err}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn names_with_spaces_and_any_letters_work() {
    let folder = Folder::new("unicode");
    let text = csv("länge,größe 2,日本", 40, |i| {
        format!("{}.5,{},{}", i * i % 13, i % 7, ["ja", "nein"][usize::from(i * i % 13 > 5)])
    });
    folder.write("Meine Daten/blüten 1.csv", text);
    let mut command = folder.command(&format!("compare --format json {SMALL} --target 日本 --keep länge"));
    let output =
        command.args(["Meine Daten/blüten 1.csv", "--ignore", "größe 2"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let study: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (study["data"]["name"].as_str(), study["data"]["features"].as_u64()),
        (Some("blüten 1"), Some(1))
    );
    assert!(folder.path().join("runs/blüten 1/report.html").is_file());
}

#[test]
fn a_file_may_be_named_like_a_built_in_set() {
    let folder = Folder::new("named");
    folder.write(
        "iris",
        csv("x,y", 40, |i| format!("{}.5,{}", i * i % 13, ["a", "b"][usize::from(i * i % 13 > 5)])),
    );
    assert_eq!(folder.json(&format!("compare ./iris --target y {SMALL} --out mine"))["data"]["rows"], 40);
    assert_eq!(folder.json(&format!("compare iris {SMALL} --out theirs"))["data"]["rows"], 150);
}
