//! Warm starts, states that come back, and the paths through a wrapper: all lead to the same bits.

use thalweg_optim::wrap::{Lookahead, WRAPPERS};
use thalweg_optim::{
    Dialect, GradientDescent, Optimizer, OptimizerSpec, Real, Rule, ScheduleFreeSgd, Search, StateDict, Wrap,
    from_fn,
};

use super::lively::lively;
use super::*;

/// A method with steps behind it gets slow weights that start from W, not from zero, and is judged as before until then.
#[test]
fn lookahead_starts_from_where_a_warm_method_is() {
    let rules = ["momentum", "schedule-free-sgd"].map(OptimizerSpec::named);
    for (spec, given) in rules.iter().flat_map(|spec| [(spec, false), (spec, true)]) {
        let (mut inner, mut w, mut f) = (build::<f64>(spec), wave(0), from_fn(9, quadratic));
        for _ in 0..7 {
            inner.step(&mut w, &mut f, 0.05).expect("a step");
        }
        let (mut plain, own) = (build::<f64>(spec), average(&mut *inner, &w));
        plain.load(&inner.save()).expect("its own state");
        let mut tower = inner.wrap(Lookahead { steps: 4.0, alpha: 0.3 }).expect("valid");
        assert_eq!(average(&mut tower, &w), own, "{spec:?}: judged before the first step");
        let (mut fast, mut slow) = (w.clone(), w.clone());
        for step in 8..=17 {
            if given {
                let mut grad = vec![0.0; 9];
                quadratic(&w, &mut grad);
                tower.step_with(&mut w, &grad, 0.05).expect("no look-ahead");
            } else {
                tower.step(&mut w, &mut f, 0.05).expect("a step");
            }
            plain.step(&mut fast, &mut f, 0.05).expect("a step");
            if step % 4 == 0 {
                slow.iter_mut().zip(&fast).for_each(|(s, w)| *s += 0.3 * (w - *s));
                fast.clone_from(&slow);
            }
            assert_eq!(bits(&w), bits(&fast), "{spec:?}, step {step}");
            assert_eq!(average(&mut tower, &w).map(|a| bits(&a)), Some(bits(&slow)), "{spec:?}, step {step}");
        }
    }
}

/// An average around a warm method starts from its first own step, and a schedule-free rule judges at x until then.
#[test]
fn averages_start_from_where_a_warm_method_is() {
    let (mut w, mut f) = (wave(0), from_fn(9, quadratic));
    let mut inner = ScheduleFreeSgd::default().optimizer_of::<f64>(&layout()).expect("in range");
    for _ in 0..7 {
        inner.step(&mut w, &mut f, 0.05).expect("a step");
    }
    let judged = average(&mut inner, &w).expect("it averages");
    assert_ne!(judged, w);
    let mut tower = inner.ema(0.75).expect("valid").swa(9, 2).expect("valid");
    assert_eq!(average(&mut tower, &w).as_ref(), Some(&judged));
    tower.step(&mut w, &mut f, 0.05).expect("a step");
    let mut kept = w.clone();
    assert_eq!(average(&mut tower, &w).as_ref(), Some(&kept), "the first point of the EMA is W");
    for step in 9..=10 {
        tower.step(&mut w, &mut f, 0.05).expect("a step");
        kept.iter_mut().zip(&w).for_each(|(a, w)| *a += 0.25 * (w - *a));
        assert_eq!(average(&mut tower, &w).as_ref(), Some(&kept), "step {step}: SWA has no point yet");
    }
    tower.step(&mut w, &mut f, 0.05).expect("a step");
    assert_eq!((average(&mut tower, &w), tower.count()), (Some(w), 1), "SWA counts the steps of the method");

    // A schedule-free rule that goes on after a state came back does not start its z anew.
    let warm = || {
        let (mut rule, mut w) = (ScheduleFreeSgd::default().optimizer::<f64>(9).expect("in range"), wave(0));
        for _ in 0..7 {
            rule.step(&mut w, &mut from_fn(9, quadratic), 0.05).expect("a step");
        }
        (rule, w)
    };
    let ((mut one, mut w), (two, mut copy)) = (warm(), warm());
    let mut loaded = ScheduleFreeSgd::default().optimizer::<f64>(9).expect("in range");
    loaded.load(&two.save()).expect("its own state");
    one.step(&mut w, &mut f, 0.05).expect("a step");
    loaded.step(&mut copy, &mut f, 0.05).expect("a step");
    assert_eq!((bits(&w), average(&mut one, &w)), (bits(&copy), average(&mut loaded, &copy)));
}

/// What is done with an objective and with its gradient, as one array or one per block, are different paths through most
/// wrappers.
#[test]
fn an_objective_a_gradient_and_spans_move_a_tower_alike() {
    let towers: [&[&str]; 8] = [
        &["gradient-noise=0.1:0.5:3", "max-norm=0.9", "ema=0.9"],
        &["l1=0.1:1", "lasso-prox=0.2:1", "max-norm=1.1", "swa=1:2"],
        &["ema=0.9", "swa=1:2"],
        &["swa=1:2", "ema=0.9:1"],
        &["lookahead=3:0.6", "ema=0.9"],
        &["ema=0.8", "lookahead=2:0.5", "swa=0:1"],
        &["accumulate=2", "lookahead=2:0.5", "ema=0.7", "guard"],
        &["clip-adaptive=0.1", "lookahead=2:0.3", "swa=2:1", "decoupled-decay=0.1"],
    ];
    for rule in ["momentum", "adam", "schedule-free-sgd", "muon", "lars"] {
        for spec in towers.map(|tower| wrapped(rule, tower)) {
            let mut optimizers = [(); 3].map(|()| build::<f64>(&spec));
            let mut all = [wave(0), wave(0), wave(0)];
            for step in 0..9 {
                let mut grad = vec![0.0; 9];
                quadratic(&all[0], &mut grad);
                let [one, two, three] = &mut optimizers;
                one.step(&mut all[0], &mut from_fn(9, quadratic), 0.01).expect("a step");
                two.step_with(&mut all[1], &grad, 0.01).expect("given gradients");
                clearing_step(&mut **three, &mut all[2], &grad, true);
                for other in [1, 2] {
                    assert_eq!(bits(&all[0]), bits(&all[other]), "{spec:?}, step {step}");
                    let judged = average(&mut *optimizers[0], &all[0]);
                    assert_eq!(
                        judged,
                        average(&mut *optimizers[other], &all[other]),
                        "{spec:?}, step {step}"
                    );
                    assert_eq!(optimizers[0].save(), optimizers[other].save(), "{spec:?}, step {step}");
                }
            }
        }
    }
}

/// A wrapper that takes the gradient asks for it where what is inside wants it.
#[test]
fn a_look_ahead_is_seen_through_what_takes_the_gradient() {
    for tower in [&["clip-adaptive=1e9"][..], &["accumulate=1"], &["ema=0.5", "accumulate=1", "guard"]] {
        let bare = OptimizerSpec::named("nag").dialect(Dialect::Textbook);
        let (mut plain, mut own) = (build::<f64>(&bare), wave(0));
        let (mut optimizer, mut w) =
            (build::<f64>(&wrapped("nag", tower).dialect(Dialect::Textbook)), wave(0));
        for step in 1..=8 {
            plain.step(&mut own, &mut from_fn(9, quadratic), 0.1).expect("a step");
            optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.1).expect("a step");
            assert_eq!(bits(&w), bits(&own), "{tower:?}, step {step}");
        }
    }
}

/// Backtracking around SAM compares heights uphill of each point, not at the points.
#[test]
fn a_line_search_inside_of_sam_sees_the_heights_uphill() {
    let rho = 0.4;
    let uphill = |w: &[f64], grad: &mut [f64]| {
        quadratic(w, grad);
        let norm = grad.iter().map(|g| g * g).sum::<f64>().sqrt();
        let top: Vec<f64> = w.iter().zip(&*grad).map(|(w, g)| w + rho / norm * g).collect();
        quadratic(&top, grad)
    };
    let mut descent = GradientDescent::default().optimizer::<f64>(9).expect("in range");
    let mut tower =
        GradientDescent::default().optimizer::<f64>(9).expect("in range").sam(rho).expect("valid");
    let (mut w, mut own, mut evaluations) = (wave(0), wave(0), Vec::new());
    for step in 1..=20 {
        let report = tower.step(&mut w, &mut from_fn(9, quadratic), 2.0).expect("a step");
        let plain = descent.step(&mut own, &mut from_fn(9, uphill), 2.0).expect("a step");
        assert!(w.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-12), "step {step}: {w:?} {own:?}");
        assert_eq!(report.evaluations, 2 * plain.evaluations, "step {step}");
        evaluations.push(report.evaluations);
    }
    assert!(evaluations.iter().any(|&count| count > 4), "some step is shortened: {evaluations:?}");
}

fn goes_on<T: Real>(spec: &OptimizerSpec) {
    let bits = |w: &[T]| w.iter().map(|w| w.to_f64().to_bits()).collect::<Vec<_>>();
    let mut f = from_fn(9, quadratic::<T>);
    for midway in [1, 5, 16] {
        let mut w: Vec<T> = wave(0).into_iter().map(T::from_f64).collect();
        let mut first = build::<T>(spec);
        for _ in 0..midway {
            first.step(&mut w, &mut f, 0.003).expect("a step");
        }
        let saved = first.save();
        // Into an optimizer with steps of its own, so that nothing may be left of them.
        let (mut second, mut copy) = (build::<T>(spec), w.clone());
        for _ in 0..7 {
            second.step(&mut copy, &mut f, 0.03).expect("a step");
        }
        second
            .load(&StateDict::from_safetensors(&saved.to_safetensors()).expect("its own"))
            .expect("its own");
        assert_eq!(second.save(), saved, "{spec:?}");
        copy.clone_from(&w);
        let (mut judged, mut of_copy) = (Vec::new(), Vec::new());
        for step in 1..=100 {
            let reports = [
                first.step(&mut w, &mut f, 0.003).expect("a step"),
                second.step(&mut copy, &mut f, 0.003).expect("a step"),
            ];
            assert_eq!(reports[0], reports[1], "{spec:?}");
            let averages = [first.average(&w, &mut judged), second.average(&copy, &mut of_copy)];
            assert_eq!(averages[0], averages[1], "{spec:?}");
            assert_eq!(
                (bits(&w), bits(&judged)),
                (bits(&copy), bits(&of_copy)),
                "{spec:?} saved after {midway}, step {step}"
            );
        }
        assert_eq!(first.save(), second.save(), "{spec:?}");
    }
}

#[test]
fn every_wrapper_goes_on_from_a_file_with_the_same_bits_in_both_number_types() {
    let mut played = 0;
    for entry in WRAPPERS {
        for rule in ["adam", "schedule-free-sgd", "muon", "adafactor", "lbfgs", "gradient-descent"] {
            let spec = OptimizerSpec::named(rule).wrapped(lively(entry.info.name));
            if spec.build::<f64>(&layout()).is_err() {
                // A search does not let its gradient be taken from it.
                assert!(
                    ["accumulate", "clip-adaptive", "gradient-noise"].contains(&entry.info.name),
                    "{spec:?}"
                );
                assert!(["lbfgs", "gradient-descent"].contains(&rule), "{spec:?}");
                continue;
            }
            goes_on::<f32>(&spec);
            goes_on::<f64>(&spec);
            played += 1;
        }
    }
    assert_eq!(played, WRAPPERS.len() * 6 - 6);
}
