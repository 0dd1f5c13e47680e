//! Groups as data, as a recipe holds them.

use serde::{Deserialize, Serialize};

use crate::spec::OptimizerSpec;

/// Some blocks, and what is different for them. Each block goes to the first group that it fits.
///
/// ```toml
/// groups = [
///   { match = "*.bias", decay = 0.0 },
///   { role = "weight", optimizer = { name = "momentum" }, learning-rate = 10.0 },
///   {},  # everything else
/// ]
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupSpec {
    /// A block's name, where `*` stands for any text; any name if not set.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What the block does: `weight`, `bias` or `scale`; any if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Another rule, with wrappers of its own inside of those that go around all groups; the recipe's if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<Box<OptimizerSpec>>,
    /// What the learning rate is multiplied by.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub learning_rate: f64,
    /// What every weight decay is multiplied by: those of wrappers outside, and the own ones of the rule and of the wrappers
    /// that it brings. 0 switches them off, wherever they are written.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub decay: f64,
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_one(factor: &f64) -> bool {
    *factor == 1.0
}

impl GroupSpec {
    /// Everything (else).
    pub fn rest() -> Self {
        Self { pattern: None, role: None, optimizer: None, learning_rate: 1.0, decay: 1.0 }
    }

    /// The blocks whose name fits.
    pub fn of(pattern: impl Into<String>) -> Self {
        Self { pattern: Some(pattern.into()), ..Self::rest() }
    }

    /// The blocks of a role: `weight`, `bias` or `scale`.
    pub fn role(role: impl Into<String>) -> Self {
        Self { role: Some(role.into()), ..Self::rest() }
    }

    /// The same with a rule of its own.
    pub fn optimizer(self, spec: OptimizerSpec) -> Self {
        Self { optimizer: Some(Box::new(spec)), ..self }
    }

    /// The same with its learning rate multiplied.
    pub fn learning_rate(self, factor: f64) -> Self {
        Self { learning_rate: factor, ..self }
    }

    /// The same with its weight decays multiplied.
    pub fn decay(self, factor: f64) -> Self {
        Self { decay: factor, ..self }
    }
}

/// A customary way to tell blocks apart, on top of the groups.
///
/// ```toml
/// presets = ["no-bias-decay", { layerwise-decay-by = { factor = 0.75, layer = "blocks.{}." } }]
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Preset {
    /// Only weights decay: biases and the scales of norms are left alone, whichever rule or wrapper would decay them, as
    /// He et al., *Bag of tricks for image classification* (2019), advise.
    NoBiasDecay,
    /// The learning rate is multiplied by factorᵏ, k layers before the last: the first learns slowest. A layer is the
    /// blocks that have one name up to the last dot, as in a perceptron; where layers have parts of their own, say what
    /// they are called ([`Preset::LayerwiseDecayBy`]). The factor lies in [0, 1]. Howard & Ruder, *Universal language model
    /// fine-tuning* (2018).
    LayerwiseDecay(f64),
    /// The same, where a number in their names tells to which layer blocks belong: of a transformer, `blocks.{}.` makes one
    /// layer of `blocks.0.attn.qkv.weight` and `blocks.0.mlp.fc1.weight`. What lies before the first of them in the layout
    /// (embeddings) is layer 0, what lies behind (the last norm, the head) one layer behind the last.
    ///
    /// Clark et al., *ELECTRA* (2020); Bao et al., *BEiT* (2021), whose rule, also timm's `layer_decay`, this is:
    /// rate·factor^(n − id), with n the last layer's id. (ELECTRA's own code leaves one number out before the head.
    /// BEiT's shared table of relative positions counts with the head: lay it out behind the layers.)
    LayerwiseDecayBy {
        /// In [0, 1]; BEiT has 0.65 to 0.95.
        factor: f64,
        /// How a layer's blocks begin: `{}` stands for its number, once, and `*` for any text. The numbers need not start
        /// at 0 nor follow each other; their order counts.
        layer: String,
    },
}
