//! What EMA and SWA share: an average that moves in the step's own pass, or in one of its own if another average rides
//! there already.

use super::passes::follow;
use super::wrapped::Memory;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Span, recycle};

/// A step with given gradients after which the average moves by `weight`, if W did.
pub(super) fn apply<T: Real>(
    weight: f64,
    inner: &mut dyn Optimizer<T>,
    memory: &mut Memory<T>,
    spans: &mut [Span<'_, T>],
    learning_rate: f64,
    riders: Riders,
) -> Outcome {
    let before = inner.steps();
    let taken = spans.iter().any(|span| span.average.is_some());
    let outcome = if taken {
        inner.apply(spans, learning_rate, riders)
    } else {
        let mut rest = &mut memory.slot[..];
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(&mut memory.spans));
        for span in spans.iter_mut() {
            let average = rest.split_off_mut(..span.len());
            own.push(Span { average, ..span.reborrow() });
        }
        let outcome = inner.apply(&mut own, learning_rate, Riders { average_weight: weight, ..riders });
        memory.spans = recycle(own);
        outcome
    };
    if inner.steps() != before {
        memory.count += 1;
        if taken {
            let mut rest = &mut memory.slot[..];
            for span in spans {
                let average = rest.split_off_mut(..span.len()).unwrap_or_default();
                follow(average, span.w, weight, &memory.threads);
            }
        }
    }
    outcome
}

/// The same with an objective.
#[expect(clippy::too_many_arguments, reason = "those of Optimizer::drive and two more")]
pub(super) fn drive<T: Real>(
    weight: f64,
    inner: &mut dyn Optimizer<T>,
    memory: &mut Memory<T>,
    w: &mut [T],
    average: Option<&mut [T]>,
    f: &mut dyn Objective<T>,
    learning_rate: f64,
    riders: Riders,
) -> StepReport<T> {
    let before = inner.steps();
    let taken = average.is_some();
    let report = if taken {
        inner.drive(w, average, f, learning_rate, riders)
    } else {
        let riders = Riders { average_weight: weight, ..riders };
        inner.drive(w, Some(&mut memory.slot), f, learning_rate, riders)
    };
    if inner.steps() != before {
        memory.count += 1;
        if taken {
            follow(&mut memory.slot, w, weight, &memory.threads);
        }
    }
    report
}

/// Writes the average, if there is one yet; else what is inside may have one.
pub(super) fn point<T: Real>(
    inner: &mut dyn Optimizer<T>,
    memory: &Memory<T>,
    w: &[T],
    point: &mut Vec<T>,
) -> bool {
    if memory.count == 0 {
        return inner.average(w, point);
    }
    point.clear();
    point.extend_from_slice(&memory.slot);
    true
}
