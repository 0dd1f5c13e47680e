//! Schedule-Free SGD.

use super::schedule_free::{BETA, Pace, Points, SCALARS, average, warm};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::packed::{HOLDS_A_POINT, Precision};
use crate::real::Real;
use crate::rule::Rule;

/// z ← z − η(∇L(y) + λy); x ← (1−c)x + cz; y ← (1−β)z + βx. W is y, where the gradient is taken; the model is judged at
/// x ([`Rule::average`]).
///
/// An average takes the place of a falling learning rate, so that no length of training has to be known beforehand. The
/// dialects differ in c and the warm-up, see [`Pace`]; `torch` is the authors' package, `keras` does not have it.
///
/// Source: Defazio et al., *The road less scheduled* (2024).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleFreeSgd {
    /// β.
    pub beta: f64,
    /// λ, at y.
    pub weight_decay: f64,
    /// T: over as many steps the learning rate rises to its full height.
    pub warmup_steps: f64,
    /// How x follows z.
    pub pace: Pace,
}

impl Default for ScheduleFreeSgd {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// How the points move, and λ.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    points: Points<T>,
    decay: T,
}

impl Method for ScheduleFreeSgd {
    const INFO: Info = Info {
        name: "schedule-free-sgd",
        title: "Schedule-Free SGD",
        summary: "SGD at a point between its steps and their average; needs no falling learning rate",
        paper: "Defazio et al. 2024",
        formula: ByDialect {
            torch: "z ← z − η(∇L(y) + λy); c = η²_max/Σ η²_max; x ← (1−c)x + cz; W = y ← (1−β)z + βx",
            keras: "z ← z − η(∇L(y) + λy); c = 1/(t+1); x ← (1−c)x + cz; W = y ← (1−β)z + βx",
            optax: "z ← z − ηₜ₋₁(∇L(y) + λy); c = η²_max/Σ η²_max; x ← (1−c)x + cz; W = y ← (1−β)z + βx",
            textbook: "z ← z − η(∇L(y) + λy); c = 1/(t+1); x ← (1−c)x + cz; W = y ← (1−β)z + βx",
        },
        learning_rate: ByDialect::same(1.0),
        calls: ByDialect {
            torch: Some("schedulefree.SGDScheduleFree(model.parameters(), lr={lr})"),
            keras: None,
            optax: Some("optax.contrib.schedule_free_sgd({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta", symbol: "β", range: BETA, field: |rule| &mut rule.beta },
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
        let pace = match dialect {
            Dialect::Torch => Pace::LargestRate,
            Dialect::Optax => Pace::LargestRateLate,
            Dialect::Keras | Dialect::Textbook => Pace::EqualWithStart,
        };
        Self { beta: 0.9, weight_decay: 0.0, warmup_steps: 0.0, pace }
    }
}

impl Rule for ScheduleFreeSgd {
    const STATES: &'static [&'static str] = &["stepping_point"];
    const SHORTEST: (Precision, &str) = (Precision::Bf16, HOLDS_A_POINT);
    const SCALARS: &'static [&'static str] = SCALARS;

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::ZERO]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, scalars: &mut [f64]) -> Coefficients<T> {
        let follow = self.pace.weigh(step, warm(step, learning_rate, self.warmup_steps), scalars);
        let rate = self.pace.rate(step, learning_rate, self.warmup_steps);
        Coefficients {
            points: Points::new(step, rate, self.beta, follow, 0.0),
            decay: T::from_f64(self.weight_decay),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [z]: &mut [T; 1]) -> T {
        c.points.step(w, z, |y| g + c.decay * y)
    }

    fn averages(&self) -> bool {
        true
    }

    #[inline(always)]
    fn average<T: Real>(&self, w: T, &[z]: &[T; 1]) -> T {
        average(self.beta, w, z)
    }
}
