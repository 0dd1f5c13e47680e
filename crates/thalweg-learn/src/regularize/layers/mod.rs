//! Techniques that put layers between those of the recipe.

pub(super) mod batch_norm;
pub(super) mod stochastic_depth;
mod walk;
