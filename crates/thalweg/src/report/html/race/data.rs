//! A race as the page's script reads it.
//!
//! Coordinates are whole units of the picture; heights and effective rates are hundredths of a decade. Of a sequence the
//! first number is written and then the differences, with blanks between; `x` stands for what cannot be drawn.

use serde_json::{Value, json};
use thalweg_optim::Objective;
use thalweg_optim::functions::{Kind, Landmark};

use super::super::charts;
use super::levels::{Heights, UNITS};
use crate::race::{Course, Leg, Race, Walker, figure};
use crate::study::verdict::{rate_text, title};

/// The picture's shading has so many nodes in each direction.
const SHADES: usize = 64;
/// The farthest place that is written, in units: a hundred pictures away.
const FAR: f64 = 100.0 * UNITS;

/// The data of the page.
pub(super) fn data(race: &Race) -> Value {
    let names: Vec<&str> = race
        .courses
        .first()
        .map(|course| course.walkers.iter().map(|w| w.optimizer).collect())
        .unwrap_or_default();
    let method = |(index, name): (usize, &&str)| {
        let (color, dashes, marker) = charts::look(index);
        json!({ "title": title(name), "color": color, "dashes": dashes, "marker": marker })
    };
    json!({
        "frames": differences(race.frames.iter().map(|&step| Some(f64::from(step)))),
        "methods": names.iter().enumerate().map(method).collect::<Vec<_>>(),
        "rates": hundredths(race.spec.learning_rates.values().iter().copied()),
        "courses": race.courses.iter().map(course).collect::<Vec<_>>(),
    })
}

fn course(course: &Course) -> Value {
    let window = window(course);
    let mut f = course.function.objective();
    let heights = Heights::new(window, |at| f.value(&at) - course.function.lowest);
    let levels: Vec<Vec<String>> = heights
        .levels()
        .into_iter()
        .map(|level| heights.lines(level).iter().map(|line| coordinates(line.iter().copied())).collect())
        .collect();
    let inside =
        |mark: &Landmark| mark.at.iter().zip(window).all(|(at, [low, high])| (low..=high).contains(at));
    let marks = (course.function.landmarks)();
    // Of the hundreds of places where a rippled function is level, the lowest are enough.
    let crowded = marks.len() > 20;
    let marks = marks.iter().filter(|mark| inside(mark) && (!crowded || mark.kind == Kind::Lowest));
    let mark = |mark: &Landmark| {
        let kind = match mark.kind {
            Kind::Lowest => "lowest",
            Kind::LocalMinimum => "minimum",
            Kind::Saddle => "saddle",
            Kind::Maximum => "maximum",
        };
        json!({ "at": coordinates([to_units(window, mark.at)].into_iter()), "kind": kind })
    };
    json!({
        "name": course.function.name,
        "title": course.function.title,
        "x": window[0],
        "y": window[1],
        "start": coordinates([to_units(window, course.start)].into_iter()),
        "tolerance": (100.0 * libm::log10(course.function.tolerance)).round(),
        "within": figure(course.function.tolerance),
        "shades": heights.shades(SHADES),
        "levels": levels,
        "marks": marks.map(mark).collect::<Vec<_>>(),
        "walkers": course.walkers.iter().map(|w| walker(window, w)).collect::<Vec<_>>(),
    })
}

/// The function's picture, wide enough for the start.
pub(super) fn window(course: &Course) -> [[f64; 2]; 2] {
    let mut window = course.function.window;
    for (range, at) in window.iter_mut().zip(course.start) {
        let margin = 0.06 * (range[1] - range[0]).max((at - range[0]).abs()).max((at - range[1]).abs());
        if at <= range[0] {
            range[0] = at - margin;
        }
        if at >= range[1] {
            range[1] = at + margin;
        }
    }
    window
}

fn walker(window: [[f64; 2]; 2], walker: &Walker) -> Value {
    let legs = [&walker.slower, &walker.chosen, &walker.faster].map(|one| leg(window, one));
    json!({
        "tried": hundredths(walker.tried.iter().map(|outcome| outcome.final_gap.unwrap_or(f64::NAN))),
        "legs": legs,
    })
}

fn leg(window: [[f64; 2]; 2], leg: &Leg) -> Value {
    let (outcome, track) = (&leg.outcome, &leg.track);
    json!({
        "rate": rate_text(outcome.learning_rate),
        "at": (100.0 * libm::log10(outcome.learning_rate)).round(),
        "diverged": outcome.diverged_at,
        "settled": outcome.steps_to_tolerance,
        "path": coordinates(track.points.iter().map(|&point| to_units(window, point))),
        "gaps": hundredths(track.gaps.iter().copied()),
        "effective": hundredths(track.rates.iter().map(|rate| rate.unwrap_or(f64::NAN))),
    })
}

fn to_units(window: [[f64; 2]; 2], point: [f64; 2]) -> [f64; 2] {
    let share = |range: [f64; 2], at: f64| (UNITS * (at - range[0]) / (range[1] - range[0])).clamp(-FAR, FAR);
    [share(window[0], point[0]), share(window[1], point[1])]
}

/// x and y in turn, each as differences to the last point.
fn coordinates(points: impl Iterator<Item = [f64; 2]>) -> String {
    let mut last = [0_i64; 2];
    let mut parts = Vec::new();
    for point in points {
        let now = point.map(|at| at.round() as i64);
        parts.extend([(now[0] - last[0]).to_string(), (now[1] - last[1]).to_string()]);
        last = now;
    }
    parts.join(" ")
}

/// Positive numbers as hundredths of a decade; 0 lies below every chart.
fn hundredths(values: impl Iterator<Item = f64>) -> String {
    let log = |value: f64| match value {
        value if !value.is_finite() => None,
        value => Some(100.0 * libm::log10(value.max(1e-99))),
    };
    differences(values.map(log))
}

/// Differences of rounded numbers.
fn differences(values: impl Iterator<Item = Option<f64>>) -> String {
    let mut last = 0_i64;
    let difference = |value: Option<f64>| match value {
        None => "x".to_owned(),
        Some(value) => {
            let now = value.round() as i64;
            let text = (now - last).to_string();
            last = now;
            text
        }
    };
    values.map(difference).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_written_as_differences() {
        assert_eq!(coordinates([[1.0, 2.4], [3.0, 2.0], [0.0, 0.0]].into_iter()), "1 2 2 0 -3 -2");
        assert_eq!(hundredths([1.0, 100.0, f64::NAN, 10.0].into_iter()), "0 200 x -100");
        assert_eq!(hundredths([0.0].into_iter()), "-9900");
    }
}
