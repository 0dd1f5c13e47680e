//! Group normalization.

use serde::{Deserialize, Serialize};

use super::super::layer::Layer;
use super::super::spec::{Kind, LayerError, Site};
use super::layer::check_epsilon;
use super::sample::SampleNorm;
use crate::kernel::math::Math;

/// The settings of group normalization: each sample's channels in groups, each group to mean 0 and variance 1 over its
/// channels and all pixels, then each channel scaled and shifted (Wu & He 2018; PyTorch's `GroupNorm`).
///
/// One group is layer normalization with a scale for each channel; as many as channels is instance normalization. Plain
/// numbers are channels of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GroupNormSpec {
    /// How many groups; it divides the channels. If not given: 32 as in the paper, or else the most that divide them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// What is added to the variance.
    pub epsilon: f64,
}

impl Default for GroupNormSpec {
    fn default() -> Self {
        Self { groups: None, epsilon: 1e-5 }
    }
}

/// The paper's number of groups.
const GROUPS: usize = 32;

/// The most groups up to the paper's number that divide the channels into groups of at least 2; 1 if there are none.
pub fn usual_groups(channels: usize) -> usize {
    (1..=GROUPS.min(channels / 2)).rev().find(|&groups| channels.is_multiple_of(groups)).unwrap_or(1)
}

impl Kind for GroupNormSpec {
    const SUMMARY: &'static str =
        "each sample's groups of channels to mean 0 and variance 1, then scaled and shifted";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        check_epsilon(self.epsilon, site)?;
        let channels = site.input.channels();
        if site.input.is_empty() {
            return Err(LayerError::new(site, "there is nothing to normalize"));
        }
        let groups = self.groups.unwrap_or_else(|| usual_groups(channels));
        if groups == 0 || !channels.is_multiple_of(groups) {
            let reason = format!("groups = {groups} must divide its {channels} channels");
            return Err(LayerError::new(site, reason));
        }
        Ok(Box::new(SampleNorm {
            name: "group-norm",
            shape: site.input,
            params: vec![channels],
            columns: channels,
            groups,
            epsilon: self.epsilon,
        }))
    }
}
