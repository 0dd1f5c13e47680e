//! Lookahead.

use super::passes::follow;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Span, recycle};
use crate::threads::Threads;

/// Every k steps of the method inside, slow weights go a part of the way to W, and W goes on from there:
/// φ ← φ + α(W − φ); W ← φ. They start as W before the first step, and the model is judged at them.
///
/// As `optax.lookahead`, whose fast weights are W; the method inside keeps its state at a synchronization. An average
/// from outside follows W as it is after the synchronization.
///
/// Source: Zhang et al., *Lookahead optimizer: k steps forward, 1 step back* (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lookahead {
    /// k.
    pub steps: f64,
    /// α.
    pub alpha: f64,
}

impl Default for Lookahead {
    fn default() -> Self {
        Self { steps: 5.0, alpha: 0.5 }
    }
}

impl Lookahead {
    /// Whether the step behind `steps` others ends with a synchronization.
    fn meets(&self, steps: u64) -> bool {
        (steps + 1).is_multiple_of(self.steps as u64)
    }
}

/// φ ← φ + α(W − φ); W ← φ; and an average from outside follows by `weight`.
fn meet<T: Real>(
    alpha: f64,
    slow: &mut [T],
    w: &mut [T],
    average: Option<&mut [T]>,
    weight: f64,
    threads: &Threads,
) {
    follow(slow, w, alpha, threads);
    w.copy_from_slice(slow);
    if let Some(average) = average {
        follow(average, w, weight, threads);
    }
}

impl Wrapper for Lookahead {
    const INFO: WrapperInfo = WrapperInfo {
        name: "lookahead",
        summary: "k steps forward, then back a part of the way to slow weights",
        formula: "every k steps: φ ← φ + α(W − φ); W ← φ",
        paper: "Zhang et al. 2019",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "steps",
            name: "lookahead_steps",
            symbol: "k",
            range: Range::COUNT,
            field: |wrapper| &mut wrapper.steps,
        },
        Setting {
            key: "alpha",
            name: "lookahead_alpha",
            symbol: "α",
            range: Range { open: true, ..Range::SHARE },
            field: |wrapper| &mut wrapper.alpha,
        },
    ];
    const SLOT: Option<&'static str> = Some("slow");
    const COUNT: Option<&'static str> = Some("started");

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        let before = inner.steps();
        if memory.count == 0 {
            memory.count = 1;
            let mut rest = &mut memory.slot[..];
            for span in spans.iter() {
                rest.split_off_mut(..span.len()).unwrap_or_default().copy_from_slice(span.w);
            }
        }
        if !self.meets(before) {
            return inner.apply(spans, learning_rate, riders);
        }
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(&mut memory.spans));
        own.extend(spans.iter_mut().map(|span| Span { average: None, ..span.reborrow() }));
        let outcome = inner.apply(&mut own, learning_rate, riders);
        memory.spans = recycle(own);
        if inner.steps() != before {
            let mut rest = &mut memory.slot[..];
            for span in spans {
                let slow = rest.split_off_mut(..span.len()).unwrap_or_default();
                let (average, weight) = (span.average.as_deref_mut(), riders.average_weight);
                meet(self.alpha, slow, span.w, average, weight, &memory.threads);
            }
        }
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
        let before = inner.steps();
        if memory.count == 0 {
            memory.count = 1;
            memory.slot.copy_from_slice(w);
        }
        if !self.meets(before) {
            return inner.drive(w, average, f, learning_rate, riders);
        }
        let report = inner.drive(w, None, f, learning_rate, riders);
        if inner.steps() != before {
            meet(self.alpha, &mut memory.slot, w, average, riders.average_weight, &memory.threads);
        }
        report
    }

    fn average<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &Memory<T>,
        w: &[T],
        point: &mut Vec<T>,
    ) -> bool {
        // What is inside may have done steps before it was wrapped: then there are no slow weights yet either.
        if memory.count == 0 {
            return inner.average(w, point);
        }
        point.clear();
        point.extend_from_slice(&memory.slot);
        true
    }
}
