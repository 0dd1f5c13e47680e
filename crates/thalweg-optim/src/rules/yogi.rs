//! Yogi.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;

/// m ← β₁m + (1−β₁)g; v ← v − (1−β₂) sign(v − g²) g²; W ← W − η · m/(√v + ε).
///
/// [`Adam`](super::Adam) whose v moves by (1−β₂)g² whichever way it must, so that it forgets a large gradient slowly. The
/// paper does not correct for the start at zero. `optax` does: W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε). It also starts
/// m, not v only, at v₀, which pulls every W the same way whatever its gradient is: that is not copied, m starts at 0.
/// `torch` and `keras` do not have it.
///
/// Source: Zaheer, Reddi, Sachan et al., *Adaptive methods for nonconvex optimization* (2018), algorithm 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yogi {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// v₀.
    pub initial_accumulator: f64,
    /// Whether m and v are corrected as if both had started at zero.
    pub corrected: bool,
}

impl Default for Yogi {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η with the correction of m, the average, 1−β₂, the correction of √v, and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    rest2: T,
    scale: T,
    epsilon: Epsilon<T>,
}

const PAPER: &str = "m ← β₁m + (1−β₁)g; v ← v − (1−β₂) sign(v − g²) g²; W ← W − η · m/(√v + ε)";

impl Method for Yogi {
    const INFO: Info = Info {
        name: "yogi",
        title: "Yogi",
        summary: "Adam whose divisor grows and shrinks by sums, so that it forgets slowly",
        paper: "Zaheer et al. 2018",
        formula: ByDialect {
            optax: "m ← β₁m + (1−β₁)g; v ← v − (1−β₂) sign(v − g²) g²; \
                    W ← W − η/(1−β₁ᵗ) · m / (√(v/(1−β₂ᵗ)) + ε)",
            ..ByDialect::same(PAPER)
        },
        learning_rate: ByDialect::same(1e-2),
        calls: ByDialect { optax: Some("optax.yogi({lr})"), ..ByDialect::same(None) },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "initial_accumulator",
            symbol: "v₀",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.initial_accumulator,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let corrected = dialect == Dialect::Optax;
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-3, initial_accumulator: 1e-6, corrected }
    }
}

impl Rule for Yogi {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO, T::from_f64(self.initial_accumulator)]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (rate, scale) = if self.corrected {
            (learning_rate / correction(self.beta1, step), 1.0 / correction(self.beta2, step).sqrt())
        } else {
            (learning_rate, 1.0)
        };
        Coefficients {
            rate: T::from_f64(rate),
            first: Average::new(self.beta1),
            rest2: T::from_f64(1.0 - self.beta2),
            scale: T::from_f64(scale),
            epsilon: Epsilon::corrected(self.epsilon, Place::Outside, scale),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v]: &mut [T; 2]) -> T {
        c.first.take_in(m, g);
        let square = g * g;
        let down = if *v > square { -square } else { T::ZERO };
        let towards = if *v < square { square } else { down };
        *v += c.rest2 * towards;
        w - c.rate * *m / c.epsilon.scaled_root(*v, c.scale)
    }
}
