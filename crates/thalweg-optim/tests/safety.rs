//! What must stay as it was when a step is refused, and what must go on where it was when a state comes back.

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::wrap::{Lookahead, WRAPPERS};
use thalweg_optim::{
    Dialect, GradientDescent, GroupSpec, Layout, Momentum, Optimizer, OptimizerSpec, Real, Role, Rule,
    ScheduleFreeSgd, Search, Sgd, Span, StateDict, Wrap, WrapSpec, from_fn,
};

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[3, 2], Role::Weight);
    layout.push("bias", &[3], Role::Bias);
    layout
}

fn wave(step: u32) -> Vec<f64> {
    (0..9).map(|i| (f64::from(i) * 0.9 + 0.3 + f64::from(step)).sin()).collect()
}

fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

/// ½ Σ λᵢ (wᵢ − cᵢ)².
fn quadratic<T: Real>(w: &[T], grad: &mut [T]) -> T {
    let mut value = 0.0;
    for (i, (g, w)) in grad.iter_mut().zip(w).enumerate() {
        let (curvature, error) = (0.1 + (i % 5) as f64 * 0.5, w.to_f64() - (1.3 * i as f64).cos());
        *g = T::from_f64(curvature * error);
        value += 0.5 * curvature * error * error;
    }
    T::from_f64(value)
}

fn wrapped(name: &str, wrappers: &[&str]) -> OptimizerSpec {
    let parsed = wrappers.iter().map(|text| text.parse::<WrapSpec>().expect("valid"));
    parsed.fold(OptimizerSpec::named(name), OptimizerSpec::wrapped)
}

fn build<T: Real>(spec: &OptimizerSpec) -> Box<dyn Optimizer<T>> {
    spec.build(&layout()).expect("valid")
}

fn average(optimizer: &mut dyn Optimizer<f64>, w: &[f64]) -> Option<Vec<f64>> {
    let mut point = Vec::new();
    optimizer.average(w, &mut point).then_some(point)
}

/// The state but for what the guards counted.
fn uncounted(optimizer: &dyn Optimizer<f64>) -> StateDict {
    let mut state = optimizer.save();
    let counts: Vec<_> =
        state.entries().keys().filter(|name| name.ends_with("guard/skipped")).cloned().collect();
    assert!(!counts.is_empty(), "there is a guard");
    counts.iter().for_each(|name| drop(state.remove(name)));
    state
}

/// A step that clears its gradients, as one span or one per block; what is left of the gradient.
fn clearing_step(
    optimizer: &mut dyn Optimizer<f64>,
    w: &mut [f64],
    grad: &[f64],
    blocks: bool,
) -> (bool, Vec<f64>) {
    let mut grad = grad.to_vec();
    let outcome = if blocks {
        let ((weight, bias), (of_weight, of_bias)) = (w.split_at_mut(6), grad.split_at_mut(6));
        let spans = &mut [Span::clearing(weight, of_weight), Span::clearing(bias, of_bias)];
        optimizer.step_spans(spans, 0.01)
    } else {
        optimizer.step_spans(&mut [Span::clearing(w, &mut grad)], 0.01)
    };
    (outcome.expect("given gradients").skipped, grad)
}

#[test]
fn a_refused_gradient_is_cleared_and_nothing_else_is_touched() {
    let towers: [&[&str]; 6] = [
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
                    optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.01);
                }
                for _ in 0..2 {
                    let report = optimizer.step(&mut w, &mut f, 0.01);
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

/// A method with steps behind it gets slow weights that start from W, not from zero, and is judged as before until then.
#[test]
fn lookahead_starts_from_where_a_warm_method_is() {
    let rules = ["momentum", "schedule-free-sgd"].map(OptimizerSpec::named);
    for (spec, given) in rules.iter().flat_map(|spec| [(spec, false), (spec, true)]) {
        let (mut inner, mut w, mut f) = (build::<f64>(spec), wave(0), from_fn(9, quadratic));
        for _ in 0..7 {
            inner.step(&mut w, &mut f, 0.05);
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
                tower.step(&mut w, &mut f, 0.05);
            }
            plain.step(&mut fast, &mut f, 0.05);
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
        inner.step(&mut w, &mut f, 0.05);
    }
    let judged = average(&mut inner, &w).expect("it averages");
    assert_ne!(judged, w);
    let mut tower = inner.ema(0.75).expect("valid").swa(9, 2).expect("valid");
    assert_eq!(average(&mut tower, &w).as_ref(), Some(&judged));
    tower.step(&mut w, &mut f, 0.05);
    let mut kept = w.clone();
    assert_eq!(average(&mut tower, &w).as_ref(), Some(&kept), "the first point of the EMA is W");
    for step in 9..=10 {
        tower.step(&mut w, &mut f, 0.05);
        kept.iter_mut().zip(&w).for_each(|(a, w)| *a += 0.25 * (w - *a));
        assert_eq!(average(&mut tower, &w).as_ref(), Some(&kept), "step {step}: SWA has no point yet");
    }
    tower.step(&mut w, &mut f, 0.05);
    assert_eq!((average(&mut tower, &w), tower.count()), (Some(w), 1), "SWA counts the steps of the method");

    // A schedule-free rule that goes on after a state came back does not start its z anew.
    let warm = || {
        let (mut rule, mut w) = (ScheduleFreeSgd::default().optimizer::<f64>(9).expect("in range"), wave(0));
        for _ in 0..7 {
            rule.step(&mut w, &mut from_fn(9, quadratic), 0.05);
        }
        (rule, w)
    };
    let ((mut one, mut w), (two, mut copy)) = (warm(), warm());
    let mut loaded = ScheduleFreeSgd::default().optimizer::<f64>(9).expect("in range");
    loaded.load(&two.save()).expect("its own state");
    one.step(&mut w, &mut f, 0.05);
    loaded.step(&mut copy, &mut f, 0.05);
    assert_eq!((bits(&w), average(&mut one, &w)), (bits(&copy), average(&mut loaded, &copy)));
}

/// What is done with an objective and with its gradient, as one array or one per block, are different paths through most
/// wrappers.
#[test]
fn an_objective_a_gradient_and_spans_move_a_tower_alike() {
    let towers: [&[&str]; 6] = [
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
                one.step(&mut all[0], &mut from_fn(9, quadratic), 0.01);
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
            plain.step(&mut own, &mut from_fn(9, quadratic), 0.1);
            optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.1);
            assert_eq!(bits(&w), bits(&own), "{tower:?}, step {step}");
        }
    }
}

#[test]
fn a_search_in_a_wrapper_is_still_one_that_asks_itself() {
    for rule in ["lbfgs", "gradient-descent"] {
        for taker in ["accumulate=2", "clip-adaptive=0.1"] {
            let spec = wrapped(rule, &["guard", "ema=0.9"]);
            let inside = build::<f64>(&spec);
            assert!(inside.drives() && inside.needs_objective());
            let error =
                spec.wrapped(taker.parse().expect("valid")).build::<f64>(&layout()).err().expect("refused");
            assert!(error.to_string().contains("asks the objective itself"), "{error}");
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
        let report = tower.step(&mut w, &mut from_fn(9, quadratic), 2.0);
        let plain = descent.step(&mut own, &mut from_fn(9, uphill), 2.0);
        assert!(w.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-12), "step {step}: {w:?} {own:?}");
        assert_eq!(report.evaluations, 2 * plain.evaluations, "step {step}");
        evaluations.push(report.evaluations);
    }
    assert!(evaluations.iter().any(|&count| count > 4), "some step is shortened: {evaluations:?}");
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
                    optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.01);
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
                let report = optimizer.step(&mut w, &mut f, 0.01);
                assert!(report.outcome.skipped && asked.len() == 2, "{spec:?}: {report:?}, asked {asked:?}");
                assert_eq!((report.value, report.evaluations), (asked[0], 2), "{spec:?}");
                assert_eq!((bits(&w), optimizer.steps()), (bits(&kept), steps), "{spec:?}");
                assert_eq!(uncounted(&*optimizer), before, "{spec:?}");
                // And it goes on.
                assert!(!optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.01).outcome.skipped);
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
        optimizer.step(&mut w, &mut from_fn(9, quadratic), 0.5);
        let (kept, judged) = (w.clone(), average(&mut *optimizer, &w).expect("an average"));
        // The gradient lies: everything along it is higher.
        let lowest = kept.clone();
        let mut lie = from_fn(9, move |w: &[f64], grad: &mut [f64]| {
            grad.fill(1.0);
            w.iter().zip(&lowest).map(|(w, low)| (w - 0.875 * low).abs()).sum()
        });
        let report = optimizer.step(&mut w, &mut lie, 0.5);
        assert!(report.outcome.stuck, "{name}: {report:?}");
        assert_eq!(bits(&w), bits(&kept), "{name}");
        let half = judged.iter().zip(&kept).map(|(a, w)| a + 0.5 * (w - a)).collect();
        assert_eq!(average(&mut *optimizer, &w), Some(half), "{name}: the step counts for an average");
        let report = optimizer.step(&mut w, &mut from_fn(9, |_: &[f64], _: &mut [f64]| f64::NAN), 0.5);
        assert!(report.outcome.stuck && bits(&w) == bits(&kept), "{name}");
        // One that is at rest is not stuck: it decays.
        let flat = &mut from_fn(9, |_: &[f64], grad: &mut [f64]| {
            grad.fill(0.0);
            1.0
        });
        assert!(!optimizer.step(&mut w, flat, 0.5).outcome.stuck);
        assert_eq!(w, kept.iter().map(|w| w * 0.875).collect::<Vec<_>>(), "{name}");
    }
}

/// Settings that make a wrapper do something in a few steps.
fn lively(name: &str) -> &'static str {
    match name {
        "clip-norm" => "clip-norm=0.5",
        "clip-value" => "clip-value=0.2",
        "clip-adaptive" => "clip-adaptive=0.05",
        "guard" => "guard",
        "weight-decay" => "weight-decay=0.03",
        "decoupled-decay" => "decoupled-decay=0.04",
        "accumulate" => "accumulate=3",
        "lookahead" => "lookahead=4:0.6",
        "ema" => "ema=0.9",
        "swa" => "swa=3:2",
        "sam" => "sam=0.1",
        "asam" => "asam=0.2",
        other => panic!("give {other} settings that do something"),
    }
}

fn goes_on<T: Real>(spec: &OptimizerSpec) {
    let bits = |w: &[T]| w.iter().map(|w| w.to_f64().to_bits()).collect::<Vec<_>>();
    let mut f = from_fn(9, quadratic::<T>);
    for midway in [1, 5, 16] {
        let mut w: Vec<T> = wave(0).into_iter().map(T::from_f64).collect();
        let mut first = build::<T>(spec);
        for _ in 0..midway {
            first.step(&mut w, &mut f, 0.003);
        }
        let saved = first.save();
        // Into an optimizer with steps of its own, so that nothing may be left of them.
        let (mut second, mut copy) = (build::<T>(spec), w.clone());
        for _ in 0..7 {
            second.step(&mut copy, &mut f, 0.03);
        }
        second
            .load(&StateDict::from_safetensors(&saved.to_safetensors()).expect("its own"))
            .expect("its own");
        assert_eq!(second.save(), saved, "{spec:?}");
        copy.clone_from(&w);
        let (mut judged, mut of_copy) = (Vec::new(), Vec::new());
        for step in 1..=100 {
            let reports = [first.step(&mut w, &mut f, 0.003), second.step(&mut copy, &mut f, 0.003)];
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
            let spec = wrapped(rule, &[lively(entry.info.name)]);
            if spec.build::<f64>(&layout()).is_err() {
                // A search does not let its gradient be taken from it.
                assert!(["accumulate", "clip-adaptive"].contains(&entry.info.name), "{spec:?}");
                assert!(["lbfgs", "gradient-descent"].contains(&rule), "{spec:?}");
                continue;
            }
            goes_on::<f32>(&spec);
            goes_on::<f64>(&spec);
            played += 1;
        }
    }
    assert_eq!(played, WRAPPERS.len() * 6 - 4);
}
