//! The table of methods.

use super::text;
use crate::study::summary::{MethodSummary, Summary, Versus};
use crate::study::verdict;

/// One method, in words and numbers.
pub(super) struct Row {
    pub(super) rank: usize,
    pub(super) title: String,
    /// The name on the command line, if the title is another word.
    pub(super) name: Option<String>,
    pub(super) score: String,
    pub(super) interval: String,
    /// The style of the standing: `best`, `tied`, `worse` or `unfinished`.
    pub(super) standing_class: &'static str,
    pub(super) standing: &'static str,
    pub(super) difference: String,
    pub(super) train_score: String,
    pub(super) gap: String,
    pub(super) rate: String,
    pub(super) edge: Option<String>,
    /// Every learning rate that was chosen, with its folds.
    pub(super) rates: Vec<String>,
    pub(super) usable_decades: String,
    pub(super) epochs: String,
    pub(super) diverged: String,
    pub(super) steps: String,
    pub(super) seconds: String,
}

pub(super) fn rows(summary: &Summary) -> Vec<Row> {
    summary.ranking.iter().enumerate().map(|(index, method)| row(summary, index, method)).collect()
}

fn row(summary: &Summary, index: usize, method: &MethodSummary) -> Row {
    let title = verdict::title(&method.method).to_owned();
    let (standing_class, standing) = standing(summary, method);
    let interval = match (method.score.low, method.score.high) {
        (Some(low), Some(high)) => format!("{} to {}", text::score(Some(low)), text::score(Some(high))),
        _ if method.score.mean.is_some() => "no interval".to_owned(),
        _ => String::new(),
    };
    Row {
        rank: index + 1,
        name: (!title.eq_ignore_ascii_case(&method.method)).then(|| method.method.clone()),
        title,
        score: text::score(method.score.mean),
        interval,
        standing_class,
        standing,
        difference: difference(summary, method),
        train_score: text::score(method.train_score),
        gap: text::signed(method.gap),
        rate: text::rate(method.learning_rate),
        edge: edge(method),
        rates: rates(summary, method),
        usable_decades: method
            .sensitivity
            .usable_decades
            .filter(|decades| decades.is_finite())
            .map_or_else(|| text::NONE.to_owned(), |decades| format!("{decades:.1}")),
        epochs: method.epochs.map_or_else(|| text::NONE.to_owned(), text::count),
        diverged: text::count(method.diverged),
        steps: text::count(method.steps),
        seconds: text::seconds(method.seconds),
    }
}

fn standing(summary: &Summary, method: &MethodSummary) -> (&'static str, &'static str) {
    if summary.verdict.best.as_ref() == Some(&method.method) {
        ("best", "best")
    } else if method.failed_folds > 0 {
        ("unfinished", "did not finish")
    } else if method.tied_with_best {
        ("tied", "cannot be told apart")
    } else {
        ("worse", "worse")
    }
}

fn difference(summary: &Summary, method: &MethodSummary) -> String {
    let folds = method.scores.len();
    match method.versus_best {
        Some(Versus { difference, low, high, p }) => {
            format!(
                "worse by {} ({} to {}), {}",
                text::score(Some(difference)),
                text::score(Some(low)),
                text::score(Some(high)),
                verdict::p_text(p)
            )
        }
        None if summary.verdict.best.as_ref() == Some(&method.method) => String::new(),
        None if method.failed_folds > 0 => {
            format!("no score in {} of {}", method.failed_folds, text::plural(folds, "fold"))
        }
        None => "not tested".to_owned(),
    }
}

fn edge(method: &MethodSummary) -> Option<String> {
    let folds = method.learning_rates.len();
    let at = |count: usize, which: &str| {
        format!("at the {which} rate in {count} of {}", text::plural(folds, "fold"))
    };
    match (method.edge.low, method.edge.high) {
        (0, 0) => None,
        (low, 0) => Some(at(low, "smallest")),
        (0, high) => Some(at(high, "largest")),
        (low, high) => Some(format!("{}, {}", at(low, "smallest"), at(high, "largest"))),
    }
}

/// The chosen rates, ascending, each with the folds that chose it.
fn rates(summary: &Summary, method: &MethodSummary) -> Vec<String> {
    let mut chosen: Vec<f64> = method.learning_rates.iter().copied().flatten().collect();
    chosen.sort_by(f64::total_cmp);
    chosen.dedup();
    let grid = &summary.protocol.learning_rates;
    let on_edge = |rate: f64| grid.len() > 1 && (grid.first() == Some(&rate) || grid.last() == Some(&rate));
    let folds_of = |wanted: Option<f64>| {
        let folds = method.learning_rates.iter().enumerate().filter(|(_, rate)| **rate == wanted);
        folds.map(|(fold, _)| text::fold(&summary.protocol, fold)).collect::<Vec<_>>()
    };
    let line = |folds: Vec<String>, what: String| {
        format!("{what}: {} {}", if folds.len() == 1 { "fold" } else { "folds" }, folds.join(", "))
    };
    let mut lines: Vec<String> = chosen
        .into_iter()
        .map(|rate| {
            let mark = if on_edge(rate) { " (edge of the grid)" } else { "" };
            line(folds_of(Some(rate)), format!("{}{mark}", text::rate(Some(rate))))
        })
        .collect();
    let none = folds_of(None);
    if !none.is_empty() {
        lines.push(line(none, "none (no rate could be chosen)".to_owned()));
    }
    lines
}
