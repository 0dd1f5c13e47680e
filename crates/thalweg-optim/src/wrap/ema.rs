//! The exponential moving average of W.

use super::averaging;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;

/// a ← a + (1−β)(W − a) after each step, with a = W after the first; the model is judged at a.
///
/// As PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` and Keras's `use_ema`. With `debias` the average starts at
/// zero and is divided by 1 − βᵗ, as `optax.ema` does: the same as a ← a + (1−β)/(1−βᵗ)·(W − a), which is how it is kept.
///
/// Sources: Polyak & Juditsky, *Acceleration of stochastic approximation by averaging* (1992); the debiasing from
/// Kingma & Ba (2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    /// β.
    pub decay: f64,
    /// 1 to weigh all points so far as if the average had started from nothing, 0 to start from W as it is.
    pub debias: f64,
}

impl Default for Ema {
    fn default() -> Self {
        Self { decay: 0.999, debias: 0.0 }
    }
}

impl Ema {
    /// How far the average moves towards its point number `count` (the first is 1).
    fn weight(&self, count: u64) -> f64 {
        let whole = 1.0 - self.decay.powi(i32::try_from(count).unwrap_or(i32::MAX));
        match (count, self.debias != 0.0) {
            (1, _) => 1.0,
            (_, true) => (1.0 - self.decay) / whole,
            (_, false) => 1.0 - self.decay,
        }
    }
}

impl Wrapper for Ema {
    const INFO: WrapperInfo = WrapperInfo {
        name: "ema",
        summary: "judges the model at an exponential moving average of W",
        formula: "a ← βa + (1−β)W (first: a ← W)",
        paper: "Polyak & Juditsky 1992",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "decay",
            name: "ema_decay",
            symbol: "β",
            range: Range::DECAY,
            field: |wrapper| &mut wrapper.decay,
        },
        Setting {
            key: "debias",
            name: "ema_debias",
            symbol: "debias",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.debias,
        },
    ];
    const SLOT: Option<&'static str> = Some("average");
    const COUNT: Option<&'static str> = Some("averaged");

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        averaging::apply(self.weight(memory.count + 1), inner, memory, spans, learning_rate, riders)
    }

    fn drive<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        let weight = self.weight(memory.count + 1);
        averaging::drive(weight, inner, memory, w, average, f, learning_rate, riders)
    }

    fn average<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &Memory<T>,
        w: &[T],
        point: &mut Vec<T>,
    ) -> bool {
        averaging::point(inner, memory, w, point)
    }
}
