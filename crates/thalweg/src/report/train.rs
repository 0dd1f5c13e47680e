//! What came of one training, in every format but HTML.

use serde_json::json;

use super::Format;
use super::csv::lines;
use super::grid::Grid;
use crate::model::{PartReport, TrainReport};
use crate::study::verdict::{rate_text, score_text, title};

/// The report in `format`, ending with a line feed.
pub fn render(report: &TrainReport, seconds: f64, format: Format) -> String {
    match format {
        Format::Json => {
            let mut value = json!(report);
            value["seconds"] = json!(seconds);
            format!("{value:#}\n")
        }
        Format::Csv => csv(report, seconds),
        Format::Table | Format::Markdown => words(report, seconds, format),
    }
}

/// One line a part; numbers read back exactly.
fn csv(report: &TrainReport, seconds: f64) -> String {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let header = [
        "part",
        "rows",
        "metric",
        "score",
        "loss",
        "inputs",
        "parameters",
        "epochs",
        "kept_epoch",
        "seconds",
    ];
    let line = |(name, part): (&str, &PartReport)| {
        vec![
            name.to_owned(),
            part.rows.to_string(),
            report.metric.to_string(),
            number(part.score),
            number(part.loss),
            report.inputs.to_string(),
            report.parameters.to_string(),
            report.epochs.to_string(),
            report.kept_epoch.to_string(),
            seconds.to_string(),
        ]
    };
    lines(std::iter::once(header.map(str::to_owned).to_vec()).chain(parts(report).map(line)))
}

fn parts(report: &TrainReport) -> impl Iterator<Item = (&'static str, &PartReport)> {
    std::iter::once(("training", &report.training))
        .chain(report.validation.as_ref().map(|part| ("validation", part)))
}

fn words(report: &TrainReport, seconds: f64, format: Format) -> String {
    let hash = if format == Format::Markdown { "# " } else { "" };
    let number = |number: Option<f64>| number.map_or_else(|| "not defined".to_owned(), score_text);
    let heading = |key: &'static str, heading: &str, numeric: bool| (key, heading.to_owned(), numeric);
    let scores = Grid {
        columns: vec![
            heading("part", "", false),
            heading("rows", "rows", true),
            heading("score", report.metric.name(), true),
            heading("loss", "loss", true),
        ],
        rows: parts(report)
            .map(|(name, part)| {
                vec![name.to_owned(), part.rows.to_string(), number(part.score), number(part.loss)]
            })
            .collect(),
    };
    let kept = match &report.validation {
        Some(_) => format!("the weights of epoch {} are kept, the best in validation", report.kept_epoch),
        None => "the last weights are kept".to_owned(),
    };
    format!(
        "{hash}{}: {} rows, {} inputs, {} parameters; {} at rate {}\n\n{}\n{} in {seconds:.2} s ({}); {kept}.\n",
        report.data,
        report.rows,
        report.inputs,
        report.parameters,
        title(&report.optimizer),
        rate_text(report.learning_rate),
        scores.render(format),
        if report.epochs == 1 { "1 epoch".to_owned() } else { format!("{} epochs", report.epochs) },
        report.stop,
    )
}
