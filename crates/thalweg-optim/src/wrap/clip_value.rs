//! Clipping of each value.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::Riders;

/// g ← max(−c, min(c, g)), number by number.
///
/// As PyTorch's `clip_grad_value_`. Twice around, the smaller limit holds. Together with [`ClipNorm`](super::ClipNorm),
/// the norm is clipped first.
///
/// Source: Mikolov, *Statistical language models based on neural networks* (2012).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipValue {
    /// c.
    pub max_value: f64,
}

impl Default for ClipValue {
    fn default() -> Self {
        Self { max_value: 1.0 }
    }
}

impl Wrapper for ClipValue {
    const INFO: WrapperInfo = WrapperInfo {
        name: "clip-value",
        summary: "cuts each number of the gradient to a largest magnitude",
        formula: "g ← max(−c, min(c, g))",
        paper: "Mikolov 2012",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "max-value",
        name: "clip_value",
        symbol: "c",
        range: Range::POSITIVE,
        field: |wrapper| &mut wrapper.max_value,
    }];
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        let limit = riders.clip_value.map_or(self.max_value, |other| other.min(self.max_value));
        Riders { clip_value: Some(limit), ..riders }
    }
}
