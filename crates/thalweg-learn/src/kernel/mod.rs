//! The hot loops of training: convolutions, sums over columns, vectorized functions, random bits.
//!
//! They are plain Rust over fixed-size arrays, compiled per CPU level by [`thalweg_optim::kernel`].

pub mod columns;
pub mod conv;
pub mod depthwise;
pub mod draw;
pub mod line;
pub mod math;
pub mod normal;
pub mod rows;
pub mod slide;
pub mod sparse;
pub mod winograd;
