//! What the driver does for every method: spans, riders, threads, state, and what must not spread.

use thalweg_optim::OptimizerSpec;
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::{
    Dialect, Grad, Layout, Penalties, Precision, Real, Riders, Role, Span, StateDict, Threads,
};

use crate::{bits, close, every, layout, mixed, norm, wave};

/// Cuts W, its gradient and its average into one span per block.
fn cut<'a, T>(layout: &Layout, w: &'a mut [T], g: &'a mut [T], average: &'a mut [T]) -> Vec<Span<'a, T>> {
    let (mut w, mut g, mut average) = (w, g, average);
    let take = |rest: &mut &'a mut [T], n: usize| rest.split_off_mut(..n).unwrap_or_default();
    let spans = layout.blocks().iter().map(|block| {
        let n = block.range.len();
        Span { w: take(&mut w, n), grad: Grad::Clear(take(&mut g, n)), average: Some(take(&mut average, n)) }
    });
    spans.collect()
}

fn squares() -> Layout {
    layout(&[
        ("a", &[3, 3], Role::Weight),
        ("bias", &[4], Role::Bias),
        ("b", &[2, 2], Role::Weight),
        ("scale", &[1], Role::Scale),
    ])
}

/// The order that the riders promise, by hand: scale, clip, cut, coupled penalties, decoupled decay, method, soft
/// threshold, average, zero.
#[test]
fn riders_do_what_they_promise_in_their_order() {
    let riders = Riders {
        guard: true,
        scale: 0.5,
        clip_norm: Some(1.5),
        clip_value: Some(0.3),
        penalties: Penalties { l1: 0.05, l2: 0.02, decay: 0.1, soft: 0.2 },
        weight_penalties: Penalties { l1: 0.01, l2: 0.03, decay: 0.2, soft: 0.4 },
        average_weight: 0.25,
    };
    for spec in every() {
        let soap = spec.name == "soap";
        // Eigenvectors of equal eigenvalues are free, and zero in an eigenbasis is rounding noise, which a small ε scales
        // up: two ways of rounding are seen, but for square matrices and an ε above the noise.
        let spec = if soap { spec.with("epsilon", 1e-3) } else { spec };
        let layout = if soap { squares() } else { mixed() };
        let n = layout.len();
        let build = || spec.build::<f64>(&layout).expect("in range");
        let (mut flat, mut by_block, mut by_hand) = (build(), build(), build());
        let mut w = [wave(n, 0.9), wave(n, 0.9), wave(n, 0.9)];
        let mut averages = [w[0].clone(), w[0].clone(), w[0].clone()];
        for step in 0..6 {
            let given = wave(n, 0.4 + f64::from(step));
            let mut g = [given.clone(), given.clone(), given.clone()];
            let [w0, w1, w2] = &mut w;
            let [g0, g1, g2] = &mut g;
            let [a0, a1, a2] = &mut averages;
            let span = Span { w: w0, grad: Grad::Clear(g0), average: Some(a0) };
            let outcome = flat.apply(&mut [span], 0.01, riders);
            assert_eq!(
                by_block.apply(&mut cut(&layout, w1, g1, a1), 0.01, riders).norm.is_some(),
                outcome.norm.is_some()
            );

            let length = 0.5 * norm(g2);
            assert!((outcome.norm.expect("asked for") / length - 1.0).abs() < 1e-14);
            let scale = 0.5 * (1.5 / (length + 1e-6)).min(1.0);
            for block in layout.blocks() {
                let (l1, l2, decay) =
                    if block.role == Role::Weight { (0.06, 0.05, 0.3) } else { (0.05, 0.02, 0.1) };
                for i in block.range.clone() {
                    let sign = if w2[i] == 0.0 { 0.0 } else { w2[i].signum() };
                    g2[i] = (g2[i] * scale).clamp(-0.3, 0.3) + l2 * w2[i] + l1 * sign;
                    w2[i] *= 1.0 - 0.01 * decay;
                }
            }
            by_hand.step_with(w2, g2, 0.01).expect("no look-ahead");
            for block in layout.blocks() {
                let threshold = 0.01 * if block.role == Role::Weight { 0.6 } else { 0.2 };
                for w in &mut w2[block.range.clone()] {
                    *w = (w.abs() - threshold).max(0.0).copysign(*w);
                }
            }
            for (a, w) in a2.iter_mut().zip(&*w2) {
                *a += 0.25 * (w - *a);
            }
            assert!(
                g[0].iter().chain(&g[1]).all(|g| g.to_bits() == 0),
                "{spec:?}: the gradient is to be zero"
            );
            // The norm to clip is summed span by span: the last bit of it may differ.
            close(&w[0], &w[1], 1e-12, &format!("{spec:?}, W in spans"));
            close(&averages[0], &averages[1], 1e-12, &format!("{spec:?}, average in spans"));
            close(&w[0], &w[2], 1e-11, &format!("{spec:?}, W"));
            close(&averages[0], &averages[2], 1e-11, &format!("{spec:?}, average"));
        }
        let before: (Vec<f64>, StateDict) = (w[0].clone(), flat.save());
        let mut bad = wave(n, 0.4);
        bad[n / 2] = f64::INFINITY;
        assert!(flat.apply(&mut [Span::new(&mut w[0], &bad)], 0.01, riders).skipped);
        assert_eq!((w[0].clone(), flat.save()), before, "{spec:?}: the guard must change nothing");
    }
}

/// Large blocks are shared by all threads, small ones shared out; both kinds are here, and so are products.
#[test]
fn threads_change_no_bit() {
    let layout = layout(&[
        ("large", &[190, 210], Role::Weight),
        ("small", &[20, 30], Role::Weight),
        ("long", &[40_003], Role::Bias),
        ("bias", &[30], Role::Bias),
        ("tall", &[400, 3], Role::Weight),
    ]);
    let n = layout.len();
    let riders = Riders {
        clip_norm: Some(1.0),
        penalties: Penalties { l1: 0.01, l2: 0.01, decay: 0.1, soft: 0.1 },
        ..Riders::default()
    };
    for dialect in [Dialect::Torch, Dialect::Optax] {
        for spec in every().filter(|spec| spec.dialect == dialect) {
            let walk = |threads: usize| {
                let (mut w, mut optimizer) = (wave(n, 0.9), spec.build::<f64>(&layout).expect("in range"));
                optimizer.set_threads(&Threads::new(threads).expect("threads"));
                for step in 0..2 {
                    let g = wave(n, 0.37 + f64::from(step));
                    optimizer.apply(&mut [Span::new(&mut w, &g)], 0.01, riders);
                }
                (bits(&w), optimizer.save())
            };
            let alone = walk(1);
            assert_eq!(alone, walk(2), "{spec:?}");
            assert_eq!(alone, walk(3), "{spec:?}");
        }
    }
}

#[test]
fn a_state_is_named_by_slot_and_block_and_goes_on_with_the_same_bits() {
    let layout = mixed();
    let n = layout.len();
    for spec in every() {
        let mut first = spec.build::<f64>(&layout).expect("in range");
        let mut w = wave(n, 0.9);
        for step in 0..13 {
            first.step_with(&mut w, &wave(n, 0.4 + f64::from(step)), 0.01).expect("no look-ahead");
        }
        let saved = first.save();
        let entry = REGISTRY.iter().find(|entry| entry.info.name == spec.name).expect("a row");
        for name in saved.entries().keys().filter(|name| *name != "steps") {
            let (slot, block) = name.split_once('/').expect("slot and block");
            assert!(entry.states.contains(&slot), "{spec:?}: {slot} is not in the table");
            assert!(layout.blocks().iter().any(|b| b.name == block), "{spec:?}: {block}");
        }
        let mut second = spec.build::<f64>(&layout).expect("in range");
        second.load(&saved).expect("its own state");
        let mut copy = w.clone();
        for step in 13..40 {
            let g = wave(n, 0.4 + f64::from(step));
            first.step_with(&mut w, &g, 0.01).expect("no look-ahead");
            second.step_with(&mut copy, &g, 0.01).expect("no look-ahead");
        }
        assert_eq!(bits(&w), bits(&copy), "{spec:?}");
        assert_eq!(first.save(), second.save(), "{spec:?}");
        assert!(
            first
                .save()
                .entries()
                .values()
                .all(|t| f64::from_values(&t.values).is_none_or(|v| v.iter().all(|x| x.is_finite())))
        );
    }
}

/// A block of zeros may leave zero, one number is a block, and a zero gradient moves nothing.
#[test]
fn zero_blocks_and_zero_gradients_are_harmless() {
    fn check<T: Real>(spec: &OptimizerSpec) {
        let layout = mixed();
        let mut optimizer = spec.build::<T>(&layout).expect("in range");
        let mut w = vec![T::ZERO; layout.len()];
        for step in 0..6 {
            let g: Vec<T> = layout
                .blocks()
                .iter()
                .enumerate()
                .flat_map(|(i, block)| {
                    let zero = i % 2 == 0;
                    block
                        .range
                        .clone()
                        .map(move |k| if zero { 0.0 } else { (k as f64 + f64::from(step)).cos() })
                })
                .map(T::from_f64)
                .collect();
            optimizer.step_with(&mut w, &g, 0.01).expect("no look-ahead");
        }
        for (i, block) in layout.blocks().iter().enumerate() {
            let own = &w[block.range.clone()];
            assert!(own.iter().all(|w| w.is_finite()), "{spec:?}: {own:?}");
            assert_eq!(own.iter().all(|&w| w == T::ZERO), i % 2 == 0, "{spec:?}: «{}» {own:?}", block.name);
        }
    }
    for spec in every() {
        check::<f64>(&spec);
        check::<f32>(&spec);
    }
}

#[test]
fn a_nan_spoils_its_block_and_no_other() {
    let layout = mixed();
    let n = layout.len();
    for spec in every() {
        for block in layout.blocks().iter().filter(|block| !block.range.is_empty()) {
            let walk = |poisoned: bool| {
                let (mut w, mut optimizer) = (wave(n, 0.9), spec.build::<f64>(&layout).expect("in range"));
                for step in 0..12 {
                    let mut g = wave(n, 0.4 + f64::from(step));
                    if poisoned && step == 1 {
                        g[block.range.end - 1] = f64::NAN;
                    }
                    optimizer.step_with(&mut w, &g, 0.01).expect("no look-ahead");
                }
                w
            };
            let (mut clean, mut spoiled) = (walk(false), walk(true));
            assert!(spoiled[block.range.end - 1].is_nan(), "{spec:?}: «{}»", block.name);
            clean[block.range.clone()].fill(0.0);
            spoiled[block.range.clone()].fill(0.0);
            assert_eq!(bits(&clean), bits(&spoiled), "{spec:?}: «{}»", block.name);
        }
    }
}

#[test]
fn fewer_bits_are_refused() {
    for spec in every() {
        let name = spec.name.clone();
        let error =
            spec.precision(Precision::Bf16).build::<f32>(&Layout::vector(3)).map(drop).expect_err("refused");
        assert!(error.to_string().starts_with(&name) && error.to_string().contains("whole blocks"));
    }
}
