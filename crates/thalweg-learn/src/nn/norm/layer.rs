//! Layer normalization.

use serde::{Deserialize, Serialize};

use super::super::layer::Layer;
use super::super::shape::Shape;
use super::super::spec::{Kind, LayerError, Site};
use super::sample::SampleNorm;
use crate::kernel::math::Math;

/// The settings of layer normalization: each sample to mean 0 and variance 1 over all of its numbers, then each number
/// scaled and shifted (Ba et al. 2016).
///
/// On plain numbers PyTorch's `LayerNorm(features)`. On an image PyTorch's `LayerNorm([channels, height, width])`: one mean
/// and one variance over all pixels and channels, and as many scales and shifts as numbers, which lie as the image does.
/// Keras's `LayerNormalization` takes by default the last axis alone: there each pixel has a mean and a variance of its
/// own; and its ε is 1e-3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LayerNormSpec {
    /// What is added to the variance.
    pub epsilon: f64,
}

impl Default for LayerNormSpec {
    fn default() -> Self {
        Self { epsilon: 1e-5 }
    }
}

/// Says what is wrong with what is added to a variance, if something is.
pub(super) fn check_epsilon(epsilon: f64, site: &Site) -> Result<(), LayerError> {
    if epsilon > 0.0 && epsilon.is_finite() {
        Ok(())
    } else {
        Err(LayerError::new(site, format!("epsilon = {epsilon}: it must be in (0, ∞)")))
    }
}

impl Kind for LayerNormSpec {
    const SUMMARY: &'static str =
        "each sample to mean 0 and variance 1 over all of its numbers, then scaled and shifted";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        check_epsilon(self.epsilon, site)?;
        let params = match site.input {
            Shape::Flat(features) => vec![features],
            Shape::Image { height, width, channels } => vec![height, width, channels],
        };
        if site.input.is_empty() {
            return Err(LayerError::new(site, "there is nothing to normalize"));
        }
        Ok(Box::new(SampleNorm {
            name: "layer-norm",
            shape: site.input,
            params,
            columns: site.input.len(),
            groups: 1,
            epsilon: self.epsilon,
        }))
    }
}
