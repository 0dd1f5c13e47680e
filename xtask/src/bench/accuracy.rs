//! `cargo xtask bench accuracy`: what the named architectures reach on real images, by the very commands that a user types.
//! Writes `benchmarks/accuracy.json` and `accuracy.md`; ends with an error if one falls short of what is wanted.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::contender::scratch;
use super::machine;
use super::train::FASHION_MNIST;
use crate::error::ChoreError;
use crate::process::{cargo, command, line_of, root, run_logged, target_dir};

pub(super) const USAGE: &str = "accuracy [--dirty]";

/// A score that is wanted.
struct Goal {
    title: &'static str,
    asked: f64,
    /// What is run, one after the other; the last one tells the score. `OUT` stands for a folder that is not there yet.
    lines: &'static [&'static str],
    score: fn(&Said) -> Option<f64>,
}

/// What a command printed.
struct Said {
    out: String,
    err: String,
}

const GOALS: &[Goal] = &[
    Goal {
        title: "digits, `lenet`: mean accuracy of 5 outer folds, the rate tuned within each",
        asked: 0.985,
        lines: &[
            "compare digits --network lenet --optimizers adam,momentum --learning-rates 1e-3,3e-3,1e-2 \
             --epochs 30 --seed 0 --quiet --format json --out OUT",
        ],
        score: best_of_ranking,
    },
    Goal {
        title: "Fashion-MNIST, `resnet8`: accuracy on the 10,000 test images",
        asked: 0.92,
        lines: &[
            "train FASHION/train-images-idx3-ubyte.gz --network resnet8 --epochs 7 --schedule cosine --learning-rate 3e-3 \
             --batch-size 64 --validation 0 --regularize flip --seed 0 --quiet --out OUT",
            "predict OUT FASHION/t10k-images-idx3-ubyte.gz --format json",
        ],
        score: score_of_predictions,
    },
];

/// Runs the commands and keeps what they reached.
///
/// # Errors
/// Wrong options (exit 2); a build or a command that fails, or a score below what is wanted (exit 1).
pub(super) fn run(args: &[String]) -> Result<(), ChoreError> {
    let dirty = match args {
        [] => false,
        [option] if option == "--dirty" => true,
        _ => return Err(ChoreError::Usage(format!("Usage: cargo xtask bench {USAGE}"))),
    };
    if !dirty {
        machine::clean_tree()?;
    }
    run_logged(cargo().args(["build", "--release", "--package", "thalweg"]), "bench-build")?;
    let binary = target_dir().join(format!("release/thalweg{}", std::env::consts::EXE_SUFFIX));
    let goals: Vec<Value> = GOALS
        .iter()
        .enumerate()
        .map(|(index, goal)| reach(goal, &binary, &scratch().join(format!("accuracy-{index}"))))
        .collect::<Result<_, _>>()?;
    let result = json!({"benchmark": "accuracy", "machine": machine::describe(), "goals": goals});
    let page = markdown(&result);
    println!("\n{page}");
    if !dirty {
        let json = serde_json::to_string_pretty(&result).unwrap_or_default() + "\n";
        for (name, text) in [("accuracy.json", &json), ("accuracy.md", &page)] {
            let path = root().join("benchmarks").join(name);
            fs::write(&path, text)
                .map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", path.display())))?;
        }
        println!("Written: benchmarks/accuracy.md, benchmarks/accuracy.json");
    }
    let short: Vec<_> = goals.iter().filter(|goal| goal["met"] != true).map(|goal| &goal["title"]).collect();
    if short.is_empty() {
        return Ok(());
    }
    Err(ChoreError::failed(format!("below what is wanted: {short:?}")))
}

fn reach(goal: &Goal, binary: &Path, out: &Path) -> Result<Value, ChoreError> {
    println!("{}", goal.title);
    if out.exists() {
        fs::remove_dir_all(out)
            .map_err(|e| ChoreError::failed(format!("cannot empty {}: {e}", out.display())))?;
    }
    let started = Instant::now();
    let mut said = Said { out: String::new(), err: String::new() };
    let mut last = String::new();
    for line in goal.lines {
        let mut command = command(binary);
        for word in line.split_whitespace() {
            if word == "OUT" {
                command.arg(out)
            } else {
                command.arg(word.replace("FASHION", FASHION_MNIST))
            };
        }
        last = line_of(&command);
        said = listen(&mut command)?;
    }
    let score = (goal.score)(&said)
        .ok_or_else(|| ChoreError::failed(format!("`{last}` told no score: {}{}", said.out, said.err)))?;
    let commands: Vec<String> = goal
        .lines
        .iter()
        .map(|line| format!("thalweg {}", line.replace("OUT", "model").replace("FASHION", FASHION_MNIST)))
        .collect();
    Ok(json!({
        "title": goal.title, "asked": goal.asked, "reached": score, "met": score >= goal.asked,
        "seconds": started.elapsed().as_secs_f64(), "commands": commands,
    }))
}

fn listen(command: &mut std::process::Command) -> Result<Said, ChoreError> {
    let line = line_of(command);
    let output = command.output().map_err(|e| ChoreError::failed(format!("cannot start `{line}`: {e}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said { out: text(&output.stdout), err: text(&output.stderr) };
    if output.status.success() {
        return Ok(said);
    }
    Err(ChoreError::failed(format!("{}\n`{line}` ended with {}", said.err, output.status)))
}

fn best_of_ranking(said: &Said) -> Option<f64> {
    let json: Value = serde_json::from_str(&said.out).ok()?;
    json["ranking"][0]["score"]["mean"].as_f64()
}

/// `predict` tells on standard error: «accuracy 0.9252, … on the 10000 rows with a target».
fn score_of_predictions(said: &Said) -> Option<f64> {
    let (_, rest) = said.err.split_once("accuracy ")?;
    rest.split([',', ' ', '\n']).next()?.parse().ok()
}

/// The page.
fn markdown(result: &Value) -> String {
    let mut page = String::from("# Benchmark: what the named architectures reach\n\n");
    page += "Made by `cargo xtask bench accuracy`; do not edit. The figures are in `accuracy.json`.\n\n";
    for (key, value) in result["machine"].as_object().into_iter().flatten() {
        page += &format!("- {key}: {}\n", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    page += "\n| what | asked | reached | met | seconds |\n|---|---|---|---|---|\n";
    let goals = || result["goals"].as_array().into_iter().flatten();
    for goal in goals() {
        let number = |key: &str| goal[key].as_f64().unwrap_or(f64::NAN);
        page += &format!(
            "| {} | {} | {:.4} | {} | {:.0} |\n",
            goal["title"].as_str().unwrap_or_default(),
            number("asked"),
            number("reached"),
            if goal["met"] == true { "yes" } else { "**no**" },
            number("seconds"),
        );
    }
    page += "\nBy these commands, on all cores (the bits do not depend on them):\n\n```sh\n";
    for line in goals().flat_map(|goal| goal["commands"].as_array().into_iter().flatten()) {
        page += &format!("{}\n", line.as_str().unwrap_or_default());
    }
    page + "```\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(out: &str, err: &str) -> Said {
        Said { out: out.to_owned(), err: err.to_owned() }
    }

    #[test]
    fn scores_are_read_where_they_are_told() {
        let ranking = r#"{"ranking": [{"score": {"mean": 0.9883}}, {"score": {"mean": 0.97}}]}"#;
        assert_eq!(best_of_ranking(&said(ranking, "")), Some(0.9883));
        assert_eq!(best_of_ranking(&said("{}", "")), None);
        let told = "accuracy 0.9252, log-loss 0.21 on the 10000 rows with a target\n";
        assert_eq!(score_of_predictions(&said("[]", told)), Some(0.9252));
        assert_eq!(score_of_predictions(&said("[]", "note: no labels\n")), None);
    }

    #[test]
    fn the_page_says_what_falls_short() {
        let goal = json!({"title": "digits", "asked": 0.985, "reached": 0.97, "met": false, "seconds": 61.2,
            "commands": ["thalweg compare digits"]});
        let page = markdown(&json!({"machine": {"cores": 2}, "goals": [goal]}));
        assert!(page.contains("| digits | 0.985 | 0.9700 | **no** | 61 |"), "{page}");
        assert!(page.contains("\nthalweg compare digits\n") && page.contains("- cores: 2\n"), "{page}");
    }

    #[test]
    fn wrong_options_are_refused() {
        assert_eq!(run(&["--fast".to_owned()]).expect_err("refused").exit_code(), 2);
    }
}
