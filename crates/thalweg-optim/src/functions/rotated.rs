//! The ill-conditioned quadratic, turned.

use super::{Dimensions, TestFunction, lowest};

/// cos and sin of the turn; 0.6² + 0.8² = 1, so that the curvatures are exactly those of the unturned one.
const TURN: [f64; 2] = [0.8, 0.6];

/// f(x, y) = ½(u² + 100v²) in the axes u = 0.8x + 0.6y and v = 0.8y − 0.6x.
pub(super) const ROW: TestFunction = TestFunction {
    name: "rotated",
    title: "Turned quadratic",
    formula: "½(u² + 100v²), u = 0.8x + 0.6y, v = 0.8y − 0.6x",
    lesson: "the same valley, now across the axes: a method with a rate per coordinate loses what it gains where the \
             valley lies along one; SGD, Momentum and NAG do not notice",
    source: "the quadratic turned by 36.87°; the start is turned with it",
    dimensions: Dimensions::Two,
    // The start (−9, 3) of the quadratic, turned.
    start: [-9.0, -3.0],
    window: [[-10.0, 10.0], [-10.0, 10.0]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks: || vec![lowest(0.0, 0.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let [cos, sin] = TURN;
    let (u, v) = (cos * w[0] + sin * w[1], cos * w[1] - sin * w[0]);
    grad[0] = cos * u - sin * 100.0 * v;
    grad[1] = sin * u + cos * 100.0 * v;
    0.5 * (u * u + 100.0 * v * v)
}
