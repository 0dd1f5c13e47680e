//! LARS.

use super::block_rule::{At, BlockRule, Slot, Work};
use super::lamb::trust;
use super::pass::pass;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::params::Block;
use crate::real::Real;

/// ρ = τ‖W‖/(‖g‖ + λ‖W‖ + ε) for each block; a ← μa + ηρ(g + λW); W ← W − a.
///
/// Every block steps a fixed share τ of its own length, however large its gradient. A block whose weights or whose
/// divisor are all zero has ρ = 1, so that it can leave zero. Biases and scales are scaled like the rest; parameter groups
/// can give them another method.
///
/// `optax` divides by the norm of the sum: ρ = τ‖W‖/(‖g + λW‖ + ε). PyTorch and Keras do not have it: their dialects are
/// the textbook's. The paper's λ is 5e-4, optax's 0.
///
/// State: one number per parameter. Two passes over memory, the first for the norms.
///
/// Source: You, Gitman & Ginsburg, *Large batch training of convolutional networks* (2017).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lars {
    /// μ.
    pub momentum: f64,
    /// λ.
    pub weight_decay: f64,
    /// τ.
    pub trust_coefficient: f64,
    /// ε.
    pub epsilon: f64,
    /// Which norm ρ divides by.
    pub norm: LarsNorm,
}

/// What the length of a block is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LarsNorm {
    /// ‖g‖ + λ‖W‖.
    Apart,
    /// ‖g + λW‖.
    Together,
}

impl Default for Lars {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

impl Method for Lars {
    const INFO: Info = Info {
        name: "lars",
        title: "LARS",
        summary: "momentum whose step is a fixed share of each block's length",
        paper: "You, Gitman & Ginsburg 2017",
        formula: ByDialect {
            torch: "ρ = τ‖W‖/(‖g‖ + λ‖W‖ + ε); a ← μa + ηρ(g + λW); W ← W − a",
            keras: "ρ = τ‖W‖/(‖g‖ + λ‖W‖ + ε); a ← μa + ηρ(g + λW); W ← W − a",
            optax: "ρ = τ‖W‖/(‖g + λW‖ + ε); a ← μa + ηρ(g + λW); W ← W − a",
            textbook: "ρ = τ‖W‖/(‖g‖ + λ‖W‖ + ε); a ← μa + ηρ(g + λW); W ← W − a",
        },
        learning_rate: ByDialect::same(0.1),
        calls: ByDialect { torch: None, keras: None, optax: Some("optax.lars({lr})"), textbook: None },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "momentum", symbol: "μ", range: Range::DECAY, field: |rule| &mut rule.momentum },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
        Hyper {
            name: "trust_coefficient",
            symbol: "τ",
            range: Range::POSITIVE,
            field: |rule| &mut rule.trust_coefficient,
        },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (weight_decay, norm) = match dialect {
            Dialect::Optax => (0.0, LarsNorm::Together),
            _ => (5e-4, LarsNorm::Apart),
        };
        Self { momentum: 0.9, weight_decay, trust_coefficient: 1e-3, epsilon: 0.0, norm }
    }
}

impl BlockRule for Lars {
    const STATES: &'static [&'static str] = &["velocity"];

    fn slots(&self, block: &Block) -> Vec<Slot> {
        vec![Slot::zeros("velocity", &block.shape)]
    }

    fn step<T: Real>(&self, at: At, work: Work<'_, T>) {
        let Work { w, grad, state: [velocity], threads, .. } = work else { unreachable!("it has one slot") };
        let decay = T::from_f64(self.weight_decay);
        let inside = if self.norm == LarsNorm::Together { decay } else { T::ZERO };
        let squares = pass(threads, [w, grad], [], |[w, g], []| [w, g + inside * w]);
        let [length, mut slope] = squares.map(f64::sqrt);
        if self.norm == LarsNorm::Apart {
            slope += self.weight_decay * length;
        }
        let ratio = trust(self.trust_coefficient, length, slope, self.epsilon);
        let (momentum, rate) = (T::from_f64(self.momentum), T::from_f64(at.learning_rate * ratio));
        pass(threads, [grad], [w, velocity], |[g], [w, a]| {
            *a = momentum * *a + rate * (g + decay * *w);
            *w -= *a;
            []
        });
    }
}
