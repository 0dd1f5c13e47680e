//! A saddle with two valleys.

use super::{Dimensions, TestFunction, lowest, saddle};

/// f(x, y) = x² − y² + ½y⁴: the classic saddle x² − y², bounded below by the quartic.
pub(super) const ROW: TestFunction = TestFunction {
    name: "saddle",
    title: "Saddle with two valleys",
    formula: "x² − y² + ½y⁴",
    lesson: "the start lies almost on the ridge, so that the way leads past the saddle point, where the gradient nearly \
             vanishes: what counts is how fast a method leaves it",
    source: "the classic saddle x² − y², made bounded by ½y⁴; the start, a thousandth beside the ridge, is ours",
    dimensions: Dimensions::Two,
    start: [-1.5, 1e-3],
    window: [[-2.0, 2.0], [-1.75, 1.75]],
    lowest: -0.5,
    tolerance: 1e-6,
    landmarks: || vec![lowest(0.0, 1.0, -0.5), lowest(0.0, -1.0, -0.5), saddle(0.0, 0.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let (x, square) = (w[0], w[1] * w[1]);
    grad[0] = 2.0 * x;
    grad[1] = 2.0 * w[1] * (square - 1.0);
    x * x - square + 0.5 * square * square
}
