//! Residual networks for small images.

use super::LayerSpec;
use crate::nn::conv2d::Conv2dSpec;
use crate::nn::norm::batch::BatchNormSpec;
use crate::nn::pool::global::GlobalAvgPoolSpec;
use crate::nn::residual::ResidualSpec;

pub(super) const SUMMARY_8: &str =
    "for small images: a residual network of 8 layers, 16, 32 and 64 filters, with batch normalization";
pub(super) const SUMMARY_20: &str =
    "for small images: a residual network of 20 layers, 16, 32 and 64 filters, with batch normalization";

/// He et al. 2016, the networks of 6n + 2 layers for CIFAR-10: three stages of n blocks with 16, 32 and 64 filters, the
/// second and third halving the image. Where the shape changes, the shortcut is a convolution with kernel 1 and batch
/// normalization (their option B; for CIFAR-10 they padded with zero channels, option A).
pub(super) fn layers(blocks: usize, activation: &LayerSpec) -> Vec<LayerSpec> {
    let mut layers = vec![conv(16, 3, 1), norm(), activation.clone()];
    for (stage, filters) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let halves = stage > 0 && block == 0;
            let stride = if halves { 2 } else { 1 };
            layers.push(LayerSpec::Residual(ResidualSpec {
                body: vec![conv(filters, 3, stride), norm(), activation.clone(), conv(filters, 3, 1), norm()],
                shortcut: if halves { vec![conv(filters, 1, 2), norm()] } else { Vec::new() },
                stochastic_depth: 0.0,
            }));
            layers.push(activation.clone());
        }
    }
    layers.push(LayerSpec::GlobalAvgPool(GlobalAvgPoolSpec {}));
    layers
}

/// Without a bias: the normalization behind it would take it away again.
fn conv(filters: usize, kernel: usize, stride: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec { stride, bias: false, ..Conv2dSpec::new(filters, kernel) })
}

fn norm() -> LayerSpec {
    LayerSpec::BatchNorm(BatchNormSpec::default())
}
