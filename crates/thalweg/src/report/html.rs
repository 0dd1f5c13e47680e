//! The report of a study as one HTML page that opens offline.
//!
//! Everything travels inside the page: the style, the data, and the script that draws the charts. A content security
//! policy forbids the page any request, so that a browser itself keeps this promise. Charts repeat what the tables
//! say; without JavaScript nothing but them is lost.
//!
//! What a user's file brings along (names of columns, classes, files) is text and stays text: `askama` escapes it in
//! the page, [`charts`] in the charts' data.

use askama::Template;

use crate::study::{Summary, TrialRecord};

mod charts;
mod curves;
pub mod find_lr;
mod folds;
mod methods;
mod protocol;
pub mod race;
mod scores;
mod sensitivity;
#[cfg(test)]
mod tests;
mod text;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// The page could not be written: a bug, since the template is checked by the compiler.
    #[error("the HTML report could not be made: {0}; the results are safe in the store, please report this")]
    Template(#[from] askama::Error),
}

/// How many of the verdict's sentences stand open when there are many.
const PROMINENT: usize = 8;

/// The report as one self-contained page.
///
/// `records` are the study's trials with their histories, as they were summed up in `summary`; the learning curves are
/// drawn from them.
///
/// # Errors
/// [`HtmlError::Template`] if the page cannot be written.
pub fn render(summary: &Summary, records: &[TrialRecord]) -> Result<String, HtmlError> {
    let styles = charts::Styles::new(summary);
    let folds = folds::rows(summary, records);
    // A sentence for each of thirty methods that are worse would bury the rest of the page.
    let sentences = summary.verdict.sentences.len();
    let shown = if sentences > PROMINENT + 2 { PROMINENT } else { sentences };
    let page = Page {
        summary,
        facts: facts(summary),
        unit: if summary.protocol.higher_is_better { "higher is better" } else { "lower is better" },
        prominent: &summary.verdict.sentences[..shown],
        further: &summary.verdict.sentences[shown..],
        folds_in_all: summary.protocol.test_rows.len(),
        methods: methods::rows(summary),
        legend: styles.legend(),
        scores: scores::chart(summary, &styles),
        sensitivity: sensitivity::chart(summary, &styles),
        curves: curves::curves(summary, records),
        folds_count: text::plural(folds.len(), "row"),
        folds,
        conventions: protocol::conventions(summary),
        plotly: charts::plotly_script(),
    };
    Ok(page.render()?)
}

/// What the template is filled with.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    summary: &'a Summary,
    /// The verdict's first sentences.
    prominent: &'a [String],
    /// Its other sentences, to be unfolded.
    further: &'a [String],
    /// Name and value of each fact below the title.
    facts: Vec<(&'static str, String)>,
    unit: &'static str,
    folds_in_all: usize,
    methods: Vec<methods::Row>,
    legend: Vec<charts::LegendItem>,
    scores: charts::Chart,
    sensitivity: charts::Chart,
    curves: curves::Curves,
    folds: Vec<folds::Row>,
    /// How many they are, in words.
    folds_count: String,
    conventions: Vec<protocol::Section>,
    plotly: String,
}

fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let (data, protocol) = (&summary.data, &summary.protocol);
    let task = match data.task {
        thalweg_data::Task::Classification => format!("classification, {} classes", data.classes.len()),
        thalweg_data::Task::Regression => "regression".to_owned(),
    };
    let direction = if protocol.higher_is_better { "higher is better" } else { "lower is better" };
    let mut facts = vec![
        ("Data", format!("{} rows × {} features", text::count(data.rows), text::count(data.features))),
        ("Task", task),
        ("Target", data.target.clone()),
        ("Metric", format!("{} ({direction})", summary.metric)),
        ("Outer level", format!("{} ({})", text::folds(protocol), protocol.cv)),
    ];
    if let Some(baseline) = protocol.baseline.filter(|score| score.is_finite()) {
        facts.push(("Baseline", text::score(Some(baseline))));
    }
    facts
}
