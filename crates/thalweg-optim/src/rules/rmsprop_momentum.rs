//! RMSprop with momentum.

use super::average::Average;
use super::epsilon::{Epsilon, Place};
use super::momentum::Rate;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// G ← γG + (1−γ)g²; b ← βb + η/√(G+ε) · g; W ← W − b.
///
/// [`RmsProp`](super::RmsProp) whose steps go on rolling. The `torch` dialect adds ε outside the root and has the learning
/// rate outside the velocity: b ← βb + g/(√G + ε); W ← W − ηb, which differs as soon as the rate changes. Every package
/// has β = 0 by default, which is [`RmsProp`](super::RmsProp); here it is 0.9 in all.
///
/// Source: Hinton, Srivastava & Swersky, *Neural networks for machine learning*, lecture 6e (2012), «further developments
/// of rmsprop», where the combination is named; the form is Graves's (2013), see
/// [`RmsPropCentered`](super::RmsPropCentered).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPropMomentum {
    /// γ.
    pub alpha: f64,
    /// ε.
    pub epsilon: f64,
    /// β.
    pub momentum: f64,
    /// Where ε is added.
    pub place: Place,
    /// Where the learning rate is.
    pub rate: Rate,
}

impl Default for RmsPropMomentum {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// The average, ε, β, and what the gradient and the velocity are multiplied by.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    average: Average<T>,
    epsilon: Epsilon<T>,
    momentum: T,
    of_gradient: T,
    of_velocity: T,
}

impl Method for RmsPropMomentum {
    const INFO: Info = Info {
        name: "rmsprop-momentum",
        title: "RMSprop with momentum",
        summary: "a heavy ball whose every push is divided as in RMSprop",
        paper: "Hinton 2012, lecture 6e",
        formula: ByDialect {
            torch: "G ← γG + (1−γ)g²; b ← βb + g/(√G + ε); W ← W − ηb",
            keras: "G ← γG + (1−γ)g²; b ← βb + η/√(G+ε) · g; W ← W − b",
            optax: "G ← γG + (1−γ)g²; b ← βb + η/√(G+ε) · g; W ← W − b",
            textbook: "G ← γG + (1−γ)g²; b ← βb + η/√(G+ε) · g; W ← W − b",
        },
        learning_rate: ByDialect { torch: 1e-2, keras: 1e-3, optax: 1e-3, textbook: 1e-3 },
        calls: ByDialect {
            torch: Some("torch.optim.RMSprop(model.parameters(), lr={lr}, momentum=0.9)"),
            keras: Some("keras.optimizers.RMSprop({lr}, momentum=0.9)"),
            optax: Some("optax.rmsprop({lr}, momentum=0.9)"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "alpha", symbol: "γ", range: Range::DECAY, field: |rule| &mut rule.alpha },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (alpha, epsilon, place, rate) = match dialect {
            Dialect::Torch => (0.99, 1e-8, Place::Outside, Rate::Outside),
            Dialect::Keras => (0.9, 1e-7, Place::Inside, Rate::Inside),
            Dialect::Optax | Dialect::Textbook => (0.9, 1e-8, Place::Inside, Rate::Inside),
        };
        Self { alpha, epsilon, momentum: 0.9, place, rate }
    }
}

impl Rule for RmsPropMomentum {
    const STATES: &'static [&'static str] = &["square_average", "velocity"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("square_avg", "square_average"),
        TorchState::slot("momentum_buffer", "velocity"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (of_gradient, of_velocity) = self.rate.split(learning_rate);
        Coefficients {
            average: Average::new(self.alpha),
            epsilon: Epsilon::new(self.epsilon, self.place),
            momentum: T::from_f64(self.momentum),
            of_gradient: T::from_f64(of_gradient),
            of_velocity: T::from_f64(of_velocity),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [squares, b]: &mut [T; 2]) -> T {
        c.average.take_in_square(squares, g);
        *b = c.momentum * *b + c.of_gradient * g / c.epsilon.root(*squares);
        w - c.of_velocity * *b
    }
}
