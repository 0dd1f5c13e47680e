//! Noise on what is learned from, and on the weights.

pub(super) mod input;
pub mod law;
pub mod weight;
