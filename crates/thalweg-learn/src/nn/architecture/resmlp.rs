//! A residual network for tables.

use super::{LayerSpec, dense};
use crate::nn::norm::batch::BatchNormSpec;
use crate::nn::residual::ResidualSpec;

pub(super) const SUMMARY: &str =
    "a residual network for tables: a dense layer, then a block of two dense layers for each hidden width";

/// After Gorishniy et al. 2021 (*Revisiting deep learning models for tabular data*, «ResNet»): a linear layer into the
/// width of the first block, blocks x + Dense(act(Dense(BatchNorm(x)))), then BatchNorm and the activation. Theirs has
/// dropout within the blocks; here it is a regularizer as any other, off by default. A block of another width than the one before it gets
/// a dense shortcut.
pub(super) fn layers(hidden: &[usize], activation: &LayerSpec) -> Vec<LayerSpec> {
    let norm = || LayerSpec::BatchNorm(BatchNormSpec::default());
    let Some(&first) = hidden.first() else { return Vec::new() };
    let mut layers = vec![dense(first)];
    let mut before = first;
    for &width in hidden {
        layers.push(LayerSpec::Residual(ResidualSpec {
            body: vec![norm(), dense(2 * width), activation.clone(), dense(width)],
            shortcut: if width == before { Vec::new() } else { vec![dense(width)] },
            stochastic_depth: 0.0,
        }));
        before = width;
    }
    layers.extend([norm(), activation.clone()]);
    layers
}
