//! What one sees, in sentences: every one of them is made from the figures.

use thalweg_optim::functions::{Kind, Landmark};

use super::measure::Outcome;
use super::run::{Course, Race, Walker};
use crate::study::verdict::{rate_text, title};

impl Race {
    /// What one sees on a course.
    pub fn sentences(&self, course: &Course) -> Vec<String> {
        let mut sentences = vec![self.arrivals(course)];
        sentences.extend(ends(course));
        sentences.extend(velocity(course));
        sentences.extend(falling_rate(course));
        sentences.extend(self.untuned(course));
        sentences.extend(self.wrong_rates(course));
        sentences
    }

    /// Who comes within the tolerance, and how fast.
    fn arrivals(&self, course: &Course) -> String {
        let (function, ranking) = (course.function, course.ranking());
        let arrived: Vec<String> = ranking
            .iter()
            .filter_map(|walker| {
                let steps = walker.chosen.outcome.steps_to_tolerance?;
                Some(format!("{} ({steps})", title(walker.optimizer)))
            })
            .collect();
        let goal = format!(
            "within {} of the lowest value {} and stay there",
            figure(function.tolerance),
            figure(function.lowest)
        );
        let (all, steps) = (ranking.len(), self.spec.steps);
        match &arrived[..] {
            [] => format!("From {} no method comes {goal} in {steps} steps.", place(course.start))
                .replace("and stay", "and stays"),
            [one] => format!(
                "From {} one of {all} methods comes {goal} in {steps} steps: {one}.",
                place(course.start)
            )
            .replace("and stay", "and stays"),
            many => {
                let shown = many[..many.len().min(7)].join(", ");
                let more = if many.len() > 7 { ", and others" } else { "" };
                format!(
                    "From {} {} of {all} methods come {goal} in {steps} steps. The number of steps each took: {shown}{more}.",
                    place(course.start),
                    many.len()
                )
            }
        }
    }

    /// Adadelta, which is meant to need no learning rate.
    fn untuned(&self, course: &Course) -> Option<String> {
        let walker = course.walker("adadelta")?;
        let (own, chosen) = (walker.at(1.0)?, &walker.chosen.outcome);
        let first = format!(
            "Adadelta scales its own steps: with the learning rate 1, that is untuned, it {}",
            self.fate(own)
        );
        Some(if !self.spec.is_tuned() {
            format!("{first}.")
        } else if chosen.learning_rate == 1.0 {
            format!("{first}; none of the other {} rates did better.", walker.tried.len() - 1)
        } else {
            format!(
                "{first}; with the best of {} rates, {}, it {}.",
                walker.tried.len(),
                rate(chosen),
                self.fate(chosen)
            )
        })
    }

    /// A tenth of the chosen rate, and ten times of it.
    fn wrong_rates(&self, course: &Course) -> Option<String> {
        let walker = course.walker("sgd").or(course.walkers.first())?;
        let count = |is: fn(&Walker) -> bool| course.walkers.iter().filter(|walker| is(walker)).count();
        let unsettled = |outcome: &Outcome| outcome.steps_to_tolerance.is_none();
        let of = course.walkers.len();
        let slow = count(|walker| walker.slower.outcome.steps_to_tolerance.is_none());
        let lost = count(|walker| walker.faster.outcome.diverged_at.is_some());
        let restless =
            course.walkers.iter().filter(|walker| unsettled(&walker.faster.outcome)).count() - lost;
        let name = title(walker.optimizer);
        Some(format!(
            "A rate too small or too large: at {} {name} {}; at a tenth of it, it {}; at ten times, it {}. Of all {of} methods, \
             {slow} do not settle within the tolerance at a tenth of their rate; at ten times, {lost} diverge and {restless} \
             more do not settle.",
            rate(&walker.chosen.outcome),
            self.fate(&walker.chosen.outcome),
            self.fate(&walker.slower.outcome),
            self.fate(&walker.faster.outcome),
        ))
    }

    /// What becomes of a walk, after «it».
    fn fate(&self, outcome: &Outcome) -> String {
        match (outcome.diverged_at, outcome.steps_to_tolerance, outcome.final_gap) {
            (Some(step), ..) => format!("diverges at step {step}"),
            (_, Some(steps), _) => format!("settles after {steps} step{}", if steps == 1 { "" } else { "s" }),
            (.., gap) => {
                let gap = gap.map_or_else(|| "somewhere".to_owned(), figure);
                format!("is still {gap} above the lowest value after {} steps", self.spec.steps)
            }
        }
    }
}

/// Where the walks end, if that is not one place for all.
fn ends(course: &Course) -> Option<String> {
    let mut groups: Vec<(Option<Landmark>, Vec<&str>)> = Vec::new();
    for walker in &course.walkers {
        let outcome = &walker.chosen.outcome;
        if outcome.diverged_at.is_some() {
            continue;
        }
        let (at, name) = (outcome.landmark(course.function), title(walker.optimizer));
        match groups.iter_mut().find(|(group, _)| *group == at) {
            Some((_, names)) => names.push(name),
            None => groups.push((at, vec![name])),
        }
    }
    // Of one minimum and no other place to end at, there is nothing to tell.
    let is_plain = |at: &Option<Landmark>| at.is_none_or(|at| at.kind == Kind::Lowest);
    if groups.iter().all(|(at, _)| is_plain(at)) && course.function.minima().len() == 1 {
        return None;
    }
    // The lowest first; what ended nowhere in particular, last.
    groups.sort_by(|(a, _), (b, _)| {
        let height = |at: &Option<Landmark>| at.map_or(f64::INFINITY, |at| at.value);
        height(a).total_cmp(&height(b))
    });
    let text = |(at, names): &(Option<Landmark>, Vec<&str>)| {
        let what = match at.map(|at| at.kind) {
            Some(Kind::Lowest) => "the lowest point",
            Some(Kind::LocalMinimum) => "the local minimum",
            Some(Kind::Saddle) => "the saddle",
            Some(Kind::Maximum) => "the maximum",
            None => return format!("{} at none of the places where the gradient vanishes", names.join(", ")),
        };
        let at = at.map_or([f64::NAN; 2], |at| at.at);
        format!("{} at {what} {}", names.join(", "), place(at))
    };
    (!groups.is_empty())
        .then(|| format!("Where they end: {}.", groups.iter().map(text).collect::<Vec<_>>().join("; ")))
}

/// Momentum overshoots; NAG, which looks ahead, less.
fn velocity(course: &Course) -> Option<String> {
    let (momentum, nag) = (course.walker("momentum")?, course.walker("nag")?);
    let first = &momentum.chosen.outcome;
    let second = nag.at(first.learning_rate)?;
    let swung = |outcome: &Outcome| Some((outcome.overshoot?, outcome.swings?));
    let beyond = swung(first)?;
    let head = format!(
        "At the learning rate {} Momentum {} along the steepest direction at the minimum",
        rate(first),
        swing(beyond)
    );
    Some(match swung(second) {
        None => {
            let own = &nag.chosen.outcome;
            let at_its_own =
                swung(own).map(|swung| format!("; at its own, {}, it {}", rate(own), swing(swung)));
            format!("{head}. NAG diverges at that rate{}.", at_its_own.unwrap_or_default())
        }
        Some(less) => {
            let verdict =
                if less.0 < beyond.0 { "less than Momentum" } else { "not less than Momentum here" };
            format!("{head}. NAG at the same rate {}: {verdict}.", swing(less))
        }
    })
}

/// Adagrad's G only grows.
fn falling_rate(course: &Course) -> Option<String> {
    let outcome = &course.walker("adagrad")?.chosen.outcome;
    let along = |(name, rates): (&str, Option<[f64; 2]>)| {
        let [first, last] = rates?;
        let change = if last < first {
            format!("fell by a factor of {}", figure(first / last))
        } else {
            "did not fall".to_owned()
        };
        Some(format!("|Δ{name}|/|∂f/∂{name}| {change} ({} to {})", figure(first), figure(last)))
    };
    let told: Vec<String> =
        ["x", "y"].into_iter().zip(outcome.effective_rates_along).filter_map(along).collect();
    (!told.is_empty()).then(|| {
        format!(
            "Adagrad divides each coordinate's step by the root of its sum of squared gradients, which only grows: from the \
             first step to the last, {}.",
            told.join(" and ")
        )
    })
}

/// The learning rate of an outcome.
fn rate(outcome: &Outcome) -> String {
    rate_text(outcome.learning_rate)
}

/// An overshoot and its swings, after «it».
fn swing((beyond, swings): (f64, u32)) -> String {
    if swings == 0 {
        return "did not overshoot".to_owned();
    }
    format!("overshot by {} of its first distance and swung across {}", percent(beyond), times(swings))
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// A share in percent: `82 %`, `0.4 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if (0.05..0.95).contains(&percent) { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A number with three significant digits, as a person writes it.
pub(crate) fn figure(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let text = match rounded.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    };
    // A proper minus sign lines up with digits, and no line is broken behind it.
    text.replace('-', "−")
}

/// A point: `(−1.2, 1)`.
pub(crate) fn place([x, y]: [f64; 2]) -> String {
    format!("({}, {})", figure(x), figure(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::{RaceSpec, run};

    fn race(function: &str, optimizers: &[&str]) -> Race {
        let names = optimizers.iter().map(|&name| name.to_owned()).collect();
        run(RaceSpec { functions: vec![function.to_owned()], optimizers: names, ..RaceSpec::default() })
            .expect("it runs")
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            (figure(0.0), figure(-39.16617), figure(1e-6)),
            ("0".into(), "−39.2".into(), "1e−6".into())
        );
        assert_eq!(
            (figure(24.2), figure(1.234e7), figure(-2e-9)),
            ("24.2".into(), "1.23e7".into(), "−2e−9".into())
        );
        assert_eq!(
            (percent(0.815), percent(0.0), percent(0.004)),
            ("82 %".into(), "0 %".into(), "0.4 %".into())
        );
        assert_eq!(place([-1.2, 1.0]), "(−1.2, 1)");
    }

    #[test]
    fn the_sentences_carry_the_figures() {
        let race = race("quadratic", &["sgd", "momentum", "nag", "adagrad", "adadelta"]);
        let course = &race.courses[0];
        let text = race.sentences(course).join("\n");
        let momentum = &course.walker("momentum").expect("raced").chosen.outcome;
        for part in [
            format!("Momentum ({})", momentum.steps_to_tolerance.expect("it settles")),
            format!("Momentum overshot by {}", percent(momentum.overshoot.expect("it swings"))),
            "less than Momentum.".to_owned(),
            "Adagrad divides each coordinate's step".to_owned(),
            "|Δx|/|∂f/∂x| fell by a factor of".to_owned(),
            "untuned, it is still".to_owned(),
            "diverges at step".to_owned(),
        ] {
            assert!(text.contains(&part), "no «{part}» in:\n{text}");
        }
    }

    #[test]
    fn what_was_not_raced_is_not_told() {
        let race = race("himmelblau", &["adam"]);
        let text = race.sentences(&race.courses[0]).join("\n");
        for name in ["Momentum", "NAG", "Adagrad", "Adadelta", "SGD"] {
            assert!(!text.contains(name), "{text}");
        }
        assert!(text.contains("Where they end: Adam at the lowest point (−2.81, 3.13)"), "{text}");
    }
}
