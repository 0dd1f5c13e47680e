//! A rate that falls when a metric stops getting better.

use serde::{Deserialize, Serialize};

use super::FRACTION;
use super::shape::{Field, Info, Shape, words};
use crate::hyper::Range;

words! {
    /// What a threshold is measured in.
    Threshold {
        /// In shares of the best: better means less than best − θ·|best|.
        Relative = "relative",
        /// In the metric's unit: better means less than best − θ.
        Absolute = "absolute",
    }
}

/// Multiplies the rate by γ when more than `patience` epochs in a row were not better than the best.
///
/// The metric is a cost, such as the loss: less is better; give the negative of a score. What was observed lives in a
/// [`Plateau`], which the caller keeps: [`ReduceOnPlateau::observe`] is a pure function of it. It does what
/// `torch.optim.lr_scheduler.ReduceLROnPlateau` does, whose `min_lr` and `eps` are in the unit of the rate and not of the
/// factor. They differ where the best cost of mode `min` is negative: torch's relative bound then lies above it. A cost
/// that is NaN or infinite is never better.
#[derive(Debug, Clone, PartialEq)]
pub struct ReduceOnPlateau {
    /// γ.
    pub gamma: f64,
    /// How many epochs that are not better are borne.
    pub patience: u64,
    /// θ: how much better is better.
    pub threshold: f64,
    /// What θ is measured in.
    pub unit: Threshold,
    /// Epochs after a reduction that count as neither good nor bad.
    pub cooldown: u64,
    /// The least factor.
    pub minimum: f64,
    /// ε: a reduction of the factor by no more than this is left out.
    pub epsilon: f64,
}

impl Default for ReduceOnPlateau {
    /// torch's.
    fn default() -> Self {
        Self {
            gamma: 0.1,
            patience: 10,
            threshold: 1e-4,
            unit: Threshold::Relative,
            cooldown: 0,
            minimum: 0.0,
            epsilon: 1e-8,
        }
    }
}

pub(super) static INFO: Info = Info {
    name: "reduce-on-plateau",
    title: "Reduce on plateau",
    summary: "multiplies the rate by γ when the validation loss has not got better for more than p epochs",
    formula: "γ^(number of plateaus so far), at least the minimum",
    source: "as PyTorch's ReduceLROnPlateau",
};

impl Shape for ReduceOnPlateau {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let whole = u64::from(u32::MAX);
        vec![
            Field::number("gamma", "γ", Range::DECAY, &mut self.gamma),
            Field::whole("patience", "p", 0, whole, &mut self.patience),
            Field::number("threshold", "θ", Range::NON_NEGATIVE, &mut self.threshold),
            Field::word("unit", "unit", &mut self.unit),
            Field::whole("cooldown", "cooldown", 0, whole, &mut self.cooldown),
            Field::number("minimum", "minimum", FRACTION, &mut self.minimum),
            Field::number("epsilon", "ε", Range::NON_NEGATIVE, &mut self.epsilon),
        ]
    }

    /// The part that the step decides: 1. The rest is [`Plateau::factor`].
    fn factor(&self, _step: u64) -> f64 {
        1.0
    }
}

/// What a [`ReduceOnPlateau`] has seen so far: all of its state, to be stored with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plateau {
    /// The best cost.
    pub best: Option<f64>,
    /// Epochs since then that were not better.
    pub bad: u64,
    /// Epochs left of a cooldown.
    pub cooling: u64,
    /// What the rate is multiplied by now.
    pub factor: f64,
}

impl Default for Plateau {
    /// Nothing seen: the factor is 1.
    fn default() -> Self {
        Self { best: None, bad: 0, cooling: 0, factor: 1.0 }
    }
}

impl ReduceOnPlateau {
    /// The state after an epoch of cost `cost`.
    pub fn observe(&self, mut state: Plateau, cost: f64) -> Plateau {
        let bound = |best: f64| match self.unit {
            Threshold::Relative => best - self.threshold * best.abs(),
            Threshold::Absolute => best - self.threshold,
        };
        if cost.is_finite() && state.best.is_none_or(|best| cost < bound(best)) {
            state.best = Some(cost);
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if state.cooling > 0 {
            state.cooling -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            let reduced = (state.factor * self.gamma).max(self.minimum);
            if state.factor - reduced > self.epsilon {
                state.factor = reduced;
            }
            state.cooling = self.cooldown;
            state.bad = 0;
        }
        state
    }
}
