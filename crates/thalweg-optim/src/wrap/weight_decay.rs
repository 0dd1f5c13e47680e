//! Coupled weight decay.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::{Penalties, Riders};

/// g ← g + λW before the rule sees it: the gradient of ½λ‖W‖².
///
/// As the `weight_decay` of `torch.optim.SGD` and `Adam`. It comes after any clipping, and scales with whatever the rule
/// does to the gradient: for adaptive rules see [`DecoupledDecay`](super::DecoupledDecay). Twice around, the decays add
/// up. A look-ahead rule decays W, not the point it looks at; a line search sees f(W) + ½λ‖W‖². Keras's `L2(λ)` has no
/// ½: it is this with 2λ.
///
/// Source: Hoerl & Kennard, *Ridge regression* (1970); Krogh & Hertz, *A simple weight decay can improve
/// generalization* (1992).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDecay {
    /// λ.
    pub decay: f64,
    /// 1 to leave biases and the scales of norms alone (blocks whose role is not [`Weight`](crate::Role::Weight)), 0 to pull
    /// at all parameters.
    pub weights_only: f64,
}

impl Default for WeightDecay {
    fn default() -> Self {
        Self { decay: 1e-4, weights_only: 0.0 }
    }
}

impl Wrapper for WeightDecay {
    const INFO: WrapperInfo = WrapperInfo {
        name: "weight-decay",
        summary: "pulls W towards zero through the gradient (coupled, L2)",
        formula: "g ← g + λW",
        paper: "Krogh & Hertz 1992",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "coupled_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "weights-only",
            name: "coupled_decay_weights_only",
            symbol: "weights only",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.weights_only,
        },
    ];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        riders.pulled(Penalties { l2: self.decay, ..Penalties::NONE }, self.weights_only != 0.0)
    }
}
