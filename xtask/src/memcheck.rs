//! `cargo xtask memcheck`: the kernels' tests under valgrind, which sees every read and write outside their memory.
//!
//! Valgrind emulates a CPU without AVX-512, so the paths that run are AVX2's and the baseline's; the blocks and rests that
//! the AVX-512 path is cut into are the same.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::ChoreError;
use crate::process::{cargo, command, run_logged, stdout_of};
use crate::steps::Steps;

pub(crate) const USAGE: &str = "memcheck";

/// The test programs with kernels in them, and the words of which one is in the names of those of their tests that run; all
/// run if there are none. What is right on average takes many numbers to show, through the same memory, and
/// valgrind's CPU knows denormals only as they are: both are skipped.
const TARGETS: &[(&str, &[&str], &[&str])] = &[
    ("kernels of the optimizers", &["-p", "thalweg-optim", "--test", "kernel"], &[]),
    (
        "packed numbers, products, sums",
        &["-p", "thalweg-optim", "--lib"],
        &["kernel::", "on_every_level", "--skip=on_average"],
    ),
    ("states of fewer bits", &["-p", "thalweg-optim", "--test", "packed"], &["a_block_may_be_called"]),
    ("parameters of 16 bits", &["-p", "thalweg-optim", "--test", "half"], &["one_pass"]),
    ("activations, losses", &["-p", "thalweg-learn", "--lib"], &["kernel::", "--skip=denormals"]),
];

/// Runs them.
///
/// # Errors
/// No valgrind that could be found or installed, or a test or an access that fails (exit 1).
pub(crate) fn run(args: &[String]) -> Result<(), ChoreError> {
    if let Some(arg) = args.first() {
        return Err(ChoreError::Usage(format!("cannot read «{arg}»\nUsage: cargo xtask {USAGE}")));
    }
    if stdout_of(command("valgrind").arg("--version")).is_err() {
        run_logged(command("apt-get").args(["install", "-y", "valgrind"]), "valgrind")
            .map_err(|e| ChoreError::failed(format!("{e}\nInstall valgrind, then run again.")))?;
    }
    let mut steps = Steps::new();
    for (index, (title, flags, words)) in TARGETS.iter().enumerate() {
        steps.run(title, || check(index, flags, words))?;
    }
    println!("{}", steps.summary(0));
    Ok(())
}

fn check(index: usize, flags: &[&str], words: &[&str]) -> Result<String, ChoreError> {
    let program = built(flags)?;
    let valgrind = ["--error-exitcode=9", "--quiet", "--leak-check=no"];
    let log = run_logged(
        command("valgrind").args(valgrind).arg(program).arg("--test-threads=1").args(words),
        &format!("memcheck-{index}"),
    )?;
    let passed = log.lines().find(|line| line.starts_with("test result: ok")).unwrap_or_default();
    if passed.contains(" 0 passed") {
        return Err(ChoreError::failed(format!(
            "no test of «{}» ran: see target/xtask/memcheck-{index}.log",
            words.join(", ")
        )));
    }
    Ok(passed.trim_start_matches("test result: ").to_owned())
}

/// The path of a test program, built.
fn built(flags: &[&str]) -> Result<PathBuf, ChoreError> {
    let messages = stdout_of(cargo().args(["test", "--no-run", "--message-format=json"]).args(flags))?;
    let mut programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        (message["profile"]["test"] == true).then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    programs
        .next_back()
        .ok_or_else(|| ChoreError::failed(format!("cargo built no test for {}", flags.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_arguments() {
        assert_eq!(run(&["--fast".into()]).expect_err("refused").exit_code(), 2);
    }
}
