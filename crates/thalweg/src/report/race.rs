//! A race as a table and sentences, as CSV and as JSON.

use serde_json::{Value, json};

use super::Format;
use super::grid::Grid;
use super::wrap::wrapped;
use crate::race::{Course, Outcome, Race, Walker, figure, percent, place};
use crate::study::verdict::{rate_text, title};

/// The race in `format`, ending with a line feed.
pub fn render(race: &Race, format: Format) -> String {
    match format {
        Format::Table | Format::Markdown => {
            let courses: Vec<String> = race.courses.iter().map(|course| text(race, course, format)).collect();
            let legend =
                if format == Format::Table { wrapped(&legend(race), "") } else { legend(race) + "\n" };
            courses.join("\n") + "\n" + &legend
        }
        Format::Json => format!("{:#}\n", object(race)),
        Format::Csv => csv(race).render(Format::Csv),
    }
}

/// One function: what it is, the table, and what one sees (on a terminal only if there is no other function).
fn text(race: &Race, course: &Course, format: Format) -> String {
    let markdown = format == Format::Markdown;
    let heading = heading(race, course);
    let table = table(course).render(format);
    if markdown {
        let points: String = race.sentences(course).iter().map(|text| format!("- {text}\n")).collect();
        return format!("# {heading}\n\n{table}\n{points}");
    }
    let mut text = format!("{}\n{table}", wrapped(&heading, ""));
    if race.courses.len() == 1 {
        text += "\nWhat one sees\n";
        text.extend(race.sentences(course).iter().map(|sentence| wrapped(sentence, "  ")));
    }
    text
}

fn heading(race: &Race, course: &Course) -> String {
    let function = course.function;
    format!(
        "{}: {}; from {}, {} steps",
        function.title,
        function.formula,
        place(course.start),
        race.spec.steps
    )
}

fn table(course: &Course) -> Grid {
    let column = |key, heading: &str, number| (key, heading.to_owned(), number);
    let within = format!("steps to {}", figure(course.function.tolerance));
    let columns = vec![
        column("rank", "", true),
        column("optimizer", "optimizer", false),
        column("learning_rate", "rate", true),
        column("steps_to_tolerance", &within, true),
        column("final_value", "final value", true),
        column("path_length", "path length", true),
        column("overshoot", "overshoot", true),
        column("swings", "swings", true),
        column("effective_rate", "effective rate", false),
    ];
    let rows = course.ranking().into_iter().enumerate().map(|(index, walker)| row(index, walker)).collect();
    Grid { columns, rows }
}

/// What stands where there is no number.
const NONE: &str = "–";

/// A method's line, as a person reads it.
pub(super) fn row(index: usize, walker: &Walker) -> Vec<String> {
    let outcome = &walker.chosen.outcome;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let edge = if walker.on_edge() { "!" } else { "" };
    let end = match outcome.diverged_at {
        Some(step) => format!("diverged at {step}"),
        None => or_none(outcome.final_value.map(figure)),
    };
    vec![
        (index + 1).to_string(),
        title(walker.optimizer).to_owned(),
        rate_text(outcome.learning_rate) + edge,
        or_none(outcome.steps_to_tolerance.map(|steps| steps.to_string())),
        end,
        or_none(outcome.path_length.map(figure)),
        or_none(outcome.overshoot.map(percent)),
        or_none(outcome.swings.map(|swings| swings.to_string())),
        effective(outcome),
    ]
}

fn effective(outcome: &Outcome) -> String {
    match (outcome.first_effective_rate, outcome.last_effective_rate) {
        (Some(first), Some(last)) => format!("{} → {}", figure(first), figure(last)),
        _ => NONE.to_owned(),
    }
}

/// What the columns mean, and how the rates were chosen.
fn legend(race: &Race) -> String {
    let rate = choice(race);
    let edge = if race.spec.is_tuned() { " (! = at an end of the grid)" } else { "" };
    format!(
        "rate: {rate}{edge}. steps to: the first step from which on the value stays that near to the lowest. overshoot: the \
         farthest beyond the minimum along the steepest direction there, in shares of the first distance; swings: how often \
         it crossed. effective rate: |ΔW|/|g| of the first and the last step."
    )
}

/// How the learning rates were chosen, in words.
pub(super) fn choice(race: &Race) -> String {
    let rates = &race.spec.learning_rates;
    let (low, high) = rates.ends();
    if race.spec.is_tuned() {
        format!(
            "the best of the same {} tried by every method, {} to {}; what settles sooner is better, then what stays lower over the last tenth of its steps",
            rates.values().len(),
            rate_text(low),
            rate_text(high)
        )
    } else {
        format!("{} for every method, not tuned", rate_text(low))
    }
}

fn csv(race: &Race) -> Grid {
    let keys = [
        "function",
        "rank",
        "optimizer",
        "learning_rate",
        "on_edge",
        "diverged_at",
        "steps_to_tolerance",
        "final_value",
        "final_gap",
        "last_tenth_gap",
        "final_x",
        "final_y",
        "path_length",
        "overshoot",
        "swings",
        "overshoot_flat",
        "first_effective_rate",
        "last_effective_rate",
    ];
    let line = |course: &Course, index: usize, walker: &Walker| {
        let outcome = &walker.chosen.outcome;
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let count = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
        vec![
            course.function.name.to_owned(),
            (index + 1).to_string(),
            walker.optimizer.to_owned(),
            outcome.learning_rate.to_string(),
            walker.on_edge().to_string(),
            count(outcome.diverged_at),
            count(outcome.steps_to_tolerance),
            number(outcome.final_value),
            number(outcome.final_gap),
            number(outcome.last_tenth_gap),
            number(outcome.final_point.map(|at| at[0])),
            number(outcome.final_point.map(|at| at[1])),
            number(outcome.path_length),
            number(outcome.overshoot),
            count(outcome.swings),
            number(outcome.overshoot_flat),
            number(outcome.first_effective_rate),
            number(outcome.last_effective_rate),
        ]
    };
    let rows = race.courses.iter().flat_map(|course| {
        let walkers = course.ranking().into_iter().enumerate();
        walkers.map(|(index, walker)| line(course, index, walker)).collect::<Vec<_>>()
    });
    Grid { columns: keys.map(|key| (key, key.to_owned(), false)).to_vec(), rows: rows.collect() }
}

fn object(race: &Race) -> Value {
    let method = |walker: &Walker| {
        json!({
            "optimizer": walker.optimizer,
            "title": title(walker.optimizer),
            "on_edge": walker.on_edge(),
            "chosen": walker.chosen.outcome,
            "slower": walker.slower.outcome,
            "faster": walker.faster.outcome,
            "tried": walker.tried,
        })
    };
    let course = |course: &Course| {
        let function = course.function;
        json!({
            "function": function.name,
            "title": function.title,
            "formula": function.formula,
            "source": function.source,
            "start": course.start,
            "lowest": function.lowest,
            "tolerance": function.tolerance,
            "methods": course.ranking().into_iter().map(method).collect::<Vec<_>>(),
            "sentences": race.sentences(course),
        })
    };
    json!({
        "settings": race.spec,
        "choice": choice(race),
        "courses": race.courses.iter().map(course).collect::<Vec<_>>(),
    })
}
