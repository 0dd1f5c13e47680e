//! What the README tells a reader to type, or to write into a settings file, runs as it stands there.
//!
//! (Its Rust is run as a documentation test of the crate, its Python by the package's own tests.) Long runs are cut short
//! by flags that the README does not give.

use crate::common::{Folder, csv};

const README: &str = include_str!("../../../../README.md");

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The arguments of every `thalweg`, whether installed or run by cargo, without comments.
fn commands() -> Vec<String> {
    let blocks = blocks("sh");
    let lines = blocks.iter().flat_map(|block| block.lines());
    let plain = lines.filter_map(|line| {
        let line = line.split(" #").next().unwrap_or_default().trim();
        line.strip_prefix("thalweg ").or(line.strip_prefix("cargo run --release -- "))
    });
    plain.map(str::to_owned).collect()
}

/// The command with flags that make it short, but for those that it has.
fn short(command: &str) -> String {
    let verb = command.split(' ').next().unwrap_or_default();
    let flags: &[&str] = match verb {
        "compare" => &["--epochs 1", "--folds 2", "--learning-rates 0.01,0.1", "--optimizers sgd,adam"],
        "find-lr" => &["--steps 20"],
        "train" => &["--epochs 1"],
        "race" => &["--steps 50"],
        _ => &[],
    };
    // Techniques are compared under one optimizer, which is the default.
    let one = if command.contains("--regularizers") { "--optimizers" } else { "" };
    let missing = flags.iter().filter(|flag| {
        let name = flag.split(' ').next().unwrap_or_default();
        name != one && !command.contains(name)
    });
    missing.fold(command.to_owned(), |command, flag| format!("{command} {flag}"))
}

#[test]
fn every_command_runs() {
    let folder = Folder::new("readme-commands");
    // The reader's own files: rows with a target, and new images of digits for the model that a command before has trained.
    folder.write("my.csv", csv("a,b,y", 60, |i| format!("{},{},{}", i * 7 % 11, i % 5, i % 2)));
    let pixels = (0..64).map(|at| format!("pixel_{}_{}", at / 8, at % 8)).collect::<Vec<_>>().join(",");
    let row = |i: usize| (0..64).map(|at| (at * i % 17).to_string()).collect::<Vec<_>>().join(",");
    folder.write("new.csv", csv(&pixels, 3, row));
    let commands = commands();
    assert!(commands.len() >= 14, "{commands:?}");
    for command in &commands {
        let ran = folder.run(&short(command));
        assert_eq!(ran.code, Some(0), "thalweg {command}: {}", ran.err);
    }
    assert!(folder.path().join("model.onnx").is_file() && folder.path().join("predictions.csv").is_file());
}

#[test]
fn every_settings_file_runs() {
    let folder = Folder::new("readme-settings");
    let files = blocks("toml");
    assert!(!files.is_empty());
    for file in files {
        folder.write("study.toml", &file);
        let compare = short("compare --config study.toml").replace("sgd,adam", "adam");
        let compare = folder.run(&compare);
        assert_eq!(compare.code, Some(0), "{file}{}", compare.err);
        let train = folder.run("train --config study.toml --epochs 1 --force --out m");
        assert_eq!(train.code, Some(0), "{file}{}", train.err);
    }
}
