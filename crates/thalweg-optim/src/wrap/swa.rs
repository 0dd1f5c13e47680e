//! Stochastic weight averaging.

use super::averaging;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;

/// The plain mean of W after the steps `start + every`, `start + 2·every`, …: a ← a + (W − a)/n at its n-th point. The
/// model is judged at a once there is one.
///
/// As PyTorch's `AveragedModel`, called after those steps. The paper's high or cyclic learning rate is a schedule's work.
///
/// Source: Izmailov et al., *Averaging weights leads to wider optima and better generalization* (2018).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swa {
    /// Steps before the first that counts.
    pub start: f64,
    /// Steps from one point of the mean to the next.
    pub every: f64,
}

impl Default for Swa {
    fn default() -> Self {
        Self { start: 0.0, every: 1.0 }
    }
}

impl Swa {
    /// How far the average moves in the step behind `steps` others, if it does.
    fn weight(&self, steps: u64, count: u64) -> Option<f64> {
        let behind = (steps + 1).checked_sub(self.start as u64).filter(|&behind| behind > 0)?;
        behind.is_multiple_of(self.every as u64).then(|| 1.0 / (count + 1) as f64)
    }
}

impl Wrapper for Swa {
    const INFO: WrapperInfo = WrapperInfo {
        name: "swa",
        summary: "judges the model at the mean of W along the path",
        formula: "a ← a + (W − a)/n every few steps, n points so far",
        paper: "Izmailov et al. 2018",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "start",
            name: "swa_start",
            symbol: "start",
            range: Range::NON_NEGATIVE.whole(),
            field: |wrapper| &mut wrapper.start,
        },
        Setting {
            key: "every",
            name: "swa_every",
            symbol: "every",
            range: Range::COUNT,
            field: |wrapper| &mut wrapper.every,
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
        match self.weight(inner.steps(), memory.count) {
            Some(weight) => averaging::apply(weight, inner, memory, spans, learning_rate, riders),
            None => inner.apply(spans, learning_rate, riders),
        }
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
        match self.weight(inner.steps(), memory.count) {
            Some(weight) => averaging::drive(weight, inner, memory, w, average, f, learning_rate, riders),
            None => inner.drive(w, average, f, learning_rate, riders),
        }
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
