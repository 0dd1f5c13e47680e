//! Momentum.

use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::real::Real;
use crate::rule::{Info, Rule};

/// a ← βa + g; W ← W − ηa (heavy ball).
///
/// Both dialects agree: the learning rate stays outside the velocity (Keras and Sutskever et al. 2013 put it inside,
/// which differs as soon as the rate changes), and there is no dampening.
///
/// Source: Polyak, *Some methods of speeding up the convergence of iteration methods* (1964).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum {
    /// β.
    pub momentum: f64,
}

impl Default for Momentum {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η and β.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    beta: T,
}

impl Rule for Momentum {
    const INFO: Info = Info {
        name: "momentum",
        title: "Momentum",
        summary: "a heavy ball: steps along a decaying sum of gradients",
        paper: "Polyak 1964",
        formula: ByDialect {
            torch: "a ← βa + g; W ← W − ηa", textbook: "a ← βa + g; W ← W − ηa"
        },
        learning_rate: ByDialect { torch: 1e-3, textbook: 1e-2 },
        torch_call: "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)",
    };
    const HYPER: &'static [Hyper<Self>] =
        &[Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum }];
    const STATES: &'static [&'static str] = &["velocity"];

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn preset(_dialect: Dialect) -> Self {
        Self { momentum: 0.9 }
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64) -> Coefficients<T> {
        Coefficients { rate: T::from_f64(learning_rate), beta: T::from_f64(self.momentum) }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [a]: &mut [T; 1]) -> T {
        *a = c.beta * *a + g;
        w - c.rate * *a
    }
}
