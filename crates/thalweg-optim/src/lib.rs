//! How the parameters move: objectives, update rules and optimizers over one flat slice.
//!
//! All trained parameters live in one `&mut [T]`; names and shapes live beside it in [`params`]. An [`Objective`] gives
//! the value and the gradient at any point, a [`Rule`] says how one element moves, and an [`Optimizer`] says where the
//! gradient is taken and applies the rule to the whole slice in one pass over memory.
//!
//! The [README](https://docs.rs/thalweg-optim) has examples; they are compiled with this crate's tests.
//!
//! This room knows nothing of data, layers or files; it reads no clock and holds no global state.

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod elementwise;
pub mod functions;
pub mod groups;
pub mod half;
pub mod hyper;
pub mod kernel;
pub mod method;
pub mod norm;
pub mod objective;
pub mod optimizer;
pub mod packed;
pub mod params;
mod pieces;
#[cfg(test)]
mod ragged;
pub mod random;
pub mod real;
pub mod registry;
pub mod riders;
pub mod rule;
pub mod rules;
pub mod schedule;
pub mod search;
pub mod shaped;
mod sign;
pub mod slots;
pub mod span;
pub mod spec;
pub mod state;
pub mod suggest;
pub mod threads;
pub mod wrap;

pub use elementwise::Elementwise;
pub use groups::{GroupSpec, Preset};
pub use half::{Half, HalfGrad, HalfSpan, Keep};
pub use hyper::{Dialect, Hyper, NumberKind, OptimError, Range};
pub use method::{Info, Method};
pub use objective::{Objective, from_fn};
pub use optimizer::{Factors, Optimizer, Outcome, StepReport};
pub use packed::Precision;
pub use params::{Block, Layout, Orientation, Role};
pub use real::Real;
pub use riders::{Penalties, Riders};
pub use rule::Rule;
pub use rules::{
    AdaBelief, Adadelta, Adagrad, Adam, AdamW, Adamax, Adan, Adopt, AmsGrad, Lion, Momentum, NAdam, Nag,
    Prodigy, RAdam, RmsProp, RmsPropCentered, RmsPropMomentum, Rprop, ScheduleFreeAdamW, ScheduleFreeSgd,
    Sgd, SignSgd, Yogi,
};
pub use schedule::{Curve, Horizon, Schedule};
pub use search::{GradientDescent, Lbfgs, Search};
pub use shaped::{Adafactor, BlockRule, Blockwise, Lamb, Lars, Muon, Soap};
pub use span::{Grad, Span};
pub use spec::OptimizerSpec;
pub use state::StateDict;
pub use threads::Threads;
pub use wrap::{Wrap, WrapSpec, Wrapped, Wrapper};
