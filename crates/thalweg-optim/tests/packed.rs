//! States in 16 and 8 bits: every rule goes nearly where it goes in full, with the same bits on any number of threads.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::state::Values;
use thalweg_optim::{
    Adagrad, GroupSpec, Layout, Optimizer, OptimizerSpec, Precision, Riders, Role, Rule, Span, Threads,
    from_fn,
};

/// Blocks below, at and above a piece and a scale.
fn layout() -> Layout {
    let mut layout = Layout::default();
    for (name, n) in [("a", 3), ("b", 1024), ("c", 1025), ("d", 0), ("e", 256 * 9 + 17)] {
        layout.push(name, &[n], Role::Weight);
    }
    layout
}

/// The same with enough for threads.
fn wide_layout() -> Layout {
    let mut layout = layout();
    layout.push("f", &[40_000], Role::Weight);
    layout
}

fn packed() -> impl Iterator<Item = OptimizerSpec> {
    let rules = REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise);
    let packed = rules.flat_map(|entry| {
        [Precision::Bf16, Precision::Byte]
            .map(|precision| OptimizerSpec::named(entry.info.name).precision(precision))
    });
    packed.filter(|spec| spec.build::<f32>(&Layout::vector(1)).is_ok())
}

#[test]
fn a_point_like_w_is_not_kept_in_8_bits() {
    let layout = Layout::vector(3);
    let refused = |precision| {
        let rules = REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise);
        let specs = rules.map(move |entry| OptimizerSpec::named(entry.info.name).precision(precision));
        let errors =
            specs.filter_map(|spec| Some((spec.build::<f32>(&layout).err()?.to_string(), spec.name)));
        errors.collect::<Vec<_>>()
    };
    let bf16 = refused(Precision::Bf16);
    assert!(
        bf16.len() == 1 && bf16[0].1 == "rmsprop-centered" && bf16[0].0.contains("difference"),
        "{bf16:?}"
    );
    // The square of 1e-30 is a number in double precision only: a state in 16 bits would lose it.
    let wide = OptimizerSpec::named("adam").precision(Precision::Bf16).build::<f64>(&layout).err();
    assert!(wide.expect("an error").to_string().contains("its parameters have 64"));
    let byte = refused(Precision::Byte);
    let points = byte.iter().filter(|(error, _)| error.contains("8 are not enough")).count();
    assert_eq!(points, 3, "{byte:?}");
    let names: Vec<_> = byte.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["rmsprop-centered", "schedule-free-sgd", "schedule-free-adamw", "prodigy"]);
}

/// Averages must come to rest where they do in full: under a gradient of 1, v tends to 1 and Adagrad's sum to the number of
/// steps. A grid that ends at the largest number would hold them below.
#[test]
fn averages_of_a_constant_gradient_are_not_held_back() {
    for name in ["adam", "adagrad", "rmsprop", "adadelta", "amsgrad", "lion"] {
        let walk = |precision| {
            let spec = OptimizerSpec::named(name).precision(precision);
            let mut optimizer = spec.build::<f32>(&Layout::vector(512)).expect("the defaults");
            let mut w = vec![0.0_f32; 512];
            for _ in 0..3000 {
                optimizer.step_with(&mut w, &[1.0; 512], 1e-3).expect("a step");
            }
            w.iter().map(|&w| f64::from(w)).sum::<f64>() / 512.0
        };
        let full = walk(Precision::Full);
        for precision in [Precision::Bf16, Precision::Byte] {
            let packed = walk(precision);
            assert!((packed / full - 1.0).abs() < 0.03, "{name}, {precision:?}: {packed} instead of {full}");
        }
    }
}

fn build(spec: &OptimizerSpec) -> Box<dyn Optimizer<f32>> {
    spec.build(&layout()).expect("the defaults")
}

/// Of some steps, one after the other, and then again.
fn gradient(step: usize) -> &'static [f32] {
    static ALL: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| {
        let n = wide_layout().len();
        let at = |step: usize, i: usize| {
            ((i * 7 + step * 13) as f32 * 0.37).sin() * 10_f32.powi((i % 5) as i32 - 2)
        };
        (0..8).map(|step| (0..n).map(|i| at(step, i)).collect()).collect()
    });
    &ALL[step % ALL.len()]
}

fn bits(w: &[f32]) -> Vec<u32> {
    w.iter().map(|w| w.to_bits()).collect()
}

/// W after three steps, given as one span or block by block.
fn walk(
    spec: &OptimizerSpec,
    layout: &Layout,
    threads: usize,
    blocks: bool,
) -> (Vec<f32>, Box<dyn Optimizer<f32>>) {
    let mut optimizer = spec.build(layout).expect("the defaults");
    optimizer.set_threads(&Threads::new(threads).expect("threads"));
    let mut w = vec![0.5_f32; layout.len()];
    for step in 0..3 {
        let grad = &gradient(step)[..layout.len()];
        let (mut w, mut grad) = (&mut w[..], grad);
        let mut spans = Vec::new();
        for block in layout.blocks().iter().filter(|_| blocks) {
            let n = block.range.len();
            spans.push(Span::new(
                w.split_off_mut(..n).expect("it fits"),
                grad.split_off(..n).expect("it fits"),
            ));
        }
        if !blocks {
            spans.push(Span::new(w, grad));
        }
        optimizer.step_spans(&mut spans, 0.01).expect("a step");
    }
    (w, optimizer)
}

#[test]
fn threads_and_spans_do_not_change_a_bit() {
    let layout = wide_layout();
    for spec in packed() {
        let (w, optimizer) = walk(&spec, &layout, 1, false);
        for (threads, blocks) in [(2, true), (3, false)] {
            let (other, other_optimizer) = walk(&spec, &layout, threads, blocks);
            assert_eq!(bits(&w), bits(&other), "{spec:?}, {threads} threads, blocks: {blocks}");
            assert_eq!(optimizer.save(), other_optimizer.save(), "{spec:?}");
        }
    }
}

#[test]
fn a_packed_state_goes_on_with_the_same_bits() {
    for spec in packed() {
        let (mut w, mut first) = walk(&spec, &layout(), 1, false);
        let mut second = build(&spec);
        second.load(&first.save()).expect("its own state");
        assert_eq!(first.save(), second.save(), "{spec:?}");
        let mut copy = w.clone();
        for step in 3..103 {
            let grad = &gradient(step)[..w.len()];
            first.step_with(&mut w, grad, 0.01).expect("a step");
            second.step_with(&mut copy, grad, 0.01).expect("a step");
        }
        assert_eq!(bits(&w), bits(&copy), "{spec:?}");
        // A state of another precision is refused.
        let full = OptimizerSpec { precision: Precision::Full, ..spec.clone() };
        let states = REGISTRY.iter().find(|entry| entry.info.name == spec.name).map(|entry| entry.states);
        assert_eq!(build(&full).load(&first.save()).is_err(), states != Some(&[]), "{spec:?}");
    }
}

/// The scales of one block are not mixed up with the numbers of another, whatever it is called.
#[test]
fn a_block_may_be_called_as_the_scales_of_another() {
    let mut layout = Layout::default();
    for (name, n) in [("x", 300), ("x.scales", 2), ("scales", 1), ("scales/x", 1), ("x.scales.scales", 1)] {
        layout.push(name, &[n], Role::Weight);
    }
    for spec in packed() {
        let build = || spec.build::<f32>(&layout).expect("the defaults");
        let (mut first, mut second, mut w) = (build(), build(), vec![0.5; layout.len()]);
        for step in 0..3 {
            first.step_with(&mut w, &gradient(step)[..layout.len()], 0.01).expect("a step");
        }
        let saved = first.save();
        let states =
            REGISTRY.iter().find(|entry| entry.info.name == spec.name).expect("its row").states.len();
        let kinds = if spec.precision == Precision::Byte { 2 } else { 1 };
        let slots = saved.entries().keys().filter(|name| name.contains('/')).count();
        assert_eq!(slots, kinds * states * layout.blocks().len(), "{spec:?}");
        second.load(&saved).expect("its own state");
        assert_eq!(second.save(), saved, "{spec:?}");
    }
}

#[test]
fn full_precision_is_given_back() {
    let layout = Layout::vector(5);
    let plain = || {
        Adagrad { initial_accumulator: 0.3, ..Adagrad::default() }.optimizer_of(&layout).expect("in range")
    };
    let there = plain().with_precision(Precision::Bf16);
    assert_ne!(there.save().entries(), plain().save().entries());
    let (mut back, mut plain) = (there.with_precision(Precision::Full), plain());
    let (mut w, mut own) = ([0.5_f32; 5], [0.5; 5]);
    for step in 0..4 {
        assert_eq!(back.save(), plain.save());
        back.step_with(&mut w, &gradient(step)[..5], 0.1).expect("a step");
        plain.step_with(&mut own, &gradient(step)[..5], 0.1).expect("a step");
    }
    assert_eq!(w, own);
}

/// Mean of ½λ(w − c)² after 600 steps from 0, relative to where it began.
fn left(spec: &OptimizerSpec, rate: f64) -> f32 {
    let n = 300;
    let centre = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
    let mut f = from_fn(n, |w: &[f32], grad: &mut [f32]| {
        let mut value = 0.0;
        for (i, (g, w)) in grad.iter_mut().zip(w).enumerate() {
            let (curvature, error) = (0.2 + (i % 7) as f32 * 0.2, w - centre(i));
            *g = curvature * error;
            value += 0.5 * curvature * error * error / n as f32;
        }
        value
    });
    let mut w = vec![0.0; n];
    let mut optimizer = spec.build(&Layout::vector(n)).expect("the defaults");
    let first = optimizer.step(&mut w, &mut f, rate).expect("a step").value;
    let last = (1..600).map(|_| optimizer.step(&mut w, &mut f, rate).expect("a step").value).last();
    last.expect("steps") / first
}

#[test]
fn every_rule_comes_nearly_as_far_as_in_full() {
    let mut best = BTreeMap::new();
    for spec in packed() {
        // The best of some rates for the full state, and the same rate for the packed one.
        let (full, rate) = *best.entry(spec.name.clone()).or_insert_with(|| {
            let full = OptimizerSpec { precision: Precision::Full, ..spec.clone() };
            let rates = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0].into_iter();
            let far = rates.map(|rate| (left(&full, rate), rate)).min_by(|a, b| a.0.total_cmp(&b.0));
            far.expect("rates")
        });
        let packed = left(&spec, rate);
        assert!(packed <= 0.05 + 1.5 * full, "{spec:?} at {rate}: {packed} instead of {full}");
    }
}

/// Beside the state of fewer bits, in whole blocks and behind the last.
#[test]
fn what_rides_along_rides_in_small_states_too() {
    let n = 3 * 64 + 7;
    for precision in [Precision::Bf16, Precision::Byte] {
        let spec = OptimizerSpec::named("adam").precision(precision);
        let mut optimizer = spec.build::<f32>(&Layout::vector(n)).expect("the defaults");
        let mut w: Vec<f32> = (0..n).map(|i| i as f32 * 0.1).collect();
        let mut average = w.clone();
        let mut twin = w.clone();
        for step in 0..5 {
            let mut grad: Vec<f32> = (0..n).map(|i| ((i + step) as f32).sin()).collect();
            let span = Span { average: Some(&mut average), ..Span::clearing(&mut w, &mut grad) };
            optimizer.apply(&mut [span], 0.1, Riders { average_weight: 0.25, ..Riders::default() });
            assert!(grad.iter().all(|&g| g == 0.0), "{precision:?}");
            twin.iter_mut().zip(&w).for_each(|(twin, w)| *twin += 0.25 * (w - *twin));
        }
        assert!(average == twin, "{precision:?}");
        assert!(w.iter().enumerate().all(|(i, w)| *w != i as f32 * 0.1));
    }
}

/// Slots, groups and steps must not round alike, or their errors would add up.
#[test]
fn each_slot_and_group_has_its_own_chances() {
    let mut layout = Layout::default();
    ["a", "b"].into_iter().for_each(|name| layout.push(name, &[640], Role::Weight));
    let groups = vec![GroupSpec::of("a"), GroupSpec::of("b")];
    // With one β and gradients of 1, both slots are the same number.
    let mut spec = OptimizerSpec { groups, ..OptimizerSpec::named("adam").precision(Precision::Bf16) };
    spec.hyper = [("beta1", 0.9), ("beta2", 0.9)].map(|(name, value)| (name.to_owned(), value)).into();
    let mut optimizer = spec.build::<f32>(&layout).expect("a group each");
    let mut w = vec![0.0_f32; 1280];
    let mut states = Vec::new();
    for _ in 0..2 {
        optimizer.step_with(&mut w, &[1.0; 1280], 1e-3).expect("a step");
        let saved = optimizer.save();
        let slots = saved.entries().values().filter_map(|entry| match &entry.values {
            Values::Bf16(bits) => Some(bits.clone()),
            _ => None,
        });
        states.extend(slots);
    }
    assert_eq!(states.len(), 8);
    for (i, one) in states[..4].iter().enumerate() {
        for other in &states[i + 1..4] {
            let same = one.iter().zip(other).filter(|(a, b)| a == b).count();
            assert!((100..600).contains(&same), "{same} of 640 alike");
        }
    }
}
