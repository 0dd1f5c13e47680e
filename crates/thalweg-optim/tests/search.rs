//! What the methods that search along a line promise.

#[allow(dead_code, reason = "each test file uses its part")]
mod golden;

use thalweg_optim::{
    GradientDescent, Lbfgs, Objective, Optimizer, OptimizerSpec, Riders, Search, Wrap, from_fn,
};

/// (1 − x)² + 100(y − x²)², minimum 0 at (1, 1).
fn rosenbrock(w: &[f64], grad: &mut [f64]) -> f64 {
    let (x, y) = (w[0], w[1]);
    grad[0] = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
    grad[1] = 200.0 * (y - x * x);
    (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
}

/// ½ Σ λᵢ (wᵢ − 1)², λ from 1 to 1000.
fn quadratic(w: &[f64], grad: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for (i, (g, &w)) in grad.iter_mut().zip(w).enumerate() {
        let curvature = 1000_f64.powf(i as f64 / 9.0);
        *g = curvature * (w - 1.0);
        value += 0.5 * curvature * (w - 1.0).powi(2);
    }
    value
}

/// PyTorch's search looks at the same points: equal W to ten digits, and as many evaluations.
#[test]
fn lbfgs_follows_torch_point_by_point() {
    let files = golden::files();
    let torch = &files[0];
    let runs = torch.of("lbfgs");
    assert_eq!(runs.len(), 9);
    for run in runs {
        for steps in [1, 2, 10] {
            let (error, [asked, expected]) = golden::first_steps(torch, run, steps);
            assert!(error < 1e-10, "{}: {error:e} after {steps} steps", torch.title(run));
            assert_eq!(asked, expected, "{}: evaluations in {steps} steps", torch.title(run));
        }
    }
}

#[test]
fn lbfgs_reaches_rosenbrock_s_minimum_in_few_steps() {
    // PyTorch's tolerance stops at a slope of 1e-9, which is 1e-5 from the minimum.
    let mut lbfgs = Lbfgs { tolerance_change: 1e-18, ..Lbfgs::default() }.optimizer::<f64>(2).unwrap();
    let (mut w, mut f) = ([-1.2, 1.0], from_fn(2, rosenbrock));
    let (mut evaluations, mut last) = (0, f64::INFINITY);
    for step in 1..=50 {
        let report = lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
        assert!(report.value <= last, "step {step} went up");
        (last, evaluations) = (report.value, evaluations + report.evaluations);
    }
    assert!((w[0] - 1.0).abs() < 1e-9 && (w[1] - 1.0).abs() < 1e-9, "{w:?}");
    assert!(evaluations < 150, "{evaluations} evaluations");
}

/// With exact line minima, n pairs span everything: a quadratic of n dimensions ends after about n steps.
#[test]
fn lbfgs_knows_a_quadratic_after_about_its_dimension() {
    for (history, steps) in [(10.0, 25), (3.0, 60)] {
        let tight = Lbfgs { history, c2: 1e-3, ..Lbfgs::default() };
        let mut lbfgs = tight.optimizer::<f64>(10).unwrap();
        let (mut w, mut f) = ([0.0; 10], from_fn(10, quadratic));
        for _ in 0..steps {
            lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
        }
        assert!(w.iter().all(|w| (w - 1.0).abs() < 1e-6), "m = {history}: {w:?}");
    }
}

/// The conditions of the search, at every step, from the outside.
#[test]
fn every_step_meets_the_strong_wolfe_conditions() {
    for (c1, c2) in [(1e-4, 0.9), (1e-3, 0.1), (0.1, 0.5)] {
        let method = Lbfgs { c1, c2, ..Lbfgs::default() };
        let mut lbfgs = method.optimizer::<f64>(2).unwrap();
        let mut w = [-1.2, 1.0];
        let mut f = from_fn(2, rosenbrock);
        for step in 1..=20 {
            let (mut before, mut after) = ([0.0; 2], [0.0; 2]);
            let start = f.value_and_grad(&w, &mut before);
            let from = w;
            lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
            let end = f.value_and_grad(&w, &mut after);
            let moved = [w[0] - from[0], w[1] - from[1]];
            let slope = |g: [f64; 2]| g[0] * moved[0] + g[1] * moved[1];
            assert!(end <= start + c1 * slope(before) + 1e-15, "step {step}: too little descent");
            assert!(slope(after).abs() <= -c2 * slope(before) + 1e-15, "step {step}: not flat");
        }
    }
}

#[test]
fn the_learning_rate_is_the_first_trial() {
    // f = ½‖w‖² from (3, −1): Newton's step, t = 1, is exact; a first trial of ½ is good enough already.
    let bowl = |w: &[f64], grad: &mut [f64]| {
        grad.copy_from_slice(w);
        0.5 * w.iter().map(|w| w * w).sum::<f64>()
    };
    for (rate, left) in [(1.0, 0.75), (0.5, 0.875)] {
        // Without pairs the first trial is η/‖g‖₁ = η/4.
        let mut lbfgs = Lbfgs::default().optimizer::<f64>(2).unwrap();
        let mut w = [3.0, -1.0];
        let report = lbfgs.step(&mut w, &mut from_fn(2, bowl), rate).expect("a step");
        assert_eq!((w, report.evaluations), ([3.0 * left, -left], 2));
        let mut descent = GradientDescent::default().optimizer::<f64>(2).unwrap();
        let mut w = [3.0, -1.0];
        descent.step(&mut w, &mut from_fn(2, bowl), rate).expect("a step");
        assert_eq!(w, [3.0 * (1.0 - rate), -1.0 + rate]);
    }
}

#[test]
fn backtracking_takes_the_first_length_that_will_do() {
    let method = GradientDescent { c1: 0.3, shrink: 0.7, max_evaluations: 40.0 };
    let mut descent = method.optimizer::<f64>(10).unwrap();
    let (mut w, mut own) = (vec![0.0; 10], vec![0.0; 10]);
    let (mut grad, mut unused) = (vec![0.0; 10], vec![0.0; 10]);
    for step in 1..=30 {
        let report = descent.step(&mut w, &mut from_fn(10, quadratic), 2.0).expect("a step");
        let value = quadratic(&own, &mut grad);
        let square: f64 = grad.iter().map(|g| g * g).sum();
        let at = |t: f64| own.iter().zip(&grad).map(|(w, g)| w - t * g).collect::<Vec<_>>();
        let (mut t, mut trials) = (2.0, 1);
        while quadratic(&at(t), &mut unused) > value - 0.3 * t * square {
            (t, trials) = (0.7 * t, trials + 1);
        }
        own = at(t);
        assert_eq!((report.value, report.evaluations), (value, trials + 1), "step {step}");
        assert!(w.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-12), "step {step}");
    }
}

/// A wall: f is not a number, or infinite, for w > 1.5, and the first trial jumps far over it.
#[test]
fn a_trial_that_is_not_finite_is_stepped_back_from() {
    for wall in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let walled = |w: &[f64], grad: &mut [f64]| {
            grad[0] = 2.0 * (w[0] - 1.0);
            if w[0] > 1.5 { wall } else { (w[0] - 1.0).powi(2) }
        };
        for name in ["lbfgs", "gradient-descent"] {
            let mut optimizer =
                OptimizerSpec::named(name).build::<f64>(&thalweg_optim::Layout::vector(1)).unwrap();
            let mut w = [-3.0];
            for _ in 0..40 {
                let report = optimizer.step(&mut w, &mut from_fn(1, walled), 1000.0).expect("a step");
                assert!(report.value.is_finite() && w[0] <= 1.5, "{name} at {wall}: {w:?}");
            }
            let near = if name == "lbfgs" { 1e-6 } else { 0.05 };
            assert!((w[0] - 1.0).abs() < near, "{name} at {wall}: {w:?}");
        }
    }
}

#[test]
fn a_search_that_finds_nothing_lower_says_so_and_leaves_w() {
    // The gradient lies: everything next to the start is higher.
    let lie = |w: &[f64], grad: &mut [f64]| {
        grad.fill(1.0);
        w.iter().map(|w| (w - 2.0).abs()).sum()
    };
    for name in ["lbfgs", "gradient-descent"] {
        let mut optimizer =
            OptimizerSpec::named(name).build::<f64>(&thalweg_optim::Layout::vector(3)).unwrap();
        // First something to learn from, so that L-BFGS has pairs that mislead.
        let mut w = vec![0.5, 0.25, 0.125];
        for _ in 0..2 {
            optimizer.step(&mut w, &mut from_fn(3, quadratic), 1.0).expect("a step");
        }
        let mut w = vec![2.0; 3];
        let report = optimizer.step(&mut w, &mut from_fn(3, lie), 1.0).expect("a step");
        assert!(report.outcome.stuck && !report.outcome.skipped, "{name}: {report:?}");
        assert_eq!((&w[..], optimizer.steps()), (&[2.0; 3][..], 3), "{name}");
        // Nor does it search from a place that has no value.
        let report = optimizer
            .step(&mut w, &mut from_fn(3, |_: &[f64], _: &mut [f64]| f64::NAN), 1.0)
            .expect("a step");
        assert!(report.outcome.stuck && report.evaluations == 1 && w == [2.0; 3]);
        // It goes on where it can.
        for _ in 0..200 {
            optimizer.step(&mut w, &mut from_fn(3, quadratic), 1.0).expect("a step");
        }
        assert!(w.iter().all(|w| (w - 1.0).abs() < 1e-3), "{name}: {w:?}");
    }
}

#[test]
fn a_smaller_history_forgets_the_oldest_and_counts_have_ends() {
    let mut lbfgs = Lbfgs { history: 5.0, ..Lbfgs::default() }.optimizer::<f64>(10).unwrap();
    let (mut w, mut f) = ([0.0; 10], from_fn(10, quadratic));
    for _ in 0..6 {
        lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
    }
    assert_eq!(lbfgs.save().count("pairs"), 5);
    lbfgs.set_hyper("history", 2.0).unwrap();
    lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
    assert_eq!(lbfgs.save().count("pairs"), 2);
    assert!(lbfgs.set_hyper("history", 0.5).is_err() && lbfgs.set_hyper("history", 1e9).is_err());
    assert!(Lbfgs { c2: 1.0, ..Lbfgs::default() }.optimizer::<f32>(1).is_err());
}

/// What each rider means to a search.
#[test]
fn a_search_honours_what_rides() {
    let start = [0.0, 0.3, -0.2, 0.5, 0.1, 0.9, 0.4, 0.7, 0.2, 0.6];
    let lbfgs = || Lbfgs::default().optimizer::<f64>(10).unwrap();
    let walk = |optimizer: &mut dyn Optimizer<f64>, f: &mut dyn Objective<f64>, steps: u32| {
        let mut w = start;
        for _ in 0..steps {
            optimizer.step(&mut w, f, 1.0).expect("a step");
        }
        w
    };
    // Coupled decay: the ridge's own minimum, λᵢ/(λᵢ + λ).
    let mut tower = lbfgs().weight_decay(0.5).unwrap();
    let w = walk(&mut tower, &mut from_fn(10, quadratic), 60);
    for (i, w) in w.iter().enumerate() {
        let curvature = 1000_f64.powf(i as f64 / 9.0);
        assert!((w - curvature / (curvature + 0.5)).abs() < 1e-5, "{i}: {w}");
    }
    // Decoupled decay: the search starts from the shrunk W.
    let mut tower = lbfgs().decoupled_decay(0.25).unwrap();
    let shrunk = start.map(|w| w * 0.75);
    let mut plain = shrunk;
    lbfgs().step(&mut plain, &mut from_fn(10, quadratic), 1.0).expect("a step");
    assert_eq!(walk(&mut tower, &mut from_fn(10, quadratic), 1), plain);
    // A clip shortens the first trial, and what is found is still a descent.
    let (mut grad, mut f) = ([0.0; 10], from_fn(10, quadratic));
    let before = f.value_and_grad(&start, &mut grad);
    let report = GradientDescent::default()
        .optimizer::<f64>(10)
        .unwrap()
        .clip_norm(1e-3)
        .unwrap()
        .step(&mut start.clone(), &mut f, 1.0)
        .expect("a step");
    let norm = grad.iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!((report.outcome.norm.unwrap() - norm).abs() < 1e-9);
    assert_eq!(report.evaluations, 2, "the clipped step is short enough at once");
    let mut tower = lbfgs().clip_value(0.01).unwrap();
    let after = f.value_and_grad(&walk(&mut tower, &mut from_fn(10, quadratic), 30), &mut grad);
    assert!(after < before, "{after} {before}");
    // SAM around a search: it comes to rest where the objective uphill is flat.
    let w = walk(&mut lbfgs().sam(1e-3).unwrap(), &mut from_fn(10, quadratic), 80);
    assert!(w.iter().all(|w| (w - 1.0).abs() < 1e-2), "{w:?}");
}

/// Where a batch is a step's whole world, L-BFGS takes both gradients of a pair from it, and works all the same.
#[test]
fn lbfgs_works_on_mini_batches() {
    let (mut w, mut lbfgs) = ([0.0; 10], Lbfgs::default().optimizer::<f64>(10).unwrap());
    for step in 0..300 {
        let shift = 0.05 * f64::from(step % 3 - 1);
        let mut batch = from_fn(10, |w: &[f64], grad: &mut [f64]| {
            let moved: Vec<f64> = w.iter().map(|w| w - shift).collect();
            quadratic(&moved, grad)
        });
        lbfgs.step(&mut w, &mut batch, 0.3).expect("a step");
    }
    let (start, end) = (quadratic(&[0.0; 10], &mut [0.0; 10]), quadratic(&w, &mut [0.0; 10]));
    assert!(end < 1e-3 * start, "{start} {end}: {w:?}");
}

#[test]
fn a_search_that_gives_up_has_asked_as_often_as_it_may() {
    // A gradient that points the wrong way: no trial is ever lower.
    let wrong = |w: &[f64], grad: &mut [f64]| {
        let value = quadratic(w, grad);
        grad.iter_mut().for_each(|g| *g = -*g);
        value
    };
    for max_evaluations in [1.0, 7.0] {
        let method = GradientDescent { max_evaluations, ..GradientDescent::default() };
        let report = method
            .optimizer::<f64>(10)
            .unwrap()
            .step(&mut [0.0; 10], &mut from_fn(10, wrong), 1.0)
            .expect("a step");
        assert!(report.outcome.stuck);
        assert_eq!(report.evaluations, 1 + max_evaluations as u32);
    }
}

/// A pair that curves downwards would make H point uphill: it is not kept.
#[test]
fn a_pair_without_curvature_is_not_learned() {
    let hill = |w: &[f64], grad: &mut [f64]| {
        grad.iter_mut().zip(w).for_each(|(g, w)| *g = -w);
        -0.5 * w.iter().map(|w| w * w).sum::<f64>()
    };
    let mut lbfgs = Lbfgs { max_evaluations: 1.0, ..Lbfgs::default() }.optimizer::<f64>(2).unwrap();
    let mut w = [1.0, 2.0];
    for _ in 0..3 {
        let before = w;
        assert!(!lbfgs.step(&mut w, &mut from_fn(2, hill), 0.1).expect("a step").outcome.stuck);
        assert!(w[0] > before[0] && w[1] > before[1], "downhill is outwards: {w:?}");
        assert_eq!(lbfgs.save().count("pairs"), 0);
    }
}

/// One step: evaluations, and whether it was stuck.
fn one_step(method: &mut dyn Optimizer<f64>, w: &mut [f64], riders: Riders) -> (u32, bool) {
    let report = method.drive(w, None, &mut from_fn(10, quadratic), 0.001, riders);
    (report.evaluations, report.outcome.stuck)
}

#[test]
fn a_search_goes_along_the_gradient_that_a_clip_leaves_on_the_objective_that_a_scale_leaves() {
    let start = [0.0, 0.3, -0.2, 0.5, 0.1, 0.9, 0.4, 0.7, 0.2, 0.6];
    let mut grad = [0.0; 10];
    quadratic(&start, &mut grad);
    let descent = || GradientDescent::default().optimizer::<f64>(10).unwrap();
    let mut w = start;
    let clipped = Riders { clip_value: Some(2.0), ..Riders::default() };
    assert_eq!(one_step(&mut descent(), &mut w, clipped), (2, false));
    let expected: [f64; 10] = std::array::from_fn(|i| start[i] - 0.001 * grad[i].clamp(-2.0, 2.0));
    assert!(grad.iter().any(|g| *g < -2.0) && w == expected, "{w:?} {expected:?}");
    // A limit that is not reached changes nothing, and a rate of zero asks once.
    let (mut w, mut bare) = (start, start);
    let loose = Riders { clip_norm: Some(1e9), ..Riders::default() };
    assert_eq!(
        one_step(&mut descent(), &mut w, loose),
        one_step(&mut descent(), &mut bare, Riders::default())
    );
    assert_eq!(w, bare);
    for method in [OptimizerSpec::named("lbfgs"), OptimizerSpec::named("gradient-descent")] {
        let mut method = method.build::<f64>(&thalweg_optim::Layout::vector(10)).unwrap();
        let (mut w, mut f) = (start, from_fn(10, quadratic));
        let report = method.step(&mut w, &mut f, 0.0).expect("a step");
        assert_eq!((w, report.evaluations, report.outcome.stuck), (start, 1, false));
    }
    // Half the objective is searched as such: values and slopes agree, so that the same step will do.
    let (mut w, mut halved) = (start, start);
    let steep = GradientDescent { c1: 0.9, ..GradientDescent::default() };
    let mut half = from_fn(10, |w: &[f64], grad: &mut [f64]| {
        let value = 0.5 * quadratic(w, grad);
        grad.iter_mut().for_each(|g| *g *= 0.5);
        value
    });
    let by_hand =
        steep.optimizer::<f64>(10).unwrap().drive(&mut halved, None, &mut half, 0.1, Riders::default());
    let scaled = Riders { scale: 0.5, ..Riders::default() };
    let report =
        steep.optimizer::<f64>(10).unwrap().drive(&mut w, None, &mut from_fn(10, quadratic), 0.1, scaled);
    assert_eq!((w, report.evaluations, report.value), (halved, by_hand.evaluations, by_hand.value));
    assert!(report.evaluations > 3, "the step is shortened");
}

#[test]
fn w_is_left_alone_where_the_gradient_or_the_slope_is_within_its_tolerance() {
    for (method, rests) in [
        (Lbfgs::default(), false),
        (Lbfgs { tolerance_gradient: 1.5, ..Lbfgs::default() }, true),
        (Lbfgs { tolerance_gradient: 0.5, ..Lbfgs::default() }, false),
        (Lbfgs { tolerance_change: 1.5, ..Lbfgs::default() }, true),
    ] {
        // One number, λ = 1, from 0: the gradient is −1, the slope along it too.
        let (mut lbfgs, mut w) = (method.optimizer::<f64>(1).unwrap(), [0.0]);
        let report = lbfgs.step(&mut w, &mut from_fn(1, quadratic), 1.0).expect("a step");
        assert!(!report.outcome.stuck);
        assert_eq!((w == [0.0], report.evaluations == 1), (rests, rests), "{method:?}");
    }
}

#[test]
fn a_shortened_history_is_saved_from_its_newest_end() {
    let mut long = Lbfgs { history: 5.0, ..Lbfgs::default() }.optimizer::<f64>(10).unwrap();
    let (mut w, mut f) = ([0.0; 10], from_fn(10, quadratic));
    for _ in 0..6 {
        long.step(&mut w, &mut f, 1.0).expect("a step");
    }
    long.set_hyper("history", 2.0).unwrap();
    let mut short = Lbfgs { history: 2.0, ..Lbfgs::default() }.optimizer::<f64>(10).unwrap();
    short.load(&long.save()).unwrap();
    let mut copy = w;
    for step in 1..=5 {
        long.step(&mut w, &mut f, 1.0).expect("a step");
        short.step(&mut copy, &mut f, 1.0).expect("a step");
        assert_eq!(w, copy, "step {step}");
    }
}

/// What was learned leads up a wall; steepest descent does not.
#[test]
fn lbfgs_falls_back_to_steepest_descent() {
    let mut lbfgs = Lbfgs::default().optimizer::<f64>(2).unwrap();
    let (mut w, mut f) = ([-1.2, 1.0], from_fn(2, rosenbrock));
    for _ in 0..5 {
        lbfgs.step(&mut w, &mut f, 1.0).expect("a step");
    }
    assert!(lbfgs.save().count("pairs") > 1);
    // A gutter along (1, 1) that falls towards smaller numbers, with steep walls.
    let mut gutter = from_fn(2, |w: &[f64], grad: &mut [f64]| {
        grad.fill(1.0);
        w[0] + w[1] + 0.1 * (w[0] + w[1]).powi(2) + 1e6 * (w[0] - w[1]).abs()
    });
    let mut w = [0.0; 2];
    let report = lbfgs.step(&mut w, &mut gutter, 1.0).expect("a step");
    assert!(!report.outcome.stuck && w[0] < 0.0 && (w[0] - w[1]).abs() < 1e-12, "{report:?}: {w:?}");
    assert!(lbfgs.save().count("pairs") <= 1, "what misled is forgotten");
}

#[derive(serde::Deserialize)]
struct Searches {
    searches: Vec<Walked>,
}

#[derive(serde::Deserialize, Debug)]
struct Walked {
    line: String,
    first: f64,
    c1: f64,
    c2: f64,
    tolerance: f64,
    most: f64,
    points: Vec<f64>,
}

/// φ and φ', as in the script.
fn line(name: &str, t: f64) -> (f64, f64) {
    match name {
        "hollow" => (-t / (1.0 + t * t), -(1.0 - t * t) / (1.0 + t * t).powi(2)),
        "flat bowl" => (-t + 1e-3 * t * t * t * t, -1.0 + 4e-3 * t * t * t),
        "steep bowl" => (-t + 1000.0 * t * t, -1.0 + 2000.0 * t),
        "wave" => (
            -t + 5.0 * t * t - 8.0 * t * t * t + 4.0 * t * t * t * t,
            -1.0 + 10.0 * t - 24.0 * t * t + 16.0 * t * t * t,
        ),
        "wall" => (-t + 100.0 * f64::max(0.0, t - 0.3), -1.0 + if t > 0.3 { 100.0 } else { 0.0 }),
        "saw" if t < 1.5 => (-t, -1.0),
        "saw" => (-0.5 - 0.01 * (t - 1.5), -0.01),
        "step" if t < 0.25 => (-t, -1.0),
        "step" => (-0.25, 0.5),
        other => panic!("{other} is not in the script"),
    }
}

/// The search alone, on lines with bends, walls and steps: the same points as PyTorch's, until only roundings differ.
#[test]
fn the_search_looks_at_the_points_that_torch_s_looks_at() {
    let read: Searches = serde_json::from_str(include_str!("../goldens/torch.json")).expect("readable");
    assert!(read.searches.len() > 200, "{}", read.searches.len());
    for walked in read.searches {
        let method = Lbfgs {
            c1: walked.c1,
            c2: walked.c2,
            max_evaluations: walked.most,
            tolerance_change: walked.tolerance,
            ..Lbfgs::default()
        };
        let mut points = Vec::new();
        let mut f = from_fn(1, |w: &[f64], grad: &mut [f64]| {
            points.push(w[0]);
            let (value, slope) = line(&walked.line, w[0]);
            grad[0] = slope;
            value
        });
        method.optimizer::<f64>(1).unwrap().step(&mut [0.0], &mut f, walked.first).expect("a step");
        assert_eq!(points.len(), 1 + walked.points.len(), "{walked:?}: {points:?}");
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs();
        assert!(points[1..].iter().zip(&walked.points).all(near), "{walked:?}: {points:?}");
    }
}
