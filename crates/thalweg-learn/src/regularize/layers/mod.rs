//! Techniques that put layers between those of the recipe.

pub(super) mod batch_norm;
pub(super) mod drop_connect;
pub(super) mod dropout;
pub(super) mod spatial_dropout;
pub(super) mod stochastic_depth;
#[cfg(test)]
mod tests;
mod walk;
