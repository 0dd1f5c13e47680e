//! Every layer: its settings, and its laws.

mod conformance;
mod laws;
mod run;
