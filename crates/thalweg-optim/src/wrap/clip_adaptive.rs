//! Adaptive gradient clipping.

use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::optimizer::{Optimizer, Outcome};
use crate::params::Layout;
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Grad, Span, recycle};

/// Each unit's gradient is shrunk to λ times the norm of its weights: Gᵢ ← Gᵢ·λ·max(‖Wᵢ‖, ε)/‖Gᵢ‖ where ‖Gᵢ‖ is
/// larger than that.
///
/// A unit is all that leads to one output: a column of a matrix `[inputs, outputs]` (all axes but the last of any
/// block); a bias or another vector is one unit. As `optax.adaptive_grad_clip`, but for its blocks of three axes, where
/// optax takes the first axis alone. Clips before anything that rides, and works on a copy of the gradient. The paper
/// leaves the last layer out: give it a group of its own.
///
/// Source: Brock et al., *High-performance large-scale image recognition without normalization* (2021).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipAdaptive {
    /// λ.
    pub clipping: f64,
    /// ε, for units that start at zero.
    pub epsilon: f64,
}

impl Default for ClipAdaptive {
    fn default() -> Self {
        Self { clipping: 0.01, epsilon: 1e-3 }
    }
}

impl ClipAdaptive {
    /// Clips the gradient of a block in place.
    fn clip<T: Real>(&self, shape: &[usize], w: &[T], grad: &mut [T], sums: &mut Vec<[f64; 2]>) {
        let vector = shape.iter().filter(|&&n| n != 1).count() <= 1;
        let units = if vector { 1 } else { shape.last().copied().unwrap_or(1) };
        if grad.is_empty() {
            return;
        }
        sums.clear();
        sums.resize(units, [0.0; 2]);
        if units == 1 {
            let sum = |values: &[T]| values.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>();
            sums[0] = [sum(w), sum(grad)];
        } else {
            for (w, grad) in w.chunks(units).zip(grad.chunks(units)) {
                for ((sum, w), g) in sums.iter_mut().zip(w).zip(grad) {
                    sum[0] += w.to_f64() * w.to_f64();
                    sum[1] += g.to_f64() * g.to_f64();
                }
            }
        }
        // What each unit is multiplied by takes the place of its first sum.
        for sum in sums.iter_mut() {
            let [w, g] = sum.map(f64::sqrt);
            let most = self.clipping * w.max(self.epsilon);
            sum[0] = if g > most { most / g } else { 1.0 };
        }
        if units == 1 {
            let factor = T::from_f64(sums[0][0]);
            grad.iter_mut().for_each(|g| *g *= factor);
        } else {
            for grad in grad.chunks_mut(units) {
                grad.iter_mut().zip(&*sums).for_each(|(g, sum)| *g *= T::from_f64(sum[0]));
            }
        }
    }
}

impl Wrapper for ClipAdaptive {
    const INFO: WrapperInfo = WrapperInfo {
        name: "clip-adaptive",
        summary: "shrinks each unit's gradient to a share of its weights' norm",
        formula: "Gᵢ ← Gᵢ · min(1, λ·max(‖Wᵢ‖, ε)/‖Gᵢ‖)",
        paper: "Brock et al. 2021",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "clipping",
            name: "clip_adaptive",
            symbol: "λ",
            range: Range::POSITIVE,
            field: |wrapper| &mut wrapper.clipping,
        },
        Setting {
            key: "epsilon",
            name: "clip_adaptive_epsilon",
            symbol: "ε",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.epsilon,
        },
    ];
    const TAKES_GRADIENT: bool = true;

    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        let Memory { scratch, sums, spans: spent, .. } = memory;
        scratch.clear();
        for span in spans.iter() {
            scratch.extend_from_slice(span.grad.values());
        }
        self.clip_blocks(inner.layout(), spans, scratch, sums);
        let mut rest = &scratch[..];
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(spent));
        for span in spans.iter_mut() {
            let clipped = rest.split_off(..span.len()).unwrap_or_default();
            own.push(Span { grad: Grad::Read(clipped), ..span.reborrow() });
        }
        let outcome = inner.apply(&mut own, learning_rate, riders);
        *spent = recycle(own);
        spans.iter_mut().for_each(Span::clear);
        outcome
    }
}

impl ClipAdaptive {
    /// Clips `grad`, which is that of all spans; they are one for all blocks, or one per block.
    fn clip_blocks<T: Real>(
        &self,
        layout: &Layout,
        spans: &[Span<'_, T>],
        grad: &mut [T],
        sums: &mut Vec<[f64; 2]>,
    ) {
        let whole = spans.len() == 1;
        for (index, block) in layout.blocks().iter().enumerate() {
            let w = if whole { &spans[0].w[block.range.clone()] } else { &*spans[index].w };
            self.clip(&block.shape, w, &mut grad[block.range.clone()], sums);
        }
    }
}
