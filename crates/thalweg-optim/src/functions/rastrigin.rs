//! Rastrigin's function.

use std::f64::consts::TAU;

use super::{Dimensions, Landmark, TestFunction, separable};

/// How high the ripples are.
const HEIGHT: f64 = 10.0;

/// f(x) = 10n + Σ xᵢ² − 10 cos 2πxᵢ.
pub(super) const ROW: TestFunction = TestFunction {
    name: "rastrigin",
    title: "Rastrigin's function",
    formula: "20 + x² − 10 cos 2πx + y² − 10 cos 2πy",
    lesson: "a bowl full of egg cups: a method that follows the gradient ends in the next one; none of these methods is \
             made to find the lowest",
    source: "Rastrigin, Systems of extremal control (1974), in n variables by Mühlenbein, Schomisch and Born (1991); the \
             start (−2, 3.5) is the one that pictures of optimizers often take",
    dimensions: Dimensions::Any { formula: "10n + Σ xᵢ² − 10 cos 2πxᵢ" },
    start: [-2.0, 3.5],
    window: [[-5.12, 5.12], [-5.12, 5.12]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks,
    value_and_grad,
};

/// A coordinate's share, its slope and its curvature.
fn share(x: f64) -> [f64; 3] {
    let (sin, cos) = (libm::sin(TAU * x), libm::cos(TAU * x));
    [HEIGHT + x * x - HEIGHT * cos, 2.0 * x + HEIGHT * TAU * sin, 2.0 + HEIGHT * TAU * TAU * cos]
}

/// Within the window the slope of a share vanishes near every multiple of ½: in a cup near the whole ones, on a ripple
/// near the others. Newton's method finds the places.
fn landmarks() -> Vec<Landmark> {
    let settle = |half: i32| {
        let near = f64::from(half) / 2.0;
        let x = (0..20).fold(near, |x, _| {
            let [_, slope, curvature] = share(x);
            x - slope / curvature
        });
        (x, share(x)[0], half % 2 == 0)
    };
    separable(&(-10..=10).map(settle).collect::<Vec<_>>())
}

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for (g, &w) in grad.iter_mut().zip(w) {
        let [height, slope, _] = share(w);
        *g = slope;
        value += height;
    }
    value
}
