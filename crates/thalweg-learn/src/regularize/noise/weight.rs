//! Noise on the weights, fresh in each step and never stored.

use std::ops::Range as Span;

use thalweg_optim::params::{Layout, Role};
use thalweg_optim::{Objective, Range};

use super::super::draws::Draws;
use super::super::technique::{Family, Info, Setting, Technique};
use super::law::{Noise, UNIFORM};
use crate::kernel::draw::Bits;

/// The loss and its gradient are taken at W + σ·n, and the gradient is applied to W (Graves, *Practical variational
/// inference for neural networks*, 2011; Murray & Edwards 1994 for the idea). n is of mean 0 and deviation 1 for each weight,
/// normal or uniform in [−√3, √3), drawn anew in each step and fixed within it, so that a method may ask several times. Biases and the scales of norms have none. The
/// running statistics of batch normalization see the noisy network.
pub(crate) struct WeightNoise;

impl Technique for WeightNoise {
    fn info(&self) -> &Info {
        &Info {
            name: "weight-noise",
            family: Family::Noise,
            summary: "takes each gradient at weights with fresh noise, which is not kept",
            formula: "g ← ∇L(W + σn), n of mean 0 and deviation 1, new in each step; normal, or uniform if u = 1",
            source: "Murray & Edwards 1994; Graves 2011",
            settings: &[
                Setting { key: "deviation", symbol: "σ", range: Range::NON_NEGATIVE, default: 0.01 },
                UNIFORM,
            ],
            strengths: &[0.01, 0.03, 0.1],
        }
    }

    fn weight_noise(&self, values: &[f64]) -> Option<Noise> {
        Some(Noise { deviation: values[0] as f32, uniform: values[1] != 0.0 })
    }
}

/// The memory of noisy weights.
#[derive(Debug)]
pub struct NoisyWeights {
    key: u64,
    law: Noise,
    /// Where the weights lie.
    weights: Vec<Span<usize>>,
    noise: Vec<f32>,
    point: Vec<f32>,
}

impl NoisyWeights {
    pub(crate) fn new(law: Noise, layout: &Layout, key: u64) -> Self {
        let weights = layout.blocks().iter().filter(|block| block.role == Role::Weight);
        Self {
            key,
            law,
            weights: weights.map(|block| block.range.clone()).collect(),
            noise: vec![0.0; layout.len()],
            point: vec![0.0; layout.len()],
        }
    }

    /// The objective at weights with the noise of a step.
    pub fn around<'a>(&'a mut self, inner: &'a mut dyn Objective<f32>, step: u64) -> Noisy<'a> {
        let key = Draws::key(self.key, step);
        for (block, range) in self.weights.iter().enumerate() {
            let bits = Bits::new(Draws::key(key, block as u64), 0.0);
            let noise = &mut self.noise[range.clone()];
            noise.fill(0.0);
            self.law.add(bits, noise);
        }
        Noisy { inner, noise: &self.noise, point: &mut self.point }
    }
}

/// f(w + noise).
pub struct Noisy<'a> {
    inner: &'a mut dyn Objective<f32>,
    noise: &'a [f32],
    point: &'a mut [f32],
}

impl Noisy<'_> {
    fn move_to(&mut self, w: &[f32]) {
        for ((point, &w), &noise) in self.point.iter_mut().zip(w).zip(self.noise) {
            *point = w + noise;
        }
    }
}

impl Objective<f32> for Noisy<'_> {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn value(&mut self, w: &[f32]) -> f32 {
        self.move_to(w);
        self.inner.value(self.point)
    }

    fn value_and_grad(&mut self, w: &[f32], grad: &mut [f32]) -> f32 {
        self.move_to(w);
        self.inner.value_and_grad(self.point, grad)
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::{Optimizer, Rule, Sgd, from_fn};

    use super::*;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.push("weight", &[20, 25], Role::Weight);
        layout.push("bias", &[25], Role::Bias);
        layout
    }

    #[test]
    fn the_gradient_is_taken_beside_w_and_applied_to_w() {
        let layout = layout();
        for (uniform, most) in [(false, f32::INFINITY), (true, 0.1 * 3.0_f32.sqrt())] {
            let mut noisy = NoisyWeights::new(Noise { deviation: 0.1, uniform }, &layout, 3);
            let mut w = vec![1.0_f32; layout.len()];
            // f = ½‖w‖²: the gradient is the point where it is taken.
            let mut seen = Vec::new();
            let mut f = from_fn(layout.len(), |w: &[f32], grad: &mut [f32]| {
                seen.push(w.to_vec());
                grad.copy_from_slice(w);
                w.iter().map(|w| w * w).sum::<f32>() / 2.0
            });
            let mut sgd = Sgd.optimizer::<f32>(layout.len()).unwrap();
            let mut around = noisy.around(&mut f, 7);
            let first = around.value(&w);
            sgd.step(&mut w, &mut around, 0.5).unwrap();
            assert_eq!(first, around.value(&[1.0; 525]), "the noise is fixed within a step");
            let mut other = vec![0.0; 525];
            noisy.around(&mut f, 8).value_and_grad(&[1.0; 525], &mut other);
            let point = seen[0].clone();
            assert!(w.iter().zip(&point).all(|(w, point)| *w == 1.0 - 0.5 * point));
            assert!(point[500..].iter().all(|w| *w == 1.0), "biases have no noise");
            let variance = point[..500].iter().map(|w| (w - 1.0).powi(2)).sum::<f32>() / 500.0;
            assert!((variance / 0.01 - 1.0).abs() < 0.32, "{variance}");
            let largest = point.iter().fold(0.0_f32, |most, w| most.max((w - 1.0).abs()));
            assert!(largest <= most + 1e-6 && largest > 0.17, "uniform: {uniform}: up to {largest}");
            assert_ne!(other, point, "another step has other noise");
        }
    }
}
