//! A small convolutional network.

use super::{LayerSpec, dense};
use crate::nn::conv2d::Conv2dSpec;
use crate::nn::flatten::FlattenSpec;
use crate::nn::pool::max::MaxPool2dSpec;

pub(super) const SUMMARY: &str = "for small images: two convolutions of 32 and 64 filters, each with max pooling, and a dense layer of 128";

/// The plan of LeNet-5 (LeCun et al. 1998) with today's parts: 3×3 windows that keep the size, the recipe's activation
/// and max pooling instead of 5×5, tanh and a trained average, and more filters.
pub(super) fn layers(activation: &LayerSpec) -> Vec<LayerSpec> {
    let stage = |filters| {
        let pool = LayerSpec::MaxPool2d(MaxPool2dSpec::default());
        [LayerSpec::Conv2d(Conv2dSpec::new(filters, 3)), activation.clone(), pool]
    };
    let mut layers: Vec<LayerSpec> = [32, 64].into_iter().flat_map(stage).collect();
    layers.extend([LayerSpec::Flatten(FlattenSpec {}), dense(128), activation.clone()]);
    layers
}
