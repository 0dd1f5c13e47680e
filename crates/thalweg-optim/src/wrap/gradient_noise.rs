//! Noise on the gradient.

use rand::RngCore;

use super::{Memory, Setting, Wrapper, WrapperInfo};
use crate::hyper::Range;
use crate::optimizer::{Optimizer, Outcome};
use crate::params::Layout;
use crate::random::{spread, stream};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Grad, Span, recycle};
use crate::threads::Threads;

/// Elements that are drawn at a time; even, since numbers come in pairs.
const CHUNK: usize = 1 << 12;
/// Elements from which on a second thread pays for its waking: a normal number costs more than a step of a rule.
const PARALLEL_FROM: usize = 1 << 13;
/// The words of a stream that two numbers take.
const WORDS: usize = 4;

/// g ← g + n with n of mean 0 and variance σ² for each number on its own, and σ² = η/(1+t)^γ in the step behind t others.
///
/// n is normal, or with `uniform` from [−√3·σ, √3·σ), whose standard deviation is σ, too: η means the same in both.
///
/// As `optax.add_noise(eta, gamma, seed)`, by law: the draws are others. They are keyed by the seed, the name of the block,
/// t and the place within the block, so that threads, and how W is cut into arrays, do not change a bit. t is part of the
/// state, the seed a setting; gradients that a guard refused do not count. What rides from outside (a guard, a clip)
/// acts before the noise, what is inside after: `clip-norm` outside bounds the gradient, inside the noise with it.
///
/// Source: Neelakantan et al., *Adding gradient noise improves learning for very deep networks* (2015), who have γ = 0.55
/// and η of 0.01, 0.3 or 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNoise {
    /// η: the variance in the first step.
    pub eta: f64,
    /// γ.
    pub gamma: f64,
    /// Of the draws.
    pub seed: f64,
    /// 1 for uniform noise, 0 for normal.
    pub uniform: f64,
}

impl Default for GradientNoise {
    fn default() -> Self {
        Self { eta: 0.01, gamma: 0.55, seed: 0.0, uniform: 0.0 }
    }
}

/// 2⁻⁵³: a step between two neighbours of what a uniform number can be.
const STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// Two normal numbers of mean 0 and variance 1 (Box & Muller 1958), with libm's functions: the same bits on every machine.
fn normals(random: &mut impl RngCore) -> [f64; 2] {
    // In (0, 1], so that the logarithm is finite; in [0, 1).
    let [first, second] = [1, 0].map(|least| ((random.next_u64() >> 11) + least) as f64 * STEP);
    let radius = (-2.0 * libm::log(first)).sqrt();
    let (sine, cosine) = libm::sincos(std::f64::consts::TAU * second);
    [radius * cosine, radius * sine]
}

/// Two numbers from [−√3, √3): of mean 0 and variance 1, from as many words of the stream as [`normals`].
fn uniforms(random: &mut impl RngCore) -> [f64; 2] {
    [(); 2].map(|()| 3_f64.sqrt() * (2.0 * ((random.next_u64() >> 11) as f64 * STEP) - 1.0))
}

/// Adds noise to a stretch of a block that begins at the even place `start`.
fn add<T: Real>(grad: &mut [T], key: u64, step: u64, start: usize, deviation: f64, uniform: bool) {
    let mut random = stream(key, "gradient-noise", step);
    random.set_word_pos((start / 2 * WORDS) as u128);
    for pair in grad.chunks_mut(2) {
        let drawn = if uniform { uniforms(&mut random) } else { normals(&mut random) };
        for (g, number) in pair.iter_mut().zip(drawn) {
            *g += T::from_f64(deviation * number);
        }
    }
}

impl GradientNoise {
    /// σ in the step behind `steps` others.
    fn deviation(&self, steps: u64) -> f64 {
        (self.eta / libm::pow(1.0 + steps as f64, self.gamma)).sqrt()
    }

    /// Adds noise to the gradient of all blocks.
    fn disturb<T: Real>(&self, grad: &mut [T], steps: u64, layout: &Layout, threads: &Threads) {
        let (deviation, uniform) = (self.deviation(steps), self.uniform != 0.0);
        if deviation == 0.0 {
            return;
        }
        let key = |name: &str| self.seed as u64 ^ spread(name.as_bytes());
        if threads.count() == 1 || grad.len() < PARALLEL_FROM {
            for block in layout.blocks() {
                add(&mut grad[block.range.clone()], key(&block.name), steps, 0, deviation, uniform);
            }
            return;
        }
        let (mut rest, mut parts) = (grad, Vec::new());
        for block in layout.blocks() {
            let own = rest.split_off_mut(..block.range.len()).unwrap_or_default();
            let starts = (0..).step_by(CHUNK);
            let chunks = own.chunks_mut(CHUNK).zip(starts);
            parts.extend(chunks.map(|(chunk, start)| (chunk, key(&block.name), start)));
        }
        threads.share(&mut parts, |(chunk, key, start)| add(chunk, *key, steps, *start, deviation, uniform));
    }
}

impl Wrapper for GradientNoise {
    const INFO: WrapperInfo = WrapperInfo {
        name: "gradient-noise",
        summary: "adds normal or uniform noise to the gradient, less and less of it",
        formula: "g ← g + n, n of mean 0 and variance η/(1+t)^γ",
        paper: "Neelakantan et al. 2015",
    };
    const SETTINGS: &'static [Setting<Self>] = &[
        Setting {
            key: "eta",
            name: "gradient_noise_eta",
            symbol: "η",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.eta,
        },
        Setting {
            key: "gamma",
            name: "gradient_noise_gamma",
            symbol: "γ",
            range: Range::NON_NEGATIVE,
            field: |wrapper| &mut wrapper.gamma,
        },
        Setting {
            key: "seed",
            name: "gradient_noise_seed",
            symbol: "seed",
            // Whole numbers that an f64 tells apart.
            range: Range::between(0.0, 9_007_199_254_740_992.0).whole(),
            field: |wrapper| &mut wrapper.seed,
        },
        Setting {
            key: "uniform",
            name: "gradient_noise_uniform",
            symbol: "uniform",
            range: Range::SWITCH,
            field: |wrapper| &mut wrapper.uniform,
        },
    ];
    const COUNT: Option<&'static str> = Some("disturbed");
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
        let Memory { scratch, spans: spent, threads, count, .. } = memory;
        let (scale, limit) =
            (T::from_f64(riders.scale), T::from_f64(riders.clip_value.unwrap_or(f64::INFINITY)));
        scratch.clear();
        for span in spans.iter() {
            scratch.extend(span.grad.values().iter().map(|&g| (g * scale).min(limit).max(-limit)));
        }
        self.disturb(scratch, *count, inner.layout(), threads);
        let mut rest = &scratch[..];
        let mut own: Vec<Span<'_, T>> = recycle(std::mem::take(spent));
        for span in spans.iter_mut() {
            let disturbed = rest.split_off(..span.len()).unwrap_or_default();
            own.push(Span { grad: Grad::Read(disturbed), ..span.reborrow() });
        }
        let inner = inner.apply(&mut own, learning_rate, Riders { scale: 1.0, clip_value: None, ..riders });
        *spent = recycle(own);
        *count += u64::from(!inner.skipped);
        spans.iter_mut().for_each(Span::clear);
        Outcome { norm: inner.norm.or(outcome.norm), ..inner }
    }
}
