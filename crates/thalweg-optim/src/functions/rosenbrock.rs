//! Rosenbrock's valley.

use super::{Dimensions, TestFunction, lowest};

/// f(x, y) = (1 − x)² + 100(y − x²)²; for n variables, the sum over neighbours.
pub(super) const ROW: TestFunction = TestFunction {
    name: "rosenbrock",
    title: "Rosenbrock's valley",
    formula: "(1 − x)² + 100(y − x²)²",
    lesson: "a curved valley: to fall into it is easy, to follow its flat floor to the end takes a method that keeps its \
             direction without leaving the bend",
    source: "Rosenbrock, An automatic method for finding the greatest or least value of a function (1960), with its start",
    dimensions: Dimensions::Any { formula: "Σ (1 − xᵢ)² + 100(xᵢ₊₁ − xᵢ²)²" },
    start: [-1.2, 1.0],
    window: [[-2.0, 2.0], [-1.0, 3.0]],
    lowest: 0.0,
    tolerance: 1e-4,
    landmarks: || vec![lowest(1.0, 1.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    grad.fill(0.0);
    let mut value = 0.0;
    for i in 0..w.len() - 1 {
        let (short, off) = (1.0 - w[i], w[i + 1] - w[i] * w[i]);
        value += short * short + 100.0 * off * off;
        grad[i] += -2.0 * short - 400.0 * w[i] * off;
        grad[i + 1] += 200.0 * off;
    }
    value
}
