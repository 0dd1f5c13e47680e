//! LAMB.

use super::block_rule::{At, BlockRule, Slot, Work};
use super::pass::pass;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::params::Block;
use crate::real::Real;
use crate::rules::{beside_root, correction};
use crate::threads::Threads;

/// m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; r = m̂/(√v̂ + ε) + λW; W ← W − η·‖W‖/‖r‖·r for each block, with
/// m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
///
/// Adam whose step is, in each block, a fixed share η of the block's own length. A block whose W or r is all zero is not
/// scaled, so that it can leave zero. The paper's φ is the identity here, as in the packages.
///
/// `keras` takes the decay first and out of the ratio: W ← (1 − ηλ)W, then r = m̂/(√v̂ + ε). PyTorch does not have it:
/// its dialect is the textbook's. The paper's λ is 0.01, the packages' is 0; Keras's ε is 1e-7.
///
/// State: two numbers per parameter. Two passes over memory, the first for the averages and norms.
///
/// Source: You et al., *Large batch optimization for deep learning: training BERT in 76 minutes* (2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamb {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ.
    pub weight_decay: f64,
    /// Where the decay is.
    pub decay: LambDecay,
}

/// Where λ enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LambDecay {
    /// r = m̂/(√v̂ + ε) + λW.
    Inside,
    /// W ← (1 − ηλ)W before all else.
    First,
}

impl Default for Lamb {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

impl Method for Lamb {
    const INFO: Info = Info {
        name: "lamb",
        title: "LAMB",
        summary: "Adam whose step is a fixed share of each block's length",
        paper: "You et al. 2020",
        formula: ByDialect {
            torch: "m, v as Adam; r = m̂/(√v̂ + ε) + λW; W ← W − η·‖W‖/‖r‖·r",
            keras: "W ← (1−ηλ)W; m, v as Adam; r = m̂/(√v̂ + ε); W ← W − η·‖W‖/‖r‖·r",
            optax: "m, v as Adam; r = m̂/(√v̂ + ε) + λW; W ← W − η·‖W‖/‖r‖·r",
            textbook: "m, v as Adam; r = m̂/(√v̂ + ε) + λW; W ← W − η·‖W‖/‖r‖·r",
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect {
            torch: None,
            keras: Some("keras.optimizers.Lamb({lr})"),
            optax: Some("optax.lamb({lr})"),
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
        let (epsilon, weight_decay, decay) = match dialect {
            Dialect::Keras => (1e-7, 0.0, LambDecay::First),
            Dialect::Optax => (1e-6, 0.0, LambDecay::Inside),
            Dialect::Torch | Dialect::Textbook => (1e-6, 0.01, LambDecay::Inside),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon, weight_decay, decay }
    }
}

impl BlockRule for Lamb {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];

    fn slots(&self, block: &Block) -> Vec<Slot> {
        Self::STATES.iter().map(|name| Slot::zeros(name, &block.shape)).collect()
    }

    fn step<T: Real>(&self, at: At, work: Work<'_, T>) {
        let Work { w, grad, state: [m, v], threads, .. } = work else { unreachable!("it has two slots") };
        let decay = match self.decay {
            LambDecay::Inside => T::from_f64(self.weight_decay),
            LambDecay::First => {
                shrink(w, at.learning_rate * self.weight_decay, threads);
                T::ZERO
            }
        };
        let (beta1, rest1) = (T::from_f64(self.beta1), T::from_f64(1.0 - self.beta1));
        let (beta2, rest2) = (T::from_f64(self.beta2), T::from_f64(1.0 - self.beta2));
        let scale1 = T::from_f64(1.0 / correction(self.beta1, at.step));
        let scale2 = T::from_f64(1.0 / correction(self.beta2, at.step).sqrt());
        let epsilon = beside_root::<T>(self.epsilon);
        let direction = |w: T, m: T, v: T| scale1 * m / (v.sqrt() * scale2 + epsilon) + decay * w;
        let squares = pass(threads, [w, grad], [m, v], |[w, g], [m, v]| {
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * g * g;
            [w, direction(w, *m, *v)]
        });
        let [length, step] = squares.map(f64::sqrt);
        let rate = T::from_f64(at.learning_rate * trust(1.0, length, step, 0.0));
        pass(threads, [m, v], [w], |[m, v], [w]| {
            *w -= rate * direction(*w, m, v);
            []
        });
    }
}

/// How much a block's step is scaled: τ·`length`/(`slope` + ε), or 1 where either is zero.
pub(super) fn trust(coefficient: f64, length: f64, slope: f64, epsilon: f64) -> f64 {
    if length == 0.0 || slope == 0.0 { 1.0 } else { coefficient * length / (slope + epsilon) }
}

/// W ← W − share·W. In f32, 1 − share would round alike at every step, and a hundred steps would add that up.
pub(super) fn shrink<T: Real>(w: &mut [T], share: f64, threads: &Threads) {
    if share != 0.0 {
        let share = T::from_f64(share);
        pass(threads, [], [w], |[], [w]| {
            *w -= share * *w;
            []
        });
    }
}
