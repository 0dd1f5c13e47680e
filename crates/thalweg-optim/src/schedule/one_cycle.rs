//! The one-cycle policy.

use super::FRACTION;
use super::anneal::Anneal;
use super::error::ScheduleError;
use super::length::Length;
use super::shape::{Field, Info, Shape};

/// From s up to 1, the peak, over the first share r of n steps, then down to f.
///
/// As `torch.optim.lr_scheduler.OneCycleLR` has it: the peak is at step r·n − 1 and the end at step n − 1; the learning
/// rate is its `max_lr`, s is 1/`div_factor`, f is 1/(`div_factor`·`final_div_factor`), and three phases (its
/// `three_phase`) go up to 1, as long down to s, and the rest to f. After the end it stays at f, where torch refuses to
/// go on. `optax.cosine_onecycle_schedule` has its peak one step later.
///
/// torch also cycles the momentum, inversely, if it is told to. Here the momentum is a setting of the rule and stays
/// what it is: the schedule moves the learning rate alone.
///
/// Source: Smith and Topin, *Super-convergence* (2018).
#[derive(Debug, Clone, PartialEq)]
pub struct OneCycle {
    /// n.
    pub steps: Length,
    /// r.
    pub rise: f64,
    /// s: the first factor.
    pub start: f64,
    /// f (`final` in settings): the last one.
    pub last: f64,
    /// 2 or 3.
    pub phases: u64,
    /// The form of each phase.
    pub anneal: Anneal,
}

impl Default for OneCycle {
    /// torch's.
    fn default() -> Self {
        Self { steps: Length::ALL, rise: 0.3, start: 0.04, last: 4e-6, phases: 2, anneal: Anneal::Cosine }
    }
}

pub(super) static INFO: Info = Info {
    name: "one-cycle",
    title: "One cycle",
    summary: "from s up to 1 in the share r of n steps, then down to f; the momentum stays as it is",
    formula: "s → 1 at t = r·n−1 → f at t = n−1 (three phases: 1 → s at t = 2r·n−2 → f)",
    source: "Smith and Topin 2018",
};

impl Shape for OneCycle {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::length("steps", "n", &mut self.steps),
            Field::number("rise", "r", FRACTION, &mut self.rise),
            Field::number("start", "s", FRACTION, &mut self.start),
            Field::number("final", "f", FRACTION, &mut self.last),
            Field::whole("phases", "phases", 2, 3, &mut self.phases),
            Field::word("anneal", "anneal", &mut self.anneal),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let (steps, step) = (self.steps.steps() as f64, step as f64);
        if step >= steps - 1.0 {
            return self.last;
        }
        let peak = self.rise * steps - 1.0;
        let between = |from: f64, to: f64, begin: f64, end: f64| {
            self.anneal.between(from, to, (step - begin) / (end - begin))
        };
        if step <= peak {
            return if peak > 0.0 { between(self.start, 1.0, 0.0, peak) } else { 1.0 };
        }
        if self.phases == 2 {
            return between(1.0, self.last, peak, steps - 1.0);
        }
        let valley = 2.0 * self.rise * steps - 2.0;
        if step <= valley {
            between(1.0, self.start, peak, valley)
        } else {
            between(self.start, self.last, valley, steps - 1.0)
        }
    }

    fn check(&self) -> Result<(), ScheduleError> {
        if self.phases == 3 && self.rise > 0.5 {
            return Err(ScheduleError::Setting {
                schedule: INFO.name,
                name: "rise",
                value: self.rise.to_string(),
                expected: "at most 0.5 with three phases, since the way down to the start is as long"
                    .to_owned(),
            });
        }
        Ok(())
    }
}
