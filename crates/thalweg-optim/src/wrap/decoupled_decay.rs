//! Decoupled weight decay.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::{Penalties, Riders};

/// W ← (1 − ηλ)·W before the rule moves it; the gradient and its averages do not know.
///
/// As `torch.optim.AdamW` and the `weight_decay` of every Keras optimizer. Twice around, the λ add up. A line search
/// starts from the shrunk W.
///
/// Source: Loshchilov & Hutter, *Decoupled weight decay regularization* (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecoupledDecay {
    /// λ.
    pub decay: f64,
    /// 1 to leave biases and the scales of norms alone (blocks whose role is not [`Weight`](crate::Role::Weight)), 0 to pull
    /// at all parameters.
    pub weights_only: f64,
}

impl Default for DecoupledDecay {
    fn default() -> Self {
        Self { decay: 1e-2, weights_only: 0.0 }
    }
}

impl Wrapper for DecoupledDecay {
    const INFO: WrapperInfo = WrapperInfo {
        name: "decoupled-decay",
        summary: "shrinks W beside the rule (AdamW's way)",
        formula: "W ← (1 − ηλ)W",
        paper: "Loshchilov & Hutter 2019",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "decoupled_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "weights-only",
            name: "decoupled_decay_weights_only",
            symbol: "weights only",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.weights_only,
        },
    ];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        riders.pulled(Penalties { decay: self.decay, ..Penalties::NONE }, self.weights_only != 0.0)
    }
}
