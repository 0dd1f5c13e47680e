//! The `thalweg` command from outside: bad input, `compare`, `race`, interruptions, and real files.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod bad_input;
mod common;
mod compare;
mod find_lr;
mod interrupt;
mod model;
mod race;
mod readme;
mod real_files;
mod regularizers;
mod words;
