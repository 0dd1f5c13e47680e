//! Coupled weight decay.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::Riders;

/// g ← g + λW before the rule sees it: the gradient of ½λ‖W‖².
///
/// As the `weight_decay` of `torch.optim.SGD` and `Adam`. It comes after any clipping, and scales with whatever the rule
/// does to the gradient: for adaptive rules see [`DecoupledDecay`](super::DecoupledDecay). Twice around, the decays add
/// up. A look-ahead rule decays W, not the point it looks at; a line search sees f(W) + ½λ‖W‖².
///
/// Source: Hoerl & Kennard, *Ridge regression* (1970); Krogh & Hertz, *A simple weight decay can improve
/// generalization* (1992).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDecay {
    /// λ.
    pub decay: f64,
}

impl Default for WeightDecay {
    fn default() -> Self {
        Self { decay: 1e-4 }
    }
}

impl Wrapper for WeightDecay {
    const INFO: WrapperInfo = WrapperInfo {
        name: "weight-decay",
        summary: "pulls W towards zero through the gradient (coupled, L2)",
        formula: "g ← g + λW",
        paper: "Krogh & Hertz 1992",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "decay",
        name: "coupled_decay",
        symbol: "λ",
        range: Range::NON_NEGATIVE,
        field: |wrapper| &mut wrapper.decay,
    }];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        Riders { l2: riders.l2 + self.decay, ..riders }
    }
}
