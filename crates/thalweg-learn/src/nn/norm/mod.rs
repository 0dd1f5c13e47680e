//! Normalization: numbers are shifted and scaled to mean 0 and variance 1, then by parameters of their own.

pub mod batch;
pub mod group;
pub mod layer;
mod sample;
