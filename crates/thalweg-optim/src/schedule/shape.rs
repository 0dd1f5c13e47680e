//! The contract of a schedule: what it is called, which settings it has, and its formula.
//!
//! A schedule is one file with these three and one row in [`schedule`](super). Reading, writing, checking and resolving
//! its settings, the table of schedules and the conformance tests come from its [`Field`]s.

use super::error::ScheduleError;
use super::length::Length;
use super::{Part, Schedule};
use crate::hyper::Range;

/// What a table of schedules shows.
#[derive(Debug)]
pub struct Info {
    /// The name in the registry, on the command line and in a recipe.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// The factor of step t = 0, 1, …
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// How the learning rate's factor goes with the step.
pub trait Shape {
    /// What the tables show.
    fn info(&self) -> &'static Info;

    /// The settings, each with its range and a way to reach it.
    fn fields(&mut self) -> Vec<Field<'_>>;

    /// The formula: finite and not negative for every step, settings in their ranges and lengths in steps.
    fn factor(&self, step: u64) -> f64;

    /// Refuses what no single setting's range can.
    ///
    /// # Errors
    /// [`ScheduleError::Setting`].
    fn check(&self) -> Result<(), ScheduleError> {
        Ok(())
    }
}

/// One setting of a schedule.
pub struct Field<'a> {
    /// The name in recipes and in Python.
    pub name: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// Where it lives, and what it may be.
    pub slot: Slot<'a>,
}

/// Where a setting lives, and what it may be.
pub enum Slot<'a> {
    /// A number in a range.
    Number(&'a mut f64, Range),
    /// A whole number from `.1` to `.2`.
    Whole(&'a mut u64, u64, u64),
    /// A length of at least so many steps.
    Length(&'a mut Length, u64),
    /// Points in time.
    Lengths(&'a mut Vec<Length>),
    /// One of some words.
    Word(&'a mut dyn Word),
    /// A schedule within this one.
    Schedule(&'a mut Schedule),
    /// Schedules one after the other.
    Parts(&'a mut Vec<Part>),
}

impl<'a> Field<'a> {
    pub(super) fn number(name: &'static str, symbol: &'static str, range: Range, at: &'a mut f64) -> Self {
        Self { name, symbol, slot: Slot::Number(at, range) }
    }

    /// A length that may be 0 steps.
    pub(super) fn length(name: &'static str, symbol: &'static str, at: &'a mut Length) -> Self {
        Self { name, symbol, slot: Slot::Length(at, 0) }
    }

    /// A length that is divided by: at least one step.
    pub(super) fn period(name: &'static str, symbol: &'static str, at: &'a mut Length) -> Self {
        Self { name, symbol, slot: Slot::Length(at, 1) }
    }

    pub(super) fn whole(
        name: &'static str,
        symbol: &'static str,
        low: u64,
        high: u64,
        at: &'a mut u64,
    ) -> Self {
        Self { name, symbol, slot: Slot::Whole(at, low, high) }
    }

    pub(super) fn word(name: &'static str, symbol: &'static str, at: &'a mut dyn Word) -> Self {
        Self { name, symbol, slot: Slot::Word(at) }
    }
}

/// A choice between some words.
pub trait Word {
    /// All of them.
    fn words(&self) -> &'static [&'static str];
    /// The one that is chosen.
    fn get(&self) -> &'static str;
    /// Chooses one; false if there is none of that name.
    fn set(&mut self, word: &str) -> bool;
}

/// Declares a choice between words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $crate::schedule::shape::Word for $name {
            fn words(&self) -> &'static [&'static str] {
                &[$($word),*]
            }

            fn get(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            fn set(&mut self, word: &str) -> bool {
                match word {
                    $($word => *self = Self::$variant,)*
                    _ => return false,
                }
                true
            }
        }
    };
}
pub(super) use words;
