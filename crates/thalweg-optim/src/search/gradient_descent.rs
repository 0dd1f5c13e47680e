//! Gradient descent with a line search.

use super::line::{Ends, Line};
use super::searcher::{Search, Start};
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::real::Real;

/// W ← W − t·g with the first t of η, βη, β²η, … that gives enough descent: f(W − tg) ≤ f(W) − c₁t‖g‖² (Armijo's
/// backtracking).
///
/// The learning rate is the longest step tried, anew in each step. If none of the trials will do, W stays and the step is
/// reported as stuck. With full batches this is the textbook's steepest descent; no package has it (optax has a
/// backtracking search of its own form), so that all dialects are the textbook's.
///
/// Source: Armijo, *Minimization of functions having Lipschitz continuous first partial derivatives* (1966).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientDescent {
    /// c₁.
    pub c1: f64,
    /// β.
    pub shrink: f64,
    /// Trials a step, at most.
    pub max_evaluations: f64,
}

impl Default for GradientDescent {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

impl Method for GradientDescent {
    const INFO: Info = Info {
        name: "gradient-descent",
        title: "Gradient descent",
        summary: "a step against the gradient, shortened until it goes down enough",
        paper: "Armijo 1966",
        formula: ByDialect::same("W ← W − βᵏηg, the first k with f(W − tg) ≤ f(W) − c₁t‖g‖²"),
        learning_rate: ByDialect::same(1.0),
        calls: ByDialect::same(None),
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "c1", symbol: "c₁", range: Range::INSIDE, field: |method| &mut method.c1 },
        Hyper { name: "shrink", symbol: "β", range: Range::INSIDE, field: |method| &mut method.shrink },
        Hyper {
            name: "max_evaluations",
            symbol: "kmax",
            range: Range::between(1.0, 1000.0).whole(),
            field: |method| &mut method.max_evaluations,
        },
    ];

    fn preset(_dialect: Dialect) -> Self {
        Self { c1: 1e-4, shrink: 0.5, max_evaluations: 30.0 }
    }
}

/// A direction and the line along it.
#[derive(Debug, Clone, Default)]
pub struct Memory<T> {
    direction: Vec<T>,
    ends: Ends<T>,
}

impl Search for GradientDescent {
    const STATES: &'static [&'static str] = &[];
    type Memory<T: Real> = Memory<T>;

    fn search<T: Real>(
        &self,
        memory: &mut Memory<T>,
        start: Start<'_, T>,
        w: &mut [T],
        learning_rate: f64,
    ) -> bool {
        let Memory { direction, ends } = memory;
        direction.clear();
        direction.extend(start.clipped.iter().map(|&g| -g));
        let mut line = Line::new(start.f, w, direction, (start.value, start.grad), ends);
        let mut t = learning_rate;
        for _ in 0..self.max_evaluations as u32 {
            // A value that is not finite is never low enough.
            if line.value(t) <= line.start + self.c1 * t * line.slope {
                let t = T::from_f64(t);
                w.iter_mut().zip(direction).for_each(|(w, &mut d)| *w += t * d);
                return true;
            }
            t *= self.shrink;
        }
        false
    }
}
