//! Adagrad.

use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// G ← G + g²; W ← W − η/√(G+ε) · g.
///
/// The `torch` dialect adds ε outside the root, η/(√G + ε), and its default is 1e-10. G starts at 0; Keras and optax
/// start it at 0.1.
///
/// In step t, η is η/(1 + (t−1)·d): PyTorch's `lr_decay`, 0 by default. The other packages do not have it; a schedule does
/// the same, and more.
///
/// Source: Duchi, Hazan & Singer, *Adaptive subgradient methods for online learning and stochastic optimization* (2011).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    /// ε.
    pub epsilon: f64,
    /// What G is before the first step.
    pub initial_accumulator: f64,
    /// d: how fast η falls.
    pub lr_decay: f64,
    /// Where ε is added.
    pub place: Place,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    epsilon: Epsilon<T>,
}

impl Method for Adagrad {
    const INFO: Info = Info {
        name: "adagrad",
        title: "Adagrad",
        summary: "divides each step by the root of all squared gradients so far",
        paper: "Duchi, Hazan & Singer 2011",
        formula: ByDialect {
            torch: "G ← G + g²; W ← W − η/(1 + (t−1)d)/(√G + ε) · g",
            keras: "G ← G + g²; W ← W − η/√(G+ε) · g",
            optax: "G ← G + g²; W ← W − η/√(G+ε) · g",
            textbook: "G ← G + g²; W ← W − η/√(G+ε) · g",
        },
        learning_rate: ByDialect { torch: 1e-2, keras: 1e-3, optax: 1e-2, textbook: 1e-2 },
        calls: ByDialect {
            torch: Some("torch.optim.Adagrad(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Adagrad({lr})"),
            optax: Some("optax.adagrad({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "initial_accumulator",
            symbol: "G₀",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.initial_accumulator,
        },
        Hyper { name: "lr_decay", symbol: "d", range: Range::NON_NEGATIVE, field: |rule| &mut rule.lr_decay },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon, initial_accumulator, place) = match dialect {
            Dialect::Torch => (1e-10, 0.0, Place::Outside),
            Dialect::Keras | Dialect::Optax => (1e-7, 0.1, Place::Inside),
            Dialect::Textbook => (1e-8, 0.0, Place::Inside),
        };
        Self { epsilon, initial_accumulator, lr_decay: 0.0, place }
    }
}

impl Rule for Adagrad {
    const STATES: &'static [&'static str] = &["sum"];
    const TORCH_STATES: Option<&'static [TorchState]> =
        Some(&[TorchState::STEPS, TorchState::slot("sum", "sum")]);

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::from_f64(self.initial_accumulator)]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let rate = learning_rate / (1.0 + (step - 1) as f64 * self.lr_decay);
        Coefficients { rate: T::from_f64(rate), epsilon: Epsilon::new(self.epsilon, self.place) }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [sum]: &mut [T; 1]) -> T {
        *sum += g * g;
        w - c.rate * g / c.epsilon.root(*sum)
    }
}
