//! What rides along in a step's one pass over memory.

use crate::half::HalfPart;
use crate::norm::{gradient_norm, half_norm};
use crate::optimizer::Outcome;
use crate::real::Real;
use crate::span::Span;
use crate::threads::Threads;

/// Settings of a step beside its rule: they change the gradient before the rule sees it, or W after. Wrappers fill them
/// in and hand them inwards, so that any number of wrappers costs one pass. The order is always the same:
///
/// 1. `guard`: a gradient with NaN or ∞ in it ends the step; nothing is changed (but a gradient to be set to zero is);
/// 2. g ← g·scale, with scale·`clip_norm`/‖g‖ where the norm is larger;
/// 3. g ← each value cut to ±`clip_value`;
/// 4. g ← g + `l2`·W (coupled decay);
/// 5. W ← (1 − η·`decay`)·W (decoupled decay), and the rule;
/// 6. average ← average + `average_weight`·(W − average), where a span brings one;
/// 7. the gradient is set to zero, where a span says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Riders {
    /// Whether a gradient that is not finite ends the step.
    pub guard: bool,
    /// What the gradient is multiplied by.
    pub scale: f64,
    /// The largest L2 norm that the whole gradient may have.
    pub clip_norm: Option<f64>,
    /// The largest magnitude that one number of the gradient may have.
    pub clip_value: Option<f64>,
    /// λ of g ← g + λW.
    pub l2: f64,
    /// λ of W ← (1 − ηλ)·W.
    pub decay: f64,
    /// How far an average moves towards W: 1 − its decay rate.
    pub average_weight: f64,
}

impl Default for Riders {
    fn default() -> Self {
        Self {
            guard: false,
            scale: 1.0,
            clip_norm: None,
            clip_value: None,
            l2: 0.0,
            decay: 0.0,
            average_weight: 0.0,
        }
    }
}

impl Riders {
    /// Whether the whole gradient must be read before anything moves.
    pub fn look_first(&self) -> bool {
        self.guard || self.clip_norm.is_some()
    }

    /// Looks at the whole gradient, if it must: what is left to ride along (`None` if the guard ends the step), and what
    /// was seen. Whoever splits a step among several optimizers calls this once, before.
    pub fn look<T: Real>(self, spans: &mut [Span<'_, T>], threads: &Threads) -> (Option<Self>, Outcome) {
        if !self.look_first() {
            return (Some(self), Outcome::default());
        }
        let (left, outcome) = self.settle(gradient_norm(spans, threads));
        if left.is_none() {
            // What is to be cleared is cleared all the same: a NaN that stays would spoil every later sum.
            spans.iter_mut().for_each(Span::clear);
        }
        (left, outcome)
    }

    /// The same of parameters of 16 bits.
    pub(crate) fn look_at_halves(self, parts: &[HalfPart<'_>], threads: &Threads) -> (Option<Self>, Outcome) {
        if !self.look_first() {
            return (Some(self), Outcome::default());
        }
        self.settle(half_norm(parts.iter().map(HalfPart::grad), threads))
    }

    /// What is left once the norm is known.
    fn settle(self, norm: f64) -> (Option<Self>, Outcome) {
        if self.guard && !norm.is_finite() {
            return (None, Outcome { norm: Some(norm), skipped: true, ..Outcome::default() });
        }
        let scaled = norm * self.scale.abs();
        let clip = match self.clip_norm {
            // PyTorch's form: the 1e-6 keeps a zero gradient harmless.
            Some(limit) if scaled.is_finite() => (limit / (scaled + 1e-6)).min(1.0),
            // A gradient without a length cannot be cut to one: the step shows it everywhere, as PyTorch's does.
            Some(_) => f64::NAN,
            None => 1.0,
        };
        let left = Self { guard: false, clip_norm: None, scale: self.scale * clip, ..self };
        (Some(left), Outcome { norm: Some(scaled), ..Outcome::default() })
    }
}
