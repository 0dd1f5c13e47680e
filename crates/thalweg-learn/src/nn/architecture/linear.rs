//! A linear model.

use super::LayerSpec;

pub(super) const SUMMARY: &str =
    "no hidden layer: logistic regression, or ridge regression with a weight decay";

pub(super) fn layers() -> Vec<LayerSpec> {
    Vec::new()
}
