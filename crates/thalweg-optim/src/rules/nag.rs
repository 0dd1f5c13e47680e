//! Nesterov's accelerated gradient.

use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::real::Real;
use crate::rule::{Info, Rule};

/// Nesterov's accelerated gradient, in one of two forms.
///
/// * Look-ahead (`textbook`): a ← βa + ∇L(W − ηβa); W ← W − ηa. The gradient is taken where the velocity alone would
///   lead, so the optimizer needs the objective, not just a gradient.
/// * Re-parametrized (`torch`): a ← βa + g; W ← W − η(g + βa). Here W is the look-ahead point itself: at a constant
///   learning rate its iterates are W′ = W − ηβa of the first form, exactly.
///
/// Sources: Nesterov, *A method for solving the convex programming problem with convergence rate O(1/k²)* (1983);
/// re-parametrized by Sutskever et al., *On the importance of initialization and momentum in deep learning* (2013) and
/// Bengio et al. (2013).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nag {
    /// β.
    pub momentum: f64,
    /// Where the gradient is taken.
    pub form: NagForm,
}

/// Where [`Nag`] takes its gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NagForm {
    /// At W − ηβa.
    LookAhead,
    /// At W, which stands for the look-ahead point.
    Reparametrized,
}

impl Default for Nag {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// η, β, and what of g and a goes into the step.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    rate: T,
    beta: T,
    /// 0 for the look-ahead form, 1 for the re-parametrized one.
    of_gradient: T,
    /// 1 for the look-ahead form, β for the re-parametrized one.
    of_velocity: T,
}

impl Rule for Nag {
    const INFO: Info = Info {
        name: "nag",
        title: "NAG",
        summary: "momentum that looks ahead: the gradient is taken where the velocity leads",
        paper: "Nesterov 1983",
        formula: ByDialect {
            torch: "a ← βa + g; W ← W − η(g + βa)",
            textbook: "a ← βa + ∇L(W − ηβa); W ← W − ηa",
        },
        learning_rate: ByDialect { torch: 1e-3, textbook: 1e-2 },
        torch_call: "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9, nesterov=True)",
    };
    const HYPER: &'static [Hyper<Self>] =
        &[Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum }];
    const STATES: &'static [&'static str] = &["velocity"];

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn preset(dialect: Dialect) -> Self {
        let form = match dialect {
            Dialect::Torch => NagForm::Reparametrized,
            Dialect::Textbook => NagForm::LookAhead,
        };
        Self { momentum: 0.9, form }
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64) -> Coefficients<T> {
        let (of_gradient, of_velocity) = match self.form {
            NagForm::LookAhead => (0.0, 1.0),
            NagForm::Reparametrized => (1.0, self.momentum),
        };
        Coefficients {
            rate: T::from_f64(learning_rate),
            beta: T::from_f64(self.momentum),
            of_gradient: T::from_f64(of_gradient),
            of_velocity: T::from_f64(of_velocity),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [a]: &mut [T; 1]) -> T {
        *a = c.beta * *a + g;
        w - c.rate * (c.of_gradient * g + c.of_velocity * *a)
    }

    fn looks_ahead(&self) -> bool {
        self.form == NagForm::LookAhead
    }

    #[inline(always)]
    fn probe<T: Real>(c: &Coefficients<T>, w: T, [a]: &[T; 1]) -> T {
        w - c.rate * c.beta * *a
    }
}
