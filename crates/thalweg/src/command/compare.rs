//! `thalweg compare`: which optimizer generalizes best on my data.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::Failure;
use super::options::Options;
use super::progress::bar;
use super::report::{check_place, publish};
use crate::store::Store;
use crate::study::{Event, Plan, run};

/// Compares optimizers on a data set by nested cross-validation under equal tuning budgets.
///
/// For every outer fold and method the same learning rates are tried on an inner validation split; the best is refitted
/// on the whole outer training part and scored once on the outer test part. Every finished trial is stored at once: run
/// the same command again to go on after an interruption.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:
  thalweg compare digits
  thalweg compare houses.csv --target price --ignore id --epochs 100
  thalweg compare visits.csv.gz --target churned --group customer --metric auc --repeats 3
  thalweg compare sales.csv --target units --time month --lags 12
  thalweg compare digits --optimizers adam,sgd --learning-rates 1e-3..1:7 --format json --quiet > adam-sgd.json
  thalweg compare --config study.toml --seed 1      (the same keys as the flags; flags win)"
)]
pub(super) struct Compare {
    #[command(flatten)]
    options: Options,
    /// Read settings from a TOML file, with the flags' names as keys; flags win
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    config: Option<PathBuf>,
}

impl Compare {
    pub(super) fn run(self) -> Result<(), Failure> {
        let options = match &self.config {
            Some(path) => self.options.or(Options::read(path)?),
            None => self.options,
        };
        let spec = options.spec()?;
        let data = thalweg_data::open(&spec.data, &spec.dataset)?;
        let plan = Plan::new(spec, &data)?;
        let (quiet, jobs) = (options.quiet(), options.jobs()?);
        let folder = options.out(&data.name);
        check_place(&folder)?;
        let mut store = Store::open(&folder)?;
        if !quiet {
            for warning in &data.warnings {
                eprintln!("note: {warning}");
            }
        }
        let stop = stop_on_signal()?;
        let done = store.trials()?;
        let progress = bar(plan.trials(), quiet, "trials");
        let records = run(&plan, &done, jobs, &stop, &mut |event| {
            if let Event::Finished(record) = event {
                store.add(record)?;
            }
            progress.inc(1);
            Ok::<(), Failure>(())
        });
        progress.finish_and_clear();
        let Some(records) = records? else {
            return Err(Failure::Interrupted(format!(
                "interrupted: what had finished is kept in {}; run the same command again to go on",
                folder.display()
            )));
        };
        let study = plan.record();
        store.finish(&study, &records)?;
        publish(&folder, &study, &records, options.format(), quiet)
    }
}

/// A flag that Ctrl-C (or a polite kill) sets. A second one ends the process at once.
pub(super) fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::failed(format!("Ctrl-C cannot be listened to: {error}")))?;
    Ok(stop)
}
