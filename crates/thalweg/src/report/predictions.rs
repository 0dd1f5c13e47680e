//! Predictions as text, a line each, written as they come: files may be larger than memory.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use thalweg_learn::train::Predictions;

use super::csv::lines;
use crate::study::verdict::score_text;

/// How predictions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PredictionFormat {
    /// A table, to be read; probabilities with four decimals.
    Table,
    /// A JSON array, an object per line.
    Json,
    /// Comma-separated values with a header: `prediction`, and for classes the probability of each as `p(NAME)`; in front
    /// of them `file`, where the rows have been files.
    Csv,
}

/// Writes predictions, chunk after chunk.
pub struct Writer<'a, W> {
    out: W,
    format: PredictionFormat,
    /// The classes' names; `None` for numbers.
    classes: Option<&'a [String]>,
    /// The name of what is predicted.
    target: &'a str,
    /// The file of each row, if they have been files.
    files: &'a [String],
    rows: usize,
}

/// What predictions are of.
#[derive(Debug, Clone, Copy)]
pub struct Headings<'a> {
    /// The classes' names; `None` for numbers.
    pub classes: Option<&'a [String]>,
    /// The name of what is predicted.
    pub target: &'a str,
    /// The file of each row, if they have been files.
    pub files: &'a [String],
}

/// The width of a number in a table.
const NUMBER: usize = 14;

impl<'a, W: Write> Writer<'a, W> {
    /// Writes what stands in front of the rows.
    ///
    /// # Errors
    /// Those of `out`, here and below.
    pub fn new(mut out: W, format: PredictionFormat, headings: Headings<'a>) -> io::Result<Self> {
        let Headings { classes, target, files } = headings;
        match format {
            PredictionFormat::Table => {
                let width = label_width(classes, target);
                let mut header = format!("{:>8}  {target:<width$}", "row");
                for name in classes.unwrap_or_default() {
                    header += &format!("  {name:>width$}", width = share_width(name));
                }
                if !files.is_empty() {
                    header += "  file";
                }
                writeln!(out, "{}\n{}", header.trim_end(), "─".repeat(header.trim_end().chars().count()))?;
            }
            PredictionFormat::Json => out.write_all(b"[")?,
            PredictionFormat::Csv => {
                let probabilities = classes.unwrap_or_default().iter().map(|name| format!("p({name})"));
                let file = (!files.is_empty()).then(|| "file".to_owned());
                let header = file.into_iter().chain(["prediction".to_owned()]).chain(probabilities).collect();
                out.write_all(lines(std::iter::once(header)).as_bytes())?;
            }
        }
        Ok(Self { out, format, classes, target, files, rows: 0 })
    }

    /// Writes the next rows.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&mut self, predictions: &Predictions) -> io::Result<()> {
        match predictions {
            Predictions::Probabilities { values, classes } => {
                values.chunks_exact(*classes).try_for_each(|shares| self.class(shares))
            }
            Predictions::Values(values) => values.iter().try_for_each(|&value| self.value(value)),
        }
    }

    /// Writes what stands behind the rows.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<()> {
        if self.format == PredictionFormat::Json {
            self.out.write_all(b"\n]\n")?;
        }
        self.out.flush()
    }

    fn class(&mut self, shares: &[f32]) -> io::Result<()> {
        let names = self.classes.unwrap_or_default();
        let label = &names[most_probable(shares)];
        match self.format {
            PredictionFormat::Table => {
                let width = label_width(self.classes, self.target);
                let mut line = format!("{:>8}  {label:<width$}", self.rows + 1);
                for (name, share) in names.iter().zip(shares) {
                    line += &format!("  {share:>width$.4}", width = share_width(name));
                }
                self.line(&line)
            }
            PredictionFormat::Json => {
                let share = |(name, &share): (&String, &f32)| (name.clone(), decimal(share));
                let probabilities: Map<_, _> = names.iter().zip(shares).map(share).collect();
                self.item(json!({ "prediction": label, "probabilities": probabilities }))
            }
            PredictionFormat::Csv => {
                self.cells(std::iter::once(label.clone()).chain(shares.iter().map(f32::to_string)))
            }
        }
    }

    fn value(&mut self, value: f64) -> io::Result<()> {
        match self.format {
            PredictionFormat::Table => {
                let width = label_width(self.classes, self.target);
                self.line(&format!("{:>8}  {:>width$}", self.rows + 1, score_text(value)))
            }
            PredictionFormat::Json => self.item(json!({ "prediction": value })),
            PredictionFormat::Csv => self.cells(std::iter::once(value.to_string())),
        }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let file = self.files.get(self.rows).map(|file| format!("  {file}")).unwrap_or_default();
        self.rows += 1;
        writeln!(self.out, "{line}{file}")
    }

    fn cells(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let file = self.files.get(self.rows).cloned();
        self.rows += 1;
        self.out.write_all(lines(std::iter::once(file.into_iter().chain(cells).collect())).as_bytes())
    }

    fn item(&mut self, mut item: Value) -> io::Result<()> {
        let comma = if self.rows > 0 { "," } else { "" };
        if let Some(file) = self.files.get(self.rows) {
            item["file"] = file.clone().into();
        }
        self.rows += 1;
        write!(self.out, "{comma}\n{item}")
    }
}

/// As f32 writes it: 0.1, not 0.10000000149011612.
fn decimal(share: f32) -> Value {
    share.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// The class with the highest probability; of equal ones the first.
fn most_probable(shares: &[f32]) -> usize {
    let better = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
    (0..shares.len()).fold(0, better)
}

fn label_width(classes: Option<&[String]>, target: &str) -> usize {
    let names = classes.map(|names| names.iter().map(|name| name.chars().count()).max().unwrap_or(0));
    names.unwrap_or(NUMBER).max(target.chars().count())
}

fn share_width(name: &str) -> usize {
    name.chars().count().max("0.0000".len())
}
