//! What rides along in a step's one pass over memory.

use std::ops::Range;

use crate::half::HalfPart;
use crate::norm::{gradient_norm, half_norm};
use crate::optimizer::Outcome;
use crate::params::{Layout, Role};
use crate::real::Real;
use crate::span::Span;
use crate::threads::Threads;

/// Settings of a step beside its rule: they change the gradient before the rule sees it, or W after. Wrappers fill them
/// in and hand them inwards, so that any number of wrappers costs one pass. The order is always the same:
///
/// 1. `guard`: a gradient with NaN or ∞ in it ends the step; nothing is changed (but a gradient to be set to zero is);
/// 2. g ← g·scale, with scale·`clip_norm`/‖g‖ where the norm is larger;
/// 3. g ← each value cut to ±`clip_value`;
/// 4. g ← g + `l2`·W + `l1`·sign(W) (coupled penalties);
/// 5. W ← (1 − η·`decay`)·W (decoupled decay), and the rule;
/// 6. W ← sign(W)·max(|W| − η·`soft`, 0);
/// 7. average ← average + `average_weight`·(W − average), where a span brings one;
/// 8. the gradient is set to zero, where a span says so.
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
    /// What pulls at all parameters.
    pub penalties: Penalties,
    /// What pulls at weights besides: not at biases, nor at the scales of norms.
    pub weight_penalties: Penalties,
    /// How far an average moves towards W: 1 − its decay rate.
    pub average_weight: f64,
}

/// What pulls W towards zero; each λ is 0 where it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalties {
    /// λ of g ← g + λ·sign(W).
    pub l1: f64,
    /// λ of g ← g + λW.
    pub l2: f64,
    /// λ of W ← (1 − ηλ)·W.
    pub decay: f64,
    /// λ of W ← sign(W)·max(|W| − ηλ, 0), after the rule.
    pub soft: f64,
}

impl Penalties {
    /// Nothing pulls.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, decay: 0.0, soft: 0.0 };

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            l1: self.l1 + other.l1,
            l2: self.l2 + other.l2,
            decay: self.decay + other.decay,
            soft: self.soft + other.soft,
        }
    }

    /// Each λ times a factor.
    pub fn times(self, factor: f64) -> Self {
        Self {
            l1: self.l1 * factor,
            l2: self.l2 * factor,
            decay: self.decay * factor,
            soft: self.soft * factor,
        }
    }
}

impl Default for Riders {
    fn default() -> Self {
        Self {
            guard: false,
            scale: 1.0,
            clip_norm: None,
            clip_value: None,
            penalties: Penalties::NONE,
            weight_penalties: Penalties::NONE,
            average_weight: 0.0,
        }
    }
}

impl Riders {
    /// The same with more penalties, of all parameters or of weights alone.
    pub fn pulled(self, more: Penalties, weights_only: bool) -> Self {
        if weights_only {
            Self { weight_penalties: self.weight_penalties.and(more), ..self }
        } else {
            Self { penalties: self.penalties.and(more), ..self }
        }
    }

    /// Whether some parameters are pulled otherwise than others.
    pub fn tells_roles(&self) -> bool {
        self.weight_penalties != Penalties::NONE
    }

    /// What pulls at parameters of this role.
    pub fn penalties_of(&self, role: Role) -> Penalties {
        if role == Role::Weight { self.penalties.and(self.weight_penalties) } else { self.penalties }
    }

    /// Stretches of W with what pulls at each: all of W, if roles are not told apart.
    pub(crate) fn stretches(self, layout: &Layout) -> impl Iterator<Item = (Range<usize>, Penalties)> {
        let blocks = if self.tells_roles() { layout.blocks() } else { &[] };
        let whole = (!self.tells_roles()).then(|| (0..layout.len(), self.penalties));
        let each = blocks.iter().map(move |block| (block.range.clone(), self.penalties_of(block.role)));
        whole.into_iter().chain(each)
    }

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
