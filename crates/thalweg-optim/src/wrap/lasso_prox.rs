//! The L1 penalty, by soft thresholding.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::{Penalties, Riders};

/// W ← sign(W)·max(|W| − ηλ, 0) after the rule moved it: the proximal step of λ‖W‖₁, which makes small weights exactly zero.
///
/// The gradient and its averages do not know of it. Of SGD it makes ISTA, with Nesterov's momentum a kind of FISTA. For
/// adaptive rules the threshold is the same everywhere, as a decoupled decay is: λ is in units of W per unit of η, not
/// of the loss. Twice around, the λ add up. A line search is thresholded at its end, unless it was stuck.
///
/// Sources: Beck & Teboulle, *A fast iterative shrinkage-thresholding algorithm for linear inverse problems* (2009); for
/// stochastic gradients Duchi & Singer, *Efficient online and batch learning using forward backward splitting* (2009).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LassoProx {
    /// λ.
    pub decay: f64,
    /// 1 to leave biases and the scales of norms alone (blocks whose role is not [`Weight`](crate::Role::Weight)), 0 to pull
    /// at all parameters.
    pub weights_only: f64,
}

impl Default for LassoProx {
    fn default() -> Self {
        Self { decay: 1e-4, weights_only: 0.0 }
    }
}

impl Wrapper for LassoProx {
    const INFO: WrapperInfo = WrapperInfo {
        name: "lasso-prox",
        summary: "moves W towards zero beside the rule, and small weights to zero (soft thresholding)",
        formula: "W ← sign(W)·max(|W| − ηλ, 0)",
        paper: "Beck & Teboulle 2009; Duchi & Singer 2009",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "lasso_prox",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "weights-only",
            name: "lasso_prox_weights_only",
            symbol: "weights only",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.weights_only,
        },
    ];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        riders.pulled(Penalties { soft: self.decay, ..Penalties::NONE }, self.weights_only != 0.0)
    }
}
