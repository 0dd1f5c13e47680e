//! Adaptive sharpness-aware minimization.

use super::climb::{self, length};
use super::passes::pairs;
use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, StepReport};
use crate::params::Role;
use crate::real::Real;
use crate::riders::Riders;

/// SAM whose ρ is measured in each weight's own size, so that it does not depend on the scale of the weights:
/// e = ρ·T²g/‖Tg‖ with T = |W| + η for weights and scales and 1 for biases; the method inside steps with ∇L(W + e).
///
/// Biases are left out as in the authors' code. All else as [`Sam`](super::Sam).
///
/// Source: Kwon et al., *ASAM: adaptive sharpness-aware minimization for scale-invariant learning of deep neural
/// networks* (2021).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asam {
    /// ρ.
    pub rho: f64,
    /// η, so that a weight of zero moves too.
    pub eta: f64,
}

impl Default for Asam {
    fn default() -> Self {
        Self { rho: 0.5, eta: 0.01 }
    }
}

impl Wrapper for Asam {
    const INFO: WrapperInfo = WrapperInfo {
        name: "asam",
        summary: "SAM in units of each weight's own size",
        formula: "T = |W| + η; e = ρ·T²g/‖Tg‖; g ← ∇L(W + e)",
        paper: "Kwon et al. 2021",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "rho",
            name: "asam_rho",
            symbol: "ρ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.rho,
        },
        Setting {
            key: "eta",
            name: "asam_eta",
            symbol: "η",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.eta,
        },
    ];
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
        let eta = T::from_f64(self.eta);
        let layout = std::mem::take(&mut memory.layout);
        let uphill = |w: &[T], grad: &[T], point: &mut Vec<T>| {
            // First Tg, whose norm is wanted; then w + ρ/‖Tg‖·T·Tg.
            point.clear();
            point.extend_from_slice(w);
            let own = layout.blocks().iter().map(|block| (block.range.clone(), block.role == Role::Bias));
            for (range, bias) in own.clone() {
                let (point, grad) = (&mut point[range.clone()], &grad[range]);
                if bias {
                    point.copy_from_slice(grad);
                } else {
                    pairs(point, grad, &threads, move |w, g| *w = (w.abs() + eta) * g);
                }
            }
            let Some(norm) = length(point, &threads) else { return false };
            let step = T::from_f64(rho / norm);
            for (range, bias) in own {
                let (point, w) = (&mut point[range.clone()], &w[range]);
                if bias {
                    pairs(point, w, &threads, move |t, w| *t = w + step * *t);
                } else {
                    pairs(point, w, &threads, move |t, w| *t = w + step * (w.abs() + eta) * *t);
                }
            }
            true
        };
        let report = climb::drive(uphill, inner, memory, w, average, f, learning_rate, riders);
        memory.layout = layout;
        report
    }
}
