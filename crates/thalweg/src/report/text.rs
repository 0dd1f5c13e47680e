//! A study as a table and sentences, plain or in Markdown.

use std::fmt::Write;

use thalweg_data::Task;
use thalweg_eval::stats::ALPHA;

use super::Format;
use super::grid::Grid;
use super::wrap::wrapped;
use crate::study::summary::{Versus, VersusNone};
use crate::study::verdict::{p_text, rate_text, score_text, title};
use crate::study::{MethodSummary, Summary};

/// The heading, the ranking, the verdict and its cautions.
pub fn render(summary: &Summary, format: Format) -> String {
    let markdown = format == Format::Markdown;
    let (bullet, strong) = if markdown { ("- ", "**") } else { ("  ", "") };
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = writeln!(text, "{}{}\n", if markdown { "# " } else { "" }, heading(summary));
    text += &ranking(summary).render(format);
    let _ = writeln!(text, "\n{strong}Verdict{strong}{}", if markdown { "\n" } else { "" });
    let wrap =
        |sentence: &str| if markdown { format!("{bullet}{sentence}\n") } else { wrapped(sentence, bullet) };
    for sentence in &summary.verdict.sentences {
        text += &wrap(sentence);
    }
    if let Some(call) = &summary.verdict.torch_call {
        let code = if markdown { "`" } else { "" };
        let _ = writeln!(text, "{bullet}In PyTorch: {code}{call}{code}");
    }
    if !summary.verdict.cautions.is_empty() {
        let _ = writeln!(text, "\n{strong}Take care{strong}{}", if markdown { "\n" } else { "" });
        for caution in &summary.verdict.cautions {
            text += &wrap(caution);
        }
    }
    text
}

fn heading(summary: &Summary) -> String {
    let (data, protocol) = (&summary.data, &summary.protocol);
    let task = match data.task {
        Task::Classification => format!("{} classes", data.classes.len()),
        Task::Regression => "regression".to_owned(),
    };
    let repeats =
        if protocol.repeats > 1 { format!(" × {} repeats", protocol.repeats) } else { String::new() };
    format!(
        "{}: {} rows, {} features, {task}; {} by {}-fold {} cross-validation{repeats}",
        data.name,
        data.rows,
        data.features,
        summary.metric,
        protocol.folds,
        if protocol.cv == "k-fold" { "plain" } else { &protocol.cv },
    )
}

/// The ranking as a table.
pub fn ranking(summary: &Summary) -> Grid {
    let column = |key, heading: &str, number| (key, heading.to_owned(), number);
    let rows =
        summary.ranking.iter().enumerate().map(|(index, method)| row(summary, index, method)).collect();
    let named = |method| {
        [
            column("rank", "", true),
            column("method", method, false),
            column("score", summary.metric.name(), true),
            column("interval", "95 % interval", false),
        ]
    };
    let columns = if summary.is_of_regularization() {
        let own = [
            column("versus_none", "against none", false),
            column("train_score", "training", true),
            column("gap", "gap", true),
            column("gap_versus_none", "shrinks gap by", false),
            column("strength", "strength", true),
            column("learning_rate", "rate", true),
        ];
        named("technique").into_iter().chain(own).collect()
    } else {
        let own = [
            column("versus_best", "against best", false),
            column("train_score", "training", true),
            column("gap", "gap", true),
            column("learning_rate", "rate", true),
            column("usable_decades", "usable", true),
            column("diverged", "div.", true),
            column("steps", "steps", true),
            column("seconds", "s", true),
        ];
        named("optimizer").into_iter().chain(own).collect()
    };
    Grid { columns, rows }
}

fn row(summary: &Summary, index: usize, method: &MethodSummary) -> Vec<String> {
    let score = |value: Option<f64>| value.map_or("–".to_owned(), score_text);
    let interval = match (method.score.low, method.score.high) {
        (Some(low), Some(high)) => format!("{} – {}", score_text(low), score_text(high)),
        _ => "–".to_owned(),
    };
    let edge = if method.edge.low + method.edge.high > 0 { "!" } else { "" };
    let rate = method.learning_rate.map_or("–".to_owned(), rate_text) + edge;
    let mut cells =
        vec![(index + 1).to_string(), title(&method.method).to_owned(), score(method.score.mean), interval];
    if summary.is_of_regularization() {
        let against = |which: fn(VersusNone) -> Versus| match method.versus_none {
            Some(versus) => against_none(which(versus)),
            None => "–".to_owned(),
        };
        cells.extend([
            against(|versus| versus.score),
            score(method.train_score),
            score(method.gap),
            against(|versus| versus.gap),
            method.strength.map_or("–".to_owned(), rate_text),
            rate,
        ]);
        return cells;
    }
    cells.extend([
        versus(summary, method),
        score(method.train_score),
        score(method.gap),
        rate,
        method.sensitivity.usable_decades.map_or("–".to_owned(), |decades| format!("{decades:.1}")),
        method.diverged.to_string(),
        thousands(method.steps),
        format!("{:.2}", method.seconds),
    ]);
    cells
}

/// A technique's difference from none with its interval; a star if it can be told from 0.
fn against_none(versus: Versus) -> String {
    let Versus { difference, low, high, p } = versus;
    let star = if p < ALPHA { "*" } else { "" };
    // Differences that do not vary over the folds say nothing of how far they may be trusted.
    if low == high {
        return format!("{}{star}", signed(difference));
    }
    // Symmetric but where it was cut at the metric's range.
    let half = 0.5 * (high - low);
    if (low + half - difference).abs() < 1e-9 {
        return format!("{}{star} ± {}", signed(difference), score_text(half));
    }
    format!("{}{star} ({} – {})", signed(difference), score_text(low), score_text(high))
}

fn signed(difference: f64) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", score_text(difference))
}

/// `61677` as `62k`.
fn thousands(count: u64) -> String {
    if count < 10_000 { count.to_string() } else { format!("{}k", (count + 500) / 1000) }
}

fn versus(summary: &Summary, method: &MethodSummary) -> String {
    let is_best = summary.verdict.best.as_ref() == Some(&method.method);
    match method.versus_best {
        _ if is_best => "best".to_owned(),
        _ if method.failed_folds > 0 => {
            format!("failed {} of {} folds", method.failed_folds, method.scores.len())
        }
        Some(_) | None if method.tied_with_best => "tied".to_owned(),
        Some(versus) => format!("worse by {}, {}", score_text(versus.difference), p_text(versus.p)),
        None => "–".to_owned(),
    }
}

/// What the table's columns mean, for a person who reads it on a terminal.
pub fn legend(summary: &Summary) -> String {
    wrapped(if summary.is_of_regularization() { LEGEND_OF_TECHNIQUES } else { LEGEND }, "")
}

const LEGEND_OF_TECHNIQUES: &str = "against none: how much better the score is, ± half of an interval in which all such \
     differences lie together with 95 % confidence (* = can be told from none). gap: how much worse the test score is \
     than the training score. shrinks gap by: likewise. strength, rate: the medians of what was chosen (! = one rate sat \
     on an edge of the grid).";

const LEGEND: &str = "tied: cannot be told apart from the best. gap: how much worse the test score is than the training score. rate: the median of the chosen learning rates (! = one \
     sat on an edge of the grid). usable: decades of learning rates that keep 95 % of the gain over the baseline. \
     div.: diverged trials. steps, s: training steps and seconds, summed over trials.";
