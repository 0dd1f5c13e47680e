//! The multilayer perceptron.

use super::{LayerSpec, dense};

pub(super) const SUMMARY: &str = "dense layers of the hidden widths, an activation behind each";

pub(super) fn layers(hidden: &[usize], activation: &LayerSpec) -> Vec<LayerSpec> {
    hidden.iter().flat_map(|&width| [dense(width), activation.clone()]).collect()
}
