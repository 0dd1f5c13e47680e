//! An ill-conditioned quadratic.

use super::{Dimensions, TestFunction, lowest};

/// The condition number: the largest curvature over the smallest.
const CONDITION: f64 = 100.0;

/// f(x) = ½ Σ λᵢxᵢ² with curvatures λᵢ from 1 to 100, evenly spaced on a logarithmic axis.
pub(super) const ROW: TestFunction = TestFunction {
    name: "quadratic",
    title: "Ill-conditioned quadratic",
    formula: "½(x² + 100y²)",
    lesson: "one direction is a hundred times as steep as the other: a rate that is safe for the steep one is slow along \
             the flat one; what has a velocity overshoots",
    source: "the usual example, as in Goh, Why momentum really works (2017); the start is ours",
    dimensions: Dimensions::Any { formula: "½ Σ λᵢxᵢ², λᵢ = 100^((i−1)/(n−1))" },
    start: [-9.0, 3.0],
    window: [[-10.0, 10.0], [-5.5, 5.5]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks: || vec![lowest(0.0, 0.0, 0.0)],
    value_and_grad,
};

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let steps = (w.len() - 1) as f64;
    let mut value = 0.0;
    for (i, (g, &w)) in grad.iter_mut().zip(w).enumerate() {
        let curvature = libm::pow(CONDITION, i as f64 / steps);
        *g = curvature * w;
        value += 0.5 * curvature * w * w;
    }
    value
}
