//! The test functions: gradients by finite differences, landmarks and closed forms.

use thalweg_optim::Objective;
use thalweg_optim::functions::{Dimensions, Kind, Problem, REGISTRY, TestFunction, find};

fn value(f: &mut Problem, w: &[f64]) -> f64 {
    f.value(w)
}

fn gradient(f: &mut Problem, w: &[f64]) -> Vec<f64> {
    let mut grad = vec![f64::NAN; w.len()];
    f.value_and_grad(w, &mut grad);
    grad
}

/// Points spread over the window, and some beyond it.
fn points(row: &TestFunction) -> impl Iterator<Item = [f64; 2]> {
    (0..60).map(|i| {
        let share = |step: f64| 1.4 * (f64::from(i) * step).fract() - 0.2;
        let [x, y] = row.window;
        [x[0] + share(0.618_033_988_7) * (x[1] - x[0]), y[0] + share(0.754_877_666_2) * (y[1] - y[0])]
    })
}

/// The second derivatives f_xx, f_xy, f_yy, by differences of the exact gradient.
fn hessian(f: &mut Problem, at: [f64; 2]) -> [f64; 3] {
    let h = 1e-5;
    let [x, y] = at;
    let (right, left) = (gradient(f, &[x + h, y]), gradient(f, &[x - h, y]));
    let (up, down) = (gradient(f, &[x, y + h]), gradient(f, &[x, y - h]));
    [right[0] - left[0], up[0] - down[0], up[1] - down[1]].map(|d| d / (2.0 * h))
}

/// The partial derivative by a fourth-order central difference.
fn difference(f: &mut Problem, w: &[f64], i: usize) -> f64 {
    let h = 1e-3;
    let mut at = |steps: f64| {
        let mut w = w.to_vec();
        w[i] += steps * h;
        value(f, &w)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
}

fn check_gradient(f: &mut Problem, w: &[f64]) {
    let exact = gradient(f, w);
    let scale = exact.iter().fold(1.0_f64, |scale, g| scale.max(g.abs()));
    for (i, exact) in exact.iter().enumerate() {
        let numeric = difference(f, w, i);
        // The ripples of Rastrigin have fifth derivatives of 10·(2π)⁵: times h⁴/30, that is 3e-9.
        assert!(
            (exact - numeric).abs() < 2e-8 * scale,
            "{} at {w:?}, ∂{i}: {exact} against {numeric}",
            f.function().name
        );
    }
}

#[test]
fn every_gradient_agrees_with_finite_differences() {
    for row in REGISTRY {
        for w in points(row) {
            check_gradient(&mut row.objective(), &w);
        }
        if matches!(row.dimensions, Dimensions::Any { .. }) {
            for dim in [3, 5, 8] {
                let w: Vec<f64> = (0..dim).map(|i| 1.5 * (1.3 * i as f64 + 0.4).sin()).collect();
                check_gradient(&mut row.objective_in(dim), &w);
            }
        }
    }
}

#[test]
fn every_landmark_is_what_it_is_called() {
    for row in REGISTRY {
        let (mut f, landmarks) = (row.objective(), (row.landmarks)());
        for landmark in &landmarks {
            let at = landmark.at;
            let (value, grad) = (value(&mut f, &at), gradient(&mut f, &at));
            assert!(
                (value - landmark.value).abs() <= 1e-12 * value.abs().max(1.0),
                "{}: {landmark:?} {value}",
                row.name
            );
            // A coordinate is exact to half a unit in its last place: the gradient, to that times the curvature.
            let [xx, xy, yy] = hessian(&mut f, at);
            let rounding =
                (xx.abs() + 2.0 * xy.abs() + yy.abs()) * 1e-15 * at[0].abs().max(at[1].abs()).max(1.0);
            assert!(grad.iter().all(|g| g.abs() <= rounding), "{}: {landmark:?} {grad:?}", row.name);
            let (determinant, trace) = (xx * yy - xy * xy, xx + yy);
            let shape = match landmark.kind {
                Kind::Lowest | Kind::LocalMinimum => determinant > 0.0 && trace > 0.0,
                Kind::Maximum => determinant > 0.0 && trace < 0.0,
                Kind::Saddle => determinant < 0.0,
            };
            assert!(shape, "{}: {landmark:?} has the second derivatives {xx}, {xy}, {yy}", row.name);
            let is_lowest = value - row.lowest <= 1e-12 * value.abs().max(1.0);
            assert_eq!(landmark.kind == Kind::Lowest, is_lowest, "{}: {landmark:?}", row.name);
            let inside = row.window.iter().zip(at).all(|(range, at)| (range[0]..=range[1]).contains(&at));
            assert!(inside, "{}: {landmark:?} is not in the picture", row.name);
        }
        let minima = row.minima();
        assert_eq!(minima.first().map(|first| first.kind), Some(Kind::Lowest), "{}", row.name);
        assert!(minima.windows(2).all(|pair| pair[0].value <= pair[1].value), "{}", row.name);
    }
    for (name, landmarks, minima) in
        [("rastrigin", 21 * 21, 11 * 11), ("himmelblau", 9, 4), ("styblinski-tang", 9, 4), ("saddle", 3, 2)]
    {
        let row = find(name).expect("a row");
        assert_eq!(((row.landmarks)().len(), row.minima().len()), (landmarks, minima), "{name}");
    }
}

#[test]
fn nothing_lies_below_the_lowest_value() {
    for row in REGISTRY {
        let mut f = row.objective();
        for i in 0..=80 {
            for j in 0..=80 {
                let [x, y] = row.window;
                let at = |range: [f64; 2], k: i32| range[0] + (range[1] - range[0]) * f64::from(k) / 80.0;
                let w = [at(x, i), at(y, j)];
                assert!(value(&mut f, &w) >= row.lowest - 1e-12, "{} at {w:?}", row.name);
            }
        }
    }
}

#[test]
fn rows_are_fit_for_pictures_and_tables() {
    for row in REGISTRY {
        let start = value(&mut row.objective(), &row.start);
        assert!(
            start - row.lowest > 1e4 * row.tolerance && row.tolerance > 0.0,
            "{}: nothing to do",
            row.name
        );
        for (range, at) in row.window.iter().zip(row.start) {
            assert!(range[0] < at && at < range[1], "{}: the start is not in the picture", row.name);
        }
        for text in [row.title, row.formula, row.lesson, row.source] {
            assert!(
                !text.is_empty() && !text.contains("  ") && !text.contains('\n'),
                "{}: «{text}»",
                row.name
            );
        }
        assert_eq!(find(row.name).map(|found| found.title), Ok(row.title), "two rows of one name");
        assert_eq!(row.start_in(5)[3..], [row.start[1], row.start[0]]);
    }
    let error = find("rosenbrok").expect_err("misspelt").to_string();
    assert!(error.contains("did you mean «rosenbrock»?") && error.contains("saddle"), "{error}");
}

/// Values that can be had by hand.
#[test]
fn closed_forms_hold() {
    for (name, w, expected, grad) in [
        // 2.2² + 100·0.44² = 4.84 + 19.36.
        ("rosenbrock", [-1.2, 1.0], 24.2, [-215.6, -88.0]),
        ("beale", [1.0, 1.0], 14.203125, [0.0, 27.75]),
        ("booth", [0.0, 0.0], 74.0, [-34.0, -38.0]),
        ("himmelblau", [0.0, 0.0], 170.0, [-14.0, -22.0]),
        ("rastrigin", [1.0, -2.0], 5.0, [2.0, -4.0]),
        ("saddle", [2.0, 2.0], 8.0, [4.0, 12.0]),
        ("quadratic", [-9.0, 3.0], 490.5, [-9.0, 300.0]),
        ("rotated", [-9.0, -3.0], 490.5, [-187.2, 234.6]),
        ("styblinski-tang", [1.0, 2.0], -24.0, [-11.5, -13.5]),
        ("plateau", [0.0, (2.0 * 2_f64.ln()).sqrt()], 0.5, [0.0, (2.0 * 2_f64.ln()).sqrt() / 2.0]),
        ("logistic", [0.0, 0.0], 2_f64.ln(), [-8.0 / 24.0, -10.5 / 24.0]),
    ] {
        let mut f = find(name).expect("a row").objective();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
        assert!(close(value(&mut f, &w), expected), "{name}: {}", value(&mut f, &w));
        let found = gradient(&mut f, &w);
        assert!(close(found[0], grad[0]) && close(found[1], grad[1]), "{name}: {found:?}");
    }
}

#[test]
fn more_variables_are_sums_over_them() {
    let at = |name: &str, w: &[f64]| value(&mut find(name).expect("a row").objective_in(w.len()), w);
    assert_eq!(at("rosenbrock", &[1.0; 7]), 0.0);
    assert_eq!(at("rosenbrock", &[0.0; 7]), 6.0);
    assert_eq!(at("rastrigin", &[0.0; 4]), 0.0);
    assert_eq!(at("quadratic", &[1.0, 1.0, 1.0]), 0.5 * (1.0 + 10.0 + 100.0));
    let low = find("styblinski-tang").expect("a row");
    let [x, y] = low.minima()[0].at;
    assert!((at("styblinski-tang", &[x, y, x, y]) - 2.0 * low.lowest).abs() < 1e-12);
}

#[test]
#[should_panic(expected = "beale has no form with 3 variables")]
fn a_function_of_two_has_no_form_with_three() {
    find("beale").expect("a row").objective_in(3);
}

#[test]
fn single_precision_is_double_precision_rounded_once() {
    for row in REGISTRY {
        let mut f = row.objective();
        for w in points(row) {
            let narrow = w.map(|w| w as f32);
            let wide = narrow.map(f64::from);
            let (mut g32, mut g64) = ([0.0_f32; 2], [0.0_f64; 2]);
            let v32 = f.value_and_grad(&narrow, &mut g32);
            let v64 = f.value_and_grad(&wide, &mut g64);
            assert_eq!((v32, g32), (v64 as f32, g64.map(|g| g as f32)), "{} at {w:?}", row.name);
        }
    }
}

#[test]
fn far_away_nothing_becomes_nan() {
    for row in REGISTRY {
        let mut f = row.objective();
        for w in [[1e9, -1e9], [-1e9, 1e9], [1e30, 1e30]] {
            assert!(!value(&mut f, &w).is_nan(), "{} at {w:?}", row.name);
        }
    }
    // The sure and wrong side of the regression is steep, never infinite.
    let mut f = find("logistic").expect("a row").objective();
    assert!(
        value(&mut f, &[-1e6, 0.0]) > 1e5 && gradient(&mut f, &[-1e6, 0.0]).iter().all(|g| g.is_finite())
    );
}

/// Small enough a step of plain descent always falls, at any point that is not flat.
#[test]
fn plain_descent_falls_from_every_start() {
    for row in REGISTRY {
        let (mut f, mut w) = (row.objective(), row.start);
        let mut last = value(&mut f, &w);
        for _ in 0..200 {
            let grad = gradient(&mut f, &w);
            w.iter_mut().zip(grad).for_each(|(w, g)| *w -= 1e-4 * g);
            let now = value(&mut f, &w);
            assert!(now < last, "{}: {now} after {last}", row.name);
            last = now;
        }
    }
}
