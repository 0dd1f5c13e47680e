//! Himmelblau's function.

use super::{Dimensions, Kind, Landmark, TestFunction, lowest, saddle};

/// f(x, y) = (x² + y − 11)² + (x + y² − 7)².
pub(super) const ROW: TestFunction = TestFunction {
    name: "himmelblau",
    title: "Himmelblau's function",
    formula: "(x² + y − 11)² + (x + y² − 7)²",
    lesson: "four minima, equally low: from one start, methods with different first steps may end in different ones",
    source: "Himmelblau, Applied Nonlinear Programming (1972); the start, near the hill in the middle, is ours",
    dimensions: Dimensions::Two,
    start: [-0.4, -0.6],
    window: [[-5.0, 5.0], [-5.0, 5.0]],
    lowest: 0.0,
    tolerance: 1e-6,
    landmarks,
    value_and_grad,
};

/// The zeros of the gradient to the last digit of f64, from 30 digits.
fn landmarks() -> Vec<Landmark> {
    vec![
        lowest(3.0, 2.0, 0.0),
        lowest(-2.805_118_086_952_745, 3.131_312_518_250_573, 0.0),
        lowest(-3.779_310_253_377_747, -3.283_185_991_286_169_4, 0.0),
        lowest(3.584_428_340_330_492, -1.848_126_526_964_403_6, 0.0),
        saddle(0.086_677_504_555_396_35, 2.884_254_701_174_776, 67.719_150_087_526_14),
        saddle(3.385_154_183_607_021, 0.073_851_879_837_749_3, 13.311_926_270_405_59),
        saddle(-3.073_025_750_764_389_6, -0.081_353_044_287_967_51, 104.015_162_917_558_11),
        saddle(-0.127_961_346_730_680_07, -1.953_714_980_244_576_4, 178.337_239_201_927_46),
        Landmark {
            at: [-0.270_844_590_667_347_6, -0.923_038_556_479_981_5],
            value: 181.616_521_522_582_7,
            kind: Kind::Maximum,
        },
    ]
}

fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let (first, second) = (w[0] * w[0] + w[1] - 11.0, w[0] + w[1] * w[1] - 7.0);
    grad[0] = 4.0 * w[0] * first + 2.0 * second;
    grad[1] = 2.0 * first + 4.0 * w[1] * second;
    first * first + second * second
}
