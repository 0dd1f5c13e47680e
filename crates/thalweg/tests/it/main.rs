//! The `thalweg` command from outside: bad input, `compare`, interruptions, and real files.

mod bad_input;
mod common;
mod compare;
mod interrupt;
mod real_files;
mod words;
