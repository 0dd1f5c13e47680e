//! Sharpness-aware minimization.

use super::climb::{self, length};
use super::passes::pairs;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, StepReport};
use crate::real::Real;
use crate::riders::Riders;

/// The gradient is taken where the loss is (nearly) highest within ρ of W: e = ρ·g/‖g‖ with g = ∇L(W), and the method
/// inside steps with ∇L(W + e). Two gradients a step.
///
/// As `optax.contrib.sam`; where ‖g‖ = 0 there is nowhere to climb, and the step is taken with g itself (optax divides by
/// zero). What rides acts on the second gradient. A look-ahead rule climbs from the point it looks at, and a line search
/// sees L(w + e(w)) for L. The value reported is L(W).
///
/// Source: Foret et al., *Sharpness-aware minimization for efficiently improving generalization* (2021).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sam {
    /// ρ.
    pub rho: f64,
}

impl Default for Sam {
    fn default() -> Self {
        Self { rho: 0.05 }
    }
}

impl Wrapper for Sam {
    const INFO: WrapperInfo = WrapperInfo {
        name: "sam",
        summary: "takes the gradient uphill of W, which leads to flatter minima",
        formula: "e = ρ·g/‖g‖; g ← ∇L(W + e)",
        paper: "Foret et al. 2021",
    };
    const SETTINGS: &'static [Setting<Self>] = &[Setting {
        key: "rho",
        name: "sam_rho",
        symbol: "ρ",
        range: Range::NON_NEGATIVE,
        field: |wrapper| &mut wrapper.rho,
    }];
    const DRIVES: bool = true;

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
        let (rho, threads) = (self.rho, memory.threads.clone());
        let uphill = |w: &[T], grad: &[T], point: &mut Vec<T>| {
            let Some(norm) = length(grad, &threads) else { return false };
            let step = T::from_f64(rho / norm);
            point.clear();
            point.extend_from_slice(w);
            pairs(point, grad, &threads, move |w, g| *w += step * g);
            true
        };
        climb::drive(uphill, inner, memory, w, average, f, learning_rate, riders)
    }
}
