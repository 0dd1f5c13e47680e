//! Clipping of the global norm.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::Riders;

/// g ← g·min(1, c/‖g‖), ‖g‖ over all parameters together.
///
/// As PyTorch's `clip_grad_norm_`, which divides by ‖g‖ + 1e-6; Keras and optax divide by ‖g‖, which differs by 1e-6/‖g‖
/// of the gradient. Twice around, the smaller limit holds. A search ([`Lbfgs`](crate::search::Lbfgs)) takes its
/// direction from the clipped gradient, and looks at the true one.
///
/// Source: Pascanu, Mikolov & Bengio, *On the difficulty of training recurrent neural networks* (2013).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipNorm {
    /// c.
    pub max_norm: f64,
}

impl Default for ClipNorm {
    fn default() -> Self {
        Self { max_norm: 1.0 }
    }
}

impl Wrapper for ClipNorm {
    const INFO: WrapperInfo = WrapperInfo {
        name: "clip-norm",
        summary: "shrinks the whole gradient to a largest norm",
        formula: "g ← g · min(1, c/(‖g‖ + 1e-6))",
        paper: "Pascanu et al. 2013",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "max-norm",
        name: "clip_norm",
        symbol: "c",
        range: Range::POSITIVE,
        field: |wrapper| &mut wrapper.max_norm,
    }];
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        let limit = riders.clip_norm.map_or(self.max_norm, |other| other.min(self.max_norm));
        Riders { clip_norm: Some(limit), ..riders }
    }
}
