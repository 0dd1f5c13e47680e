//! `thalweg race`: how each method walks over a test function.

use std::path::{Path, PathBuf};

use clap::Args;
use thalweg_optim::Dialect;

use super::written::{whole, word};
use super::{Failure, print};
use crate::race::{RaceSpec, run};
use crate::report::{self, Format, html};
use crate::study::LearningRates;

/// Races optimizers over test functions from one start, and draws how each walks.
///
/// Every method tries the same learning rates, and walks at the one that brings it within the function's tolerance first
/// (or, if none does, keeps it lowest over the last tenth of its steps). The page shows the level lines with the paths, to
/// be played and scrubbed, and each method at a rate ten times too small and ten times too large. Nothing is random: the
/// same command gives the same bits.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:
  thalweg race
  thalweg race --function quadratic --optimizers sgd,momentum,nag
  thalweg race --function all --steps 5000 --out walks.html
  thalweg race --function saddle --start -1.5,0 --lr 0.05
  thalweg list functions                     formulas, minima and starts"
)]
pub(super) struct Race {
    /// The test functions, separated by commas, or all (see `thalweg list functions`)
    #[arg(long, value_name = "NAMES", default_value = "rosenbrock", value_delimiter = ',')]
    function: Vec<String>,
    /// The optimizers, separated by commas, or all (see `thalweg list optimizers`)
    #[arg(long, value_name = "NAMES", default_value = "all", value_delimiter = ',')]
    optimizers: Vec<String>,
    /// Whose form of each rule (see `thalweg list optimizers`)
    #[arg(long, value_parser = word::<Dialect>, value_name = "DIALECT", default_value = "torch")]
    dialect: Dialect,
    /// How many steps each method takes
    #[arg(long, value_parser = whole::<u32>, value_name = "N", default_value = "1000")]
    steps: u32,
    /// One learning rate for all, or those that each tries: LO..HI:N (log-spaced) or a list [default: 1e-4..10:21]
    #[arg(long, value_name = "RATE|RATES")]
    lr: Option<LearningRates>,
    /// Where all start [default: each function's own start]
    #[arg(long, value_parser = point, value_name = "X,Y", allow_hyphen_values = true)]
    start: Option<[f64; 2]>,
    /// Where the page goes [default: runs/race-<function>.html]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// How to write the result to standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write nothing to standard error but errors
    #[arg(long)]
    quiet: bool,
}

impl Race {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (format, quiet) = (self.format, self.quiet);
        let path = self.page();
        check_place(&path)?;
        let race = run(self.spec()).map_err(|error| Failure::usage(error.to_string()))?;
        let page = html::race::render(&race).map_err(|error| Failure::failed(error.to_string()))?;
        write(&path, &page)?;
        print(&report::race::render(&race, format))?;
        if !quiet {
            eprintln!("\nPicture: {}", path.display());
        }
        Ok(())
    }

    fn spec(self) -> RaceSpec {
        let default = RaceSpec::default();
        RaceSpec {
            functions: names(self.function),
            optimizers: names(self.optimizers),
            dialect: self.dialect,
            steps: self.steps,
            learning_rates: self.lr.unwrap_or(default.learning_rates),
            start: self.start,
        }
    }

    fn page(&self) -> PathBuf {
        let name = || match &self.function[..] {
            [one] if thalweg_optim::functions::find(one).is_ok() => one.clone(),
            [one] if one == "all" => one.clone(),
            _ => "several".to_owned(),
        };
        self.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("race-{}.html", name())))
    }
}

/// What stands between the commas.
fn names(given: Vec<String>) -> Vec<String> {
    let trimmed = given.iter().map(|name| name.trim().to_owned());
    trimmed.filter(|name| !name.is_empty()).collect()
}

/// `x,y`.
fn point(text: &str) -> Result<[f64; 2], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse::<f64>()).collect();
    match numbers.as_deref() {
        Ok(&[x, y]) => Ok([x, y]),
        _ => Err("it must be two numbers with a comma between them, such as -1.5,2".to_owned()),
    }
}

/// Refuses a place where the page cannot be, before anything is run.
fn check_place(path: &Path) -> Result<(), Failure> {
    let wrong = |what: &str| Failure::usage(format!("--out {}: {what}", path.display()));
    if path.is_dir() || path.file_name().is_none() {
        return Err(wrong("this is a folder; name a file in it, such as race.html"));
    }
    if path.exists() && !path.is_file() {
        return Err(wrong("this is a device, not a file; name another file"));
    }
    Ok(())
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).and_then(|()| report::replace(path, page)).map_err(|cause| {
        Failure::usage(format!(
            "--out {}: the page cannot be written there ({cause}); name another file",
            path.display()
        ))
    })
}
