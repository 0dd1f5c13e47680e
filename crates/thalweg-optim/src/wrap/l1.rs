//! The L1 penalty, through the gradient.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::{Penalties, Riders};

/// g ← g + λ·sign(W) before the rule sees it, with sign(0) = 0: a subgradient of λ‖W‖₁, without a factor of ½ (as Keras's
/// `L1(λ)` and the loss plus `λ * w.abs().sum()` in PyTorch).
///
/// It pulls weights near to zero, where they jump about it by up to 2ηλ; [`LassoProx`](super::LassoProx) makes them zero.
/// It comes after any clipping, and scales with whatever the rule does to the gradient. Twice around, the λ add up. A
/// look-ahead rule takes the signs of W, not of the point it looks at; a line search sees f(W) + λ‖W‖₁, whose kinks may
/// leave it stuck.
///
/// Source: Tibshirani, *Regression shrinkage and selection via the lasso* (1996).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct L1 {
    /// λ.
    pub decay: f64,
    /// 1 to leave biases and the scales of norms alone (blocks whose role is not [`Weight`](crate::Role::Weight)), 0 to pull
    /// at all parameters.
    pub weights_only: f64,
}

impl Default for L1 {
    fn default() -> Self {
        Self { decay: 1e-5, weights_only: 0.0 }
    }
}

impl Wrapper for L1 {
    const INFO: WrapperInfo = WrapperInfo {
        name: "l1",
        summary: "pulls every weight towards zero by the same amount, through the gradient",
        formula: "g ← g + λ·sign(W)",
        paper: "Tibshirani 1996",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "l1_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "weights-only",
            name: "l1_weights_only",
            symbol: "weights only",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.weights_only,
        },
    ];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        riders.pulled(Penalties { l1: self.decay, ..Penalties::NONE }, self.weights_only != 0.0)
    }
}
