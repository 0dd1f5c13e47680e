//! Every layer: its settings, its numbers beside PyTorch's, and its laws.

mod conformance;
mod dense;
mod depthwise;
mod goldens;
mod laws;
mod pieces;
mod run;
