//! Every layer: its settings, and its laws.

mod conformance;
mod depthwise;
mod laws;
mod run;
