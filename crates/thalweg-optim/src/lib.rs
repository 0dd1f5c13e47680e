//! How the parameters move.
pub mod random;
pub mod suggest;
