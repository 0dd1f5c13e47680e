//! `compare --regularizers`: techniques of regularization under the protocol of the optimizers.

use serde_json::Value;

use crate::common::{Folder, csv, timeless};

/// Two rates, three folds, a few epochs.
const SMALL: &str = "--learning-rates 0.003,0.03 --folds 3 --epochs 4 --hidden 8";

fn method<'a>(study: &'a Value, name: &str) -> &'a Value {
    let ranking = study["ranking"].as_array().expect("a ranking");
    ranking.iter().find(|method| method["method"] == name).unwrap_or_else(|| panic!("{name} was compared"))
}

fn trials<'a>(study: &'a Value, name: &str) -> Vec<&'a Value> {
    let trials = study["trials"].as_array().expect("trials");
    trials.iter().filter(|trial| trial["method"] == name).collect()
}

#[test]
fn each_technique_has_as_many_trials_as_none_and_is_set_against_it() {
    let folder = Folder::new("techniques");
    let techniques = "dropout,l2,early-stopping";
    let study = folder.json(&format!("compare wine {SMALL} --regularizers {techniques}"));
    assert_eq!(study["protocol"]["methods"], serde_json::json!(["none", "dropout", "l2", "early-stopping"]));
    for name in ["none", "dropout", "l2", "early-stopping"] {
        // Three folds, two rates and a refit each.
        assert_eq!(trials(&study, name).len(), 3 * 3, "{name}");
    }
    assert!(method(&study, "none")["versus_none"].is_null() && method(&study, "none")["strength"].is_null());
    for name in ["dropout", "l2", "early-stopping"] {
        let (line, none) = (method(&study, name), method(&study, "none"));
        let mean = |line: &Value| line["score"]["mean"].as_f64().expect("a mean");
        let against = |what: &str, key: &str| line["versus_none"][what][key].as_f64().expect("a number");
        assert!((against("score", "difference") - (mean(line) - mean(none))).abs() < 1e-12, "{name}");
        let gap = |line: &Value| line["gap"].as_f64().expect("a gap");
        assert!((against("gap", "difference") - (gap(none) - gap(line))).abs() < 1e-12, "{name}");
        for what in ["score", "gap"] {
            let (low, high, p) = (against(what, "low"), against(what, "high"), against(what, "p"));
            assert!(low <= high && low >= -2.0 && high <= 2.0 && (0.0..=1.0).contains(&p), "{name}: {line}");
        }
    }
    // Strengths take turns over the rates; whoever does not stop early is judged by its last epoch.
    let inner = |name: &str| -> Vec<&Value> {
        trials(&study, name).into_iter().filter(|trial| trial["role"] == "inner").collect()
    };
    let strengths: Vec<_> = inner("dropout").iter().map(|trial| trial["strength"].as_f64()).collect();
    assert!(strengths[0] != strengths[1] && strengths[0] == strengths[2], "{strengths:?}");
    assert!(inner("none").iter().all(|trial| trial["epoch"] == 4 && trial["strength"].is_null()));
    // Criteria that choose the same epochs have the same refits, and each keeps its own.
    let twins = folder.json(&format!(
        "compare wine {SMALL} --regularizers early-stopping,early-stopping-gl,early-stopping-up --out twins"
    ));
    assert!(twins["ranking"].as_array().expect("a ranking").iter().all(|line| line["failed_folds"] == 0));
    assert_eq!(twins.to_string(), folder.json("report twins").to_string());
    let page = std::fs::read_to_string(folder.path().join("runs/wine/report.html")).expect("a report");
    assert!(page.contains("Which regularization generalizes best") && page.contains("Score against none"));
}

#[test]
fn early_stopping_of_every_method_chooses_every_methods_epochs() {
    let folder = Folder::new("techniques-stopped");
    let small = "--learning-rates 0.05,0.1 --folds 2 --epochs 40 --hidden 8 --regularize early-stopping=2";
    let techniques =
        folder.json(&format!("compare wine {small} --regularizers dropout=0.8 --out techniques"));
    let alone = folder.json(&format!("compare wine {small} --optimizers adam --out alone"));
    let epochs = |study: &Value, name: &str| -> Vec<Value> {
        trials(study, name).into_iter().map(|trial| trial["epoch"].clone()).collect()
    };
    // The best epoch's, as where only optimizers are compared; not the epochs until it was noticed.
    assert_eq!(epochs(&techniques, "none"), epochs(&alone, "adam"));
    let stopped = |name: &str| {
        let all = trials(&techniques, name);
        all.into_iter().filter(|trial| trial["stop"] == "early-stopped").count()
    };
    assert!(stopped("none") > 0 && stopped("dropout") > 0, "{techniques}");
    // And the technique is a part of its refits.
    let refits = |name: &str| -> Vec<Value> {
        let all = trials(&techniques, name).into_iter().filter(|trial| trial["role"] == "refit");
        all.map(|trial| trial["train_score"].clone()).collect()
    };
    assert_ne!(refits("dropout"), refits("none"));
}

#[test]
fn a_study_of_techniques_resumes_and_has_the_same_bits_with_any_number_of_jobs() {
    let folder = Folder::new("techniques-jobs");
    let run = |arguments: &str| {
        folder.json(&format!(
            "compare digits {SMALL} --train-size 60 --label-noise 0.2 --regularizers mixup,feature-mask,dropout=0.3 \
             {arguments}"
        ))
    };
    let one = run("--jobs 1 --out one");
    assert_eq!(timeless(one.clone()), timeless(run("--jobs 3 --out three")));
    // Everything is in the store.
    assert_eq!(one.to_string(), run("--jobs 2 --out one").to_string());
    assert!(one["protocol"]["train_rows"].as_array().expect("sizes").iter().all(|rows| rows == 60));
    // The correction is for the folds' own overlap, not for how few rows were taken of them.
    let ratio = one["protocol"]["test_over_train"].as_f64().expect("a ratio");
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    // What is named is what is tried, and labels are replaced for all alike.
    assert!(trials(&one, "dropout").iter().all(|trial| trial["strength"] == 0.3));
    let plain =
        folder.json(&format!("compare digits {SMALL} --train-size 60 --regularizers mixup --out plain"));
    let score = |study: &Value| method(study, "none")["train_score"].as_f64().expect("a score");
    assert!(score(&one) < score(&plain), "noisy labels are harder to learn");
    let command = one["protocol"]["command"].as_str().expect("a command");
    for part in ["--regularizers mixup,feature-mask,dropout=0.3", "--label-noise 0.2", "--train-size 60"] {
        assert!(command.contains(part), "{command}");
    }
}

#[test]
fn all_are_those_that_apply_and_the_others_are_said() {
    let folder = Folder::new("techniques-all");
    let study =
        folder.json("compare iris --regularizers all --learning-rates 0.01 --folds 2 --epochs 1 --hidden 4");
    let count = study["ranking"].as_array().expect("a ranking").len();
    let left_out = study["protocol"]["left_out"].as_array().expect("what does not apply");
    assert!(count > 20 && left_out.len() > 8, "{count} compared, {} left out", left_out.len());
    assert!(
        left_out.iter().any(|why| why.as_str().is_some_and(|why| why.contains("cutmix"))),
        "{left_out:?}"
    );
    let table = folder.good("report runs/iris").out;
    assert!(table.contains("against none") && table.contains("Left out: "), "{table}");
    let lines = folder.good("report runs/iris --format csv").out;
    assert!(lines.lines().next().is_some_and(|header| header.contains("shrinks_gap_by")), "{lines}");
}

#[test]
fn what_does_not_fit_is_refused_before_anything_runs() {
    let folder = Folder::new("techniques-refused");
    folder.write("cats.csv", csv("c,x,y", 60, |i| format!("{},{}.5,{}", ["a", "b", "c"][i % 3], i, i % 2)));
    let list = |layers: &str| format!("data = \"cats.csv\"\ntarget = \"y\"\nnetwork = [{layers}]\n");
    folder.write("few.toml", list("{ layer = \"embedding\", codes = [2] }"));
    folder.write(
        "behind.toml",
        list("{ layer = \"dense\", units = 3 }, { layer = \"embedding\", codes = [4] }"),
    );
    folder.write(
        "codes.toml",
        list("{ layer = \"embedding\", codes = [4] }, { layer = \"dense\", units = 3 }"),
    );
    folder
        .write("mix.toml", "data = \"iris\"\nnetwork = [\"mix-point\", { layer = \"dense\", units = 3 }]\n");
    folder.write(
        "stride.toml",
        "data = \"digits\"\nnetwork = [{ layer = \"conv2d\", filters = 2, stride = 100000 }]\n",
    );
    folder.write(
        "padding.toml",
        "data = \"digits\"\nnetwork = [{ layer = \"conv2d\", filters = 2, padding = 100000 }]\n",
    );
    folder.write(
        "filters.toml",
        "data = \"digits\"\nnetwork = [{ layer = \"conv2d\", filters = 1000000000 }]\n",
    );
    for (arguments, words) in [
        ("compare iris --regularizers dropot", &["--regularizers", "«dropot»", "«dropout»"][..]),
        ("compare iris --regularizers all,dropout", &["--regularizers", "stands alone"]),
        ("compare iris --regularizers cutmix", &["--regularizers", "images"]),
        ("compare iris --regularizers dropout --optimizers sgd,adam", &["--optimizers", "one name"]),
        ("compare iris --regularize dropout=2", &["dropout", "rate = 2"]),
        ("compare iris --label-noise 1", &["--label-noise 1"]),
        ("compare iris --train-size 1", &["--train-size 1"]),
        ("compare iris --network lenet", &["--network lenet", "images", "--image"]),
        ("compare iris --network lenett", &["«lenett»", "«lenet»"]),
        ("compare iris --network resmlp --batch-size 1", &["batch normalization", "batch size"]),
        ("compare --config few.toml", &["embedding", "codes = [4]"]),
        ("compare --config behind.toml", &["embedding must be the first layer"]),
        ("compare --config codes.toml --regularize mixup=0.2", &["mixup", "codes"]),
        ("compare --config codes.toml --regularize input-noise=0.2", &["input-noise", "codes"]),
        ("compare --config mix.toml", &["mix-point", "manifold-mixup"]),
        ("compare --config stride.toml", &["layer 0 (conv2d)", "stride = 100000"]),
        ("compare --config padding.toml", &["layer 0 (conv2d)", "padding"]),
        ("compare --config filters.toml", &["layer 0 (conv2d)", "weights"]),
        ("find-lr iris --regularizers all", &["--regularizers"]),
        ("train iris --validation 0 --regularize early-stopping=5", &["--validation 0", "early stopping"]),
        ("train iris --shards 64", &["--shards 64", "from 1 to 32"]),
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments}: {}", ran.err);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{arguments}: {}", ran.err);
    }
    // What every method has may also be what ends its trials.
    folder.good("compare iris --regularize early-stopping=2 --optimizers sgd --learning-rates 0.1 --folds 2 --epochs 3");
}

#[test]
fn what_the_optimizer_does_not_let_around_it_is_left_out_of_all() {
    let folder = Folder::new("techniques-around");
    let study = folder.json(
        "compare iris --optimizers lbfgs --regularizers all --batch-size full --train-size 40 --hidden 4 --epochs 1 \
         --folds 2 --learning-rates 0.1,1",
    );
    let left_out = study["protocol"]["left_out"].as_array().expect("reasons");
    let reason =
        left_out.iter().filter_map(Value::as_str).find(|reason| reason.starts_with("gradient-noise"));
    assert!(reason.is_some_and(|reason| reason.contains("cannot go around lbfgs")), "{left_out:?}");
    assert!(trials(&study, "gradient-noise").is_empty() && !trials(&study, "dropout").is_empty());
}
