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
    let techniques = summary.ranking.iter().any(|method| method.versus_none.is_some());
    let mut columns = vec![
        column("rank", "", true),
        column("method", if techniques { "technique" } else { "optimizer" }, false),
        column("score", summary.metric.name(), true),
        column("interval", "95 % interval", false),
        column("versus_best", "against best", false),
        column("train_score", "training", true),
        column("gap", "gap", true),
        column("learning_rate", "rate", true),
        column("usable_decades", "usable", true),
        column("diverged", "div.", true),
        column("steps", "steps", true),
        column("seconds", "s", true),
    ];
    let rows =
        summary.ranking.iter().enumerate().map(|(index, method)| row(summary, index, method)).collect();
    if techniques {
        columns.splice(
            4..5,
            [
                column("versus_none", "against none", false),
                column("gap_versus_none", "gap against none", false),
            ],
        );
        columns.insert(8, column("strength", "strength", true));
    }
    Grid { columns, rows }
}

/// A technique's difference from none: a number with its interval if it can be told from 0.
fn against_none(versus: Option<Versus>, words: [&str; 2]) -> String {
    let Some(Versus { difference, low, high, p }) = versus else { return "–".to_owned() };
    if p >= ALPHA {
        return format!("like none ({} – {})", score_text(low), score_text(high));
    }
    let word = words[usize::from(difference < 0.0)];
    format!("{word} by {}, {}", score_text(difference.abs()), p_text(p))
}

fn row(summary: &Summary, index: usize, method: &MethodSummary) -> Vec<String> {
    let score = |value: Option<f64>| value.map_or("–".to_owned(), score_text);
    let interval = match (method.score.low, method.score.high) {
        (Some(low), Some(high)) => format!("{} – {}", score_text(low), score_text(high)),
        _ => "–".to_owned(),
    };
    let edge = if method.edge.low + method.edge.high > 0 { "!" } else { "" };
    let techniques = summary.ranking.iter().any(|method| method.versus_none.is_some());
    let against = |which: fn(VersusNone) -> Versus| method.versus_none.map(which);
    let mut cells =
        vec![(index + 1).to_string(), title(&method.method).to_owned(), score(method.score.mean), interval];
    if techniques {
        cells.push(against_none(against(|versus| versus.score), ["better", "worse"]));
        cells.push(against_none(against(|versus| versus.gap), ["smaller", "larger"]));
    } else {
        cells.push(versus(summary, method));
    }
    cells.extend([score(method.train_score), score(method.gap)]);
    if techniques {
        cells.push(method.strength.map_or("–".to_owned(), rate_text));
    }
    cells.extend([
        method.learning_rate.map_or("–".to_owned(), rate_text) + edge,
        method.sensitivity.usable_decades.map_or("–".to_owned(), |decades| format!("{decades:.1}")),
        method.diverged.to_string(),
        thousands(method.steps),
        format!("{:.2}", method.seconds),
    ]);
    cells
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
pub fn legend() -> String {
    wrapped(LEGEND, "")
}

const LEGEND: &str = "tied: cannot be told apart from the best. gap: how much worse the test score is than the training score. rate: the median of the chosen learning rates (! = one \
     sat on an edge of the grid). usable: decades of learning rates that keep 95 % of the gain over the baseline. \
     div.: diverged trials. steps, s: training steps and seconds, summed over trials.";
