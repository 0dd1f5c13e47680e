//! The hot loops of training: vectorized functions and the CPU's denormal switch.
//!
//! They are plain Rust over fixed-size arrays, compiled per CPU level by [`thalweg_optim::kernel`].

pub(crate) mod columns;
pub(crate) mod conv;
pub mod denormal;
pub(crate) mod depthwise;
pub(crate) mod draw;
pub mod line;
pub mod math;
pub(crate) mod normal;
pub(crate) mod slide;
