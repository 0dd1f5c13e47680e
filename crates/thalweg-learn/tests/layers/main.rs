//! Every layer: its settings, its numbers beside PyTorch's, and its laws.

mod conformance;
mod depthwise;
mod goldens;
mod laws;
mod pieces;
mod run;
