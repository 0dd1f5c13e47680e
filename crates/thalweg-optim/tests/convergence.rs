//! Every row of the registry walks down the test functions. A new row is tested here without a new line: it gets the rates
//! of [`RATES`]'s last row and the bound of each function.

use thalweg_optim::functions::{self, Kind, Landmark, TestFunction};
use thalweg_optim::registry::{Entry, REGISTRY};
use thalweg_optim::{Dialect, Layout, Objective, Optimizer, OptimizerSpec, Role, from_fn};

/// What the learning rate does over a walk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// It stays.
    Held,
    /// It falls linearly to zero: steps whose length the slope does not decide come to rest only so.
    Falls,
}
use End::{Falls, Held};

/// Rows of the registry that share a line of a table.
type Names = &'static [&'static str];

/// Rates to try, by family; the first that comes to rest within the bound will do. An empty list of names is every
/// other row, so also a new one.
const RATES: &[(Names, &[(f64, End)])] = &[
    // Steps in proportion to the slope: 2 over the largest curvature is the end, and the functions differ.
    (
        &["sgd", "schedule-free-sgd"],
        &[(0.01, Held), (0.03, Falls), (3.0, Falls), (0.1, Falls), (0.003, Falls), (0.001, Held)],
    ),
    (&["momentum", "nag"], &[(0.001, Held), (0.01, Falls)]),
    // Its first steps are momentum's, at the same rate.
    (&["radam"], &[(0.03, Held), (0.003, Held), (0.01, Falls), (0.03, Falls)]),
    // Steps as long as the rate, or shorter the more there were.
    (&["adam", "adamw", "adabelief", "adopt"], &[(3.0, Falls), (1.0, Falls), (0.3, Falls)]),
    (&["adamax", "adan", "soap", "prodigy", "lars"], &[(1.0, Falls)]),
    (&["nadam", "schedule-free-adamw"], &[(0.3, Falls), (0.1, Falls), (3.0, Falls)]),
    // In the textbook's dialect, what is no matrix has a 67th of the rate.
    (&["muon"], &[(0.3, Falls), (0.1, Falls), (3.0, Falls), (0.5, Falls)]),
    (&["amsgrad"], &[(0.3, Held), (3.0, Held)]),
    (&["adagrad", "rprop"], &[(1.0, Held)]),
    (&["yogi"], &[(0.1, Held)]),
    (&["rmsprop", "rmsprop-centered", "lamb"], &[(0.01, Falls), (0.003, Falls)]),
    (&["rmsprop-momentum", "lion"], &[(0.03, Falls)]),
    (&["sign-sgd"], &[(0.1, Falls), (0.003, Falls), (0.01, Falls), (1.0, Falls)]),
    (&["adafactor"], &[(0.1, Falls), (0.03, Falls), (1.0, Held)]),
    // A rate that only scales what the method finds itself.
    (&["adadelta"], &[(3.0, Falls), (1.0, Falls), (3.0, Held)]),
    (&["lbfgs", "gradient-descent"], &[(1.0, Held), (3.0, Falls)]),
    (
        &[],
        &[
            (0.1, Falls),
            (1.0, Falls),
            (0.01, Falls),
            (0.01, Held),
            (0.001, Held),
            (1.0, Held),
            (3.0, Falls),
            (0.001, Falls),
        ],
    ),
];

/// Where a method cannot do what the function asks in the steps that it gets: how far above the minimum it may end.
struct Weaker {
    row: &'static str,
    /// Any, if not named.
    dialects: &'static [Dialect],
    function: &'static str,
    bound: f64,
    why: &'static str,
}

const WEAKER: &[Weaker] = &[
    Weaker {
        row: "adadelta",
        dialects: &[Dialect::Keras],
        function: "rotated",
        bound: 0.1,
        why: "its steps start at √ε, here 3e-4, and what bounces across the valley does not let them grow along it",
    },
    Weaker {
        row: "radam",
        dialects: &[Dialect::Keras, Dialect::Textbook],
        function: "rotated",
        bound: 0.1,
        why: "its first steps are momentum's: the rate that those bear across the valley (curvature 100) is short along \
              it, once steps are as long as the rate",
    },
    Weaker {
        row: "sign-sgd",
        dialects: &[],
        function: "rotated",
        bound: 3e-5,
        why: "its steps are diagonal, the valley is not: across it the signs flip at every step",
    },
];

/// Steps of a walk, at most: the way along Rosenbrock's valley is long.
fn steps(function: &TestFunction) -> u32 {
    if function.name == "rosenbrock" { 12_000 } else { 4_000 }
}

/// A walk is at rest once it has been within the bound for this many steps in a row.
const REST: u32 = 200;

/// Every row in every dialect that differs from those before it.
fn every() -> impl Iterator<Item = (&'static Entry, OptimizerSpec)> {
    REGISTRY.iter().flat_map(|entry| {
        let mut known = Vec::new();
        Dialect::ALL.into_iter().filter_map(move |dialect| {
            let mut spec = OptimizerSpec::named(entry.info.name).dialect(dialect);
            for (name, ..) in (entry.hyper)() {
                if name.ends_with("weight_decay") {
                    spec = spec.with(name, 0.0);
                }
            }
            let form = (entry.info.formula.get(dialect), spec.resolved().expect("the defaults are in range"));
            let new = !known.contains(&form);
            known.push(form);
            new.then_some((entry, spec))
        })
    })
}

fn rates(row: &str) -> &'static [(f64, End)] {
    let own = RATES.iter().find(|(names, _)| names.contains(&row) || names.is_empty());
    own.expect("the last row is for all").1
}

/// How far above a minimum the walk may end, and be where the function counts as solved.
fn bound(spec: &OptimizerSpec, function: &TestFunction) -> f64 {
    weaker(spec, function).map_or(function.tolerance, |weaker| weaker.bound)
}

fn weaker(spec: &OptimizerSpec, function: &TestFunction) -> Option<&'static Weaker> {
    WEAKER.iter().find(|weaker| {
        weaker.row == spec.name
            && weaker.function == function.name
            && (weaker.dialects.is_empty() || weaker.dialects.contains(&spec.dialect))
    })
}

/// How far f lies above the minimum that `w` is nearest to; ∞ where that point is none (a saddle, a hilltop).
fn above(function: &TestFunction, landmarks: &[Landmark], value: f64, w: &[f64]) -> f64 {
    if w.len() > 2 {
        return value - function.lowest;
    }
    let far = |at: [f64; 2]| (at[0] - w[0]).powi(2) + (at[1] - w[1]).powi(2);
    let near = landmarks.iter().min_by(|a, b| far(a.at).total_cmp(&far(b.at)));
    let near = near.expect("every function has a minimum");
    let minimum = matches!(near.kind, Kind::Lowest | Kind::LocalMinimum);
    if minimum { value - near.value } else { f64::INFINITY }
}

/// How far above the nearest minimum a walk from the function's start ends, where the model would be judged.
fn left(spec: &OptimizerSpec, function: &'static TestFunction, layout: &Layout, pace: (f64, End)) -> f64 {
    let dim = layout.len();
    let (mut f, mut w) = (function.objective_in(dim), function.start_in(dim));
    let mut optimizer = spec.build::<f64>(layout).expect("the defaults are in range");
    let (steps, bound) = (steps(function), bound(spec, function));
    let (mut point, mut within, mut gap) = (Vec::new(), 0, f64::INFINITY);
    let (begin, landmarks): (f64, _) = (f.value(&w), (function.landmarks)());
    for step in 0..steps {
        let rate = if pace.1 == Held { pace.0 } else { pace.0 * (1.0 - f64::from(step) / f64::from(steps)) };
        optimizer.step(&mut w, &mut f, rate).expect("a step");
        let judged = if optimizer.average(&w, &mut point) { &point } else { &w };
        let value: f64 = f.value(judged);
        if !value.is_finite() {
            return f64::INFINITY;
        }
        // The nearest minimum is looked for where it may be near enough, and at the end.
        if value > begin && step + 1 < steps {
            within = 0;
            continue;
        }
        gap = above(function, &landmarks, value, judged);
        within = if gap <= bound { within + 1 } else { 0 };
        if within == REST {
            return gap;
        }
    }
    gap
}

/// One matrix of all parameters, so that methods that see shapes have one to work on.
fn matrix(rows: usize, columns: usize) -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[rows, columns], Role::Weight);
    layout
}

/// What is left after the best rate, as soon as one will do.
fn best(spec: &OptimizerSpec, function: &'static TestFunction, layout: &Layout) -> f64 {
    let mut least = f64::INFINITY;
    for &pace in rates(&spec.name) {
        least = least.min(left(spec, function, layout, pace));
        if least <= bound(spec, function) {
            break;
        }
    }
    least
}

/// Plays a function with every row; names all that end too far above a minimum.
fn all_come_to_rest(function: &'static TestFunction, layout: &Layout) -> Vec<String> {
    let mut failed = Vec::new();
    for (_, spec) in every() {
        let (left, bound) = (best(&spec, function, layout), bound(&spec, function));
        if left > bound || left.is_nan() {
            let (name, dialect) = (&spec.name, spec.dialect.name());
            failed.push(format!("{name} ({dialect}) on {}: {left:.1e}, more than {bound:e}", function.name));
        }
        if let Some(Weaker { why, .. }) = weaker(&spec, function)
            && left <= function.tolerance
        {
            failed.push(format!("{} needs no weaker bound on {} (for «{why}»)", spec.name, function.name));
        }
    }
    failed
}

#[test]
fn every_method_comes_to_rest_in_a_minimum_of_every_function() {
    let mut failed = Vec::new();
    for name in [
        "quadratic",
        "rotated",
        "rosenbrock",
        "beale",
        "booth",
        "himmelblau",
        "rastrigin",
        "saddle",
        "logistic",
    ] {
        failed.extend(all_come_to_rest(functions::find(name).expect("a row"), &matrix(2, 1)));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_method_comes_to_rest_with_a_matrix_and_a_vector() {
    let mut layout = matrix(3, 2);
    layout.push("bias", &[3], Role::Bias);
    let function = functions::find("quadratic").expect("a row");
    let failed = all_come_to_rest(function, &layout);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Methods whose steps down a straight slope are equal from step `.1` on, to a factor of `.2`: those that correct their
/// averages for the start at zero, and those that only see signs. Without a correction the first steps would be several
/// times as long or as short as the later ones.
const EQUAL: &[(Names, usize, f64)] = &[
    (&["sgd", "gradient-descent", "sign-sgd", "lion", "adam", "adamw", "adamax", "adan"], 0, 1.0001),
    // But for the textbook's: see `uncorrected`.
    (&["amsgrad"], 0, 1.0001),
    (&["soap"], 1, 1.0001),
    // It looks ahead by its momentum, which grows.
    (&["nadam"], 0, 1.6),
    // Its first step has no average to stand on.
    (&["schedule-free-adamw"], 0, 2.0),
];

/// A number that depends on the slope along a coordinate.
type OfSlope = fn(f64) -> f64;

/// The first step of other corrected methods in units of the rate, where the slope is `g`.
const FIRST: &[(&str, OfSlope)] = &[
    // The square is that of g − m, which is β₁g.
    ("adabelief", |_| 1.0 / 0.9),
    // Before it has seen enough to rectify, it is momentum.
    ("radam", f64::abs),
];

#[test]
fn down_a_slope_every_method_walks_and_a_corrected_one_in_equal_steps() {
    let slope = [0.25, -4.0];
    for (entry, spec) in every() {
        let (mut w, mut optimizer) = (vec![3.0, -5.0], spec.build::<f64>(&matrix(2, 1)).expect("in range"));
        let mut f = from_fn(2, |w: &[f64], grad: &mut [f64]| {
            grad.copy_from_slice(&slope);
            slope[0] * w[0] + slope[1] * w[1]
        });
        let (mut places, mut point) = (vec![w.clone()], Vec::new());
        for _ in 0..60 {
            optimizer.step(&mut w, &mut f, 0.01).expect("a step");
            places.push(w.clone());
        }
        let judged = if optimizer.average(&w, &mut point) { &point } else { &w };
        for (i, g) in slope.into_iter().enumerate() {
            let down = |from: &[f64], to: &[f64]| (from[i] - to[i]) * g.signum();
            let way = down(&places[0], judged);
            assert!(way > 0.0, "{spec:?} walks uphill along {i}: {way:e}");
            let steps: Vec<f64> = places.windows(2).map(|pair| down(&pair[0], &pair[1])).collect();
            let equal = EQUAL.iter().find(|(names, ..)| names.contains(&entry.info.name));
            if let Some(&(_, from, factor)) = equal.filter(|_| spec != uncorrected()) {
                let last = steps[steps.len() - 1];
                let even = steps[from..].iter().all(|step| (1.0 / factor..=factor).contains(&(step / last)));
                assert!(even, "{spec:?} along {i}: {steps:?}");
            }
            if let Some((_, first)) = FIRST.iter().find(|(name, _)| *name == entry.info.name) {
                let share = steps[0] / (0.01 * first(g));
                assert!((share - 1.0).abs() < 1e-3, "{spec:?} along {i}: the first step is {}", steps[0]);
            }
        }
    }
}

/// The one form that has no correction where others have.
fn uncorrected() -> OptimizerSpec {
    OptimizerSpec::named("amsgrad").dialect(Dialect::Textbook)
}
