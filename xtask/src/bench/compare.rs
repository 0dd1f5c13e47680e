//! `cargo xtask bench compare`: the protocol of `thalweg compare digits` in Thalweg, scikit-learn and PyTorch, side by
//! side in one run, with the number of gradient steps equal. Writes `benchmarks/compare.json` and `compare.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::contender::{Contender, How, Protocol, Run, run as run_once, run_thalweg, scratch};
use super::machine;
use super::report;
use crate::error::ChoreError;
use crate::process::{cargo, root, run_logged, target_dir};
use crate::python;

pub(super) const USAGE: &str = "compare [--repeats N] [--epochs E] [--binary PATH]";

const ALL: &[&str] = &["sgd", "momentum", "nag", "adagrad", "adadelta", "rmsprop", "adam"];
/// What scikit-learn's `MLPClassifier` has.
const FOUR: &[&str] = &["sgd", "momentum", "nag", "adam"];
/// Cores used by every contender that divides its work.
const WORKERS: usize = 2;

/// The contenders of one set of methods; the first is the one that the others are measured against.
struct Heat {
    name: &'static str,
    contenders: &'static [Contender],
}

const HEATS: &[Heat] = &[
    Heat {
        name: "PyTorch, seven methods",
        contenders: &[
            Contender { name: "Thalweg, 2 jobs", how: How::Thalweg { jobs: WORKERS }, methods: ALL },
            Contender {
                name: "PyTorch, default threads",
                how: How::Peer { script: "pytorch.py", processes: 1, threads: None },
                methods: ALL,
            },
            Contender {
                name: "PyTorch, 2 processes × 1 thread",
                how: How::Peer { script: "pytorch.py", processes: WORKERS, threads: Some(1) },
                methods: ALL,
            },
        ],
    },
    Heat {
        name: "scikit-learn, four methods",
        contenders: &[
            Contender { name: "Thalweg, 2 jobs", how: How::Thalweg { jobs: WORKERS }, methods: FOUR },
            Contender {
                name: "scikit-learn, default threads",
                how: How::Peer { script: "scikit_learn.py", processes: 1, threads: None },
                methods: FOUR,
            },
            Contender {
                name: "scikit-learn, 2 processes × 1 thread",
                how: How::Peer { script: "scikit_learn.py", processes: WORKERS, threads: Some(1) },
                methods: FOUR,
            },
        ],
    },
];

/// Runs the benchmark.
///
/// # Errors
/// Wrong options (exit 2), or a build or contender that fails (exit 1).
pub(super) fn run(args: &[String]) -> Result<(), ChoreError> {
    let options = Options::parse(args)?;
    machine::clean_tree()?;
    let python = python::for_goldens()?;
    let binary = match options.binary {
        Some(binary) => binary,
        None => build()?,
    };
    let machine = machine::describe();
    let protocol = Protocol { epochs: options.epochs, seed: 0 };
    let mut runs: BTreeMap<(usize, usize), Vec<Run>> = BTreeMap::new();
    let mut defaults = Vec::new();
    // Contenders take turns within a repeat, so that a slow minute of the machine meets all of them.
    for repeat in 1..=options.repeats {
        let out = scratch().join(format!("compare-{repeat}"));
        for (h, heat) in HEATS.iter().enumerate() {
            for (c, contender) in heat.contenders.iter().enumerate() {
                let run = run_once(contender, &protocol, &binary, &python, &out)?;
                println!("repeat {repeat}: {:<40} {:>9.2} s", contender.name, run.seconds);
                runs.entry((h, c)).or_default().push(run);
            }
        }
        let run = run_thalweg(&binary, &[], &out)?;
        println!("repeat {repeat}: {:<40} {:>9.2} s", "Thalweg, default settings", run.seconds);
        defaults.push(run);
    }
    let heats: Vec<Value> = HEATS.iter().enumerate().map(|(h, heat)| heat_json(h, heat, &runs)).collect();
    let result = json!({
        "benchmark": "compare",
        "machine": machine,
        "protocol": protocol_json(options.epochs, options.repeats),
        "heats": heats,
        "default_settings": contender_json("Thalweg, default settings", &defaults),
    });
    write(&result)
}

#[derive(Debug, PartialEq)]
struct Options {
    repeats: usize,
    epochs: usize,
    binary: Option<PathBuf>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, ChoreError> {
        let usage =
            |problem: String| ChoreError::Usage(format!("{problem}\nUsage: cargo xtask bench {USAGE}"));
        let mut options = Self { repeats: 3, epochs: 10, binary: None };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| usage(format!("{flag} needs a value")))?;
            let count = || match value.parse::<usize>() {
                Ok(n) if n >= 1 => Ok(n),
                _ => Err(usage(format!("{flag} is a whole number from 1, not «{value}»"))),
            };
            match flag.as_str() {
                "--repeats" => options.repeats = count()?,
                "--epochs" => options.epochs = count()?,
                "--binary" => options.binary = Some(value.into()),
                _ => return Err(usage(format!("there is no option {flag}"))),
            }
        }
        Ok(options)
    }
}

fn build() -> Result<PathBuf, ChoreError> {
    run_logged(cargo().args(["build", "--release", "--package", "thalweg"]), "bench-build")?;
    Ok(target_dir().join("release").join(format!("thalweg{}", std::env::consts::EXE_SUFFIX)))
}

fn protocol_json(epochs: usize, repeats: usize) -> Value {
    json!({
        "data": "digits, 1797 rows, 64 features, 10 classes; standardized on the training part",
        "outer": "5 stratified folds", "inner": "20 % stratified validation split of the outer training part",
        "learning_rates": "9, log-spaced over 1e-4 … 1", "network": "64-64-10, ReLU, f32", "batch_size": 32,
        "epochs": epochs, "early_stopping": false, "repeats": repeats,
    })
}

fn heat_json(h: usize, heat: &Heat, runs: &BTreeMap<(usize, usize), Vec<Run>>) -> Value {
    let contenders: Vec<Value> = heat
        .contenders
        .iter()
        .enumerate()
        .map(|(c, contender)| contender_json(contender.name, &runs[&(h, c)]))
        .collect();
    // Per step: a refit runs for the epochs that the inner split chose, so the tools' totals differ by a few per cent.
    let per_step = |json: &Value| json["microseconds_per_step"].as_f64();
    let own = per_step(&contenders[0]).unwrap_or(f64::NAN);
    let ratios: BTreeMap<&str, f64> = heat.contenders[1..]
        .iter()
        .zip(&contenders[1..])
        .filter_map(|(contender, json)| Some((contender.name, per_step(json)? / own)))
        .collect();
    json!({"name": heat.name, "contenders": contenders, "times_as_long_as_thalweg": ratios})
}

fn contender_json(name: &str, runs: &[Run]) -> Value {
    let seconds: Vec<f64> = runs.iter().map(|r| r.seconds).collect();
    let first = &runs[0];
    let steps: u64 = first.methods.values().map(|m| m.steps).sum();
    let median = median(&seconds);
    let methods: BTreeMap<&String, Value> = first
        .methods
        .iter()
        .map(|(name, m)| (name, json!({"steps": m.steps, "accuracy": m.mean_score()})))
        .collect();
    json!({
        "name": name, "version": first.version, "seconds_median": median, "seconds": seconds, "steps": steps,
        "microseconds_per_step": 1e6 * median / steps as f64, "methods": methods,
        "same_results_in_every_repeat": runs.iter().all(|r| r.methods == first.methods),
    })
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

fn write(result: &Value) -> Result<(), ChoreError> {
    let folder = root().join("benchmarks");
    let json = serde_json::to_string_pretty(result).unwrap_or_default() + "\n";
    let page = report::markdown(result);
    for (name, text) in [("compare.json", &json), ("compare.md", &page)] {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", path.display())))?;
    }
    println!("\n{page}\nWritten: benchmarks/compare.md, benchmarks/compare.json");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::contender::Method;
    use super::*;

    fn run_of(seconds: f64, steps: u64) -> Run {
        let methods = BTreeMap::from([("sgd".to_string(), Method { steps, scores: vec![0.5] })]);
        Run { seconds, version: "1".into(), methods }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn the_ratio_is_of_medians() {
        let mut runs = BTreeMap::new();
        runs.insert((0, 0), vec![run_of(1.0, 10), run_of(2.0, 10), run_of(9.0, 10)]);
        runs.insert((0, 1), vec![run_of(50.0, 10)]);
        runs.insert((0, 2), vec![run_of(30.0, 10)]);
        let heat = heat_json(0, &HEATS[0], &runs);
        assert_eq!(heat["times_as_long_as_thalweg"]["PyTorch, default threads"], 25.0);
        assert_eq!(heat["times_as_long_as_thalweg"]["PyTorch, 2 processes × 1 thread"], 15.0);
        assert_eq!(heat["contenders"][0]["microseconds_per_step"], 200_000.0);
    }

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        let parse = |args: &[&str]| Options::parse(&args.iter().map(|a| a.to_string()).collect::<Vec<_>>());
        assert_eq!(
            parse(&["--repeats", "1"]).expect("fine"),
            Options { repeats: 1, epochs: 10, binary: None }
        );
        for wrong in [&["--repeats", "0"][..], &["--epochs"], &["--speed", "9"], &["--epochs", "x"]] {
            assert_eq!(parse(wrong).expect_err("refused").exit_code(), 2, "{wrong:?}");
        }
    }
}
