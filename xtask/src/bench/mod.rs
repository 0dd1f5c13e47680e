//! `cargo xtask bench NAME`: the benchmarks, a row each. Results are committed under `benchmarks/`.

mod accuracy;
mod compare;
mod contender;
mod machine;
mod optim;
mod report;
mod train;

use crate::error::{ChoreError, pick};

/// One benchmark: a row of the table below.
struct Bench {
    name: &'static str,
    usage: &'static str,
    run: fn(&[String]) -> Result<(), ChoreError>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "accuracy", usage: accuracy::USAGE, run: accuracy::run },
    Bench { name: "compare", usage: compare::USAGE, run: compare::run },
    Bench { name: "optim", usage: optim::USAGE, run: optim::run },
    Bench { name: "train", usage: train::USAGE, run: train::run },
];

/// Runs the benchmark that is named.
///
/// # Errors
/// No name or an unknown one (exit 2), or a contender that fails (exit 1).
pub(crate) fn run(args: &[String]) -> Result<(), ChoreError> {
    let Some(name) = args.first() else {
        let rows: Vec<String> = BENCHES.iter().map(|b| format!("  cargo xtask bench {}", b.usage)).collect();
        return Err(ChoreError::Usage(format!("which benchmark?\n{}", rows.join("\n"))));
    };
    (pick(BENCHES, |b| b.name, "benchmark", name)?.run)(&args[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_lists_the_benchmarks() {
        let error = run(&[]).expect_err("no name");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("bench compare"), "{error}");
    }
}
