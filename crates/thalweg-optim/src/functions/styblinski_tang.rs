//! The function of Styblinski and Tang.

use super::{Dimensions, Landmark, TestFunction, separable};

/// Where a coordinate's share is lowest, and that share.
const LOW: (f64, f64) = (-2.903_534_027_771_177, -39.166_165_703_771_42);

/// f(x) = ½ Σ xᵢ⁴ − 16xᵢ² + 5xᵢ.
pub(super) const ROW: TestFunction = TestFunction {
    name: "styblinski-tang",
    title: "Styblinski and Tang's function",
    formula: "½(x⁴ − 16x² + 5x + y⁴ − 16y² + 5y)",
    lesson: "four minima, one of them lowest: a velocity may carry a method over the hill between them, which is luck, not \
             skill",
    source: "Styblinski and Tang, Experiments in nonconvex optimization (1990); the start is ours",
    dimensions: Dimensions::Any { formula: "½ Σ xᵢ⁴ − 16xᵢ² + 5xᵢ" },
    start: [-0.5, 4.5],
    window: [[-5.0, 5.0], [-5.0, 5.0]],
    lowest: 2.0 * LOW.1,
    tolerance: 1e-6,
    landmarks,
    value_and_grad,
};

/// Each coordinate has two minima and a maximum between them; 30 digits were computed, f64 holds these.
fn landmarks() -> Vec<Landmark> {
    separable(&[
        (LOW.0, LOW.1, true),
        (0.156_731_256_780_340_1, 0.195_612_359_055_358_07, false),
        (2.746_802_770_990_837, -25.029_446_655_283_943, true),
    ])
}

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for (g, &w) in grad.iter_mut().zip(w) {
        let square = w * w;
        *g = 2.0 * w * square - 16.0 * w + 2.5;
        value += 0.5 * (square * square - 16.0 * square + 5.0 * w);
    }
    value
}
