//! Techniques that go around the optimizer: the wrappers of `thalweg_optim::wrap` that regularize.
//!
//! Penalties: λ stands before ½‖W‖², whose gradient is λW, and before ‖W‖₁, whose gradient is λ·sign W. They leave biases
//! and the scales of norms alone (`weights-only = 1`), for what these do is no complexity; PyTorch's `weight_decay` is
//! `weights-only = 0`. Groups of the optimizer's recipe multiply them by role or name, as any decay.

use thalweg_optim::{Range, WrapSpec};

use super::noise::law::UNIFORM;
use super::technique::{Course, Family, Info, Setting, Technique};

/// A wrapper as a technique.
pub(super) struct Wraps {
    info: Info,
    /// The wrapper's name.
    wrapper: &'static str,
    /// Turns the values of the settings into the wrapper's.
    values: fn(WrapSpec, &[f64], Course) -> WrapSpec,
}

impl Technique for Wraps {
    fn info(&self) -> &Info {
        &self.info
    }

    fn wrap(&self, values: &[f64], course: Course) -> Option<WrapSpec> {
        Some((self.values)(WrapSpec::named(self.wrapper), values, course))
    }
}

const DECAY: Setting = Setting { key: "decay", symbol: "λ", range: Range::NON_NEGATIVE, default: 1e-3 };
const WEIGHTS_ONLY: Setting =
    Setting { key: "weights-only", symbol: "weights only", range: Range::SWITCH, default: 1.0 };

fn decay(spec: WrapSpec, values: &[f64], _course: Course) -> WrapSpec {
    spec.with("decay", values[0]).with("weights-only", values[1])
}

pub(super) static L1: Wraps = Wraps {
    info: Info {
        name: "l1",
        family: Family::Penalty,
        summary: "pulls every weight towards zero by the same amount, through the gradient",
        formula: "g ← g + λ·sign(W), the gradient of λ‖W‖₁",
        source: "Tibshirani 1996",
        settings: &[Setting { default: 1e-4, ..DECAY }, WEIGHTS_ONLY],
        strengths: &[1e-5, 1e-4, 1e-3],
    },
    wrapper: "l1",
    values: decay,
};

pub(super) static LASSO_PROX: Wraps = Wraps {
    info: Info {
        name: "lasso-prox",
        family: Family::Penalty,
        summary: "moves every weight towards zero by the same amount after each step, and makes small ones zero",
        formula: "W ← sign(W)·max(|W| − ηλ, 0)",
        source: "Beck & Teboulle 2009; Duchi & Singer 2009",
        settings: &[Setting { default: 1e-4, ..DECAY }, WEIGHTS_ONLY],
        strengths: &[1e-5, 1e-4, 1e-3],
    },
    wrapper: "lasso-prox",
    values: decay,
};

pub(super) static L2: Wraps = Wraps {
    info: Info {
        name: "l2",
        family: Family::Penalty,
        summary: "pulls weights towards zero through the gradient: ridge regression, coupled weight decay",
        formula: "g ← g + λW, the gradient of ½λ‖W‖²",
        source: "Hoerl & Kennard 1970; Krogh & Hertz 1992",
        settings: &[DECAY, WEIGHTS_ONLY],
        strengths: &[1e-4, 1e-3, 1e-2],
    },
    wrapper: "weight-decay",
    values: decay,
};

pub(super) static ELASTIC_NET: Wraps = Wraps {
    info: Info {
        name: "elastic-net",
        family: Family::Penalty,
        summary: "L1 and L2 together",
        formula: "g ← g + λ·(ρ·sign(W) + (1 − ρ)·W)",
        source: "Zou & Hastie 2005",
        settings: &[
            DECAY,
            Setting { key: "ratio", symbol: "ρ", range: Range::SHARE, default: 0.5 },
            WEIGHTS_ONLY,
        ],
        strengths: &[1e-5, 1e-4, 1e-3],
    },
    wrapper: "elastic-net",
    values: |spec, values, _| {
        spec.with("decay", values[0]).with("ratio", values[1]).with("weights-only", values[2])
    },
};

pub(super) static DECOUPLED_DECAY: Wraps = Wraps {
    info: Info {
        name: "decoupled-decay",
        family: Family::Penalty,
        summary: "shrinks weights beside the gradient, as AdamW does",
        formula: "W ← (1 − ηλ)W",
        source: "Loshchilov & Hutter 2019",
        settings: &[Setting { default: 1e-2, ..DECAY }, WEIGHTS_ONLY],
        strengths: &[1e-2, 1e-1, 1.0],
    },
    wrapper: "decoupled-decay",
    values: decay,
};

pub(super) static MAX_NORM: Wraps = Wraps {
    info: Info {
        name: "max-norm",
        family: Family::Penalty,
        summary: "keeps the weights that lead to each unit within a ball",
        formula: "Wⱼ ← Wⱼ·min(1, c/‖Wⱼ‖) for each unit, filter, or code of an embedding",
        source: "Srebro & Shraibman 2005; Srivastava et al. 2014",
        settings: &[Setting { key: "radius", symbol: "c", range: Range::POSITIVE, default: 3.0 }],
        strengths: &[4.0, 3.0, 2.0],
    },
    wrapper: "max-norm",
    values: |spec, values, _| spec.with("radius", values[0]),
};

pub(super) static GRADIENT_NOISE: Wraps = Wraps {
    info: Info {
        name: "gradient-noise",
        family: Family::Noise,
        summary: "normal or uniform noise on the gradient that fades with the steps",
        formula: "g ← g + n, n of mean 0 and variance η/(1 + t)^γ; normal, or uniform if u = 1",
        source: "Neelakantan et al. 2015",
        settings: &[
            Setting { key: "eta", symbol: "η", range: Range::NON_NEGATIVE, default: 0.01 },
            Setting { key: "gamma", symbol: "γ", range: Range::NON_NEGATIVE, default: 0.55 },
            UNIFORM,
        ],
        strengths: &[1e-4, 1e-3, 1e-2],
    },
    wrapper: "gradient-noise",
    values: |spec, values, course| {
        // The wrapper's seed is one of its settings, so a number that f64 holds.
        let seed = course.seed & ((1 << 53) - 1);
        let spec = spec.with("eta", values[0]).with("gamma", values[1]);
        spec.with("seed", seed as f64).with("uniform", values[2])
    },
};

pub(super) static CLIP_NORM: Wraps = Wraps {
    info: Info {
        name: "clip-norm",
        family: Family::Steps,
        summary: "shortens a gradient that is longer than a bound",
        formula: "g ← g · min(1, c/‖g‖)",
        source: "Pascanu et al. 2013",
        settings: &[Setting { key: "max-norm", symbol: "c", range: Range::POSITIVE, default: 1.0 }],
        strengths: &[10.0, 1.0, 0.1],
    },
    wrapper: "clip-norm",
    values: |spec, values, _| spec.with("max-norm", values[0]),
};

/// The running statistics of batch normalization are taken anew for the average, as for SWA.
pub(super) static EMA: Wraps = Wraps {
    info: Info {
        name: "ema",
        family: Family::Steps,
        summary: "judges the model by a moving average of its weights",
        formula: "a ← βa + (1 − β)W",
        source: "Polyak & Juditsky 1992",
        settings: &[Setting { key: "decay", symbol: "β", range: Range::DECAY, default: 0.99 }],
        strengths: &[0.9, 0.99, 0.999],
    },
    wrapper: "ema",
    values: |spec, values, _| spec.with("decay", values[0]),
};

/// The start is a share of the training, so that it means the same for any number of rows and epochs. The running statistics
/// of batch normalization are taken anew for the average, as the paper does: one more forward pass over the training rows
/// wherever the average is judged.
pub(super) static SWA: Wraps = Wraps {
    info: Info {
        name: "swa",
        family: Family::Steps,
        summary: "judges the model by the plain average of its weights over the last part of the training",
        formula: "a ← a + (W − a)/n from the share s of the steps on, every k steps",
        source: "Izmailov et al. 2018",
        settings: &[
            Setting { key: "start", symbol: "s", range: Range::DECAY, default: 0.75 },
            Setting { key: "every", symbol: "k", range: Range::COUNT, default: 1.0 },
        ],
        strengths: &[0.9, 0.75, 0.5],
    },
    wrapper: "swa",
    values: |spec, values, course| {
        let start = (values[0] * course.steps as f64).floor();
        spec.with("start", start).with("every", values[1])
    },
};

pub(super) static SAM: Wraps = Wraps {
    info: Info {
        name: "sam",
        family: Family::Steps,
        summary: "takes the gradient where the loss nearby is largest: seeks flat places, at two gradients a step",
        formula: "e = ρ·g/‖g‖; g ← ∇L(W + e)",
        source: "Foret et al. 2021",
        settings: &[Setting { key: "rho", symbol: "ρ", range: Range::NON_NEGATIVE, default: 0.05 }],
        strengths: &[0.02, 0.05, 0.2],
    },
    wrapper: "sam",
    values: |spec, values, _| spec.with("rho", values[0]),
};
