//! What every optimizer of the registry must do, in every dialect. A new row is tested here without a new line.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use thalweg_optim::hyper::{NumberKind, Range};
use thalweg_optim::registry::{Entry, Kind, REGISTRY};
use thalweg_optim::state::Values;
use thalweg_optim::{
    Dialect, Layout, Objective, OptimError, Optimizer, OptimizerSpec, Real, Role, Rprop, Rule, StateDict,
    from_fn,
};

/// Every row in every dialect.
fn every() -> impl Iterator<Item = (&'static Entry, OptimizerSpec)> {
    REGISTRY.iter().flat_map(|entry| {
        Dialect::ALL.map(|dialect| (entry, OptimizerSpec::named(entry.info.name).dialect(dialect)))
    })
}

/// A matrix and a vector that are `dim` numbers together.
fn layout(dim: usize) -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[dim / 3, 2], Role::Weight);
    layout.push("bias", &[dim - dim / 3 * 2], Role::Bias);
    layout
}

fn build<T: Real>(spec: &OptimizerSpec, dim: usize) -> Box<dyn Optimizer<T>> {
    spec.build(&layout(dim)).expect("the defaults are in range")
}

/// With every hyperparameter that `which` names at its least value: no ε, no decay.
fn without(entry: &Entry, spec: &OptimizerSpec, which: impl Fn(&str) -> bool) -> OptimizerSpec {
    let given = (entry.hyper)().into_iter().filter(|(name, ..)| which(name));
    consistent(given.fold(spec.clone(), |spec, (name, _, range)| spec.with(name, least(range))))
}

/// The least value of a range.
fn least(range: Range) -> f64 {
    if range.open { range.low.next_up() } else { range.low }
}

/// The two ends of a range: at each, the last value inside and the next one outside.
fn ends(range: Range) -> [(f64, f64); 2] {
    let (low, high) = (least(range), range.high);
    if range.kind == NumberKind::Real {
        let top = if range.closed { (high, high.next_up()) } else { (high.next_down(), high) };
        return [(low, low.next_down()), top];
    }
    [(low, low - 1.0), if high.is_finite() { (high, high + 1.0) } else { (high.next_down(), high) }]
}

/// With two hyperparameters that contradict each other the other way round.
fn consistent(spec: OptimizerSpec) -> OptimizerSpec {
    match spec.resolved() {
        Err(OptimError::Contradiction { lesser, lesser_value, greater, greater_value, .. }) => {
            let equal = lesser_value == greater_value;
            let more = if equal { lesser_value.next_up() } else { lesser_value };
            spec.with(lesser, greater_value).with(greater, more)
        }
        _ => spec,
    }
}

fn is_decay(name: &str) -> bool {
    name.ends_with("weight_decay")
}

fn is_epsilon(name: &str) -> bool {
    name.contains("epsilon") || name == "initial_accumulator"
}

fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

fn wave(len: usize, step: f64) -> Vec<f64> {
    (0..len).map(|i| (i as f64 * step + 0.3).sin()).collect()
}

/// ½ Σ λᵢ (wᵢ − cᵢ)² with a condition number of 30.
fn quadratic(w: &[f64], grad: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for (i, (g, &w)) in grad.iter_mut().zip(w).enumerate() {
        let (curvature, error) = (0.1 * 30_f64.powf((i % 5) as f64 / 4.0), w - (1.3 * i as f64).cos());
        *g = curvature * error;
        value += 0.5 * curvature * error * error;
    }
    value
}

#[test]
fn without_decay_a_zero_gradient_leaves_w_where_it_is_and_without_learning_rate_all_do() {
    for (entry, with_decay) in every() {
        let spec = without(entry, &with_decay, is_decay);
        let (mut w, start) = (wave(40, 0.9), wave(40, 0.9));
        let mut flat = from_fn(40, |_: &[f64], grad: &mut [f64]| {
            grad.fill(0.0);
            7.0
        });
        let mut optimizer = build(&spec, 40);
        let report = optimizer.step(&mut w, &mut flat, 0.5).expect("a step");
        assert_eq!((&w, report.value), (&start, 7.0), "{spec:?}");
        let (mut optimizer, mut f) = (build(&with_decay, 40), from_fn(40, quadratic));
        for _ in 0..5 {
            optimizer.step(&mut w, &mut f, 0.0).expect("a step");
        }
        assert_eq!(w, start, "{spec:?}");
    }
}

#[test]
fn weight_decay_shrinks_every_element_alike() {
    for (entry, spec) in every() {
        let decays = (entry.hyper)().iter().any(|(name, ..)| is_decay(name));
        if !decays || entry.kind != Kind::Elementwise {
            continue;
        }
        let (mut w, mut optimizer) = (wave(40, 0.9), build::<f64>(&spec.with("weight_decay", 0.1), 40));
        for _ in 0..3 {
            optimizer.step(&mut w, &mut from_fn(40, |_: &[f64], _: &mut [f64]| 0.0), 0.5).expect("a step");
        }
        let shares: Vec<f64> = w.iter().zip(wave(40, 0.9)).map(|(w, start)| w / start).collect();
        assert!(shares[0] > 0.0 && shares[0] < 1.0, "{}: {}", entry.info.name, shares[0]);
        assert!(
            shares.iter().all(|share| (share - shares[0]).abs() < 1e-14),
            "{}: {shares:?}",
            entry.info.name
        );
    }
}

/// W after steps of one gradient, all in `T`.
fn steady<T: Real>(spec: &OptimizerSpec, start: f64, gradient: f64, steps: u32) -> Vec<f64> {
    let (mut w, mut optimizer) = (vec![T::from_f64(start); 70], build::<T>(spec, 70));
    let mut f = from_fn(70, |_: &[T], grad: &mut [T]| {
        grad.fill(T::from_f64(gradient));
        T::ZERO
    });
    for _ in 0..steps {
        optimizer.step(&mut w, &mut f, 0.5).expect("a step");
    }
    w.into_iter().map(T::to_f64).collect()
}

#[test]
fn a_gradient_that_is_zero_from_the_start_is_never_divided_by_zero() {
    fn check<T: Real>(spec: &OptimizerSpec) {
        assert_eq!(steady::<T>(spec, 0.75, 0.0, 5), vec![0.75; 70], "{spec:?} in {}", size_of::<T>());
    }
    for (entry, spec) in every() {
        let spec = without(entry, &spec, is_decay);
        let mut least =
            vec![spec.clone(), without(entry, &spec, |_| true), without(entry, &spec, is_epsilon)];
        least.extend(
            (entry.hyper)()
                .iter()
                .map(|&(name, _, range)| consistent(spec.clone().with(name, self::least(range)))),
        );
        for spec in least {
            check::<f32>(&spec);
            check::<f64>(&spec);
        }
    }
}

/// Where g² underflows and g does not, a root is 0 and a quotient would be ∞.
#[test]
fn a_tiny_gradient_moves_w_no_further_than_a_large_one() {
    fn check<T: Real>(spec: &OptimizerSpec, slack: f64, gradients: &[f64]) {
        let reach = |gradient: f64| steady::<T>(spec, 0.0, gradient, 5)[0].abs();
        let large = reach(1.0);
        for &gradient in gradients {
            let tiny = reach(gradient);
            assert!(tiny <= slack * large, "{spec:?}: {gradient:e} moves by {tiny:e}, 1 by {large:e}");
        }
    }
    // A search asks an objective; this one gives a gradient that is none of its own.
    for (entry, spec) in every().filter(|(entry, _)| entry.kind != Kind::Search) {
        // In an eigenbasis, zero is rounding noise: without ε, it would be scaled up to one.
        let turns = entry.states.iter().any(|state| state.ends_with("basis"));
        let spec = without(entry, &spec, |name| is_decay(name) || (is_epsilon(name) && !turns));
        // Muon's steps have singular values from 0.68 to 1.21, by the length that they started with.
        let slack = if entry.kind == Kind::Shaped { 1.21 / 0.68 } else { 1.01 };
        check::<f32>(&spec, slack, &[1e-10, 1e-15, 1e-18, 1e-19, 1e-20, 1e-22, 1e-25, 1e-30, 1e-37, 1e-40]);
        check::<f64>(&spec, slack, &[1e-100, 1e-150, 1e-153, 1e-155, 1e-160, 1e-200, 1e-300, 1e-310]);
    }
}

#[test]
fn a_saved_state_goes_on_with_the_same_bits() {
    for (entry, spec) in every() {
        let (mut f, mut w) = (from_fn(37, quadratic), wave(37, 0.9));
        let mut first = build::<f64>(&spec, 37);
        for _ in 0..17 {
            first.step(&mut w, &mut f, 0.003).expect("a step");
        }
        let mut second = build::<f64>(&spec, 37);
        let saved = first.save();
        let slots: BTreeSet<_> = saved.entries().keys().filter_map(|name| name.split_once('/')).collect();
        if entry.kind == Kind::Elementwise {
            let names = entry.states.iter().flat_map(|&state| [(state, "bias"), (state, "weight")]);
            assert_eq!(slots, names.collect(), "{spec:?}");
        }
        let read = StateDict::from_safetensors(&saved.to_safetensors()).expect("its own bytes");
        assert_eq!(read, saved, "{spec:?}");
        second.load(&read).expect("its own state");
        assert_eq!(second.save(), saved, "{spec:?}");
        let mut copy = w.clone();
        for step in 18..=117 {
            first.step(&mut w, &mut f, 0.003).expect("a step");
            second.step(&mut copy, &mut f, 0.003).expect("a step");
            assert_eq!((first.steps(), second.steps()), (step, step));
        }
        assert_eq!(bits(&w), bits(&copy), "{spec:?}");
        assert_eq!(first.save(), second.save(), "{spec:?}");
    }
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() {
    for (_, spec) in every() {
        let (mut f, mut w) = (from_fn(9, quadratic), wave(9, 0.9));
        let mut optimizer = build::<f64>(&spec, 9);
        for _ in 0..3 {
            optimizer.step(&mut w, &mut f, 0.01).expect("a step");
        }
        let before = optimizer.save();
        let names: Vec<String> = before.entries().keys().cloned().collect();
        let mut wrong = Vec::new();
        for name in &names {
            let tensor = &before.entries()[name];
            let mut state = before.clone();
            state.remove(name);
            wrong.push((state.clone(), format!("«{name}» is missing")));
            let mut longer = tensor.shape.clone();
            longer.push(1);
            state.insert(name, &longer, tensor.values.clone());
            wrong.push((state.clone(), format!("«{name}» has the shape {longer:?}, expected")));
            let ones = Values::U8(vec![1; tensor.values.len()]);
            state.insert(name, &tensor.shape, ones);
            wrong.push((state, format!("«{name}» has the type U8, expected")));
        }
        let mut extra = before.clone();
        extra.insert_count("stepz", 3);
        wrong.push((extra, "«stepz» is not part of it; did you mean «steps»?".to_owned()));
        for (state, message) in wrong {
            let error = optimizer.load(&state).expect_err("it does not fit").to_string();
            assert!(error.contains(&message) && error.contains("nothing was changed"), "{error}");
            assert_eq!(optimizer.save(), before, "{spec:?}");
        }
    }
}

#[test]
fn a_given_gradient_steps_alike_and_look_ahead_refuses_it() {
    let mut refused = Vec::new();
    for (entry, spec) in every() {
        let (mut f, mut w) = (from_fn(33, quadratic), wave(33, 0.9));
        let (mut copy, mut grad) = (w.clone(), vec![0.0; 33]);
        let (mut first, mut second) = (build::<f64>(&spec, 33), build::<f64>(&spec, 33));
        // A rule that looks ahead says so by where it asks.
        for step in 1..=20 {
            f.value_and_grad(&copy, &mut grad);
            match second.step_with(&mut copy, &grad, 0.01) {
                Ok(_) => {
                    first.step(&mut w, &mut f, 0.01).expect("a step");
                    assert_eq!(bits(&w), bits(&copy), "{spec:?}, step {step}");
                    assert_eq!(second.steps(), step);
                }
                Err(error) => {
                    assert_eq!(error, OptimError::NeedsObjective { optimizer: entry.info.name });
                    assert_eq!((bits(&copy), second.steps()), (bits(&w), 0), "{spec:?}: a refusal moved it");
                    refused.push((entry.info.name, spec.dialect));
                    break;
                }
            }
        }
    }
    // A search refuses in every dialect.
    let searches = every().filter(|(entry, _)| entry.kind == Kind::Search);
    let expected: Vec<_> = std::iter::once(("nag", Dialect::Textbook))
        .chain(searches.map(|(entry, spec)| (entry.info.name, spec.dialect)))
        .collect();
    assert_eq!(refused, expected);
}

#[test]
fn a_bad_learning_rate_is_refused() {
    for (_, spec) in every() {
        for bad in [-1e-9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let (mut w, mut optimizer) = (wave(5, 0.9), build::<f64>(&spec, 5));
            let error = optimizer.step_with(&mut w, &[1.0; 5], bad).expect_err("out of range").to_string();
            assert!(error.contains("learning_rate") && error.contains("[0, ∞)"), "{error}");
            let mut asked = from_fn(5, |_: &[f64], _: &mut [f64]| unreachable!("the rate is checked first"));
            let step = optimizer.step(&mut w, &mut asked, bad).expect_err("out of range").to_string();
            assert_eq!(step, error, "{spec:?}");
            assert_eq!((w, optimizer.steps()), (wave(5, 0.9), 0), "{spec:?}");
        }
    }
}

#[test]
fn a_wrong_length_is_a_shape_bug() {
    for (_, spec) in every() {
        let mut optimizer = build::<f64>(&spec, 5);
        let mut panics = |w: usize, grad: usize| {
            let (mut w, grad) = (vec![0.0; w], vec![0.0; grad]);
            catch_unwind(AssertUnwindSafe(|| optimizer.step_with(&mut w, &grad, 0.1).is_ok()))
        };
        assert!(panics(4, 4).is_err() && panics(6, 6).is_err(), "{spec:?}");
        // A look-ahead rule refuses any gradient before it looks at it.
        assert!(!matches!(panics(5, 4), Ok(true)), "{spec:?}");
        assert!(optimizer.steps() == 0);
    }
}

#[test]
fn every_hyperparameter_is_refused_just_outside_its_range() {
    for (entry, spec) in every() {
        for (name, _, range) in (entry.hyper)() {
            for (inside, outside) in ends(range) {
                // An end may lie beyond what another hyperparameter allows; it is no less in its own range.
                match spec.clone().with(name, inside).resolved() {
                    Ok(values) => assert!(values.contains(&(name, inside)), "{spec:?}: {name} = {inside}"),
                    Err(error) => assert!(matches!(error, OptimError::Contradiction { .. }), "{error}"),
                }
                for bad in [outside, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let spec = spec.clone().with(name, bad);
                    let error = spec
                        .build::<f64>(&Layout::vector(3))
                        .map(drop)
                        .expect_err("outside its range")
                        .to_string();
                    for part in [entry.info.name, name, &format!("{bad}"), &range.to_string()] {
                        assert!(error.contains(part), "«{error}» does not say {part}");
                    }
                    assert!(spec.build::<f32>(&Layout::vector(3)).is_err() && spec.resolved().is_err());
                }
            }
            // One letter is missing: the right name is suggested (of two letters, nothing can be told).
            let typo = &name[..name.len() - 1];
            if typo.len() == 1 {
                continue;
            }
            let error =
                spec.clone().with(typo, 0.5).build::<f64>(&Layout::vector(3)).map(drop).expect_err("unknown");
            assert!(error.to_string().contains("did you mean «"), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        let error =
            spec.clone().with("xyzzy", 0.5).build::<f64>(&Layout::vector(3)).map(drop).expect_err("unknown");
        assert!(!error.to_string().contains("did you mean"), "{error}");
    }
}

#[test]
fn a_fraction_is_refused_where_a_number_counts_or_switches() {
    let mut counts = Vec::new();
    for (entry, spec) in every() {
        for (name, _, range) in (entry.hyper)() {
            if range.kind == NumberKind::Real {
                continue;
            }
            counts.push(name);
            let mut built = build::<f64>(&spec, 9);
            let before = built.hyper();
            for fraction in [0.5, 0.999, 1.25, 2.7, 99.5].map(|part| range.low + part) {
                let given = spec.clone().with(name, fraction);
                for error in [
                    given.build::<f64>(&layout(9)).err().expect("a fraction"),
                    given.resolved().expect_err("a fraction"),
                    built.set_hyper(name, fraction).expect_err("a fraction"),
                ] {
                    let error = error.to_string();
                    for part in [entry.info.name, name, &fraction.to_string(), &range.to_string()] {
                        assert!(error.contains(part), "«{error}» does not say {part}");
                    }
                }
                assert_eq!(built.hyper(), before, "{spec:?}");
            }
        }
    }
    // Those that are cut to whole numbers, or compared with zero, where they are used.
    for name in [
        "ns_steps",
        "nesterov",
        "history",
        "max_evaluations",
        "precondition_frequency",
        "min_dim_size_to_factor",
        "parameter_scale",
        "relative_step",
        "warmup_steps",
    ] {
        assert!(counts.contains(&name), "{name} takes fractions");
    }
}

/// A hyperparameter and its value.
type Set = (&'static str, f64);

/// Each pair that must keep an order: name, lesser, greater, a value for each that is in range but the wrong way round.
const ORDERED: &[(&str, Set, Set, &str)] = &[
    ("rprop", ("step_min", 2.0), ("step_max", 1.0), "step_min must be at most step_max"),
    ("lbfgs", ("c1", 0.5), ("c2", 0.4), "c1 must be less than c2"),
    ("lbfgs", ("c1", 0.5), ("c2", 0.5), "c1 must be less than c2"),
];

#[test]
fn a_pair_that_contradicts_itself_is_refused_wherever_it_enters() {
    for &(name, (lesser, low), (greater, high), says) in ORDERED {
        for dialect in Dialect::ALL {
            let spec = OptimizerSpec::named(name).dialect(dialect);
            let both = spec.clone().with(lesser, low).with(greater, high);
            let mut built = build::<f64>(&spec.clone().with(lesser, high / 2.0).with(greater, high), 5);
            let before = built.hyper();
            for error in [
                both.build::<f64>(&layout(5)).err().expect("a contradiction"),
                both.resolved().expect_err("a contradiction"),
                built.set_hyper(lesser, low).expect_err("a contradiction"),
            ] {
                let error = error.to_string();
                let values = [format!("{lesser} = {low}"), format!("{greater} = {high}")];
                assert!(error.contains(says) && values.iter().all(|value| error.contains(value)), "{error}");
            }
            assert_eq!(built.hyper(), before, "{spec:?}");
            // The other way round, one after the other, they are what was asked for.
            built.set_hyper(greater, low.max(high) * 1.5).expect("more room");
            built.set_hyper(lesser, low).expect("in order");
        }
    }
    // Equal bounds of a step are a step of one size.
    let fixed = OptimizerSpec::named("rprop").with("step_min", 0.1).with("step_max", 0.1);
    fixed.build::<f64>(&layout(5)).map(drop).expect("no contradiction");
    // And the rule itself is checked, too, where no recipe is.
    let rprop = Rprop { step_min: 1.0, step_max: 0.5, ..Rprop::default() };
    assert!(matches!(rprop.optimizer::<f64>(3).map(drop), Err(OptimError::Contradiction { .. })));
}

#[test]
fn zero_is_refused_where_it_would_leave_nothing() {
    for (name, hyper) in [
        ("adadelta", "epsilon"),
        ("adafactor", "clip_threshold"),
        ("gradient-descent", "shrink"),
        ("gradient-descent", "c1"),
        ("lbfgs", "c1"),
        ("lars", "trust_coefficient"),
        ("prodigy", "d_coef"),
        ("rprop", "eta_minus"),
        ("rprop", "step_max"),
    ] {
        let error = OptimizerSpec::named(name).with(hyper, 0.0).resolved().expect_err("zero").to_string();
        assert!(error.contains(&format!("{hyper} = 0 is out of range: it must lie in (0, ")), "{error}");
    }
}

/// A value of the range that is no default; and no end, where it has others.
fn inner(range: Range, default: f64) -> f64 {
    match range.kind {
        NumberKind::Switch => 1.0 - default,
        NumberKind::Whole => range.low + 3.0,
        NumberKind::Real if range.high.is_finite() => range.low + 0.37 * (range.high - range.low),
        NumberKind::Real => range.low + 0.37,
    }
}

#[test]
fn a_hyperparameter_changed_later_counts_from_the_next_step_on() {
    for (entry, spec) in every() {
        for (name, _, range) in (entry.hyper)() {
            if name == "history" {
                continue; // how many pairs there are is part of the state's form
            }
            let (mut f, mut w) = (from_fn(9, quadratic), wave(9, 0.9));
            let mut changed = build::<f64>(&spec, 9);
            for _ in 0..7 {
                changed.step(&mut w, &mut f, 0.02).expect("a step");
            }
            let state = changed.save();
            let given = changed.hyper();
            let [(_, below), (_, beyond)] = ends(range);
            for bad in [below, beyond, f64::NAN, f64::INFINITY] {
                let error = changed.set_hyper(name, bad).expect_err("outside its range").to_string();
                for part in [entry.info.name, name, &range.to_string()] {
                    assert!(error.contains(part), "«{error}» does not say {part}");
                }
                assert_eq!((changed.hyper(), changed.save()), (given.clone(), state.clone()), "{spec:?}");
            }
            let default = given.iter().find(|(other, _)| *other == name).expect("it is listed").1;
            let value = inner(range, default);
            if let Err(error) = changed.set_hyper(name, value) {
                // It decides which states there are.
                assert_eq!(error, OptimError::FixedOnceBuilt { optimizer: entry.info.name, name });
                assert!(build::<f64>(&spec.clone().with(name, value), 9).load(&state).is_err(), "{spec:?}");
                assert_eq!((changed.hyper(), changed.save()), (given.clone(), state.clone()), "{spec:?}");
                continue;
            }
            let expected: Vec<_> =
                given.iter().map(|&(other, old)| (other, if other == name { value } else { old })).collect();
            assert_eq!(changed.hyper(), expected, "{spec:?}");
            // As one that was built with it and given the state.
            let (mut built, mut copy) = (build::<f64>(&spec.clone().with(name, value), 9), w.clone());
            built.load(&state).expect("a state of the same form");
            for _ in 0..7 {
                changed.step(&mut w, &mut f, 0.02).expect("a step");
                built.step(&mut copy, &mut f, 0.02).expect("a step");
            }
            assert_eq!(bits(&w), bits(&copy), "{spec:?}: {name} = {value}");
        }
        let mut optimizer = build::<f64>(&spec, 9);
        let error = optimizer.set_hyper("xyzzy", 0.5).expect_err("unknown").to_string();
        assert!(error.contains("xyzzy") && error.contains(entry.info.name), "{error}");
    }
}

#[test]
fn nan_and_infinity_stay_in_their_element_or_block() {
    for (entry, spec) in every().filter(|(entry, _)| entry.kind != Kind::Search) {
        for (at, poison) in [(0, f64::NAN), (15, f64::INFINITY), (16, f64::NEG_INFINITY), (39, f64::NAN)] {
            let walk = |poisoned: bool| {
                let (mut w, mut optimizer) = (wave(40, 0.9), build::<f64>(&spec, 40));
                let mut f = from_fn(40, |_: &[f64], grad: &mut [f64]| {
                    grad.copy_from_slice(&wave(40, 0.31));
                    if poisoned {
                        grad[at] = poison;
                    }
                    0.0
                });
                for _ in 0..3 {
                    optimizer.step(&mut w, &mut f, 0.01).expect("a step");
                }
                w
            };
            let (mut clean, mut poisoned) = (walk(false), walk(true));
            // A NaN must not be hidden; ∞ has a sign, and that is all that some methods look at.
            assert!(poisoned[at].is_nan() || !poison.is_nan(), "{spec:?}: {}", poisoned[at]);
            // A method that sees shapes takes norms and products over a block; no other block may see them.
            let spoiled = match entry.kind {
                Kind::Shaped => {
                    layout(40).blocks().iter().find(|b| b.range.contains(&at)).unwrap().range.clone()
                }
                _ => at..at + 1,
            };
            clean[spoiled.clone()].fill(0.0);
            poisoned[spoiled].fill(0.0);
            if entry.couples {
                // Sums over all parameters leave the step out, which the others feel; they go on.
                assert!(poisoned.iter().all(|w| w.is_finite()) && poisoned != wave(40, 0.9), "{spec:?}");
            } else {
                assert_eq!(bits(&clean), bits(&poisoned), "{spec:?}, element {at}");
            }
        }
    }
}

/// What a rule makes of a gradient that is twice as large everywhere and always.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// Nothing: it adapts to the gradient's size.
    Unseen,
    /// Steps twice as long: W is a sum of gradients.
    Proportional,
    /// Something between.
    Mixed,
}

/// The distance of 50 steps without ε, decay aside. From 0, so that a move that is scaled is so to the last bit; powers of
/// two scale without rounding.
fn scale_seen(spec: &OptimizerSpec) -> Scale {
    let walk = |scale: f64, start: &[f64]| {
        let (mut w, mut optimizer) = (start.to_vec(), build::<f64>(spec, 20));
        for step in 0..50 {
            let mut f = from_fn(20, |_: &[f64], grad: &mut [f64]| {
                let wave = wave(20, 0.31 + f64::from(step));
                grad.iter_mut().zip(wave).for_each(|(g, wave)| *g = (wave + 1.5) * scale);
                0.0
            });
            optimizer.step(&mut w, &mut f, 0.01).expect("a step");
        }
        w
    };
    let (zero, start) = ([0.0; 20], wave(20, 0.9));
    let (from_zero, plain) = (walk(1.0, &zero), walk(1.0, &start));
    assert!(from_zero != zero && plain != start, "{spec:?} does not move");
    let all = |same: &dyn Fn(f64) -> bool| [1024.0, 1.0 / 4096.0].into_iter().all(same);
    if all(&|scale| bits(&walk(scale, &start)) == bits(&plain)) {
        Scale::Unseen
    } else if all(&|scale| {
        let scaled: Vec<f64> = from_zero.iter().map(|w| w * scale).collect();
        bits(&walk(scale, &zero)) == bits(&scaled)
    }) {
        Scale::Proportional
    } else {
        Scale::Mixed
    }
}

/// Every elementwise rule either adapts to the gradient's size or is linear in it: a new row that has lost its ε, a root or
/// a square somewhere is neither, and needs no line here to be caught.
#[test]
fn a_rule_adapts_to_the_gradient_s_scale_or_is_linear_in_it() {
    let linear = ["sgd", "momentum", "nag", "schedule-free-sgd"];
    let mixed = [
        ("adadelta", "without ε it does not move, and with it the first steps are ε's"),
        ("radam", "its first steps are Momentum's, until the variance is known"),
    ];
    for entry in REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise) {
        let name = entry.info.name;
        for dialect in Dialect::ALL {
            let spec = OptimizerSpec::named(name).dialect(dialect);
            let spec = if name == "adadelta" { spec } else { without(entry, &spec, is_epsilon) };
            let expected = if linear.contains(&name) {
                Scale::Proportional
            } else if mixed.iter().any(|(known, _)| *known == name) {
                Scale::Mixed
            } else {
                Scale::Unseen
            };
            assert_eq!(scale_seen(&spec), expected, "{spec:?}");
        }
    }
}

#[test]
fn an_optimizer_of_nothing_is_harmless() {
    for (_, spec) in every() {
        let mut optimizer = build::<f32>(&spec, 0);
        optimizer.step(&mut [], &mut from_fn(0, |_: &[f32], _: &mut [f32]| 1.0), 0.1).expect("a step");
        assert_eq!(optimizer.steps(), 1);
    }
}

/// Steps of random gradients with random hyperparameters; whether W stayed free of NaN.
fn stays_a_number<T: Real>(spec: &OptimizerSpec, rate: f64, gradients: &[Vec<f64>]) -> bool {
    let (mut w, mut optimizer) = (vec![T::ONE; 3], build::<T>(spec, 3));
    gradients.iter().all(|given| {
        let mut f = from_fn(3, |_: &[T], grad: &mut [T]| {
            grad.iter_mut().zip(given).for_each(|(g, &given)| *g = T::from_f64(given));
            T::ZERO
        });
        optimizer.step(&mut w, &mut f, rate).expect("a step");
        w.iter().all(|&w| w.is_finite())
    })
}

fn gradient() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), -1.0..1.0, -1e6..1e6, -1e-30..1e-30]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(64) })]
    #[test]
    fn finite_gradients_never_lead_to_nan(
        rate in 0.0..2.0,
        share in proptest::collection::vec(0.0..1.0, 12),
        log_epsilon in -30.0..0.0,
        gradients in proptest::collection::vec(proptest::collection::vec(gradient(), 3), 1..40),
    ) {
        for (entry, mut spec) in every() {
            for ((name, _, range), share) in (entry.hyper)().into_iter().zip(&share) {
                // A share of the range; where it has no end, a power of ten above its least.
                let [(least, _), (most, _)] = ends(range);
                let value = match range.kind {
                    NumberKind::Real if range.high.is_finite() => range.low + share * (range.high - range.low),
                    NumberKind::Real => range.low + 10_f64.powf(log_epsilon),
                    NumberKind::Switch => share.round(),
                    NumberKind::Whole => (range.low + 40.0 * share).round(),
                };
                spec = spec.with(name, value.clamp(least, most));
            }
            spec = consistent(spec);
            // A rate that the method finds itself has no bound, and at a rate above 2/λ a decay makes W grow.
            if entry.couples {
                spec = without(entry, &spec, is_decay);
            }
            prop_assert!(stays_a_number::<f64>(&spec, rate, &gradients), "{spec:?}");
            prop_assert!(stays_a_number::<f32>(&spec, rate, &gradients), "{spec:?}");
        }
    }
}
