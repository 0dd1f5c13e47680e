//! Gradient accumulation.

use super::passes::pairs;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::optimizer::{Optimizer, Outcome};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Grad, Span, recycle};

/// k gradients are averaged, and W moves with the mean on each k-th: k small batches for one large one.
///
/// The steps between report that the gradient was collected, and the method inside does not know of them: its number of
/// steps is that of W's moves. What rides from outside acts on each gradient (a guard, a clip), what is inside on the
/// mean; decays act when W moves, and averages follow it then. The k-th step's learning rate counts. A look-ahead rule's
/// point does not move in between.
///
/// As `optax.MultiSteps` and Keras's `gradient_accumulation_steps`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accumulate {
    /// k.
    pub steps: f64,
}

impl Default for Accumulate {
    fn default() -> Self {
        Self { steps: 1.0 }
    }
}

impl Wrapper for Accumulate {
    const INFO: WrapperInfo = WrapperInfo {
        name: "accumulate",
        summary: "averages the gradients of k steps, and moves W on each k-th",
        formula: "g ← (g₁ + … + gₖ)/k",
        paper: "a large batch in parts",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "steps",
        name: "accumulate_steps",
        symbol: "k",
        range: Range::COUNT,
        field: |wrapper| &mut wrapper.steps,
    }];
    const SLOT: Option<&'static str> = Some("sum");
    const COUNT: Option<&'static str> = Some("collected");
    const TAKES_GRADIENT: bool = true;

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        let (looked, outcome) = riders.look(spans, &memory.threads);
        let Some(riders) = looked else { return outcome };
        collect(memory, spans, &riders);
        memory.count += 1;
        if memory.count < self.steps as u64 {
            return Outcome { collected: true, ..outcome };
        }
        let scale = 1.0 / memory.count as f64;
        memory.count = 0;
        let mut rest = &memory.slot[..];
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(&mut memory.spans));
        for span in spans {
            let mean = rest.split_off(..span.len()).unwrap_or_default();
            own.push(Span { grad: Grad::Read(mean), ..span.reborrow() });
        }
        let inner = inner.apply(&mut own, learning_rate, Riders { scale, clip_value: None, ..riders });
        memory.spans = recycle(own);
        Outcome { norm: inner.norm.or(outcome.norm), ..inner }
    }
}

/// Adds the gradient, as the riders from outside change it; the first of k overwrites.
fn collect<T: Real>(memory: &mut Memory<T>, spans: &mut [Span<'_, T>], riders: &Riders) {
    let (scale, limit) = (T::from_f64(riders.scale), T::from_f64(riders.clip_value.unwrap_or(f64::INFINITY)));
    let mut rest = &mut memory.slot[..];
    for span in spans {
        let sum = rest.split_off_mut(..span.len()).unwrap_or_default();
        let changed = move |g: T| (g * scale).min(limit).max(-limit);
        if memory.count == 0 {
            pairs(sum, span.grad.values(), &memory.threads, move |sum, g| *sum = changed(g));
        } else {
            pairs(sum, span.grad.values(), &memory.threads, move |sum, g| *sum += changed(g));
        }
        if let Grad::Clear(grad) = &mut span.grad {
            grad.fill(T::ZERO);
        }
    }
}
