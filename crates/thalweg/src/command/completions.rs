//! `thalweg completions`: a completion script.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure, print};

/// Writes a completion script for a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  thalweg completions bash > ~/.local/share/bash-completion/completions/thalweg
  thalweg completions fish > ~/.config/fish/completions/thalweg.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "thalweg", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
