//! Adan.

use super::adam::correction;
use super::average::Average;
use super::epsilon::beside_root;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;

/// d = g − p (0 in the first step); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)d; n ← β₃n + (1−β₃)(g + β₂d)²;
/// W ← (W − η(m̂ + β₂v̂)/(√n̂ + ε))/(1 + ηλ); p ← g. (p: the gradient before; a hat: divided by 1−βᵗ.)
///
/// Nesterov's look-ahead, had from the change of the gradient instead of from a second gradient. The paper counts its β
/// the other way round (its β₂ is 1−β₂ here); these are those of Adam, as in its authors' code. `optax` has another ε,
/// ε_r, under the root, and its decay is W ← W − ηλW; the others have ε_r = 0.
///
/// Deviation from optax 0.2.8: it counts β as here, but weighs d and v with the paper's 1−β₂ of the other convention, which
/// by default is 0.08 instead of 0.92. That reads as an oversight (its documentation gives the paper's formula) and is not
/// followed; at β₂ = ½ the two agree, and are tested to. The other dialects are tested against pytorch_optimizer.
///
/// Source: Xie et al., *Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models* (2022); corrected for
/// the start at zero as in its authors' code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adan {
    /// β₁, of the gradient.
    pub beta1: f64,
    /// β₂, of its change.
    pub beta2: f64,
    /// β₃, of the square.
    pub beta3: f64,
    /// ε, beside the root.
    pub epsilon: f64,
    /// ε_r, under the root.
    pub epsilon_root: f64,
    /// λ, decoupled.
    pub weight_decay: f64,
    /// When W shrinks.
    pub shrinks: Shrinks,
}

/// When a decoupled decay makes W smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinks {
    /// W ← (1 − ηλ)W − ηu.
    Before,
    /// W ← (W − ηu)/(1 + ηλ): the proximal form.
    After,
}

impl Default for Adan {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, the averages, corrections and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    gradient: Average<T>,
    difference: Average<T>,
    square: Average<T>,
    /// β₂.
    ahead: T,
    /// 0 in the first step, later 1.
    changed: T,
    /// 1/(1−β₁ᵗ), β₂/(1−β₂ᵗ) and 1/(1−β₃ᵗ).
    of_m: T,
    of_v: T,
    of_n: T,
    epsilon: T,
    epsilon_root: T,
    /// What decays of W before it moves and after: taken off, as f32 would round 1 − ηλ alike in every step.
    before: T,
    after: T,
}

const PROXIMAL: &str = "d = g − p; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)d; n ← β₃n + (1−β₃)(g + β₂d)²; \
                        W ← (W − η(m̂ + β₂v̂)/(√n̂ + ε))/(1 + ηλ); p ← g";

impl Method for Adan {
    const INFO: Info = Info {
        name: "adan",
        title: "Adan",
        summary: "Adam with Nesterov's look-ahead, had from the change of the gradient",
        paper: "Xie et al. 2022",
        formula: ByDialect {
            torch: PROXIMAL,
            keras: PROXIMAL,
            optax: "d = g − p; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)d; n ← β₃n + (1−β₃)(g + β₂d)²; \
                    W ← W − η((m̂ + β₂v̂)/(√(n̂ + ε_r) + ε) + λW); p ← g",
            textbook: PROXIMAL,
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect { torch: None, keras: None, optax: Some("optax.adan({lr})"), textbook: None },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "beta3", symbol: "β₃", range: Range::DECAY, field: |rule| &mut rule.beta3 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "epsilon_root",
            symbol: "ε_r",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.epsilon_root,
        },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (epsilon_root, shrinks) = match dialect {
            Dialect::Optax => (1e-8, Shrinks::Before),
            _ => (0.0, Shrinks::After),
        };
        let (beta1, beta2, beta3) = (0.98, 0.92, 0.99);
        Self { beta1, beta2, beta3, epsilon: 1e-8, epsilon_root, weight_decay: 0.0, shrinks }
    }
}

impl Rule for Adan {
    const STATES: &'static [&'static str] =
        &["gradient_average", "difference_average", "square_average", "previous_gradient"];

    type State<T: Real> = [T; 4];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 4] {
        [T::ZERO; 4]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let decay = learning_rate * self.weight_decay;
        let (before, after) = match self.shrinks {
            Shrinks::Before => (decay, 0.0),
            Shrinks::After => (0.0, decay / (1.0 + decay)),
        };
        Coefficients {
            rate: T::from_f64(learning_rate),
            gradient: Average::new(self.beta1),
            difference: Average::new(self.beta2),
            square: Average::new(self.beta3),
            ahead: T::from_f64(self.beta2),
            changed: if step == 1 { T::ZERO } else { T::ONE },
            of_m: T::from_f64(1.0 / correction(self.beta1, step)),
            of_v: T::from_f64(self.beta2 / correction(self.beta2, step)),
            of_n: T::from_f64(1.0 / correction(self.beta3, step)),
            epsilon: beside_root(self.epsilon),
            epsilon_root: T::from_f64(self.epsilon_root),
            before: T::from_f64(before),
            after: T::from_f64(after),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v, n, previous]: &mut [T; 4]) -> T {
        let change = c.changed * (g - *previous);
        *previous = g;
        c.gradient.take_in(m, g);
        c.difference.take_in(v, change);
        c.square.take_in_square(n, g + c.ahead * change);
        let root = (c.of_n * *n + c.epsilon_root).sqrt() + c.epsilon;
        let direction = (c.of_m * *m + c.of_v * *v) / root;
        let moved = w - (c.before * w + c.rate * direction);
        moved - c.after * moved
    }
}
