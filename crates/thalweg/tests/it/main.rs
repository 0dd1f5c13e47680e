//! x
mod bad_input;
mod common;
