//! Booth's function.

use super::{Dimensions, TestFunction, lowest};

/// f(x, y) = (x + 2y − 7)² + (2x + y − 5)².
pub(super) const ROW: TestFunction = TestFunction {
    name: "booth",
    title: "Booth's function",
    formula: "(x + 2y − 7)² + (2x + y − 5)²",
    lesson: "a mild bowl across the axes (curvatures 18 and 2): every sound method solves it, so what differs is how many \
             steps it takes",
    source: "two linear equations as least squares; listed by Jamil and Yang, A literature survey of benchmark functions \
             (2013); the start is ours",
    dimensions: Dimensions::Two,
    start: [-8.0, -6.0],
    window: [[-10.0, 10.0], [-10.0, 10.0]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks: || vec![lowest(1.0, 3.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let (first, second) = (w[0] + 2.0 * w[1] - 7.0, 2.0 * w[0] + w[1] - 5.0);
    grad[0] = 2.0 * first + 4.0 * second;
    grad[1] = 4.0 * first + 2.0 * second;
    first * first + second * second
}
