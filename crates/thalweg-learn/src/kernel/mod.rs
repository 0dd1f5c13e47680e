//! The hot loops of training: vectorized functions and the CPU's denormal switch.
//!
//! They are plain Rust over fixed-size arrays, compiled per CPU level by [`thalweg_optim::kernel`].

pub mod columns;
pub mod conv;
pub mod denormal;
pub mod depthwise;
pub mod draw;
pub mod line;
pub mod math;
pub mod normal;
pub mod slide;
