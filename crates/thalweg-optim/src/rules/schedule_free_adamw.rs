//! Schedule-Free AdamW.

use super::adam::correction;
use super::average::Average;
use super::epsilon::{Epsilon, Place};
use super::schedule_free::{BETA, Pace, Points, SCALARS, average, warm};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::packed::{HOLDS_A_POINT, Precision};
use crate::real::Real;
use crate::rule::Rule;

/// v ← β₂v + (1−β₂)g²; z ← z − η(g/(√v̂ + ε) + λy); x ← (1−c)x + cz; y ← (1−β₁)z + β₁x, with g = ∇L(y), v̂ = v/(1−β₂ᵗ).
/// W is y, where the gradient is taken; the model is judged at x ([`Rule::average`]).
///
/// The average takes the place of Adam's momentum and of a falling learning rate. The dialects differ in c and the
/// warm-up, see [`Pace`]. The textbook corrects η instead of v: ηₜ = η√(1−β₂ᵗ), also where it weighs x and λ. `keras` lets
/// y shrink by ηλ (not warmed up) instead of decaying at z. `torch` is the authors' package.
///
/// Source: Defazio et al., *The road less scheduled* (2024), algorithm 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleFreeAdamW {
    /// β₁, between z and x.
    pub beta1: f64,
    /// β₂, of the squares.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ.
    pub weight_decay: f64,
    /// T: over as many steps the learning rate rises to its full height.
    pub warmup_steps: f64,
    /// How x follows z.
    pub pace: Pace,
    /// What the start of v at zero is made up for with.
    pub corrects: Corrects,
    /// What decays.
    pub decays: Decays,
}

/// What makes up for the start of v at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrects {
    /// v̂ = v/(1−β₂ᵗ).
    Square,
    /// ηₜ = η√(1−β₂ᵗ).
    Rate,
}

/// Where the decay of [`ScheduleFreeAdamW`] acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decays {
    /// z ← z − ηλy.
    Step,
    /// y ← y − ηλy.
    Point,
}

impl Default for ScheduleFreeAdamW {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// How the points move, the average of squares, its scale, ε and λ.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    points: Points<T>,
    square: Average<T>,
    scale: T,
    epsilon: Epsilon<T>,
    decay: T,
}

impl Method for ScheduleFreeAdamW {
    const INFO: Info = Info {
        name: "schedule-free-adamw",
        title: "Schedule-Free AdamW",
        summary: "AdamW at a point between its steps and their average; needs no falling learning rate",
        paper: "Defazio et al. 2024",
        formula: ByDialect {
            torch: "v ← β₂v + (1−β₂)g²; z ← z − η(g/(√v̂ + ε) + λy); c = η²_max/Σ η²_max; x ← (1−c)x + cz; \
                    W = y ← (1−β₁)z + β₁x",
            keras: "y ← y − ηλy; v ← β₂v + (1−β₂)g²; z ← z − ηg/(√v̂ + ε); c = 1/t; x ← (1−c)x + cz; \
                    W = y ← (1−β₁)z + β₁x",
            optax: "v ← β₂v + (1−β₂)g²; z ← z − ηₜ₋₁(g/(√v̂ + ε) + λy); c = η²_max/Σ η²_max; \
                    x ← (1−c)x + cz; W = y ← (1−β₁)z + β₁x",
            textbook: "v ← β₂v + (1−β₂)g²; ηₜ = η√(1−β₂ᵗ); z ← z − ηₜ(g/(√v + ε) + λy); c = ηₜ²/Σ ηₜ²; \
                       x ← (1−c)x + cz; W = y ← (1−β₁)z + β₁x",
        },
        learning_rate: ByDialect::same(2.5e-3),
        calls: ByDialect {
            torch: Some("schedulefree.AdamWScheduleFree(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.ScheduleFreeAdamW({lr})"),
            optax: Some("optax.contrib.schedule_free_adamw({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: BETA, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
        Hyper {
            name: "warmup_steps",
            symbol: "T",
            range: Range::NON_NEGATIVE.whole(),
            field: |rule| &mut rule.warmup_steps,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let (pace, corrects, decays) = match dialect {
            Dialect::Torch => (Pace::LargestRate, Corrects::Square, Decays::Step),
            Dialect::Keras => (Pace::Equal, Corrects::Square, Decays::Point),
            Dialect::Optax => (Pace::LargestRateLate, Corrects::Square, Decays::Step),
            Dialect::Textbook => (Pace::OwnRate, Corrects::Rate, Decays::Step),
        };
        let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
        Self { beta1, beta2, epsilon, weight_decay: 0.0, warmup_steps: 0.0, pace, corrects, decays }
    }
}

impl Rule for ScheduleFreeAdamW {
    const STATES: &'static [&'static str] = &["stepping_point", "square_average"];
    const SHORTEST: (Precision, &str) = (Precision::Bf16, HOLDS_A_POINT);
    const SCALARS: &'static [&'static str] = SCALARS;

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, scalars: &mut [f64]) -> Coefficients<T> {
        let lack = correction(self.beta2, step).sqrt();
        let (corrected, scale) = match self.corrects {
            Corrects::Square => (learning_rate, 1.0 / lack),
            Corrects::Rate => (learning_rate * lack, 1.0),
        };
        let (in_step, in_point) = match self.decays {
            Decays::Step => (self.weight_decay, 0.0),
            Decays::Point => (0.0, learning_rate * self.weight_decay),
        };
        let follow = self.pace.weigh(step, warm(step, corrected, self.warmup_steps), scalars);
        let rate = self.pace.rate(step, corrected, self.warmup_steps);
        Coefficients {
            points: Points::new(step, rate, self.beta1, follow, in_point),
            square: Average::new(self.beta2),
            scale: T::from_f64(scale),
            epsilon: Epsilon::new(self.epsilon, Place::Outside),
            decay: T::from_f64(in_step),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [z, v]: &mut [T; 2]) -> T {
        c.square.take_in_square(v, g);
        let direction = g / c.epsilon.scaled_root(*v, c.scale);
        c.points.step(w, z, |y| direction + c.decay * y)
    }

    fn averages(&self) -> bool {
        true
    }

    #[inline(always)]
    fn average<T: Real>(&self, w: T, &[z, _]: &[T; 2]) -> T {
        average(self.beta1, w, z)
    }
}
