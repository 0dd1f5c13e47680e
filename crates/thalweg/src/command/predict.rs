//! `thalweg predict`: what a model says of new rows.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use thalweg_data::{ArrayColumn, NewImages, open_images};
use thalweg_eval::Metric;
use thalweg_learn::train::Predictions;
use thalweg_optim::Threads;

use super::Failure;
use super::options::checked_jobs;
use super::written::whole;
use crate::model::{KnownTruth, SavedModel};
use crate::report::predictions::{Headings, PredictionFormat, Writer};
use crate::study::verdict::score_text;

/// Predicts new rows with a model that `thalweg train` wrote.
///
/// The file has the columns that the model was trained on, by name; their order may be another, and further columns are not
/// looked at. A level that was not seen in training counts as infrequent, or as none. If the target's column is there, the
/// score is told on standard error. A model of a series wants its lags as columns (lag_1, …). A model of images takes an IDX
/// or NPY file, or a folder of images; labels that stand beside the file, or a folder per class, are scored likewise.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  thalweg predict model new.csv
  thalweg predict model new.csv --out predictions.csv
  thalweg predict model new.csv --format json --quiet | jq '.[0]'

A row of the result for each row of the file, in its order: the prediction, and for classes the probability of each. As CSV
the columns are prediction, p(CLASS), …; numbers read back exactly.")]
pub(super) struct Predict {
    /// The model's folder
    model: PathBuf,
    /// The rows: a CSV/TSV file, plain or gzipped; for a model of images an IDX or NPY file, or a folder
    data: PathBuf,
    /// The labels of images, to be scored against, where they do not stand beside the file under its usual name
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Write to a file instead of standard output; it is there when it is whole
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to write it [default: csv with --out, else table]
    #[arg(long, value_enum)]
    format: Option<PredictionFormat>,
    /// Threads; they change nothing but the time [default: the number of cores]
    #[arg(long, value_parser = whole::<usize>, value_name = "N")]
    jobs: Option<usize>,
    /// Write nothing to standard error but errors
    #[arg(long)]
    quiet: bool,
}

impl Predict {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { model, data, labels, out, format, jobs, quiet } = self;
        // Fewer threads take longer, and give the same.
        let threads = Threads::new(checked_jobs(jobs)?).unwrap_or_default();
        let model = SavedModel::load(&model)?;
        if let Some(path) = &out {
            check_file(path)?;
            if path.canonicalize().is_ok_and(|path| data.canonicalize().is_ok_and(|data| data == path)) {
                return Err(Failure::usage(format!(
                    "--out {}: these are the rows to predict, which would be lost; name another file",
                    path.display()
                )));
            }
        }
        let rows = Rows::open(&model, &data, labels.as_deref())?;
        let told = match out {
            None => {
                let out = BufWriter::new(io::stdout().lock());
                let told = rows.write(&model, &threads, out, format.unwrap_or(PredictionFormat::Table));
                told.map_err(|error| error.at("standard output"))
            }
            Some(path) => {
                let format = format.unwrap_or(PredictionFormat::Csv);
                whole_file(&path, |file| rows.write(&model, &threads, BufWriter::new(file), format))
            }
        };
        // A reader that has seen enough (`| head`) is no error.
        let Some(notes) = told? else { return Ok(()) };
        if !quiet {
            notes.iter().for_each(|note| eprintln!("{note}"));
        }
        Ok(())
    }
}

/// What is predicted.
enum Rows {
    Table(Box<thalweg_data::Table>),
    Images { name: String, new: Box<NewImages> },
}

/// Why predictions were not written.
enum Stopped {
    Data(thalweg_data::DataError),
    Io(io::Error),
}

impl From<thalweg_data::DataError> for Stopped {
    fn from(error: thalweg_data::DataError) -> Self {
        Self::Data(error)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Stopped {
    fn at(self, place: &str) -> Failure {
        match self {
            Self::Data(error) => error.into(),
            Self::Io(cause) => Failure::failed(format!(
                "{place}: the predictions cannot be written ({cause}); check the permissions and the free space"
            )),
        }
    }
}

impl Rows {
    fn open(model: &SavedModel, path: &Path, labels: Option<&str>) -> Result<Self, Failure> {
        match model.schema.image.filter(|_| model.takes_images()) {
            None if labels.is_some() => Err(Failure::usage(format!(
                "--labels: the model takes tables, and its target «{}» is looked for among their columns; leave the flag out",
                model.schema.target.name
            ))),
            None => Ok(Self::Table(Box::new(model.schema.read(path)?))),
            Some(shape) => {
                let new = Box::new(open_images(path, shape, labels)?);
                Ok(Self::Images { name: path.display().to_string(), new })
            }
        }
    }

    /// Writes all predictions and says what is to be noted; `None` if nobody reads them any more.
    fn write(
        &self,
        model: &SavedModel,
        threads: &Threads,
        out: impl Write,
        format: PredictionFormat,
    ) -> Result<Option<Vec<String>>, Stopped> {
        match self.try_write(model, threads, out, format) {
            Err(Stopped::Io(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(None),
            told => told.map(Some),
        }
    }

    fn try_write(
        &self,
        model: &SavedModel,
        threads: &Threads,
        out: impl Write,
        format: PredictionFormat,
    ) -> Result<Vec<String>, Stopped> {
        let mut writer = None;
        let mut out = Some(out);
        let mut all: Option<Predictions> = None;
        let (truth, mut told) = self.truth(model);
        let files: &[String] = match self {
            Self::Table(_) => &[],
            Self::Images { new, .. } => &new.files,
        };
        let headings = Headings { classes: model.classes(), target: &model.schema.target.name, files };
        let mut on = |part: Predictions| -> Result<(), Stopped> {
            // The header only when the first rows could be predicted.
            if let Some(out) = out.take() {
                writer = Some(Writer::new(out, format, headings)?);
            }
            writer.as_mut().map_or(Ok(()), |writer| writer.write(&part))?;
            if truth.is_some() {
                match &mut all {
                    None => all = Some(part),
                    Some(all) => append(all, part),
                }
            }
            Ok(())
        };
        match self {
            Self::Table(table) => model.predict(threads, table, &mut on)?,
            Self::Images { name, new } => on(model.predict_images(threads, name, &new.images)?)?,
        }
        writer.map_or(Ok(()), Writer::finish)?;
        told.extend(notes(truth.as_ref().zip(all.as_ref()), self.cells()));
        Ok(told)
    }

    /// What predictions are scored against, and why not against what lies there.
    fn truth(&self, model: &SavedModel) -> (Option<KnownTruth>, Vec<String>) {
        let labels = match self {
            Self::Table(table) => return (KnownTruth::of(table, &model.schema), Vec::new()),
            Self::Images { new, .. } => new.labels.as_ref(),
        };
        let of_labels = |labels: &ArrayColumn| KnownTruth::of_labels(labels.clone(), &model.schema);
        let unfit =
            |why: &dyn Display| (None, vec![format!("note: the labels are not scored against: {why}")]);
        match labels.map(|labels| labels.as_ref().map(of_labels)) {
            None => (None, Vec::new()),
            Some(Ok(Ok(truth))) => (truth, Vec::new()),
            Some(Ok(Err(why))) => unfit(&why),
            Some(Err(why)) => unfit(why),
        }
    }

    /// What holds the truth, as a reader calls it.
    fn cells(&self) -> &'static str {
        match self {
            Self::Table(_) => "cells of the target's column",
            Self::Images { .. } => "labels",
        }
    }
}

fn append(all: &mut Predictions, part: Predictions) {
    match (all, part) {
        (Predictions::Values(all), Predictions::Values(part)) => all.extend(part),
        (Predictions::Probabilities { values: all, .. }, Predictions::Probabilities { values: part, .. }) => {
            all.extend(part);
        }
        _ => unreachable!("one model's predictions are of one kind"),
    }
}

/// The score, and what it leaves out.
fn notes(scored: Option<(&KnownTruth, &Predictions)>, cells: &str) -> Vec<String> {
    let Some((truth, predictions)) = scored else { return Vec::new() };
    let metrics: &[Metric] = match predictions {
        Predictions::Probabilities { .. } => &[Metric::Accuracy, Metric::LogLoss],
        Predictions::Values(_) => &[Metric::Rmse, Metric::R2],
    };
    let mut notes = Vec::new();
    if truth.rows() > 0 {
        let score = |metric: &Metric| {
            let score = truth.score(*metric, predictions);
            format!("{metric} {}", score.map_or_else(|| "not defined".to_owned(), score_text))
        };
        let scores: Vec<String> = metrics.iter().map(score).collect();
        notes.push(format!("{} on the {} rows with a target", scores.join(", "), truth.rows()));
    }
    if let Some((count, first)) = &truth.strange {
        notes.push(format!(
            "note: {count} {cells}, such as «{first}», were no target in training and are not scored"
        ));
    }
    notes
}

/// Refuses a place where a file cannot be, before anything is computed.
pub(super) fn check_file(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::usage(format!("{}: this is a folder; name a file in it", path.display())));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(Failure::usage(format!(
            "{}: there is no folder {}; make it first, or name another file",
            path.display(),
            parent.display()
        )));
    }
    Ok(())
}

/// Writes a whole file or none: it has its name when it is finished.
fn whole_file<T>(path: &Path, write: impl FnOnce(File) -> Result<T, Stopped>) -> Result<T, Failure> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = File::create(&draft).map_err(Stopped::from).and_then(write).and_then(|value| {
        std::fs::rename(&draft, path)?;
        Ok(value)
    });
    written.map_err(|error| {
        // Best effort: the first error is the one to tell.
        let _ = std::fs::remove_file(&draft);
        error.at(&path.display().to_string())
    })
}
