//! Settings of any schedule: read, written, checked, laid over a training. All of it comes from the schedule's fields.

use std::fmt;

use serde::de::Error;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::ScheduleError;
use super::length::{FORMS, Horizon, Length};
use super::shape::{Field, Slot};
use super::value::Value;
use super::{Part, Schedule, Sequence};
use crate::suggest::did_you_mean;

/// One setting, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name in recipes.
    pub name: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// Its value, as TOML writes it.
    pub value: String,
    /// What it may be, briefly.
    pub range: String,
}

impl Schedule {
    /// Every setting with its value and its range.
    pub fn settings(&self) -> Vec<Setting> {
        let mut copy = self.clone();
        let fields = copy.shape_mut().fields();
        fields
            .into_iter()
            .map(|field| Setting {
                name: field.name,
                symbol: field.symbol,
                value: field.slot.value(false).to_string(),
                range: field.slot.domain(),
            })
            .collect()
    }

    /// Refuses settings out of their ranges.
    ///
    /// # Errors
    /// [`ScheduleError::Setting`], which names the setting and its range.
    pub fn check(&self) -> Result<(), ScheduleError> {
        let schedule = self.info().name;
        let mut copy = self.clone();
        for Field { name, slot, .. } in copy.shape_mut().fields() {
            if !slot.is_valid() {
                let (value, expected) = (slot.value(false).to_string(), slot.range());
                return Err(ScheduleError::Setting { schedule, name, value, expected });
            }
            match slot {
                Slot::Schedule(inner) => inner.check()?,
                Slot::Parts(parts) => parts.iter().try_for_each(|part| part.schedule.check())?,
                _ => {}
            }
        }
        self.shape().check()
    }

    /// Turns every length into steps.
    pub(super) fn lay_over(&mut self, horizon: Horizon) {
        for Field { slot, .. } in self.shape_mut().fields() {
            let fix = |span: &mut Length, least| *span = Length::Steps(span.resolve(horizon).max(least));
            match slot {
                Slot::Length(span, least) => fix(span, least),
                Slot::Lengths(spans) => spans.iter_mut().for_each(|span| fix(span, 0)),
                Slot::Schedule(inner) => inner.lay_over(horizon),
                Slot::Parts(parts) => lay_parts(parts, horizon),
                Slot::Number(..) | Slot::Whole(..) | Slot::Word(_) => {}
            }
        }
    }

    /// As it is written: all settings, or only those that differ from their defaults.
    fn value(&self, all: bool) -> Value {
        let name = self.info().name;
        let mut pairs = vec![("name".to_owned(), Value::Text(name.to_owned()))];
        let (mut copy, mut default) = (self.clone(), self.default_of_kind());
        for (own, usual) in copy.shape_mut().fields().into_iter().zip(default.shape_mut().fields()) {
            let value = own.slot.value(all);
            if all || value != usual.slot.value(all) {
                pairs.push((own.name.to_owned(), value));
            }
        }
        if pairs.len() == 1 && !all { Value::Text(name.to_owned()) } else { Value::Table(pairs) }
    }

    fn default_of_kind(&self) -> Self {
        Self::named(self.info().name).unwrap_or_default()
    }

    fn read(value: Value) -> Result<Self, ScheduleError> {
        let mut pairs = match value {
            Value::Text(name) => return Self::named(&name),
            Value::Table(pairs) => pairs,
            other => return Err(ScheduleError::NotASchedule { given: other.to_string() }),
        };
        let at = pairs.iter().position(|(key, value)| key == "name" && matches!(value, Value::Text(_)));
        let Some((_, Value::Text(name))) = at.map(|at| pairs.remove(at)) else {
            return Err(ScheduleError::NotASchedule { given: Value::Table(pairs).to_string() });
        };
        let mut schedule = Self::named(&name)?;
        let kind = schedule.info().name;
        for (key, value) in pairs {
            let mut fields = schedule.shape_mut().fields();
            let Some(at) = fields.iter().position(|field| field.name == key) else {
                return Err(unknown_setting(
                    kind,
                    key,
                    &fields.iter().map(|field| field.name).collect::<Vec<_>>(),
                ));
            };
            fields.swap_remove(at).set(kind, value)?;
        }
        schedule.check()?;
        Ok(schedule)
    }
}

fn unknown_setting(schedule: &'static str, name: String, known: &[&'static str]) -> ScheduleError {
    ScheduleError::UnknownSetting {
        schedule,
        suggestion: did_you_mean(&name, known.iter().copied()),
        name,
        known: known.join(", "),
    }
}

/// Turns the lengths of the parts, and those within, into steps. The last part has what is left of the training, if it
/// does not say.
fn lay_parts(parts: &mut [Part], horizon: Horizon) {
    let mut left = horizon.steps;
    for Part { length: span, schedule } in parts {
        let steps = span.map_or(left, |span| span.resolve(horizon));
        *span = Some(Length::Steps(steps));
        left = left.saturating_sub(steps);
        schedule.lay_over(Horizon { steps, ..horizon });
    }
}

impl Field<'_> {
    /// Sets the setting to what was written; ranges are checked later, all together.
    fn set(self, schedule: &'static str, given: Value) -> Result<(), ScheduleError> {
        let (expected, value) = (self.slot.range(), given.to_string());
        let wrong = || ScheduleError::Setting { schedule, name: self.name, value, expected };
        match self.slot {
            Slot::Number(at, _) => *at = given.number().ok_or_else(wrong)?,
            Slot::Whole(at, ..) => {
                let Value::Whole(whole) = given else { return Err(wrong()) };
                *at = whole;
            }
            Slot::Length(at, _) => *at = given.length().map_err(|_| wrong())?,
            Slot::Lengths(at) => {
                let Value::List(items) = given else { return Err(wrong()) };
                *at = items.iter().map(Value::length).collect::<Result<_, _>>().map_err(|_| wrong())?;
            }
            Slot::Word(at) => {
                let Value::Text(word) = &given else { return Err(wrong()) };
                if !at.set(word) {
                    return Err(wrong());
                }
            }
            Slot::Schedule(at) => *at = Schedule::read(given)?,
            Slot::Parts(at) => {
                let Value::List(items) = given else { return Err(wrong()) };
                *at = items.into_iter().map(read_part).collect::<Result<_, _>>()?;
            }
        }
        Ok(())
    }
}

/// A part of a sequence: a schedule alone, or a table with the keys `for` and `schedule`.
fn read_part(value: Value) -> Result<Part, ScheduleError> {
    let sequence = Schedule::from(Sequence::default()).info().name;
    let is_part = |pairs: &[(String, Value)]| !pairs.iter().any(|(key, _)| key == "name");
    let pairs = match value {
        Value::Table(pairs) if is_part(&pairs) => pairs,
        other => return Ok(Part { length: None, schedule: Schedule::read(other)? }),
    };
    let written = Value::Table(pairs.clone()).to_string();
    let (mut span, mut schedule) = (None, None);
    for (key, value) in pairs {
        match key.as_str() {
            "for" => {
                let given = value.to_string();
                span = Some(value.length().map_err(|_| ScheduleError::Setting {
                    schedule: sequence,
                    name: "for",
                    value: given,
                    expected: FORMS.to_owned(),
                })?);
            }
            "schedule" => schedule = Some(Schedule::read(value)?),
            _ => return Err(unknown_setting(sequence, key, &["for", "schedule"])),
        }
    }
    let schedule = schedule.ok_or(ScheduleError::NotASchedule { given: written })?;
    Ok(Part { length: span, schedule })
}

impl Slot<'_> {
    fn value(&self, all: bool) -> Value {
        match self {
            Self::Number(at, _) => Value::Number(**at),
            Self::Whole(at, ..) => Value::Whole(**at),
            Self::Length(at, _) => length_value(**at),
            Self::Lengths(at) => Value::List(at.iter().copied().map(length_value).collect()),
            Self::Word(at) => Value::Text(at.get().to_owned()),
            Self::Schedule(at) => at.value(all),
            Self::Parts(parts) => {
                let part = |part: &Part| {
                    let span = part.length.map(|span| ("for".to_owned(), length_value(span)));
                    let schedule = ("schedule".to_owned(), part.schedule.value(all));
                    Value::Table(span.into_iter().chain([schedule]).collect())
                };
                Value::List(parts.iter().map(part).collect())
            }
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::Number(at, range) => range.contains(**at),
            Self::Whole(at, low, high) => (low..=high).contains(&&**at),
            Self::Length(Length::Steps(steps), least) => steps >= least,
            Self::Length(at, least) => at.is_valid() && (*least == 0 || **at != Length::Percent(0.0)),
            Self::Lengths(at) => at.iter().all(|span| span.is_valid()),
            Self::Parts(parts) => parts.iter().filter_map(|part| part.length).all(Length::is_valid),
            Self::Word(_) | Self::Schedule(_) => true,
        }
    }

    /// What it may be, briefly.
    fn domain(&self) -> String {
        match self {
            Self::Number(_, range) => format!("in {range}"),
            Self::Whole(_, low, high) => format!("{low} to {high}"),
            Self::Length(_, 0) => "a length".to_owned(),
            Self::Length(..) => "a length above 0".to_owned(),
            Self::Lengths(_) => "lengths".to_owned(),
            Self::Word(at) => at.words().join(" or "),
            Self::Schedule(_) => "a schedule".to_owned(),
            Self::Parts(_) => "parts { for = length, schedule = schedule }".to_owned(),
        }
    }

    /// What it may be, in words.
    fn range(&self) -> String {
        match self {
            Self::Number(_, range) => format!("a number in {range}"),
            Self::Whole(_, low, high) => format!("a whole number from {low} to {high}"),
            Self::Length(_, 0) => FORMS.to_owned(),
            Self::Length(..) => FORMS.replacen("from 0 up", "above 0", 1),
            Self::Lengths(_) => format!("a list, each of it {FORMS}"),
            Self::Word(at) => at.words().join(" or "),
            Self::Schedule(_) => "a schedule".to_owned(),
            Self::Parts(_) => "a list of parts { for = length, schedule = schedule }".to_owned(),
        }
    }
}

fn length_value(span: Length) -> Value {
    match span {
        Length::Steps(steps) => Value::Whole(steps),
        other => Value::Text(other.to_string()),
    }
}

/// As TOML writes it on one line: the name, or a table with the settings that differ from their defaults.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value(false) {
            Value::Text(name) => f.write_str(&name),
            table => table.fmt(f),
        }
    }
}

/// All settings are written, so that a stored recipe means the same when a default changes.
impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value(true).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Table(pairs) => {
                let mut table = serializer.serialize_map(Some(pairs.len()))?;
                pairs.iter().try_for_each(|(key, value)| table.serialize_entry(key, value))?;
                table.end()
            }
        }
    }
}
