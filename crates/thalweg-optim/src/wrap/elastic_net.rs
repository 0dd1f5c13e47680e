//! The elastic net.

use super::{Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::riders::{Penalties, Riders};

/// g ← g + λ(ρ·sign(W) + (1−ρ)·W) before the rule sees it: a subgradient of λ(ρ‖W‖₁ + ½(1−ρ)‖W‖²).
///
/// The ½ stands before the square alone, as in scikit-learn's `ElasticNet(alpha=λ, l1_ratio=ρ)`: ρ = 1 is [`L1`](super::L1)
/// and ρ = 0 is [`WeightDecay`](super::WeightDecay), of the same λ. Keras's `L1L2(l1, l2)` is λρ = l1, λ(1−ρ) = 2·l2. All
/// else as there.
///
/// Source: Zou & Hastie, *Regularization and variable selection via the elastic net* (2005).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ElasticNet {
    /// λ.
    pub decay: f64,
    /// ρ: the share of the L1 penalty.
    pub ratio: f64,
    /// 1 to leave biases and the scales of norms alone (blocks whose role is not [`Weight`](crate::Role::Weight)), 0 to pull
    /// at all parameters.
    pub weights_only: f64,
}

impl Default for ElasticNet {
    fn default() -> Self {
        Self { decay: 1e-4, ratio: 0.5, weights_only: 0.0 }
    }
}

impl Wrapper for ElasticNet {
    const INFO: WrapperInfo = WrapperInfo {
        name: "elastic-net",
        summary: "pulls W towards zero through the gradient, by L1 and L2 together",
        formula: "g ← g + λ(ρ·sign(W) + (1−ρ)W)",
        paper: "Zou & Hastie 2005",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "elastic_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "ratio",
            name: "elastic_ratio",
            symbol: "ρ",
            range: Range::SHARE,
            field: |wrapper| &mut wrapper.ratio,
        },
        Setting {
            key: "weights-only",
            name: "elastic_weights_only",
            symbol: "weights only",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.weights_only,
        },
    ];
    const DECAYS: bool = true;
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        let (l1, l2) = (self.decay * self.ratio, self.decay * (1.0 - self.ratio));
        riders.pulled(Penalties { l1, l2, ..Penalties::NONE }, self.weights_only != 0.0)
    }
}
