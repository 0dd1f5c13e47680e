//! What a refused step leaves as it was, and what must not be hidden.

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::{Dialect, GroupSpec, Momentum, Optimizer, Rule, Sgd, Wrap, from_fn};

use super::*;

#[test]
fn a_refused_gradient_is_cleared_and_nothing_else_is_touched() {
    let towers: [&[&str]; 8] = [
        &["max-norm=0.5", "ema=0.9", "guard"],
        &["lasso-prox=0.5:1", "gradient-noise=0.1", "guard"],
        &["guard"],
        &["guard", "ema=0.9", "decoupled-decay=0.1", "clip-norm=1"],
        &["ema=0.9", "swa=1:1", "guard"],
        &["lookahead=2:0.5", "weight-decay=0.1", "guard"],
        &["clip-adaptive=0.1", "guard"],
        &["guard", "clip-adaptive=0.1"],
    ];
    for entry in REGISTRY.iter().filter(|entry| entry.kind != Kind::Search) {
        let name = entry.info.name;
        let grouped = wrapped(name, &[]).group(GroupSpec::of("weight")).group(GroupSpec::rest().decay(0.5));
        let specs = towers.iter().map(|tower| wrapped(name, tower));
        for spec in specs.chain([grouped.wrapped("guard".parse().expect("valid"))]) {
            for (poison, blocks) in [(f64::NAN, false), (f64::INFINITY, true), (f64::NEG_INFINITY, false)] {
                let (mut optimizer, mut w) = (build::<f64>(&spec), wave(0));
                if optimizer.needs_objective() {
                    continue;
                }
                for step in 1..=3 {
                    let (skipped, left) = clearing_step(&mut *optimizer, &mut w, &wave(step), blocks);
                    assert!(!skipped && left == [0.0; 9], "{spec:?}");
                }
                let (before, kept, judged) =
                    (uncounted(&*optimizer), w.clone(), average(&mut *optimizer, &w));
                let mut bad = wave(4);
                bad[7] = poison;
                let (skipped, left) = clearing_step(&mut *optimizer, &mut w, &bad, blocks);
                assert!(skipped, "{spec:?}");
                assert_eq!(left, [0.0; 9], "{spec:?}: a poisoned gradient stays to be added to");
                assert_eq!((bits(&w), optimizer.steps()), (bits(&kept), 3), "{spec:?}");
                assert_eq!(uncounted(&*optimizer), before, "{spec:?}");
                assert_eq!(average(&mut *optimizer, &w), judged, "{spec:?}");
            }
        }
    }
}

/// As PyTorch's `clip_grad_norm_`: a gradient without a length makes NaN of all, which is seen, instead of a step along
/// the parts that look sound.
#[test]
fn a_clip_shows_a_gradient_without_a_length_everywhere() {
    for entry in REGISTRY.iter().filter(|entry| entry.kind != Kind::Search) {
        for tower in [&["clip-norm=1"][..], &["clip-norm=1", "ema=0.5"], &["accumulate=1", "clip-norm=1"]] {
            for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let (mut optimizer, mut w) = (build::<f64>(&wrapped(entry.info.name, tower)), wave(0));
                let mut f = from_fn(9, |w: &[f64], grad: &mut [f64]| {
                    let value = quadratic(w, grad);
                    grad[4] = poison;
                    value
                });
                for _ in 0..2 {
                    optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.01).expect("a step");
                }
                for _ in 0..2 {
                    let report = optimizer.step(&mut w, &mut f, 0.01).expect("a step");
                    assert!(
                        report.outcome.norm.is_some_and(|norm| !norm.is_finite()) && !report.outcome.skipped
                    );
                }
                assert!(w.iter().all(|w| w.is_nan()), "{} in {tower:?}: {w:?}", entry.info.name);
                let judged = average(&mut *optimizer, &w).unwrap_or(w);
                assert!(judged.iter().all(|w| w.is_nan()), "{} in {tower:?}: {judged:?}", entry.info.name);
            }
        }
    }
}

#[test]
fn a_search_in_a_wrapper_is_still_one_that_asks_itself() {
    for rule in ["lbfgs", "gradient-descent"] {
        for taker in ["accumulate=2", "clip-adaptive=0.1", "gradient-noise=0.1"] {
            let spec = wrapped(rule, &["guard", "ema=0.9"]);
            let inside = build::<f64>(&spec);
            assert!(inside.drives() && inside.needs_objective());
            let error =
                spec.wrapped(taker.parse().expect("valid")).build::<f64>(&layout()).err().expect("refused");
            assert!(error.to_string().contains("asks the objective itself"), "{error}");
        }
    }
}

/// Only the second gradient of a step, the one uphill, is poisoned: W and all that is kept are as before.
#[test]
fn sam_leaves_w_where_it_was_if_a_guard_refuses_the_gradient_uphill() {
    for rule in ["sgd", "adam", "nag", "prodigy", "lamb", "lbfgs", "gradient-descent"] {
        for climb in ["sam=0.3", "asam=0.3"] {
            for tower in [
                &["guard", climb][..],
                &[climb, "guard"],
                &["decoupled-decay=0.1", climb, "ema=0.9", "guard"],
            ] {
                let mut spec = wrapped(rule, tower);
                if rule == "nag" {
                    spec = spec.dialect(Dialect::Textbook);
                }
                let (mut optimizer, mut w) = (build::<f64>(&spec), wave(0));
                for _ in 0..3 {
                    optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.01).expect("a step");
                }
                let (before, kept, steps) = (uncounted(&*optimizer), w.clone(), optimizer.steps());
                let mut asked = Vec::new();
                let mut f = from_fn(9, |w: &[f64], grad: &mut [f64]| {
                    let value = quadratic(w, grad);
                    asked.push(value);
                    if asked.len() == 2 {
                        grad[3] = f64::NAN;
                    }
                    value
                });
                let report = optimizer.step(&mut w, &mut f, 0.01).expect("a step");
                assert!(report.outcome.skipped && asked.len() == 2, "{spec:?}: {report:?}, asked {asked:?}");
                assert_eq!((report.value, report.evaluations), (asked[0], 2), "{spec:?}");
                assert_eq!((bits(&w), optimizer.steps()), (bits(&kept), steps), "{spec:?}");
                assert_eq!(uncounted(&*optimizer), before, "{spec:?}");
                // And it goes on.
                assert!(
                    !optimizer
                        .step(&mut w, &mut from_fn(9, quadratic), 0.01)
                        .expect("a step")
                        .outcome
                        .skipped
                );
                assert_ne!(w, kept, "{spec:?}");
            }
        }
    }
}

#[test]
fn a_guard_outside_of_an_accumulation_leaves_out_one_gradient_and_inside_the_whole_round() {
    let momentum = || Momentum::default().optimizer::<f64>(9).expect("in range");
    let mean = |steps: [u32; 3]| -> Vec<f64> {
        let sum = |i: usize| steps.iter().map(|&step| wave(step)[i]).fold(0.0, |sum, g| sum + g);
        (0..9).map(|i| sum(i) * (1.0 / 3.0)).collect()
    };
    let mut bad = wave(2);
    bad[0] = f64::NAN;
    // 1, (bad), 2, 3 are one mean from outside.
    let mut outside = momentum().accumulate(3).expect("valid").guard().expect("valid");
    let (mut plain, mut w, mut own) = (momentum(), wave(0), wave(0));
    let outcomes = [wave(1), bad.clone(), wave(2), wave(3)]
        .map(|grad| outside.step_with(&mut w, &grad, 0.1).expect("given gradients"));
    assert_eq!(
        outcomes.map(|outcome| (outcome.collected, outcome.skipped)),
        [(true, false), (false, true), (true, false), (false, false)]
    );
    plain.step_with(&mut own, &mean([1, 2, 3]), 0.1).expect("given gradients");
    assert_eq!((bits(&w), outside.count(), outside.steps()), (bits(&own), 1, 1));

    // From inside, the mean of 1, bad and 3 is refused, and 4, 5, 6 make the next.
    let mut inside = momentum().guard().expect("valid").accumulate(3).expect("valid");
    let (mut plain, mut w, mut own) = (momentum(), wave(0), wave(0));
    for (grad, skipped) in [(wave(1), false), (bad, false), (wave(3), true)] {
        let outcome = inside.step_with(&mut w, &grad, 0.1).expect("given gradients");
        assert_eq!((outcome.skipped, outcome.collected), (skipped, !skipped));
    }
    assert_eq!((bits(&w), inside.steps(), inside.count()), (bits(&wave(0)), 0, 0));
    for step in 4..=6 {
        inside.step_with(&mut w, &wave(step), 0.1).expect("given gradients");
    }
    plain.step_with(&mut own, &mean([4, 5, 6]), 0.1).expect("given gradients");
    assert_eq!((bits(&w), inside.steps()), (bits(&own), 1));
    assert_eq!(inside.save().count("guard/skipped"), 1);

    // What is collected or refused is cleared all the same.
    let mut tower =
        Sgd.optimizer_of::<f64>(&layout()).expect("in range").accumulate(2).expect("valid").guard();
    let tower = tower.as_mut().expect("valid");
    for (grad, skipped) in [(wave(1), false), (vec![f64::NAN; 9], true), (wave(2), false)] {
        assert_eq!(clearing_step(tower, &mut w, &grad, true), (skipped, vec![0.0; 9]));
    }
}

/// A search that finds nothing lower leaves W as it was before it was shrunk, and as it was where nothing is finite.
#[test]
fn a_stuck_search_undoes_a_decoupled_decay() {
    for name in ["lbfgs", "gradient-descent"] {
        let (mut optimizer, mut w) =
            (build::<f64>(&wrapped(name, &["decoupled-decay=0.25", "ema=0.5"])), wave(0));
        optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.5).expect("a step");
        let (kept, judged) = (w.clone(), average(&mut *optimizer, &w).expect("an average"));
        // The gradient lies: everything along it is higher.
        let lowest = kept.clone();
        let mut lie = from_fn(9, move |w: &[f64], grad: &mut [f64]| {
            grad.fill(1.0);
            w.iter().zip(&lowest).map(|(w, low)| (w - 0.875 * low).abs()).sum()
        });
        let report = optimizer.step(&mut w, &mut lie, 0.5).expect("a step");
        assert!(report.outcome.stuck, "{name}: {report:?}");
        assert_eq!(bits(&w), bits(&kept), "{name}");
        let half = judged.iter().zip(&kept).map(|(a, w)| a + 0.5 * (w - a)).collect();
        assert_eq!(average(&mut *optimizer, &w), Some(half), "{name}: the step counts for an average");
        let report = optimizer
            .step(&mut w, &mut from_fn(9, |_: &[f64], _: &mut [f64]| f64::NAN), 0.5)
            .expect("a step");
        assert!(report.outcome.stuck && bits(&w) == bits(&kept), "{name}");
        // One that is at rest is not stuck: it decays.
        let flat = &mut from_fn(9, |_: &[f64], grad: &mut [f64]| {
            grad.fill(0.0);
            1.0
        });
        assert!(!optimizer.step(&mut w, flat, 0.5).expect("a step").outcome.stuck);
        assert_eq!(w, kept.iter().map(|w| w * 0.875).collect::<Vec<_>>(), "{name}");
    }
}
