//! How well it generalizes.
