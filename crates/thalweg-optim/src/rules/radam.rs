//! RAdam.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// ρ∞ = 2/(1−β₂) − 1, ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
/// if ρ > threshold: W ← W − η/(1−β₁ᵗ) · r · m √(1−β₂ᵗ)/(√v + ε), r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ));
/// else: W ← W − η/(1−β₁ᵗ) · m.
///
/// [`Adam`](super::Adam) whose first steps, when v is the average of too few squares to be trusted, are momentum's, and
/// whose next are shortened by r, the share that v's variance leaves. The paper's algorithm 2 has the threshold 4 and no
/// ε: the `textbook` adds 1e-8 to the raw root, as the authors' code does. The packages have the threshold 5, as that
/// code, too; `torch` adds ε to the raw root, `optax` to the corrected one. `keras` does not have it.
///
/// Source: Liu, Jiang, He et al., *On the variance of the adaptive learning rate and beyond* (2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RAdam {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// The ρ above which v is trusted; at least 4, where r begins.
    pub threshold: f64,
    /// Where ε is added.
    pub place: Place,
}

impl Default for RAdam {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η/(1−β₁ᵗ)·r, the averages, whether v is trusted, 1/√(1−β₂ᵗ) and ε.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    first: Average<T>,
    second: Average<T>,
    trusted: bool,
    scale: T,
    epsilon: Epsilon<T>,
}

impl RAdam {
    /// r where v is trusted.
    fn rectification(&self, step: u64) -> Option<f64> {
        let longest = 2.0 / (1.0 - self.beta2) - 1.0;
        let lacking = correction(self.beta2, step);
        let length = longest - 2.0 * step as f64 * (1.0 - lacking) / lacking;
        (length > self.threshold).then(|| {
            let variance = |length: f64| (length - 4.0) * (length - 2.0) / length;
            (variance(length) / variance(longest)).sqrt()
        })
    }
}

const RAW: &str = "ρ∞ = 2/(1−β₂) − 1, ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                   W ← W − η/(1−β₁ᵗ) · m · (ρ > threshold: r √(1−β₂ᵗ)/(√v + ε), else 1), \
                   r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ))";

impl Method for RAdam {
    const INFO: Info = Info {
        name: "radam",
        title: "RAdam",
        summary: "Adam that begins as momentum, until its divisor can be trusted",
        paper: "Liu et al. 2020",
        formula: ByDialect {
            optax: "ρ∞ = 2/(1−β₂) − 1, ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; \
                    W ← W − η/(1−β₁ᵗ) · m · (ρ > threshold: r/(√(v/(1−β₂ᵗ)) + ε), else 1), \
                    r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ))",
            ..ByDialect::same(RAW)
        },
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect {
            torch: Some("torch.optim.RAdam(model.parameters(), lr={lr})"),
            keras: None,
            optax: Some("optax.radam({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "threshold",
            symbol: "threshold",
            range: Range::at_least(4.0),
            field: |rule| &mut rule.threshold,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (threshold, place) = match dialect {
            Dialect::Torch => (5.0, Place::BeforeCorrection),
            Dialect::Optax => (5.0, Place::Outside),
            Dialect::Keras | Dialect::Textbook => (4.0, Place::BeforeCorrection),
        };
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, threshold, place }
    }
}

impl Rule for RAdam {
    const STATES: &'static [&'static str] = &["gradient_average", "square_average"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("exp_avg", "gradient_average"),
        TorchState::slot("exp_avg_sq", "square_average"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let rectification = self.rectification(step);
        let scale = 1.0 / correction(self.beta2, step).sqrt();
        let rate = learning_rate / correction(self.beta1, step);
        Coefficients {
            rate: T::from_f64(rate * rectification.unwrap_or(1.0)),
            first: Average::new(self.beta1),
            second: Average::new(self.beta2),
            trusted: rectification.is_some(),
            scale: T::from_f64(scale),
            epsilon: Epsilon::corrected(self.epsilon, self.place, scale),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [m, v]: &mut [T; 2]) -> T {
        c.first.take_in(m, g);
        c.second.take_in_square(v, g);
        let root = c.epsilon.scaled_root(*v, c.scale);
        w - c.rate * *m / if c.trusted { root } else { T::ONE }
    }
}
