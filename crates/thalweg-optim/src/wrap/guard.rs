//! The guard against gradients that are not finite.

use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;

/// A step whose gradient has a NaN or ∞ in it is skipped: W, the state and all averages stay as they are, the step is
/// reported as skipped, and counted.
///
/// As the loss scaler of mixed-precision training does, and `optax.apply_if_finite` without its limit: Micikevicius et
/// al., *Mixed precision training* (2018).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guard;

impl Wrapper for Guard {
    const INFO: WrapperInfo = WrapperInfo {
        name: "guard",
        summary: "skips a step whose gradient has NaN or ∞ in it",
        formula: "W ← W if any g is not finite",
        paper: "Micikevicius et al. 2018",
    };
    const SETTINGS: &'static [Setting<Self>] = &[];
    const COUNT: Option<&'static str> = Some("skipped");
    const ONLY_RIDES: bool = true;

    fn ride(&self, riders: Riders) -> Riders {
        Riders { guard: true, ..riders }
    }

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        let outcome = inner.apply(spans, learning_rate, self.ride(riders));
        memory.count += u64::from(outcome.skipped);
        outcome
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
        let report = inner.drive(w, average, f, learning_rate, self.ride(riders));
        memory.count += u64::from(report.outcome.skipped);
        report
    }
}
