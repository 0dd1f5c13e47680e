//! A study: many small trainings under one protocol, and what they say together.
//!
//! `StudySpec → Plan → run (trials into the store) → Summary`. Every trial is known by the hash of all that decides its
//! bits, so that going on after a crash, running on several threads and adding a method to an old study are the same
//! thing: skip what is there.

mod error;
mod find_rate;
mod method;
pub mod plan;
mod reproduce;
pub mod run;
mod score;
pub mod spec;
pub mod summary;
pub mod trial;
pub mod verdict;

pub use error::StudyError;
pub use find_rate::{RateSearch, Suggestions, find_rate};
pub use method::NONE;
pub use plan::Plan;
pub use run::{Event, run};
pub(crate) use score::score_of;
pub use spec::{LearningRates, LossChoice, StudySpec};
pub use summary::{MethodSummary, StudyRecord, Summary};
pub use trial::{Role, Trial, TrialRecord};
pub use verdict::Verdict;
