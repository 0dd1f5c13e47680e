//! The project's chores: `cargo xtask` prints what there is. A table of contents; each chore is a file of its own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the one who runs it")]

mod bench;
mod error;
mod goldens;
mod memcheck;
mod process;
mod python;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use error::ChoreError;

/// One chore: a row of the table below.
struct Chore {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<(), ChoreError>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "test",
        usage: "test [STEP…] [-- ARGS]",
        summary: "every check and every test; installs what they need into target/venv",
        run: test::run,
    },
    Chore {
        name: "tidy",
        usage: "tidy [CHECK…]",
        summary: "the house rules that can be read off the source tree",
        run: tidy::run,
    },
    Chore {
        name: "goldens",
        usage: "goldens [optim|data|learn|eval]",
        summary: "make the golden files again from the real packages (target/venv-goldens)",
        run: goldens::run,
    },
    Chore {
        name: "bench",
        usage: "bench NAME [OPTIONS]",
        summary: "measure beside the rivals and write benchmarks/NAME.md and .json",
        run: bench::run,
    },
    Chore {
        name: "memcheck",
        usage: memcheck::USAGE,
        summary: "the kernels' tests under valgrind",
        run: memcheck::run,
    },
];

fn help() -> String {
    let mut text = String::from("The project's chores.\n\nUsage: cargo xtask CHORE\n\n");
    for chore in CHORES {
        text += &format!("  {:<32} {}\n", chore.usage, chore.summary);
    }
    text + "\nExit codes: 0 done, 1 failed, 2 wrong usage.\n"
}

fn dispatch(args: &[String]) -> Result<(), ChoreError> {
    let Some(name) = args.first().filter(|a| !matches!(a.as_str(), "help" | "--help" | "-h")) else {
        print!("{}", help());
        return Ok(());
    };
    let chore = error::pick(CHORES, |c| c.name, "chore", name)?;
    if args[1..].iter().any(|a| a == "--help" || a == "-h") {
        println!("cargo xtask {}: {}", chore.usage, chore.summary);
        return Ok(());
    }
    (chore.run)(&args[1..])
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_chore() {
        for chore in CHORES {
            assert!(help().contains(chore.summary), "{} is missing from the help", chore.name);
            assert!(chore.usage.starts_with(chore.name));
        }
    }

    #[test]
    fn a_misspelt_chore_is_a_usage_error_with_a_suggestion() {
        let error = dispatch(&["tets".into()]).expect_err("no such chore");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("did you mean «test»?"), "{error}");
    }
}
