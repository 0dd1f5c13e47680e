//! Momentum.

use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// a ← βa + g; W ← W − ηa (heavy ball).
///
/// Keras (and Sutskever et al. 2013) puts the learning rate inside the velocity, which differs as soon as the rate
/// changes. PyTorch dampens: a ← βa + (1−d)g, but a ← g in the first step; d = 0 everywhere by default.
///
/// Source: Polyak, *Some methods of speeding up the convergence of iteration methods* (1964).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum {
    /// β.
    pub momentum: f64,
    /// d.
    pub dampening: f64,
    /// Where the learning rate is.
    pub rate: Rate,
}

/// Where the learning rate enters a velocity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// a ← βa + ηg; W ← W − a.
    Inside,
    /// a ← βa + g; W ← W − ηa.
    Outside,
}

impl Rate {
    /// What the gradient and the velocity are multiplied by.
    pub(super) fn split(self, learning_rate: f64) -> (f64, f64) {
        match self {
            Self::Inside => (learning_rate, 1.0),
            Self::Outside => (1.0, learning_rate),
        }
    }
}

impl Default for Momentum {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// β, and what the gradient and the velocity are multiplied by.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    beta: T,
    of_gradient: T,
    of_velocity: T,
}

impl Method for Momentum {
    const INFO: Info = Info {
        name: "momentum",
        title: "Momentum",
        summary: "a heavy ball: steps along a decaying sum of gradients",
        paper: "Polyak 1964",
        formula: ByDialect {
            torch: "a ← βa + (1−d)g (first: a ← g); W ← W − ηa",
            keras: "a ← βa + ηg; W ← W − a",
            optax: "a ← βa + g; W ← W − ηa",
            textbook: "a ← βa + g; W ← W − ηa",
        },
        learning_rate: ByDialect { torch: 1e-3, keras: 1e-2, optax: 1e-2, textbook: 1e-2 },
        calls: ByDialect {
            torch: Some("torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)"),
            keras: Some("keras.optimizers.SGD({lr}, momentum=0.9)"),
            optax: Some("optax.sgd({lr}, momentum=0.9)"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum },
        Hyper { name: "dampening", symbol: "d", range: Range::SHARE, field: |rule| &mut rule.dampening },
    ];
    fn preset(dialect: Dialect) -> Self {
        let rate = if dialect == Dialect::Keras { Rate::Inside } else { Rate::Outside };
        Self { momentum: 0.9, dampening: 0.0, rate }
    }
}

impl Rule for Momentum {
    const STATES: &'static [&'static str] = &["velocity"];
    const TORCH_STATES: Option<&'static [TorchState]> =
        Some(&[TorchState::slot("momentum_buffer", "velocity")]);

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::ZERO]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (inside, outside) = self.rate.split(learning_rate);
        let kept = if step == 1 { 1.0 } else { 1.0 - self.dampening };
        Coefficients {
            beta: T::from_f64(self.momentum),
            of_gradient: T::from_f64(kept * inside),
            of_velocity: T::from_f64(outside),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [a]: &mut [T; 1]) -> T {
        *a = c.beta * *a + c.of_gradient * g;
        w - c.of_velocity * *a
    }
}
