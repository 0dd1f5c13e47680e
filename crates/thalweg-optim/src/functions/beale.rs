//! Beale's function.

use super::{Dimensions, TestFunction, lowest, saddle};

/// f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)².
pub(super) const ROW: TestFunction = TestFunction {
    name: "beale",
    title: "Beale's function",
    formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
    lesson: "a bent, flat valley between steep walls: gradients differ by orders of magnitude, so one rate for all of the \
             way is too large here and too small there",
    source: "Beale, On an iterative method for finding a local minimum of a function of more than one variable (1958); \
             the start is that of Moré, Garbow and Hillstrom, Testing unconstrained optimization software (1981)",
    dimensions: Dimensions::Two,
    start: [1.0, 1.0],
    window: [[-1.0, 4.5], [-1.5, 2.0]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks: || vec![lowest(3.0, 0.5, 0.0), saddle(0.0, 1.0, 14.203125)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let (x, y) = (w[0], w[1]);
    grad.fill(0.0);
    let (mut value, mut power, mut below) = (0.0, y, 1.0);
    for (degree, constant) in [(1.0, 1.5), (2.0, 2.25), (3.0, 2.625)] {
        let residual = constant - x + x * power;
        value += residual * residual;
        grad[0] += 2.0 * residual * (power - 1.0);
        grad[1] += 2.0 * residual * x * degree * below;
        (below, power) = (power, power * y);
    }
    value
}
