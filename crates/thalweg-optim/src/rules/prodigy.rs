//! Prodigy.

use super::adam::correction;
use super::epsilon::beside_root;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::packed::{HOLDS_A_POINT, Precision};
use crate::real::Real;
use crate::rule::Rule;

/// m ← β₁m + (1−β₁)dg; v ← β₂v + (1−β₂)d²g²; r ← β₃r + (d/d₀)·ηd·⟨g, W₀ − W⟩; s ← β₃s + (d/d₀)·ηd·g;
/// W ← W − ηd(m/(√v + dε) + λW); d ← max(d, k·r/‖s‖₁).
///
/// Adam without a learning rate: d estimates how far the start W₀ is from the minimum, out of two sums over all
/// parameters, and grows until it fits. η is a multiplier, 1 by default, that a schedule may shape. Where nothing has been
/// seen yet (‖s‖₁ = 0), or a sum is not finite, d and r stay: so a gradient with NaN harms its own parameter only.
///
/// `optax` multiplies ηd by Adam's correction √(1−β₂ᵗ)/(1−β₁ᵗ), and ε by the new d. `torch` and `keras` do not have it: their
/// dialects are the textbook's. β₃ does not follow β₂ by itself: its default is √0.999, the root of β₂'s.
///
/// Source: Mishchenko & Defazio, *Prodigy: an expeditiously adaptive parameter-free learner* (2023), algorithm 4 (whose
/// sums have a factor 1−β₃ in place of 1/d₀: it cancels in r/‖s‖₁).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prodigy {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// β₃, of the sums.
    pub beta3: f64,
    /// ε.
    pub epsilon: f64,
    /// d₀: the first estimate, smaller than the distance.
    pub d0: f64,
    /// k: multiplies the estimate.
    pub d_coef: f64,
    /// λ, decoupled.
    pub weight_decay: f64,
    /// Whether steps are corrected for the averages' start at zero.
    pub corrects: bool,
    /// Whether ε is multiplied by the d of the step after.
    pub epsilon_ahead: bool,
}

impl Default for Prodigy {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// What is equal for all parameters.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    /// W₀ ← kept·W₀ + first·W: W in the first step.
    kept: T,
    first: T,
    beta1: T,
    /// (1−β₁)d.
    into_m: T,
    beta2: T,
    /// (1−β₂)d².
    into_v: T,
    beta3: T,
    /// (d/d₀)·ηd.
    into_s: T,
    /// ηd, corrected or not.
    rate: T,
    /// dε.
    epsilon: T,
    /// ηdλ: taken off W, as f32 would round 1 − ηdλ alike in every step.
    decay: T,
    /// (d/d₀)·ηd, of the sum.
    weight: f64,
}

const TEXTBOOK: &str = "m ← β₁m + (1−β₁)dg; v ← β₂v + (1−β₂)d²g²; r ← β₃r + (d/d₀)·ηd·⟨g, W₀ − W⟩; \
                        s ← β₃s + (d/d₀)·ηd·g; W ← W − ηd(m/(√v + dε) + λW); d ← max(d, k·r/‖s‖₁)";

impl Method for Prodigy {
    const INFO: Info = Info {
        name: "prodigy",
        title: "Prodigy",
        summary: "Adam that estimates its own learning rate from how far it has come; needs none",
        paper: "Mishchenko & Defazio 2023",
        formula: ByDialect {
            torch: TEXTBOOK,
            keras: TEXTBOOK,
            optax: "as textbook with ηd·√(1−β₂ᵗ)/(1−β₁ᵗ) for ηd, and the new d in dε",
            textbook: TEXTBOOK,
        },
        learning_rate: ByDialect::same(1.0),
        calls: ByDialect {
            torch: None,
            keras: None,
            optax: Some("optax.contrib.prodigy({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "beta3", symbol: "β₃", range: Range::DECAY, field: |rule| &mut rule.beta3 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper { name: "d0", symbol: "d₀", range: START, field: |rule| &mut rule.d0 },
        Hyper { name: "d_coef", symbol: "k", range: Range::POSITIVE, field: |rule| &mut rule.d_coef },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let optax = dialect == Dialect::Optax;
        Self {
            beta1: 0.9,
            beta2: 0.999,
            beta3: 0.999_f64.sqrt(),
            epsilon: 1e-8,
            d0: 1e-6,
            d_coef: 1.0,
            weight_decay: 0.0,
            corrects: optax,
            epsilon_ahead: optax,
        }
    }
}

/// `[1e-12, ∞)`: d² still has all its digits in f32.
const START: Range = Range::at_least(1e-12);

impl Rule for Prodigy {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average", "weighted_sum", "start"];
    const SHORTEST: (Precision, &str) = (Precision::Bf16, HOLDS_A_POINT);
    const SCALARS: &'static [&'static str] = &["distance", "progress"];
    const MEASURES: bool = true;

    type State<T: Real> = [T; 4];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 4] {
        [T::ZERO; 4]
    }

    fn initial_scalars(&self, scalars: &mut [f64]) {
        scalars.copy_from_slice(&[self.d0, 0.0]);
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, scalars: &mut [f64]) -> Coefficients<T> {
        let d = scalars[0];
        let corrected = correction(self.beta2, step).sqrt() / correction(self.beta1, step);
        let rate = d * learning_rate * if self.corrects { corrected } else { 1.0 };
        let weight = d / self.d0 * rate;
        let first = if step == 1 { 1.0 } else { 0.0 };
        Coefficients {
            kept: T::from_f64(1.0 - first),
            first: T::from_f64(first),
            beta1: T::from_f64(self.beta1),
            into_m: T::from_f64((1.0 - self.beta1) * d),
            beta2: T::from_f64(self.beta2),
            into_v: T::from_f64((1.0 - self.beta2) * d * d),
            beta3: T::from_f64(self.beta3),
            into_s: T::from_f64(weight),
            rate: T::from_f64(rate),
            epsilon: beside_root(d * self.epsilon),
            decay: T::from_f64(rate * self.weight_decay),
            weight,
        }
    }

    /// Only ε asks for the new d: else the sums are for the step after.
    fn measures_first(&self) -> bool {
        self.epsilon_ahead
    }

    /// g·(W₀ − W) and |s|.
    #[inline(always)]
    fn measure<T: Real>(c: &Coefficients<T>, w: T, g: T, &[_, _, s, start]: &[T; 4]) -> [T; 2] {
        let start = c.kept * start + c.first * w;
        [g * (start - w), (c.beta3 * s + c.into_s * g).abs()]
    }

    fn settle<T: Real>(
        &self,
        mut c: Coefficients<T>,
        [toward, size]: [f64; 2],
        scalars: &mut [f64],
    ) -> Coefficients<T> {
        let progress = self.beta3 * scalars[1] + c.weight * toward;
        if progress.is_finite() && size.is_finite() {
            scalars[1] = progress;
            if size > 0.0 {
                scalars[0] = scalars[0].max(self.d_coef * progress / size);
            }
        }
        if self.epsilon_ahead {
            c.epsilon = beside_root(scalars[0] * self.epsilon);
        }
        c
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v, s, start]: &mut [T; 4]) -> T {
        *start = c.kept * *start + c.first * w;
        *m = c.beta1 * *m + c.into_m * g;
        *v = c.beta2 * *v + c.into_v * g * g;
        *s = c.beta3 * *s + c.into_s * g;
        w - (c.decay * w + c.rate * (*m / (v.sqrt() + c.epsilon)))
    }
}
