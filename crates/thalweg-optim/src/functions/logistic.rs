//! Logistic regression with two weights.

use super::{Dimensions, TestFunction, lowest};

/// Made-up rows: two features, and the class as a sign. No line through the origin parts the classes, so the loss has one
/// minimum at a finite place.
const ROWS: [([f64; 2], f64); 12] = [
    ([0.5, 2.0], 1.0),
    ([1.5, -1.0], 1.0),
    ([2.0, 3.0], 1.0),
    ([-0.5, 1.0], 1.0),
    ([1.0, -4.0], 1.0),
    ([0.2, 4.0], 1.0),
    ([-1.0, -2.0], -1.0),
    ([-1.5, 3.0], -1.0),
    ([-2.0, -1.0], -1.0),
    ([0.5, -3.0], -1.0),
    ([-0.3, -4.0], -1.0),
    ([1.0, 1.5], -1.0),
];

/// f(w) = mean of log(1 + exp(−y·(w·x))) over twelve rows.
pub(super) const ROW: TestFunction = TestFunction {
    name: "logistic",
    title: "Logistic regression",
    formula: "mean over 12 rows of ln(1 + exp(−y(w·x)))",
    lesson: "what training looks like: convex, flat where the model is sure, and the two weights matter unequally because \
             their features have different scales",
    source: "logistic loss on twelve made-up rows; ours",
    dimensions: Dimensions::Two,
    start: [-1.5, 2.0],
    window: [[-2.0, 4.0], [-1.5, 2.5]],
    lowest: LOWEST,
    tolerance: 1e-6,
    // To the last digit of f64, from 30 digits.
    landmarks: || vec![lowest(1.463_723_899_139_402_4, 0.320_627_725_713_574_74, LOWEST)],
    value_and_grad,
};

const LOWEST: f64 = 0.444_954_892_840_369_03;

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    grad.fill(0.0);
    let (mut value, count) = (0.0, ROWS.len() as f64);
    for (x, y) in ROWS {
        let margin = y * (w[0] * x[0] + w[1] * x[1]);
        // ln(1 + e^−m) without overflow where m is very negative.
        value += (libm::log1p(libm::exp(-margin.abs())) + (-margin).max(0.0)) / count;
        let pull = -y / (1.0 + libm::exp(margin)) / count;
        grad[0] += pull * x[0];
        grad[1] += pull * x[1];
    }
    value
}
