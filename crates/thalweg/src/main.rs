//! The `thalweg` command. What it can do is in [`thalweg::command`], one file a verb.

use std::process::ExitCode;

fn main() -> ExitCode {
    thalweg::command::run()
}
