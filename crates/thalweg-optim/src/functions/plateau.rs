//! A plateau with a hole.

use super::{Dimensions, TestFunction, lowest};

/// f(x, y) = 1 − exp(−½(x² + y²)).
pub(super) const ROW: TestFunction = TestFunction {
    name: "plateau",
    title: "Plateau with a hole",
    formula: "1 − exp(−½(x² + y²))",
    lesson: "far from the hole the gradient all but vanishes: methods that divide by its size cross the plateau, the others \
             hardly move, and a rate that is large enough there is too large in the hole",
    source: "an inverted Gaussian bell; ours",
    dimensions: Dimensions::Two,
    start: [-3.0, 2.0],
    window: [[-4.0, 4.0], [-3.0, 3.0]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks: || vec![lowest(0.0, 0.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let exponent = -0.5 * (w[0] * w[0] + w[1] * w[1]);
    let bell = libm::exp(exponent);
    grad[0] = w[0] * bell;
    grad[1] = w[1] * bell;
    -libm::expm1(exponent)
}
