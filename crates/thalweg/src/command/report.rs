//! `thalweg report`: a finished study again, from its store alone.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, print};
use crate::report::{self, Format, html};
use crate::store::Store;
use crate::study::{StudyRecord, Summary, TrialRecord};

/// Shows the study that finished last in a folder, and writes its HTML report again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  thalweg report runs/digits
  thalweg report runs/digits --format json")]
pub(super) struct Report {
    /// The folder that `thalweg compare` wrote to
    folder: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write no words to standard error
    #[arg(long)]
    quiet: bool,
}

impl Report {
    pub(super) fn run(self) -> Result<(), Failure> {
        check_place(&self.folder)?;
        let (study, records) = Store::open_existing(&self.folder)?.latest()?;
        publish(&self.folder, &study, &records, self.format, self.quiet)
    }
}

/// The HTML report's file in the output folder.
const FILE: &str = "report.html";

/// Refuses an output folder in which the report has no place, before hours are spent.
pub(super) fn check_place(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(FILE);
    if path.is_dir() {
        return Err(Failure::usage(format!(
            "{}: this is a folder, and the report is written there; move it away, or name another folder with --out DIR",
            path.display()
        )));
    }
    Ok(())
}

/// Writes the HTML report into `folder` and the summary to standard output.
pub(super) fn publish(
    folder: &Path,
    study: &StudyRecord,
    records: &[TrialRecord],
    format: Format,
    quiet: bool,
) -> Result<(), Failure> {
    let summary = Summary::new(study, records);
    let path = folder.join(FILE);
    let page = html::render(&summary, records).map_err(|error| Failure::failed(error.to_string()))?;
    report::replace(&path, &page).map_err(|cause| {
        Failure::failed(format!("{}: the report cannot be written: {cause}", path.display()))
    })?;
    print(&match format {
        Format::Table | Format::Markdown => report::text::render(&summary, format),
        Format::Json => report::json::render(&summary),
        Format::Csv => report::csv::render(&summary),
    })?;
    if format == Format::Table {
        print(&format!("\n{}", report::text::legend(&summary)))?;
    }
    if !quiet {
        eprintln!("\nReport: {}", path.display());
    }
    Ok(())
}
