//! Schedules one after the other.

use super::error::ScheduleError;
use super::length::Length;
use super::shape::{Field, Info, Shape, Slot};
use super::{Schedule, WarmUp};

/// One schedule after the other, each counting its steps from its own start; the last one goes on.
///
/// A share of the training in a part's schedule means a share of the part. `torch.optim.lr_scheduler.SequentialLR` and
/// `optax.join_schedules` compute the same from the borders. The default is a warm-up over the first tenth, then a
/// cosine over the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// At least one.
    pub parts: Vec<Part>,
}

/// A part of a [`Sequence`].
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// How long it lasts (`for` in settings); `None`, which only the last may have, is the rest of the training.
    pub length: Option<Length>,
    /// What happens in it.
    pub schedule: Schedule,
}

impl Default for Sequence {
    fn default() -> Self {
        let rise = WarmUp { steps: Length::ALL, ..WarmUp::default() };
        Self {
            parts: vec![
                Part { length: Some(Length::Percent(10.0)), schedule: rise.into() },
                Part { length: None, schedule: super::Cosine::default().into() },
            ],
        }
    }
}

pub(super) static INFO: Info = Info {
    name: "sequence",
    title: "Sequence",
    summary: "one schedule after the other, each from its own start",
    formula: "rᵢ(t − bᵢ) from step bᵢ on, where part i begins",
    source: "as PyTorch's SequentialLR and optax's join_schedules",
};

impl Shape for Sequence {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field { name: "parts", symbol: "rᵢ", slot: Slot::Parts(&mut self.parts) }]
    }

    fn factor(&self, step: u64) -> f64 {
        let mut left = step;
        for (index, Part { length: span, schedule }) in self.parts.iter().enumerate() {
            match span.map(Length::steps) {
                Some(steps) if left >= steps && index + 1 < self.parts.len() => left -= steps,
                _ => return schedule.shape().factor(left),
            }
        }
        1.0
    }

    fn check(&self) -> Result<(), ScheduleError> {
        let wrong = |value: String, expected: &str| {
            Err(ScheduleError::Setting {
                schedule: INFO.name,
                name: "parts",
                value,
                expected: expected.to_owned(),
            })
        };
        let Some((_, all_but_last)) = self.parts.split_last() else {
            return wrong(
                "[]".to_owned(),
                "at least one part, such as { for = \"10%\", schedule = \"warm-up\" }",
            );
        };
        if let Some(part) = all_but_last.iter().find(|part| part.length.is_none()) {
            return wrong(
                format!("[… {} …]", part.schedule),
                "parts that say for how long (for = \"10%\"); only the last may leave it out",
            );
        }
        if let Some(part) = self.parts.iter().find(|part| part.schedule.plateau().is_some()) {
            return wrong(
                format!("[… {} …]", part.schedule),
                "without reduce-on-plateau, whose factor depends on what was seen before its part; use it alone or as the \
                 times of a warm-up",
            );
        }
        Ok(())
    }
}
