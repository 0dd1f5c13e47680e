//! Centered RMSprop.

use super::average::Average;
use super::epsilon::{Epsilon, Place};
use super::momentum::Rate;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::packed::Precision;
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::{TorchKind, TorchState};

/// G ← γG + (1−γ)g²; ḡ ← γḡ + (1−γ)g; b ← βb + η/√(G − ḡ² + ε) · g; W ← W − b.
///
/// [`RmsProp`](super::RmsProp) that divides by the gradient's standard deviation instead of its root mean square, with or
/// without momentum. The `torch` dialect adds ε outside the root and has the learning rate outside the velocity:
/// b ← βb + g/(√(G − ḡ²) + ε); W ← W − ηb. The packages have β = 0 by default; the paper has 0.9, γ = 0.95 and ε = η =
/// 1e-4.
///
/// Where the gradient hardly changes, G − ḡ² is a difference of equals: rounding may make it negative, and the packages
/// then step to NaN, or leap by g/ε. Here it is never taken for less than G's last digit is worth (G times the number
/// type's machine epsilon), so a gradient that does not change pushes by at most 2.9e3 in f32 and 6.7e7 in f64. Above
/// that, all agree.
///
/// Source: Graves, *Generating sequences with recurrent neural networks* (2013), equations 38 to 45.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPropCentered {
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

impl Default for RmsPropCentered {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// The averages, ε, β, and what the gradient and the velocity are multiplied by.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    average: Average<T>,
    epsilon: Epsilon<T>,
    momentum: T,
    of_gradient: T,
    of_velocity: T,
}

impl Method for RmsPropCentered {
    const INFO: Info = Info {
        name: "rmsprop-centered",
        title: "Centered RMSprop",
        summary: "divides each step by the gradient's moving standard deviation",
        paper: "Graves 2013",
        formula: ByDialect {
            torch: "G ← γG + (1−γ)g²; ḡ ← γḡ + (1−γ)g; b ← βb + g/(√(G − ḡ²) + ε); W ← W − ηb",
            keras: "G ← γG + (1−γ)g²; ḡ ← γḡ + (1−γ)g; b ← βb + η/√(G − ḡ² + ε) · g; W ← W − b",
            optax: "G ← γG + (1−γ)g²; ḡ ← γḡ + (1−γ)g; b ← βb + η/√(G − ḡ² + ε) · g; W ← W − b",
            textbook: "G ← γG + (1−γ)g²; ḡ ← γḡ + (1−γ)g; b ← βb + η/√(G − ḡ² + ε) · g; W ← W − b",
        },
        learning_rate: ByDialect { torch: 1e-2, keras: 1e-3, optax: 1e-3, textbook: 1e-4 },
        calls: ByDialect {
            torch: Some("torch.optim.RMSprop(model.parameters(), lr={lr}, centered=True)"),
            keras: Some("keras.optimizers.RMSprop({lr}, centered=True)"),
            optax: Some("optax.rmsprop({lr}, centered=True)"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "alpha", symbol: "γ", range: Range::DECAY, field: |rule| &mut rule.alpha },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (alpha, epsilon, momentum) = match dialect {
            Dialect::Torch => (0.99, 1e-8, 0.0),
            Dialect::Keras => (0.9, 1e-7, 0.0),
            Dialect::Optax => (0.9, 1e-8, 0.0),
            Dialect::Textbook => (0.95, 1e-4, 0.9),
        };
        let (place, rate) = match dialect {
            Dialect::Torch => (Place::Outside, Rate::Outside),
            _ => (Place::Inside, Rate::Inside),
        };
        Self { alpha, epsilon, momentum, place, rate }
    }
}

impl Rule for RmsPropCentered {
    const STATES: &'static [&'static str] = &["square_average", "gradient_average", "velocity"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("square_avg", "square_average"),
        TorchState::slot("grad_avg", "gradient_average"),
        TorchState { torch: "momentum_buffer", own: "velocity", kind: TorchKind::SlotOrZero },
    ]);

    const SHORTEST: (Precision, &str) = (
        Precision::Full,
        "its variance is a difference of two averages, of which rounding leaves nothing; leave the precision out",
    );

    type State<T: Real> = [T; 3];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 3] {
        [T::ZERO; 3]
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
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [squares, mean, b]: &mut [T; 3]) -> T {
        c.average.take_in_square(squares, g);
        c.average.take_in(mean, g);
        let variance = (*squares - *mean * *mean).max(T::EPSILON * *squares);
        *b = c.momentum * *b + c.of_gradient * g / c.epsilon.root(variance);
        w - c.of_velocity * *b
    }
}
