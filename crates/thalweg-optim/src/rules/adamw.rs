//! AdamW.

use super::adam::{self, Adam};
use super::epsilon::Place;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; W ← W − η(m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε) + λW).
///
/// [`Adam`] with ε outside the root, and a decay that does not go through the averages, so that every element shrinks
/// alike. The packages agree up to ε, which `keras` adds before the correction, and λ: 0.01 in `torch`, 0.004 in `keras`,
/// 0.0001 in `optax`. The paper's λ is not multiplied by the learning rate, only by its schedule's multiplier: its λ is
/// the ηλ of here at the first η. It names no default λ; the `textbook` takes 0.01.
///
/// Source: Loshchilov & Hutter, *Decoupled weight decay regularization* (2019), algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ.
    pub weight_decay: f64,
    /// Where ε is added.
    pub place: Place,
}

impl Default for AdamW {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// Adam's, and ηλ. The two are added before W is lessened by them: in f32, W·(1 − ηλ) would round the same way step after
/// step, and a small decay be lost or doubled.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    adam: adam::Coefficients<T>,
    decay: T,
}

impl Method for AdamW {
    const INFO: Info = Info {
        name: "adamw",
        title: "AdamW",
        summary: "Adam with weight decay beside the gradient, not in it",
        paper: "Loshchilov & Hutter 2019",
        formula: ByDialect {
            torch: "W ← (1−ηλ)W; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                    W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε)",
            keras: "W ← (1−ηλ)W; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                    W ← W − η · √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)",
            optax: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                    W ← W − η(m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε) + λW)",
            textbook: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                       W ← W − η(m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε) + λW)",
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect {
            torch: Some("torch.optim.AdamW(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.AdamW({lr})"),
            optax: Some("optax.adamw({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon, place, weight_decay) = match dialect {
            Dialect::Torch | Dialect::Textbook => (1e-8, Place::Outside, 1e-2),
            Dialect::Keras => (1e-7, Place::BeforeCorrection, 4e-3),
            Dialect::Optax => (1e-8, Place::Outside, 1e-4),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, weight_decay, place }
    }
}

impl Rule for AdamW {
    const STATES: &'static [&'static str] = Adam::STATES;
    const TORCH_STATES: Option<&'static [TorchState]> = Adam::TORCH_STATES;

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, scalars: &mut [f64]) -> Coefficients<T> {
        let Self { beta1, beta2, epsilon, weight_decay, place } = *self;
        Coefficients {
            adam: Adam { beta1, beta2, epsilon, place }.coefficients(step, learning_rate, scalars),
            decay: T::from_f64(learning_rate * weight_decay),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, state: &mut [T; 2]) -> T {
        w - (c.decay * w + c.adam.step(g, state))
    }
}
