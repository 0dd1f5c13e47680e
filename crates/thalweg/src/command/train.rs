//! `thalweg train`: one model, to keep.

mod settings;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Args;

use self::settings::Settings;
use super::compare::stop_on_signal;
use super::progress::{bar, step};
use super::{Failure, print};
use crate::model::{Ready, TrainError, check_place};
use crate::report::train::render;

/// Trains one model and keeps it in a folder, for `thalweg predict` and `thalweg export`.
///
/// A part of the rows, split off as `thalweg compare` would, decides when to stop: the weights of the best epoch are kept.
/// The folder holds the weights (model.safetensors), the recipe (recipe.toml, whose keys are those of --config) and the
/// preparation with the columns (preparation.json). Nothing is written before training has ended.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:
  thalweg train houses.csv --target price --out houses
  thalweg train digits --network lenet --epochs 10
  thalweg train visits.csv.gz --target churned --network resmlp --hidden 64,64 --optimizer adamw --schedule cosine
  thalweg train iris --network linear --validation 0          (on all rows, to the last epoch)
  thalweg train digits --config recipe.toml                   (the same keys as the flags; flags win)

A recipe may list its layers: network = [\"flatten\", { layer = \"dense\", units = 32 }, \"relu\"]; the output is added.

Exit codes: 0 done, 1 training diverged (nothing is written), 2 usage or bad input, 130 interrupted."
)]
pub(super) struct Train {
    #[command(flatten)]
    settings: Settings,
    /// Read settings from a TOML file, with the flags' names as keys; flags win
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    config: Option<PathBuf>,
}

impl Train {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = match &self.config {
            Some(path) => self.settings.or(Settings::read(path)?),
            None => self.settings,
        };
        let data = settings.open()?;
        let (quiet, format, force) = (settings.quiet(), settings.format(), settings.force());
        let folder = settings.out(&data.name);
        check_place(&folder, force)?;
        let ready = Ready::new(settings.training(&data)?, &data)?;
        if !quiet {
            data.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
        }
        let stop = stop_on_signal()?;
        let progress = bar(ready.steps(), quiet, "steps");
        let start = Instant::now();
        let trained = ready.train(&|| {
            step(&progress);
            !stop.load(Ordering::Relaxed)
        });
        let seconds = start.elapsed().as_secs_f64();
        progress.finish_and_clear();
        let trained = trained.map_err(|error| match error {
            TrainError::Interrupted => Failure::Interrupted("interrupted: no model was written".to_owned()),
            other => other.into(),
        })?;
        trained.saved.save(&folder, force)?;
        print(&render(&trained.report, seconds, format))?;
        if !quiet {
            trained.report.notes.iter().for_each(|note| eprintln!("note: {note}"));
            eprintln!("\nModel: {}", folder.display());
        }
        Ok(())
    }
}
