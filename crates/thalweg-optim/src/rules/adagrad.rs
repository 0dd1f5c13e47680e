//! Adagrad.

use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::real::Real;
use crate::rule::{Info, Rule};

/// G ← G + g²; W ← W − η/√(G+ε) · g.
///
/// The `torch` dialect adds ε outside the root, η/(√G + ε), and its default is 1e-10. G starts at 0 in both (Keras
/// starts at 0.1).
///
/// Source: Duchi, Hazan & Singer, *Adaptive subgradient methods for online learning and stochastic optimization* (2011).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    /// ε.
    pub epsilon: f64,
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

impl Rule for Adagrad {
    const INFO: Info = Info {
        name: "adagrad",
        title: "Adagrad",
        summary: "divides each step by the root of all squared gradients so far",
        paper: "Duchi, Hazan & Singer 2011",
        formula: ByDialect {
            torch: "G ← G + g²; W ← W − η/(√G + ε) · g",
            textbook: "G ← G + g²; W ← W − η/√(G+ε) · g",
        },
        learning_rate: ByDialect { torch: 1e-2, textbook: 1e-2 },
        torch_call: "torch.optim.Adagrad(model.parameters(), lr={lr})",
    };
    const HYPER: &'static [Hyper<Self>] = &[Hyper {
        name: "epsilon",
        symbol: "ε",
        range: Range::NON_NEGATIVE,
        field: |rule| &mut rule.epsilon,
    }];
    const STATES: &'static [&'static str] = &["sum"];

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn preset(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Torch => Self { epsilon: 1e-10, place: Place::Outside },
            Dialect::Textbook => Self { epsilon: 1e-8, place: Place::Inside },
        }
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64) -> Coefficients<T> {
        Coefficients { rate: T::from_f64(learning_rate), epsilon: Epsilon::new(self.epsilon, self.place) }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [sum]: &mut [T; 1]) -> T {
        *sum += g * g;
        w - c.rate * g / c.epsilon.root(*sum)
    }
}
