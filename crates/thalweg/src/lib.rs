//! Which optimizer generalizes best on your data.
//!
//! The four rooms are re-exported: [`optim`] (how the parameters move), [`data`] (what is learned from), [`learn`] (what
//! learns), [`eval`] (how well it generalizes). Behind the default feature `workbench` come [`study`], [`race`],
//! [`model`], [`store`], [`report`] and [`command`], which the `thalweg` command is made of.

pub use {thalweg_data as data, thalweg_eval as eval, thalweg_learn as learn, thalweg_optim as optim};

#[cfg(feature = "workbench")]
pub mod command;
#[cfg(feature = "workbench")]
pub mod model;
#[cfg(feature = "workbench")]
pub mod race;
#[cfg(feature = "workbench")]
pub mod report;
#[cfg(feature = "workbench")]
pub mod store;
#[cfg(feature = "workbench")]
pub mod study;

/// The examples of the project's README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
