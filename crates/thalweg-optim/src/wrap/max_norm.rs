//! The max-norm constraint.

use super::passes::follow;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::params::{Block, Layout, Orientation, Role};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Span, recycle};

/// After each step, the weights that lead to one unit are shrunk to length c where they are longer:
/// Wⱼ ← Wⱼ·min(1, c/‖Wⱼ‖).
///
/// A unit is an output: a row of `[out, in]`, a column of `[in, out]`, all that leads to a filter of a convolution. How the
/// weights lie is the layout's word ([`Layout::with_orientation`](crate::Layout::with_orientation)); where it says nothing,
/// outputs are the last axis, as for [`ClipAdaptive`](super::ClipAdaptive). A weight of one axis is one unit. Biases and the
/// scales of norms are left alone. As Keras's `MaxNorm` (whose ‖Wⱼ‖ + 1e-7 is left out) and `torch.renorm`: with
/// `axis=0` for a dense layer and `axis=[0, 1, 2]` for a convolution, where Keras's default of 0 takes each column of
/// pixels for itself.
///
/// Of an embedding ([`Layout::push_table`](crate::Layout::push_table)) each row is bounded, the vector of a code: `axis=1`
/// in Keras. (PyTorch's `Embedding(max_norm=c)` does so, too, but only to rows that a batch looks up, and before the step.)
///
/// An average from outside follows W as it is after the projection. W that a rule keeps for itself (schedule-free z, slow
/// weights inside) is not projected. A step that was refused, that only collected a gradient, or in which a search was
/// stuck leaves W as it was.
///
/// Sources: Srebro & Shraibman, *Rank, trace-norm and max-norm* (2005); for networks Srivastava et al., *Dropout: a simple
/// way to prevent neural networks from overfitting* (2014), who have c from 3 to 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxNorm {
    /// c.
    pub radius: f64,
}

impl Default for MaxNorm {
    fn default() -> Self {
        Self { radius: 3.0 }
    }
}

/// What a vector of this length is multiplied by.
fn factor(radius: f64, square: f64) -> f64 {
    let length = square.sqrt();
    // A NaN stays what it is, and is not spread to the unit's other weights.
    if length > radius { radius / length } else { 1.0 }
}

fn square<T: Real>(w: &[T]) -> f64 {
    w.iter().map(|w| w.to_f64() * w.to_f64()).sum()
}

impl MaxNorm {
    /// Projects all units whose weights lie one behind the other, `inputs` each.
    fn rows<T: Real>(self, w: &mut [T], inputs: usize) {
        for unit in w.chunks_mut(inputs) {
            let factor = factor(self.radius, square(unit));
            if factor != 1.0 {
                unit.iter_mut().for_each(|w| *w *= T::from_f64(factor));
            }
        }
    }

    /// Projects all units whose weights are the columns of `units`.
    fn columns<T: Real>(self, w: &mut [T], units: usize, sums: &mut Vec<[f64; 2]>) {
        sums.clear();
        sums.resize(units, [0.0; 2]);
        for row in w.chunks(units) {
            sums.iter_mut().zip(row).for_each(|(sum, w)| sum[0] += w.to_f64() * w.to_f64());
        }
        sums.iter_mut().for_each(|sum| sum[0] = factor(self.radius, sum[0]));
        if sums.iter().any(|sum| sum[0] != 1.0) {
            for row in w.chunks_mut(units) {
                row.iter_mut().zip(&*sums).for_each(|(w, sum)| *w *= T::from_f64(sum[0]));
            }
        }
    }

    fn project_block<T: Real>(self, block: &Block, w: &mut [T], sums: &mut Vec<[f64; 2]>) {
        if w.is_empty() || block.role != Role::Weight {
            return;
        }
        let stated = block.orientation.unwrap_or(Orientation::InOut);
        // A code's vector is a row, whichever way the matrices of units lie.
        let orientation = if block.table { Orientation::OutIn } else { stated };
        match (block.matrix(orientation), orientation) {
            (None, _) => self.rows(w, w.len()),
            (Some((_, inputs)), Orientation::OutIn) => self.rows(w, inputs),
            (Some((_, units)), Orientation::InOut) => self.columns(w, units, sums),
        }
    }

    /// Projects all blocks; the spans are one for all, or one per block.
    fn project<T: Real>(self, layout: &Layout, spans: &mut [Span<'_, T>], sums: &mut Vec<[f64; 2]>) {
        let whole = spans.len() == 1;
        for (index, block) in layout.blocks().iter().enumerate() {
            let w = if whole { &mut spans[0].w[block.range.clone()] } else { &mut *spans[index].w };
            self.project_block(block, w, sums);
        }
    }
}

impl Wrapper for MaxNorm {
    const INFO: WrapperInfo = WrapperInfo {
        name: "max-norm",
        summary: "keeps the weights that lead to each unit within a ball",
        formula: "Wⱼ ← Wⱼ·min(1, c/‖Wⱼ‖)",
        paper: "Srebro & Shraibman 2005; Srivastava et al. 2014",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "radius",
        name: "max_norm_radius",
        symbol: "c",
        range: Range::POSITIVE,
        field: |wrapper| &mut wrapper.radius,
    }];

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        let before = inner.steps();
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(&mut memory.spans));
        own.extend(spans.iter_mut().map(|span| Span { average: None, ..span.reborrow() }));
        let outcome = inner.apply(&mut own, learning_rate, riders);
        memory.spans = recycle(own);
        if inner.steps() != before {
            self.project(inner.layout(), spans, &mut memory.sums);
            for span in spans {
                if let Some(average) = &mut span.average {
                    follow(average, span.w, riders.average_weight, &memory.threads);
                }
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
        let report = inner.drive(w, None, f, learning_rate, riders);
        if inner.steps() != before {
            if !report.outcome.stuck {
                for block in inner.layout().blocks() {
                    self.project_block(block, &mut w[block.range.clone()], &mut memory.sums);
                }
            }
            if let Some(average) = average {
                follow(average, w, riders.average_weight, &memory.threads);
            }
        }
        report
    }
}
