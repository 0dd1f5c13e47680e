//! A learning-rate range test in every format but HTML.

use std::fmt::Write;

use thalweg_learn::train::{RangePoint, RangeStop};

use super::Format;
use super::csv::lines;
use super::grid::Grid;
use super::wrap::wrapped;
use crate::study::RateSearch;
use crate::study::verdict::{rate_text, score_text, title};

/// The widest bar, in characters.
const BAR: f64 = 30.0;

/// The test in `format`, ending with a line feed.
pub fn render(search: &RateSearch, format: Format) -> String {
    match format {
        Format::Json => serde_json::to_string_pretty(search).expect("plain data have a JSON form") + "\n",
        Format::Csv => csv(search),
        Format::Table | Format::Markdown => words(search, format),
    }
}

/// One line per step; numbers read back exactly.
fn csv(search: &RateSearch) -> String {
    let header = ["step", "learning_rate", "loss", "smoothed_loss"].map(str::to_owned).to_vec();
    let rows = search.points.iter().enumerate().map(|(index, point)| {
        vec![
            (index + 1).to_string(),
            point.learning_rate.to_string(),
            point.loss.to_string(),
            point.smoothed.to_string(),
        ]
    });
    lines(std::iter::once(header).chain(rows))
}

fn words(search: &RateSearch, format: Format) -> String {
    let markdown = format == Format::Markdown;
    let (bullet, strong, hash) = if markdown { ("- ", "**", "# ") } else { ("  ", "", "") };
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = writeln!(
        text,
        "{hash}{}: learning-rate range test of {} on {} of {} rows, batches of {}\n",
        search.data,
        title(&search.optimizer),
        search.train_rows,
        search.rows,
        search.batch_size
    );
    text += &curve(search).render(format);
    let _ = writeln!(text, "\n{strong}Suggestion{strong}{}", if markdown { "\n" } else { "" });
    for sentence in sentences(search) {
        text += &if markdown { format!("{bullet}{sentence}\n") } else { wrapped(&sentence, bullet) };
    }
    text
}

/// What the curve suggests, and why it ends where it does.
pub(super) fn sentences(search: &RateSearch) -> Vec<String> {
    let mut sentences = Vec::new();
    let suggestions = search.suggestions;
    if let Some(rate) = suggestions.steepest_descent {
        sentences.push(format!(
            "Steepest descent: {}. Here the smoothed loss falls fastest: a rate to begin with.",
            rate_text(rate)
        ));
    }
    if let Some(rate) = suggestions.minimum_over_10 {
        let end = search.points.last().map(|point| point.learning_rate / 10.0);
        let meaning = if end == Some(rate) {
            "the largest that was tried, so a better one may lie beyond: give a larger --to"
        } else {
            "beyond which it grows again: about the largest rate that is still safe"
        };
        sentences.push(format!(
            "Minimum / 10: {}. A tenth of the rate with the lowest smoothed loss, {}, {meaning}.",
            rate_text(rate),
            rate_text(10.0 * rate)
        ));
    }
    if suggestions.steepest_descent.is_none() {
        sentences.push(format!(
            "None: the smoothed loss fell nowhere between {} and {}; try other ends (--from, --to), more --steps, or \
             another optimizer.",
            rate_text(search.test.from),
            rate_text(search.points.last().map_or(search.test.to, |point| point.learning_rate)),
        ));
    }
    sentences.push(end(search));
    if let Some(grid) = suggestions.grid() {
        sentences.push(format!(
            "One short training is a hint, no proof: compare the rates around it with --learning-rates {grid}."
        ));
    }
    sentences
}

fn end(search: &RateSearch) -> String {
    let last = search.points.last().map_or(search.test.from, |point| point.learning_rate);
    let step = search.points.len();
    let rate = rate_text(last);
    match search.stop {
        RangeStop::Grew => format!(
            "It stopped at {rate} (step {step} of {}), where the smoothed loss was more than 4 times its lowest value.",
            search.test.steps
        ),
        RangeStop::Diverged => {
            format!(
                "It stopped after {rate} (step {step} of {}): the loss was not finite.",
                search.test.steps
            )
        }
        RangeStop::Completed | RangeStop::Interrupted => {
            format!("All {step} steps were done; the loss did not come apart up to {rate}.")
        }
    }
}

/// Two rows a decade, and the rows of the suggestions, with a bar for the smoothed loss.
fn curve(search: &RateSearch) -> Grid {
    let column = |key, heading: &str, number| (key, heading.to_owned(), number);
    let columns = vec![
        column("learning_rate", "rate", true),
        column("smoothed_loss", "smoothed loss", true),
        column("bar", "", false),
        column("mark", "", false),
    ];
    let chosen = chosen(search);
    let points = || chosen.iter().map(|&index| &search.points[index]);
    let lowest = points().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
    // What explodes would flatten all else: bars end at half as much again as the fall.
    let start = search.points.first().map_or(1.0, |point| point.smoothed);
    let top = lowest + 1.5 * (start - lowest).max(f64::MIN_POSITIVE);
    let bar = |point: &RangePoint| {
        let share = (point.smoothed - lowest) / (top - lowest);
        let full = "█".repeat((share.clamp(0.0, 1.0) * BAR).round() as usize);
        if share > 1.0 { full + "…" } else { full }
    };
    let rows = points().map(|point| {
        vec![
            rate_text(point.learning_rate),
            score_text(point.smoothed),
            bar(point),
            mark(search, point.learning_rate),
        ]
    });
    Grid { columns, rows: rows.collect() }
}

fn mark(search: &RateSearch, rate: f64) -> String {
    let is =
        |suggestion: Option<f64>| suggestion.is_some_and(|suggestion| nearest(search, suggestion) == rate);
    let suggestions = search.suggestions;
    let marks = [
        (is(suggestions.steepest_descent), "steepest descent"),
        (is(suggestions.minimum_over_10), "minimum / 10"),
        (is(suggestions.minimum_over_10.map(|rate| 10.0 * rate)), "minimum"),
    ];
    let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    if marks.is_empty() { String::new() } else { format!("← {}", marks.join(", ")) }
}

/// The tested rate nearest to `rate`.
fn nearest(search: &RateSearch, rate: f64) -> f64 {
    let distance = |point: &&RangePoint| (point.learning_rate / rate).ln().abs();
    let point = search.points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    point.map_or(rate, |point| point.learning_rate)
}

/// The steps that the table shows.
fn chosen(search: &RateSearch) -> Vec<usize> {
    let test = search.test;
    let decades = (test.to / test.from).log10().max(f64::MIN_POSITIVE);
    let apart = (f64::from(test.steps) / decades / 2.0).max(f64::from(test.steps) / 40.0).max(1.0);
    let regular = (0..).map(|row| (f64::from(row) * apart).round() as usize);
    let mut rows: Vec<usize> = regular.take_while(|&index| index < search.points.len()).collect();
    let marked = search.points.iter().enumerate();
    rows.extend(marked.filter(|(_, point)| !mark(search, point.learning_rate).is_empty()).map(|(at, _)| at));
    rows.extend(search.points.len().checked_sub(1));
    rows.sort_unstable();
    rows.dedup();
    rows
}
