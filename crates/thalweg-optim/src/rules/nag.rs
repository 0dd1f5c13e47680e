//! Nesterov's accelerated gradient.

use super::momentum::Rate;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::state::torch::TorchState;

/// Nesterov's accelerated gradient, in one of two forms.
///
/// * Look-ahead (`textbook`): a ← βa + ∇L(W − ηβa); W ← W − ηa. The gradient is taken where the velocity alone would
///   lead, so the optimizer needs the objective, not just a gradient.
/// * Re-parametrized (the packages): a ← βa + g; W ← W − η(g + βa). Here W is the look-ahead point itself: at a constant
///   learning rate its iterates are W′ = W − ηβa of the first form, exactly. Keras has the learning rate inside the
///   velocity.
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
    /// Where the learning rate is.
    pub rate: Rate,
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

/// β, and what of g and a goes where.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    beta: T,
    /// Of g, into the velocity: η or 1.
    inside: T,
    /// Of g, into the step; 0 for the look-ahead form.
    of_gradient: T,
    /// Of a, into the step.
    of_velocity: T,
    /// Of a, to the point that is looked at.
    ahead: T,
}

impl Method for Nag {
    const INFO: Info = Info {
        name: "nag",
        title: "NAG",
        summary: "momentum that looks ahead: the gradient is taken where the velocity leads",
        paper: "Nesterov 1983",
        formula: ByDialect {
            torch: "a ← βa + g; W ← W − η(g + βa)",
            keras: "a ← βa + ηg; W ← W − (ηg + βa)",
            optax: "a ← βa + g; W ← W − η(g + βa)",
            textbook: "a ← βa + ∇L(W − ηβa); W ← W − ηa",
        },
        learning_rate: ByDialect { torch: 1e-3, keras: 1e-2, optax: 1e-2, textbook: 1e-2 },
        calls: ByDialect {
            torch: Some("torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9, nesterov=True)"),
            keras: Some("keras.optimizers.SGD({lr}, momentum=0.9, nesterov=True)"),
            optax: Some("optax.sgd({lr}, momentum=0.9, nesterov=True)"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] =
        &[Hyper { name: "momentum", symbol: "β", range: Range::DECAY, field: |rule| &mut rule.momentum }];
    fn preset(dialect: Dialect) -> Self {
        let form = match dialect {
            Dialect::Textbook => NagForm::LookAhead,
            _ => NagForm::Reparametrized,
        };
        let rate = if dialect == Dialect::Keras { Rate::Inside } else { Rate::Outside };
        Self { momentum: 0.9, form, rate }
    }
}

impl Rule for Nag {
    const STATES: &'static [&'static str] = &["velocity"];
    const TORCH_STATES: Option<&'static [TorchState]> =
        Some(&[TorchState::slot("momentum_buffer", "velocity")]);

    type State<T: Real> = [T; 1];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 1] {
        [T::ZERO]
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (inside, outside) = self.rate.split(learning_rate);
        let (of_gradient, of_velocity) = match self.form {
            NagForm::LookAhead => (0.0, outside),
            NagForm::Reparametrized => (learning_rate, outside * self.momentum),
        };
        Coefficients {
            beta: T::from_f64(self.momentum),
            inside: T::from_f64(inside),
            of_gradient: T::from_f64(of_gradient),
            of_velocity: T::from_f64(of_velocity),
            ahead: T::from_f64(outside * self.momentum),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [a]: &mut [T; 1]) -> T {
        *a = c.beta * *a + c.inside * g;
        w - (c.of_gradient * g + c.of_velocity * *a)
    }

    fn looks_ahead(&self) -> bool {
        self.form == NagForm::LookAhead
    }

    #[inline(always)]
    fn probe<T: Real>(c: &Coefficients<T>, w: T, [a]: &[T; 1]) -> T {
        w - c.ahead * *a
    }
}
