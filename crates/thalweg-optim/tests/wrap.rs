//! What every wrapper must do around every optimizer of the registry, and what each promises.

mod lively;

use lively::lively;
use thalweg_optim::hyper::NumberKind;
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::wrap::{Accumulate, Asam, ClipAdaptive, Lookahead, Sam, WRAPPERS};
use thalweg_optim::{
    Adam, Dialect, Layout, Momentum, Nag, OptimError, Optimizer, OptimizerSpec, Real, Role, Rule, Sgd, Span,
    Threads, Wrap, WrapSpec, from_fn,
};

/// Towers that mix what rides with what does not.
const TOWERS: [&[&str]; 8] = [
    &[
        "l1=0.02:1",
        "lasso-prox=0.03",
        "elastic-net=0.03:0.4:1",
        "weight-decay=0.02:1",
        "max-norm=0.9",
        "ema=0.9",
    ],
    &["max-norm=1.1", "gradient-noise=0.01:0.5:7", "clip-norm=0.7", "lookahead=2:0.5", "guard"],
    &["gradient-noise=0.01:0.5:7:1", "clip-norm=0.7", "ema=0.9"],
    &["clip-norm=0.5", "clip-value=0.2", "weight-decay=0.01", "decoupled-decay=0.02", "guard", "ema=0.9"],
    &["ema=0.9", "swa=3:2"],
    &["lookahead=3:0.7", "swa=2:1", "ema=0.95", "guard"],
    &["clip-adaptive=0.1", "accumulate=3", "clip-norm=1", "lookahead=2:0.5", "ema=0.9"],
    &["accumulate=2", "ema=0.9:1", "sam=0.1", "clip-norm=0.7"],
];

/// Every tower that can be built: each wrapper alone and the mixed ones, around each row in each dialect.
fn every() -> Vec<OptimizerSpec> {
    let alone = WRAPPERS.iter().map(|entry| vec![lively(entry.info.name)]);
    let mixed = TOWERS.iter().map(|tower| tower.iter().map(|text| text.parse().expect("valid")).collect());
    let towers: Vec<Vec<WrapSpec>> = alone.chain(mixed).collect();
    let mut all = Vec::new();
    for entry in REGISTRY {
        for dialect in Dialect::ALL {
            for tower in &towers {
                let mut spec = OptimizerSpec::named(entry.info.name).dialect(dialect);
                spec.wrap.clone_from(tower);
                match spec.build::<f64>(&layout(9)) {
                    Ok(_) => all.push(spec),
                    // A search does not let its gradient be taken from it.
                    Err(OptimError::Wrap {
                        wrapper: "accumulate" | "clip-adaptive" | "gradient-noise",
                        ..
                    }) => {
                        assert!(drives(&spec), "{spec:?}");
                    }
                    Err(error) => panic!("{spec:?}: {error}"),
                }
            }
        }
    }
    all
}

fn drives(spec: &OptimizerSpec) -> bool {
    let bare = OptimizerSpec { wrap: Vec::new(), ..spec.clone() };
    bare.build::<f64>(&layout(9)).expect("the defaults are in range").drives()
}

/// A matrix and a vector that are `dim` numbers together.
fn layout(dim: usize) -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[dim / 3, 2], Role::Weight);
    layout.push("bias", &[dim - dim / 3 * 2], Role::Bias);
    layout
}

fn build<T: Real>(spec: &OptimizerSpec, dim: usize) -> Box<dyn Optimizer<T>> {
    spec.build(&layout(dim)).expect("the tower is valid")
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

fn average(optimizer: &mut (impl Optimizer<f64> + ?Sized), w: &[f64]) -> Option<Vec<f64>> {
    let mut point = Vec::new();
    optimizer.average(w, &mut point).then_some(point)
}

#[test]
fn a_saved_tower_goes_on_with_the_same_bits() {
    for spec in every() {
        let (mut f, mut w) = (from_fn(20, quadratic), wave(20, 0.9));
        let mut first = build::<f64>(&spec, 20);
        // 17 is in the middle of an accumulation of 3 and between two synchronizations.
        for _ in 0..17 {
            first.step(&mut w, &mut f, 0.003).expect("a step");
        }
        let mut second = build::<f64>(&spec, 20);
        second.load(&first.save()).expect("its own state");
        assert_eq!(second.save(), first.save(), "{spec:?}");
        let mut copy = w.clone();
        for _ in 0..100 {
            let reports = [
                first.step(&mut w, &mut f, 0.003).expect("a step"),
                second.step(&mut copy, &mut f, 0.003).expect("a step"),
            ];
            assert_eq!(reports[0], reports[1], "{spec:?}");
        }
        assert_eq!(bits(&w), bits(&copy), "{spec:?}");
        assert_eq!(first.save(), second.save(), "{spec:?}");
        assert_eq!(average(&mut *first, &w), average(&mut *second, &copy), "{spec:?}");
        // A state that lacks something is refused whole.
        let before = first.save();
        for name in before.entries().keys() {
            let mut state = before.clone();
            state.remove(name);
            assert!(first.load(&state).is_err(), "{spec:?} without {name}");
        }
        assert_eq!(first.save(), before, "{spec:?}");
    }
}

#[test]
fn a_tower_steps_alike_on_threads_with_spans_and_when_clearing() {
    let dim = 36_000; // more than a thread alone takes
    let (threads, grad) = (Threads::new(2).expect("two threads"), wave(dim, 0.37));
    // What the wrappers do does not depend on the rule's formula: one of each make.
    let rules = ["nag", "adam", "prodigy", "lamb", "lbfgs", "gradient-descent"];
    let of_each = |spec: &OptimizerSpec| rules.contains(&&spec.name[..]) && spec.dialect == Dialect::Torch;
    let specs: Vec<_> = every().into_iter().filter(of_each).collect();
    assert!(specs.len() > 90, "{}", specs.len());
    for spec in specs {
        let mut all = [wave(dim, 0.9), wave(dim, 0.9), wave(dim, 0.9)];
        let mut optimizers: Vec<_> = all.iter().map(|_| build::<f64>(&spec, dim)).collect();
        if optimizers[0].needs_objective() {
            optimizers[1].set_threads(&threads);
            for (w, optimizer) in all.iter_mut().zip(&mut optimizers) {
                for _ in 0..3 {
                    optimizer.step(w, &mut from_fn(dim, quadratic), 0.01).expect("a step");
                }
            }
        } else {
            optimizers[1].set_threads(&threads);
            for _ in 0..4 {
                let [one, two, three] = &mut all;
                optimizers[0].step_with(one, &grad, 0.01).expect("given gradients");
                optimizers[1].step_with(two, &grad, 0.01).expect("given gradients");
                let (mut spent, (weight, bias)) = (grad.clone(), three.split_at_mut(dim / 3 * 2));
                let (of_weight, of_bias) = spent.split_at_mut(dim / 3 * 2);
                let spans = &mut [Span::clearing(weight, of_weight), Span::clearing(bias, of_bias)];
                optimizers[2].step_spans(spans, 0.01).expect("given gradients");
                assert!(spent.iter().all(|g| *g == 0.0), "{spec:?} does not clear");
            }
        }
        let saved: Vec<_> = optimizers.iter().map(|optimizer| optimizer.save()).collect();
        assert!(saved[0] == saved[1] && bits(&all[0]) == bits(&all[1]), "{spec:?} on two threads");
        // The norm is summed span by span, which rounds differently: bits only where nothing is measured.
        let far = all[0].iter().zip(&all[2]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-12, "{spec:?} by spans: {far:e}");
    }
}

#[test]
fn nothing_and_one_element_are_harmless_and_bad_rates_refused() {
    for spec in every() {
        let mut none = spec.build::<f32>(&Layout::vector(0)).expect("valid");
        for _ in 0..5 {
            none.step(&mut [], &mut from_fn(0, |_: &[f32], _: &mut [f32]| 1.0), 0.1).expect("a step");
        }
        let mut one = spec.build::<f64>(&Layout::vector(1)).expect("valid");
        let mut w = [2.0];
        // So many that one that accumulates moves more than once: ADOPT's first move is none.
        for _ in 0..8 {
            one.step(&mut w, &mut from_fn(1, quadratic), 0.01).expect("a step");
        }
        assert!(w[0].is_finite() && w[0] != 2.0, "{spec:?}: {w:?}");
        for bad in [-1e-9, f64::NAN, f64::INFINITY] {
            let (mut w, mut optimizer) = (wave(5, 0.9), build::<f64>(&spec, 5));
            let error = optimizer.step_with(&mut w, &[1.0; 5], bad).expect_err("out of range").to_string();
            assert!(error.contains("learning_rate") && error.contains("[0, ∞)"), "{error}");
            let step = optimizer.step(&mut w, &mut from_fn(5, quadratic), bad).expect_err("out of range");
            assert_eq!((step.to_string(), w), (error, wave(5, 0.9)), "{spec:?}");
        }
    }
}

#[test]
fn settings_are_reached_by_name_and_refused_outside_their_range() {
    for entry in WRAPPERS {
        let spec = OptimizerSpec::named("adam").wrapped(WrapSpec::named(entry.info.name));
        let mut tower = build::<f64>(&spec, 9);
        assert_eq!(tower.wrappers(), [entry.info.name]);
        tower.set_hyper("beta1", 0.5).expect("of the rule inside");
        assert!(tower.hyper().contains(&("beta1", 0.5)));
        let error = tower.set_hyper("bta1", 0.5).expect_err("a typo").to_string();
        assert!(error.contains("did you mean «beta1»"), "{error}");
        for row in (entry.settings)() {
            assert!(tower.hyper().contains(&(row.name, row.default)), "{}", row.name);
            let mut bad = vec![row.range.low.next_down(), f64::NAN, f64::INFINITY];
            if row.range.high.is_finite() {
                bad.push(if row.range.closed { row.range.high.next_up() } else { row.range.high });
            }
            let real = row.range.kind == NumberKind::Real;
            if !real {
                bad.push(row.range.low + 0.5);
            }
            if row.range.open {
                bad.push(row.range.low);
            }
            for bad in bad {
                let error = tower.set_hyper(row.name, bad).expect_err("out of range").to_string();
                assert!(error.contains(entry.info.name) && error.contains(&row.range.to_string()), "{error}");
                let wrapper = WrapSpec::named(entry.info.name).with(row.key, bad);
                let spec = OptimizerSpec::named("sgd").wrapped(wrapper);
                assert!(spec.build::<f32>(&layout(9)).is_err() && spec.resolved().is_err(), "{spec:?}");
            }
            assert!(tower.hyper().contains(&(row.name, row.default)), "a refusal changed {}", row.name);
            let good = row.range.low + 1.0 - f64::from(u8::from(real)) * 0.5;
            tower.set_hyper(row.name, good).expect("in range");
            assert!(tower.hyper().contains(&(row.name, good)), "{}", row.name);
            let typo = WrapSpec::named(entry.info.name).with(&row.key[..row.key.len() - 1], 0.5);
            let error = typo.check().expect_err("unknown").to_string();
            assert!(error.contains(&format!("did you mean «{}»", row.key)), "{error}");
        }
    }
}

/// Wrappers that ride, against the separate passes that they stand for, around every rule that takes given gradients.
#[test]
fn what_rides_equals_separate_passes_bit_for_bit() {
    let (clip_norm, clip_value, l2, decay, beta, rate) = (2.0, 0.3, 0.03125, 0.04, 0.9, 0.01);
    // Sums of these are exact.
    let (l1, soft, net, ratio) = (0.0625, 0.5, 0.125, 0.75);
    let mut played = 0;
    for entry in REGISTRY {
        for dialect in Dialect::ALL {
            let bare = OptimizerSpec::named(entry.info.name).dialect(dialect);
            let mut plain = build::<f64>(&bare, 200);
            if plain.needs_objective() || entry.kind != thalweg_optim::registry::Kind::Elementwise {
                continue;
            }
            played += 1;
            let mut tower = build::<f64>(&bare, 200)
                .ema(beta)
                .and_then(|tower| tower.decoupled_decay(decay))
                .and_then(|tower| tower.weight_decay(l2))
                .and_then(|tower| tower.l1(l1))
                .and_then(|tower| tower.lasso_prox(soft))
                .and_then(|tower| tower.elastic_net(net, ratio))
                .and_then(|tower| tower.clip_value(clip_value))
                .and_then(|tower| tower.clip_norm(clip_norm))
                .and_then(|tower| tower.guard())
                .expect("valid");
            let (mut w, mut slow) = (wave(200, 0.9), wave(200, 0.9));
            let mut kept = vec![0.0; 200];
            for step in 1..=25 {
                let grad: Vec<_> = wave(200, 0.31 + f64::from(step)).iter().map(|g| g * 0.4).collect();
                let mut cleared = grad.clone();
                let outcome = tower.step_spans(&mut [Span::clearing(&mut w, &mut cleared)], rate);
                assert!(cleared.iter().all(|g| *g == 0.0));
                // One thing after another, each in a pass of its own.
                let norm = thalweg_optim::norm::gradient_norm(
                    &[Span::new(&mut grad.clone(), &grad)],
                    &Threads::default(),
                );
                assert_eq!(outcome.expect("given gradients").norm, Some(norm));
                let mut grad: Vec<f64> =
                    grad.iter().map(|g| g * (clip_norm / (norm + 1e-6)).min(1.0)).collect();
                grad.iter_mut().for_each(|g| *g = g.clamp(-clip_value, clip_value));
                for (g, w) in grad.iter_mut().zip(&slow) {
                    *g += (l2 + net * (1.0 - ratio)) * w;
                    *g += (l1 + net * ratio) * if *w == 0.0 { 0.0 } else { w.signum() };
                }
                slow.iter_mut().for_each(|w| *w *= 1.0 - rate * decay);
                plain.step_with(&mut slow, &grad, rate).expect("given gradients");
                for w in &mut slow {
                    let less = w.abs() - rate * soft;
                    *w = if less > 0.0 { less * w.signum() } else { 0.0 };
                }
                let weight = if step == 1 { 1.0 } else { 1.0 - beta };
                kept.iter_mut().zip(&slow).for_each(|(a, w)| *a += weight * (w - *a));
                assert_eq!(bits(&w), bits(&slow), "{bare:?}, step {step}");
                assert_eq!(average(&mut tower, &w).map(|a| bits(&a)), Some(bits(&kept)), "{bare:?}");
            }
        }
    }
    assert!(played >= 27, "{played}");
}

#[test]
fn two_averages_stand_beside_each_other() {
    let mut tower = Momentum::default().optimizer::<f64>(7).unwrap().ema(0.8).unwrap().swa(2, 3).unwrap();
    let mut f = from_fn(7, quadratic);
    let (mut w, mut path) = (wave(7, 0.9), Vec::new());
    for _ in 0..14 {
        tower.step(&mut w, &mut f, 0.05).expect("a step");
        path.push(w.clone());
    }
    let mut ema = path[0].clone();
    for w in &path[1..] {
        ema.iter_mut().zip(w).for_each(|(a, w)| *a = 0.8 * *a + 0.2 * w);
    }
    let mean: Vec<f64> =
        (0..7).map(|i| [4, 7, 10, 13].iter().map(|&t| path[t][i]).sum::<f64>() / 4.0).collect();
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
    assert!(near(&average(&mut tower, &w).unwrap(), &mean), "the outer one decides");
    assert_eq!(tower.count(), 4);
    assert!(near(&average(&mut tower.into_inner(), &w).unwrap(), &ema));
}

#[test]
fn accumulation_moves_with_the_mean_of_k() {
    let mut tower = Adam::default().optimizer::<f64>(6).unwrap().accumulate(4).unwrap();
    let mut plain = Adam::default().optimizer::<f64>(6).unwrap();
    let (mut w, mut copy) = (wave(6, 0.9), wave(6, 0.9));
    for round in 0..5 {
        let grads: Vec<_> = (0..4).map(|k| wave(6, 0.3 + f64::from(4 * round + k))).collect();
        for (k, grad) in grads.iter().enumerate() {
            let before = w.clone();
            let outcome = tower.step_with(&mut w, grad, 0.1).unwrap();
            assert_eq!(outcome.collected, k < 3);
            assert_eq!(w == before, k < 3, "only the fourth moves");
        }
        let mean: Vec<f64> = (0..6).map(|i| grads.iter().map(|g| g[i]).sum::<f64>() * 0.25).collect();
        plain.step_with(&mut copy, &mean, 0.1).unwrap();
        assert_eq!(bits(&w), bits(&copy));
        assert_eq!((tower.steps(), plain.steps()), (round as u64 + 1, round as u64 + 1));
    }
    // A clip from outside acts on each gradient, one from inside on the mean: 3 and −1 make 1, or ½·(1 − 1).
    let sgd = || Sgd.optimizer::<f64>(1).unwrap();
    let mut each = sgd().accumulate(2).unwrap().clip_value(1.0).unwrap();
    let mut mean = sgd().clip_value(1.0).unwrap().accumulate(2).unwrap();
    let (mut a, mut b) = ([0.0], [0.0]);
    for grad in [3.0, -1.0] {
        each.step_with(&mut a, &[grad], 1.0).unwrap();
        mean.step_with(&mut b, &[grad], 1.0).unwrap();
    }
    assert_eq!((a, b), ([0.0], [-1.0]));
}

#[test]
fn a_guard_skips_counts_and_changes_nothing() {
    for spec in every() {
        let spec = spec.wrapped(WrapSpec::named("guard"));
        let Ok(mut tower) = spec.build::<f64>(&layout(20)) else { continue }; // it has a guard
        let (mut w, mut f) = (wave(20, 0.9), from_fn(20, quadratic));
        for _ in 0..4 {
            tower.step(&mut w, &mut f, 0.01).expect("a step");
        }
        let (before, steps) = (tower.save(), tower.steps());
        let kept = w.clone();
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut bad = from_fn(20, |w: &[f64], grad: &mut [f64]| {
                let value = quadratic(w, grad);
                grad[13] = poison;
                value
            });
            let report = tower.step(&mut w, &mut bad, 0.01).expect("a step");
            assert!(report.outcome.skipped, "{spec:?} at {poison}");
        }
        assert_eq!((&w, tower.steps()), (&kept, steps), "{spec:?}");
        let mut after = tower.save();
        assert_eq!(after.count("guard/skipped"), 3, "{spec:?}");
        after.insert_count("guard/skipped", before.count("guard/skipped"));
        assert_eq!(after, before, "{spec:?}");
        tower.step(&mut w, &mut f, 0.01).expect("a step");
    }
}

#[test]
fn lookahead_goes_a_part_of_the_way_and_an_outer_average_follows_it() {
    let mut tower = Sgd
        .optimizer::<f64>(3)
        .unwrap()
        .wrap(Lookahead { steps: 2.0, alpha: 0.25 })
        .unwrap()
        .ema(0.5)
        .unwrap();
    let (mut w, mut f) = (vec![1.0, -2.0, 3.0], from_fn(3, quadratic));
    let (mut fast, mut slow, mut grad) = (w.clone(), w.clone(), vec![0.0; 3]);
    let mut kept = Vec::new();
    for step in 1..=9 {
        tower.step(&mut w, &mut f, 0.3).expect("a step");
        quadratic(&fast, &mut grad);
        fast.iter_mut().zip(&grad).for_each(|(w, g)| *w -= 0.3 * g);
        if step % 2 == 0 {
            slow.iter_mut().zip(&fast).for_each(|(s, w)| *s += 0.25 * (w - *s));
            fast.clone_from(&slow);
        }
        assert_eq!(bits(&w), bits(&fast), "step {step}");
        if step == 1 {
            kept.clone_from(&w);
        } else {
            kept.iter_mut().zip(&w).for_each(|(a, w)| *a += 0.5 * (w - *a));
        }
        assert_eq!(average(&mut tower, &w).map(|a| bits(&a)), Some(bits(&kept)), "step {step}");
        assert_eq!(tower.inner().steps(), step);
    }
    assert_eq!(average(&mut tower.into_inner(), &w), Some(slow));
}

/// SAM and ASAM as their papers write them, with a look-ahead rule inside: the climb starts at the look-ahead point.
#[test]
fn sam_and_asam_step_with_the_gradient_uphill() {
    let ahead =
        || <Nag as thalweg_optim::Method>::preset(Dialect::Textbook).optimizer_of::<f64>(&layout(9)).unwrap();
    let towers: [(Box<dyn Optimizer<f64>>, Option<f64>); 2] = [
        (Box::new(ahead().wrap(Sam { rho: 0.3 }).unwrap()), None),
        (Box::new(ahead().wrap(Asam { rho: 0.3, eta: 0.02 }).unwrap()), Some(0.02)),
    ];
    for (mut tower, eta) in towers {
        assert!(tower.needs_objective() && tower.drives());
        let mut w = wave(9, 0.9);
        let (mut own, mut velocity, mut grad) = (w.clone(), vec![0.0; 9], vec![0.0; 9]);
        let mut evaluations = 0;
        for _ in 0..10 {
            let mut f = from_fn(9, |w: &[f64], grad: &mut [f64]| {
                evaluations += 1;
                quadratic(w, grad)
            });
            let report = tower.step(&mut w, &mut f, 0.05).expect("a step");
            let point: Vec<f64> = own.iter().zip(&velocity).map(|(w, a)| w - 0.05 * 0.9 * a).collect();
            assert!((report.value - quadratic(&point, &mut grad)).abs() < 1e-12, "the value is not uphill");
            assert_eq!(report.evaluations, 2);
            let t: Vec<f64> = (0..9)
                .map(|i| match eta {
                    Some(eta) if i < 6 => point[i].abs() + eta,
                    _ => 1.0,
                })
                .collect();
            let norm = grad.iter().zip(&t).map(|(g, t)| g * t * g * t).sum::<f64>().sqrt();
            let top: Vec<f64> = (0..9).map(|i| point[i] + 0.3 * t[i] * t[i] * grad[i] / norm).collect();
            quadratic(&top, &mut grad);
            for i in 0..9 {
                velocity[i] = 0.9 * velocity[i] + grad[i];
                own[i] -= 0.05 * velocity[i];
                assert!((own[i] - w[i]).abs() < 1e-13, "{eta:?}: {own:?} {w:?}");
            }
        }
        assert_eq!(evaluations, 20);
        let error = tower.step_with(&mut w, &grad, 0.1).unwrap_err();
        assert_eq!(error, OptimError::NeedsObjective { optimizer: "nag" });
        // Where the gradient is zero there is nowhere to climb.
        let report = tower
            .step(
                &mut w,
                &mut from_fn(9, |_: &[f64], g: &mut [f64]| {
                    g.fill(0.0);
                    1.0
                }),
                0.0,
            )
            .expect("a step");
        assert_eq!(report.evaluations, 1);
    }
}

#[test]
fn adaptive_clipping_shrinks_unit_by_unit() {
    // A 2 × 3 matrix whose columns are units, and a bias that is one unit; λ = ½, ε = 0.1.
    let mut layout = Layout::default();
    layout.push("weight", &[2, 3], Role::Weight);
    layout.push("bias", &[2], Role::Bias);
    let clip = ClipAdaptive { clipping: 0.5, epsilon: 0.1 };
    let mut tower = Sgd.optimizer_of::<f64>(&layout).unwrap().wrap(clip).unwrap();
    let start = [3.0, 0.0, 0.0, 4.0, 0.0, 1.0, 0.0, 0.0];
    let grad = [3.0, 3.0, 0.1, 4.0, 4.0, 0.1, 0.6, 0.8];
    let mut w = start;
    tower.step_with(&mut w, &grad, 1.0).unwrap();
    // Norms of W: 5, 0 (so ε), 1, 0; of g: 5, 5, 0.14, 1. So factors ½, 0.05/5, 1, 0.05.
    let factors = [0.5, 0.01, 1.0, 0.5, 0.01, 1.0, 0.05, 0.05];
    for i in 0..8 {
        assert!((w[i] - (start[i] - factors[i] * grad[i])).abs() < 1e-15, "{w:?}");
    }
}

#[test]
fn clip_twice_holds_to_the_smaller_and_decays_add_up() {
    let sgd = || Sgd.optimizer::<f64>(2).unwrap();
    for limits in [[0.5, 2.0], [2.0, 0.5]] {
        let mut tower = sgd().clip_norm(limits[0]).unwrap().clip_norm(limits[1]).unwrap();
        let mut values = sgd().clip_value(limits[0]).unwrap().clip_value(limits[1]).unwrap();
        let (mut a, mut b) = ([0.0, 0.0], [0.0, 0.0]);
        tower.step_with(&mut a, &[3.0, 4.0], 1.0).unwrap();
        values.step_with(&mut b, &[3.0, -0.1], 1.0).unwrap();
        assert!((a[0] + 0.3).abs() < 1e-6 && (a[1] + 0.4).abs() < 1e-6, "{a:?}");
        assert_eq!(b, [-0.5, 0.1]);
    }
    let mut tower = sgd().weight_decay(0.1).unwrap().weight_decay(0.2).unwrap();
    let mut other = sgd().decoupled_decay(0.1).unwrap().decoupled_decay(0.2).unwrap();
    let (mut a, mut b) = ([10.0, 0.0], [10.0, 0.0]);
    tower.step_with(&mut a, &[0.0; 2], 0.5).unwrap();
    other.step_with(&mut b, &[0.0; 2], 0.5).unwrap();
    assert!((a[0] - 8.5).abs() < 1e-14 && (b[0] - 8.5).abs() < 1e-14, "{a:?} {b:?}");
}

#[test]
fn what_cannot_be_wrapped_says_why() {
    let sam = || Sgd.optimizer::<f64>(2).unwrap().sam(0.05).unwrap();
    let error = sam().wrap(Accumulate { steps: 2.0 }).err().unwrap().to_string();
    assert!(error.starts_with("accumulate cannot go around sgd in sam: ") && error.contains("inside of sam"));
    assert!(sam().clip_adaptive(0.01).is_err());
    let error = Sgd.optimizer::<f64>(2).unwrap().ema(0.9).unwrap().guard().unwrap().ema(0.99).err().unwrap();
    assert!(error.to_string().starts_with("ema cannot go around sgd in ema in guard: it is there already"));
    assert!(Sgd.optimizer::<f64>(2).unwrap().ema(1.0).is_err());
}

#[test]
fn a_wrapper_is_written_as_a_table_or_as_text() {
    let read = |text: &str| toml::from_str::<OptimizerSpec>(&format!("name = 'adam'\nwrap = [{text}]"));
    let spec = read(
        "{ clip-norm = 1.0 }, { guard = true }, { lookahead = { steps = 5, alpha = 0.5 } }, 'swa=100:10', \
         { ema = { decay = 0.99, debias = true } }, { accumulate = 4 }",
    )
    .unwrap();
    let text: Vec<String> = spec.wrap.iter().map(WrapSpec::to_string).collect();
    assert_eq!(text, ["clip-norm=1", "guard", "lookahead=5:0.5", "swa=100:10", "ema=0.99:1", "accumulate=4"]);
    let json = serde_json::to_string(&spec.wrap).unwrap();
    assert_eq!(
        json,
        r#"[{"clip-norm":1.0},{"guard":true},{"lookahead":{"alpha":0.5,"steps":5.0}},{"swa":{"every":10.0,"start":100.0}},{"ema":{"debias":1.0,"decay":0.99}},{"accumulate":4.0}]"#
    );
    assert_eq!(serde_json::from_str::<Vec<WrapSpec>>(&json).unwrap(), spec.wrap);
    assert_eq!(toml::from_str::<OptimizerSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    for wrapper in &spec.wrap {
        assert_eq!(wrapper.to_string().parse::<WrapSpec>().unwrap(), *wrapper);
    }
    for (bad, says) in [
        ("{ clip-nrm = 1.0 }", "did you mean «clip-norm»?"),
        ("{ clip-norm = -1.0 }", "it must lie in (0, ∞)"),
        ("{ accumulate = 1.5 }", "is not a whole number"),
        ("{ lookahead = { stps = 5 } }", "did you mean «steps»?"),
        ("{ guard = false }", "leave it out"),
        ("{ guard = 1 }", "write guard = true"),
        ("{ ema = 'x' }", "give a number, true, or a table"),
        ("{ ema = 0.9, swa = true }", "two wrappers"),
        ("{}", "names no wrapper"),
        ("'ema=x'", "«x» is not a number"),
        ("'ema=0.9:1:2'", "write ema=decay:debias"),
        ("'guard=1'", "write guard"),
    ] {
        let error = read(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{bad}: {error}");
    }
    // Without wrappers, nothing is written.
    assert_eq!(
        serde_json::to_string(&OptimizerSpec::named("sgd")).unwrap(),
        r#"{"name":"sgd","dialect":"torch"}"#
    );
}
