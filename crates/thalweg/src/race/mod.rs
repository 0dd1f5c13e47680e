//! A race: every method walks from one start over a test function, at the best of equally many tried learning rates.
//!
//! `RaceSpec → run → Race`: a [`Course`] per function, a [`Walker`] per method on it, and of each walker three walks: at
//! its chosen rate, at a tenth and at ten times of it. A walk that diverges is a result like any other. Nothing is
//! random: equal settings give equal bits.

mod measure;
mod run;
mod spec;
mod track;
mod tune;
mod walk;
mod words;

pub use measure::Outcome;
pub use run::{Course, Race, Walker, run};
pub use spec::{RaceError, RaceSpec};
pub use track::{Leg, Track, frames};
pub(crate) use walk::LOST;
pub use walk::Walk;
pub(crate) use words::{figure, percent, place};
