//! The `thalweg` command: one file a verb.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the room that talks to a terminal")]

mod compare;
mod completions;
mod config;
mod error;
mod export;
mod find_lr;
mod list;
mod network;
mod options;
mod predict;
mod progress;
mod race;
mod report;
mod train;
mod written;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use error::Failure;
pub use options::Options;

/// Finds the optimizer and the learning rate that generalize best on your data.
#[derive(Debug, Parser)]
#[command(name = "thalweg", version, after_help = EXAMPLES, max_term_width = 110, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  thalweg compare digits                     compare seven optimizers on built-in data
  thalweg compare my.csv --target price      the same on a file of your own
  thalweg find-lr digits --optimizer sgd     a learning rate from one short training
  thalweg train my.csv --target price --out model    one model, to keep
  thalweg predict model new.csv              its predictions for new rows
  thalweg export model model.onnx            the same for other programs
  thalweg list optimizers                    their formulas and defaults
  thalweg report runs/digits                 show a finished study again
  thalweg race --function saddle             see how each method walks

Exit codes: 0 done, 1 failed, 2 usage or bad input, 130 interrupted (run the same command again to go on).";

/// The verbs; each is described where it is made.
#[derive(Debug, Subcommand)]
enum Verb {
    Compare(Box<compare::Compare>),
    FindLr(Box<find_lr::FindLr>),
    Train(Box<train::Train>),
    Predict(predict::Predict),
    Export(export::Export),
    Report(report::Report),
    Race(race::Race),
    List(list::List),
    Completions(completions::Completions),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.verb {
        Verb::Compare(compare) => compare.run(),
        Verb::FindLr(find_lr) => find_lr.run(),
        Verb::Train(train) => train.run(),
        Verb::Predict(predict) => predict.run(),
        Verb::Export(export) => export.run(),
        Verb::Report(report) => report.run(),
        Verb::Race(race) => race.run(),
        Verb::List(list) => list.run(),
        Verb::Completions(completions) => completions.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                eprintln!("{message}");
            }
            failure.exit_code()
        }
    }
}

/// Writes results to standard output. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output cannot be written: {cause}")))
        }
        _ => Ok(()),
    }
}
