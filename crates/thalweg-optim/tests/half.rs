//! Parameters of 16 bits: one pass and copies give the same bits, and W goes where it goes in 32 bits.

use std::sync::LazyLock;

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::wrap::WrapSpec;
use thalweg_optim::{
    GroupSpec, Half, HalfGrad, HalfSpan, Keep, Layout, OptimizerSpec, Precision, Role, Threads,
};

/// Blocks below, at and above a scale and a piece, and an empty one.
fn layout() -> Layout {
    let mut layout = Layout::default();
    for (name, shape) in [("a", &[3][..]), ("b", &[16, 16]), ("c", &[257]), ("d", &[0]), ("e", &[25, 41])] {
        layout.push(name, shape, Role::Weight);
    }
    layout
}

/// The same with enough for threads.
fn wide_layout() -> Layout {
    let mut layout = layout();
    layout.push("f", &[200, 165], Role::Weight);
    layout
}

fn wide(bits: &[u16]) -> Vec<f32> {
    bits.iter().map(|&bits| f32::from_bits(u32::from(bits) << 16)).collect()
}

/// To the nearest: by f64 arithmetic on the spacing, not on bits.
fn narrow(values: &[f32]) -> Vec<u16> {
    let nearest = |x: f32| {
        if x == 0.0 {
            return 0;
        }
        let spacing = 2_f64.powi(f64::from(x.abs()).log2().floor() as i32 - 7);
        let rounded = (f64::from(x) / spacing).round() * spacing;
        (rounded as f32).to_bits() >> 16
    };
    values.iter().map(|&x| nearest(x) as u16).collect()
}

fn start(n: usize) -> Vec<u16> {
    narrow(&(0..n).map(|i| (i as f32 * 0.61).cos() + 1.5).collect::<Vec<_>>())
}

/// Of some steps, one after the other, and then again.
fn gradient(step: usize) -> &'static [u16] {
    static ALL: LazyLock<Vec<Vec<u16>>> = LazyLock::new(|| {
        let n = wide_layout().len();
        let of =
            |step: usize| (0..n).map(move |i| ((i * 7 + step * 13) as f32 * 0.37).sin()).collect::<Vec<_>>();
        (0..8).map(|step| narrow(&of(step))).collect()
    });
    &ALL[step % ALL.len()]
}

fn half(spec: &OptimizerSpec, keep: Keep) -> Half {
    half_of(&layout(), spec, keep)
}

fn half_of(layout: &Layout, spec: &OptimizerSpec, keep: Keep) -> Half {
    Half::new(spec.build(layout).expect("the defaults"), keep, &start(layout.len()))
}

/// Some steps, W as one span or block by block.
fn walk(half: &mut Half, w: &mut [u16], steps: std::ops::Range<usize>, blocks: bool) {
    let layout = half.inner().layout().clone();
    for step in steps {
        let grad = &gradient(step)[..layout.len()];
        if !blocks {
            half.step_with(w, grad, 0.01).expect("a step");
            continue;
        }
        let (mut w, mut grad, mut spans) = (&mut w[..], grad, Vec::new());
        for n in layout.blocks().iter().map(|block| block.range.len()) {
            let grad = HalfGrad::Bf16(grad.split_off(..n).expect("it fits"));
            spans.push(HalfSpan { w: w.split_off_mut(..n).expect("it fits"), grad });
        }
        half.step_spans(&mut spans, 0.01).expect("a step");
    }
}

/// Every elementwise method in every precision, and one of each other kind that takes a gradient.
fn specs() -> impl Iterator<Item = OptimizerSpec> {
    let rules = REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise);
    let packed = rules.flat_map(|entry| {
        Precision::ALL.map(|precision| OptimizerSpec::named(entry.info.name).precision(precision))
    });
    let packed = packed.filter(|spec| spec.build::<f32>(&Layout::vector(1)).is_ok());
    packed.chain(["lamb", "muon", "adafactor"].map(OptimizerSpec::named))
}

/// W after two steps.
fn walked(half: Half, threads: usize, blocks: bool) -> Vec<u16> {
    let mut half = half;
    half.set_threads(&Threads::new(threads).expect("threads"));
    let mut w = start(half.inner().layout().len());
    walk(&mut half, &mut w, 0..2, blocks);
    w
}

/// An average beside W does not change it, but its method works on copies.
fn averaged(spec: &OptimizerSpec) -> OptimizerSpec {
    spec.clone().wrapped(WrapSpec::named("ema"))
}

/// What needs no copies though it is no bare method: riding wrappers and groups.
fn riding() -> [OptimizerSpec; 2] {
    let wrap = ["clip-norm=0.5", "clip-value=0.02", "weight-decay=0.1", "decoupled-decay=0.2", "guard"];
    let wrap = wrap.map(|wrapper| wrapper.parse().expect("a wrapper")).to_vec();
    let groups = vec![
        GroupSpec { learning_rate: 0.5, decay: 0.0, ..GroupSpec::of("b") },
        GroupSpec { optimizer: Some(Box::new(OptimizerSpec::named("momentum"))), ..GroupSpec::of("e") },
        GroupSpec::of("*"),
    ];
    let adam = OptimizerSpec { wrap, ..OptimizerSpec::named("adam") };
    [OptimizerSpec { groups, ..adam.clone() }, adam]
}

#[test]
fn one_pass_copies_and_spans_give_the_same_bits() {
    let mut moved = 0;
    for spec in specs() {
        for keep in Keep::ALL {
            let w = walked(half(&spec, keep), 1, false);
            moved += usize::from(w != start(w.len()));
            for (spec, blocks) in [(&spec, true), (&averaged(&spec), true), (&averaged(&spec), false)] {
                assert!(w == walked(half(spec, keep), 1, blocks), "{spec:?}, {keep:?}, blocks: {blocks}");
            }
        }
    }
    // All but Adadelta and Prodigy, whose first steps are smaller than what 16 bits can show.
    assert!(moved >= 3 * (specs().count() - 6), "only {moved} walks moved");
}

/// How a step is cut depends on whether the method takes sums over all parameters, not on its formula: those that do, one
/// that does not, and one that is not elementwise.
#[test]
fn threads_give_the_same_bits() {
    let layout = wide_layout();
    let couples = |name: &str| REGISTRY.iter().any(|entry| entry.info.name == name && entry.couples);
    let cut = |spec: &OptimizerSpec| couples(&spec.name) || ["adam", "lamb"].contains(&spec.name.as_str());
    let mut seen = 0;
    for spec in specs().filter(cut) {
        seen += 1;
        for keep in Keep::ALL {
            let w = walked(half_of(&layout, &spec, keep), 1, false);
            for (spec, threads, blocks) in [(&spec, 3, true), (&averaged(&spec), 2, false)] {
                let other = walked(half_of(&layout, spec, keep), threads, blocks);
                assert!(w == other, "{spec:?}, {keep:?}, {threads} threads, blocks: {blocks}");
            }
        }
    }
    for spec in riding() {
        for keep in Keep::ALL {
            let walked = |threads| walked(half_of(&layout, &spec, keep), threads, true);
            assert!(walked(1) == walked(3), "{spec:?}, {keep:?}");
        }
    }
    // Adam in three precisions, Prodigy in two, LAMB.
    assert!(seen >= 6, "{seen}");
}

#[test]
fn a_master_moves_as_parameters_of_32_bits_do() {
    for spec in specs().chain([averaged(&OptimizerSpec::named("adam"))]).chain(riding()) {
        let mut full = spec.build::<f32>(&layout()).expect("the defaults");
        let mut w = start(layout().len());
        let mut twin = wide(&w);
        let mut master = half(&spec, Keep::Master);
        walk(&mut master, &mut w, 0..5, false);
        for step in 0..5 {
            full.step_with(&mut twin, &wide(&gradient(step)[..layout().len()]), 0.01).expect("a step");
        }
        assert!(w == narrow(&twin) && master.full(&w) == twin, "{spec:?}");
        let (mut judged, mut twins) = (Vec::new(), Vec::new());
        assert_eq!(master.average(&w, &mut judged), full.average(&twin, &mut twins), "{spec:?}");
        assert!(judged == twins, "{spec:?}");
    }
}

/// W after 1,000 steps of 1e-4 from 1: a bf16 below 1 moves by 1/256 or not at all, so that rounding to the nearest would
/// leave it where it is.
fn small_steps(keep: Keep) -> Vec<f32> {
    let mut w = narrow(&[1.0; 4096]);
    let sgd = OptimizerSpec::named("sgd").build::<f32>(&Layout::vector(w.len())).expect("it has no settings");
    let mut sgd = Half::new(sgd, keep, &w);
    let grad = vec![1.0_f32; w.len()];
    for _ in 0..1000 {
        sgd.step_with(&mut w, &grad[..], 1e-4).expect("a step");
    }
    wide(&w)
}

#[test]
fn small_steps_are_not_lost() {
    assert!(small_steps(Keep::Master) == [0.8984375; 4096]);
    // What is missed is itself rounded, to 2⁻¹⁷ at most: by up to 4 % of a step of 1e-4.
    assert!(small_steps(Keep::Kahan).iter().all(|w| (w - 0.9).abs() <= 1.0 / 512.0 + 0.004));
    let w = small_steps(Keep::Stochastic);
    let mean = w.iter().map(|&w| f64::from(w)).sum::<f64>() / w.len() as f64;
    let variance = w.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / w.len() as f64;
    // Each step is a coin between neighbours 1/256 apart: p = 1e-4·256, variance p(1 − p)/256² a step.
    let p = 1e-4 * 256.0;
    let expected = 1000.0 * p * (1.0 - p) / 256.0_f64.powi(2);
    assert!((mean - 0.9).abs() < 5.0 * (expected / 4096.0).sqrt(), "{mean}");
    // Five standard errors of a variance of 4,096 numbers, which are close to normal.
    assert!((variance / expected - 1.0).abs() < 5.0 * (2.0_f64 / 4096.0).sqrt(), "{variance} {expected}");
}

#[test]
fn a_sum_of_two_has_16_digits() {
    let spec = OptimizerSpec::named("adam");
    let mut w = start(layout().len());
    let (mut kahan, mut full) =
        (half(&spec, Keep::Kahan), spec.build::<f32>(&layout()).expect("the defaults"));
    let mut twin = wide(&w);
    walk(&mut kahan, &mut w, 0..300, false);
    for step in 0..300 {
        full.step_with(&mut twin, &wide(&gradient(step)[..layout().len()]), 0.01).expect("a step");
    }
    // 300 roundings to 2⁻¹⁷ of W, at most 4 here, and the one to the 8 digits that W shows.
    for (w, twin) in wide(&w).into_iter().zip(twin) {
        assert!((w - twin).abs() <= twin.abs() / 256.0 + 300.0 * 4.0 / 131_072.0, "{w} {twin}");
    }
}

#[test]
fn a_saved_state_goes_on_with_the_same_bits() {
    for spec in specs().chain([OptimizerSpec::named("adam").group(GroupSpec::of("*"))]) {
        for keep in Keep::ALL {
            let mut first = half(&spec, keep);
            let mut w = start(layout().len());
            walk(&mut first, &mut w, 0..2, false);
            let state = first.save();
            let mut second = Half::new(spec.build(&layout()).expect("the defaults"), keep, &w);
            second.load(&state).expect("its own state");
            assert!(second.save() == state, "{spec:?}, {keep:?}");
            let mut copy = w.clone();
            walk(&mut first, &mut w, 2..5, false);
            walk(&mut second, &mut copy, 2..5, true);
            assert!(w == copy, "{spec:?}, {keep:?}");
            for other in Keep::ALL.into_iter().filter(|&other| other != keep) {
                let mut other = half(&spec, other);
                let before = other.save();
                assert!(other.load(&state).is_err(), "{spec:?}: {keep:?} into {:?}", other.keep());
                assert!(other.save() == before);
            }
        }
    }
}

#[test]
fn what_is_not_finite_shows_and_hurts_nobody_else() {
    for keep in Keep::ALL {
        let mut w = narrow(&[1.0, 3e38, 1.0, -2.0]);
        let sgd = OptimizerSpec::named("sgd").build::<f32>(&Layout::vector(4)).expect("it has no settings");
        let mut sgd = Half::new(sgd, keep, &w);
        for grad in [[f32::NAN, -3e38, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]] {
            sgd.step_with(&mut w, &grad[..], 1.0).expect("a step");
        }
        let w = wide(&w);
        assert!(w[0].is_nan() && w[1] == f32::INFINITY && w[2] == 1.0 && w[3] == -4.0, "{keep:?}: {w:?}");
    }
}

#[test]
fn a_weight_that_the_caller_changes_is_not_spoilt() {
    for keep in Keep::ALL {
        let mut w = narrow(&[1.0, -1.0, 2.0]);
        let sgd = OptimizerSpec::named("sgd").build::<f32>(&Layout::vector(3)).expect("it has no settings");
        let mut sgd = Half::new(sgd, keep, &w);
        sgd.step_with(&mut w, &[1.0_f32, 1.0, -1.0][..], 1e-3).expect("a step");
        w.copy_from_slice(&narrow(&[0.0, 0.0, 5.0]));
        sgd.step_with(&mut w, &[0.0_f32; 3][..], 1e-3).expect("a step");
        let near = wide(&w).into_iter().zip([0.0, 0.0, 5.0]).all(|(w, set)| (w - set).abs() <= 1.0 / 128.0);
        assert!(near, "{keep:?}: {:?}", wide(&w));
        w.copy_from_slice(&narrow(&[0.0, -4.0, 5.0]));
        sgd.forget();
        assert_eq!(sgd.full(&w), [0.0, -4.0, 5.0], "{keep:?}");
    }
}

#[test]
fn a_way_is_written_as_its_name() {
    for keep in Keep::ALL {
        let written = serde_json::to_string(&keep).expect("it can be written");
        assert_eq!(written, format!("\"{}\"", keep.name()));
        assert_eq!(serde_json::from_str::<Keep>(&written).expect("it can be read"), keep);
    }
    let error = serde_json::from_str::<Keep>("\"Master\"").unwrap_err().to_string();
    assert!(error.contains("expected one of `master`, `kahan`, `stochastic`"), "{error}");
}

#[test]
fn a_method_that_wants_its_gradient_elsewhere_says_so() {
    let lbfgs = OptimizerSpec::named("lbfgs").build::<f32>(&Layout::vector(1)).expect("the defaults");
    let error = Half::new(lbfgs, Keep::Master, &[0]).step_with(&mut [0], &[0_u16][..], 0.1).unwrap_err();
    assert!(error.to_string().contains("give it the objective"), "{error}");
    let sgd = OptimizerSpec::named("sgd").build::<f32>(&Layout::vector(0)).expect("it has no settings");
    let mut empty = Half::new(sgd, Keep::Kahan, &[]);
    empty.step_with(&mut [], &[0.0_f32; 0][..], 0.1).expect("nothing to do");
    let error = empty.step_with(&mut [], &[0.0_f32; 0][..], f64::NAN).unwrap_err();
    assert!(error.to_string().contains("[0, ∞)"), "{error}");
}
