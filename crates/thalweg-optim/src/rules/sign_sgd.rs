//! signSGD.

use crate::hyper::{ByDialect, Dialect, Hyper};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::sign::sign;

/// W ← W − η sign(g), with sign(0) = 0.
///
/// Every parameter moves by η, however large its gradient is: at a constant learning rate W comes as near as η to a
/// minimum, not nearer. One form everywhere; `torch` and `keras` do not have it.
///
/// Source: Bernstein et al., *signSGD: compressed optimisation for non-convex problems* (2018).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SignSgd;

impl Method for SignSgd {
    const INFO: Info = Info {
        name: "sign-sgd",
        title: "signSGD",
        summary: "steps of one size, each against the gradient's sign",
        paper: "Bernstein et al. 2018",
        formula: ByDialect::same("W ← W − η sign(g)"),
        learning_rate: ByDialect::same(1e-3),
        calls: ByDialect { torch: None, keras: None, optax: Some("optax.sign_sgd({lr})"), textbook: None },
    };
    const HYPER: &'static [Hyper<Self>] = &[];

    fn preset(_: Dialect) -> Self {
        Self
    }
}

impl Rule for SignSgd {
    const STATES: &'static [&'static str] = &[];

    type State<T: Real> = [T; 0];
    type Coefficients<T: Real> = T;

    fn initial<T: Real>(&self) -> [T; 0] {
        []
    }

    fn coefficients<T: Real>(&self, _step: u64, learning_rate: f64, _: &mut [f64]) -> T {
        T::from_f64(learning_rate)
    }

    #[inline(always)]
    fn update<T: Real>(&rate: &T, w: T, g: T, _: &mut [T; 0]) -> T {
        w - rate * sign(g)
    }
}
