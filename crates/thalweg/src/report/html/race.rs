//! A race as one HTML page that opens offline: level lines, paths, charts, and what they show in words.
//!
//! Level lines are computed here and embedded as data, as are the paths; a small script draws, plays and scrubs. The
//! tables and sentences need no script.

use askama::Template;

use super::HtmlError;
use super::charts;
use crate::race::{Course, Race, figure, place};
use crate::report::race::{choice, row};
use crate::study::verdict::title;

mod data;
mod levels;
#[cfg(test)]
mod tests;

/// From this number of methods on, the others are hidden at first.
const SHOWN: usize = 10;

/// The race as one self-contained page.
///
/// # Errors
/// [`HtmlError::Template`] if the page cannot be written.
pub fn render(race: &Race) -> Result<String, HtmlError> {
    let names: Vec<&str> = race
        .courses
        .first()
        .map(|course| course.walkers.iter().map(|walker| walker.optimizer).collect())
        .unwrap_or_default();
    let legend = |(index, name): (usize, &&str)| {
        let (color, dashes, marker) = charts::look(index);
        Item { index, title: title(name).to_owned(), color, dashes, marker, shown: index < SHOWN }
    };
    let page = Page {
        heading: heading(race, names.len()),
        facts: facts(race, names.len()),
        hidden: names.len().saturating_sub(SHOWN),
        legend: names.iter().enumerate().map(legend).collect(),
        sections: race.courses.iter().map(|course| section(race, course)).collect(),
        tuned: race.spec.is_tuned(),
        choice: choice(race),
        lost: figure(crate::race::LOST),
        steps: race.spec.steps,
        thinned: race.frames.len() <= race.spec.steps as usize,
        version: env!("CARGO_PKG_VERSION"),
        data: charts::script_safe(&data::data(race).to_string()),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "race.html")]
struct Page {
    heading: String,
    facts: Vec<(&'static str, String)>,
    /// How many methods are hidden at first.
    hidden: usize,
    legend: Vec<Item>,
    sections: Vec<Section>,
    tuned: bool,
    choice: String,
    lost: String,
    steps: u32,
    thinned: bool,
    version: &'static str,
    data: String,
}

/// A method in the legend.
struct Item {
    index: usize,
    title: String,
    color: &'static str,
    dashes: &'static str,
    marker: &'static str,
    shown: bool,
}

/// What is said of a function.
struct Section {
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    lesson: &'static str,
    source: &'static str,
    start: String,
    lowest: String,
    within: String,
    sentences: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn section(race: &Race, course: &Course) -> Section {
    let function = course.function;
    Section {
        name: function.name,
        title: function.title,
        formula: function.formula,
        lesson: function.lesson,
        source: function.source,
        start: place(course.start),
        lowest: figure(function.lowest),
        within: figure(function.tolerance),
        sentences: race.sentences(course),
        rows: course.ranking().into_iter().enumerate().map(|(index, walker)| row(index, walker)).collect(),
    }
}

fn heading(race: &Race, methods: usize) -> String {
    let methods =
        if methods == 1 { "one method walks".to_owned() } else { format!("{methods} methods walk") };
    match &race.courses[..] {
        [one] => format!("{}: how {methods}", one.function.title),
        many => format!("How {methods} over {} functions", many.len()),
    }
}

fn facts(race: &Race, methods: usize) -> Vec<(&'static str, String)> {
    let rates = race.spec.learning_rates.values();
    let tried =
        if race.spec.is_tuned() { format!("best of {} each", rates.len()) } else { "one for all".to_owned() };
    vec![
        ("Functions", race.courses.len().to_string()),
        ("Methods", methods.to_string()),
        ("Steps", super::text::count(race.spec.steps)),
        ("Learning rates", tried),
        ("Dialect", race.spec.dialect.name().to_owned()),
    ]
}
