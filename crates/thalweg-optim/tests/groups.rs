//! What parameter groups promise.

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::{
    Dialect, GroupSpec, Layout, OptimError, Optimizer, OptimizerSpec, Preset, Role, Span, Threads, WrapSpec,
    from_fn,
};

/// A network of three layers with a norm: 8 blocks, 31 numbers.
fn network() -> Layout {
    let mut layout = Layout::default();
    for (layer, shape) in [[3, 2], [2, 4], [4, 1]].iter().enumerate() {
        layout.push(format!("{layer}.dense.weight"), shape, Role::Weight);
        layout.push(format!("{layer}.dense.bias"), &[shape[1]], Role::Bias);
        if layer == 1 {
            layout.push("1.norm.scale", &[4], Role::Scale);
            layout.push("1.norm.bias", &[2], Role::Bias);
        }
    }
    layout
}

fn wave(len: usize, step: f64) -> Vec<f64> {
    (0..len).map(|i| (i as f64 * step + 0.3).sin()).collect()
}

fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

fn quadratic(w: &[f64], grad: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for (i, (g, &w)) in grad.iter_mut().zip(w).enumerate() {
        let (curvature, error) = (0.1 * 30_f64.powf((i % 5) as f64 / 4.0), w - (1.3 * i as f64).cos());
        *g = curvature * error;
        value += 0.5 * curvature * error * error;
    }
    value
}

fn wrapper(text: &str) -> WrapSpec {
    text.parse().expect("a wrapper of the registry")
}

/// Groups of one kind do exactly what one optimizer does, for every elementwise row, riders from outside included.
#[test]
fn groups_that_differ_in_nothing_change_nothing() {
    let layout = network();
    let dim = layout.len();
    // A rule that sums over all parameters (Prodigy) sums over its group here.
    for entry in REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise && !entry.couples) {
        for dialect in Dialect::ALL {
            let mut plain = OptimizerSpec::named(entry.info.name).dialect(dialect);
            for text in ["weight-decay=0.02", "decoupled-decay=0.03", "guard", "ema=0.9"] {
                plain = plain.wrapped(wrapper(text));
            }
            let grouped = plain
                .clone()
                .group(GroupSpec::of("*.bias"))
                .group(GroupSpec::role("weight").learning_rate(1.0))
                .group(GroupSpec::rest());
            let mut optimizers = [&plain, &grouped, &grouped].map(|spec| spec.build::<f64>(&layout).unwrap());
            optimizers[2].set_threads(&Threads::new(2).unwrap());
            let mut ws = [wave(dim, 0.9), wave(dim, 0.9), wave(dim, 0.9)];
            for _ in 0..20 {
                for (optimizer, w) in optimizers.iter_mut().zip(&mut ws) {
                    optimizer.step(w, &mut from_fn(dim, quadratic), 0.01).expect("a step");
                }
            }
            assert_eq!(bits(&ws[0]), bits(&ws[1]), "{grouped:?}");
            assert_eq!(bits(&ws[0]), bits(&ws[2]), "{grouped:?}");
            let mut averages = [Vec::new(), Vec::new()];
            for (index, average) in averages.iter_mut().enumerate() {
                assert!(optimizers[index].average(&ws[index], average));
            }
            assert_eq!(bits(&averages[0]), bits(&averages[1]), "{grouped:?}");
            assert_eq!(optimizers[1].steps(), 20);
        }
    }
}

/// Three groups with rules of their own against three optimizers on arrays of their own; the clip is of the whole norm.
#[test]
fn each_group_moves_as_alone_but_for_the_common_clip() {
    let layout = network();
    let dim = layout.len();
    let spec = OptimizerSpec::named("adam")
        .wrapped(wrapper("clip-norm=0.5"))
        .group(GroupSpec::of("0.*").optimizer(OptimizerSpec::named("momentum").with("momentum", 0.5)))
        .group(GroupSpec::role("bias").learning_rate(3.0))
        .group(
            GroupSpec::rest().optimizer(OptimizerSpec::named("adagrad").wrapped(wrapper("weight-decay=0.1"))),
        );
    let mut grouped = spec.build::<f64>(&layout).unwrap();
    let alone = [
        (OptimizerSpec::named("momentum").with("momentum", 0.5), 1.0, vec![0, 1]),
        (OptimizerSpec::named("adam"), 3.0, vec![3, 5, 7]),
        (OptimizerSpec::named("adagrad").wrapped(wrapper("weight-decay=0.1")), 1.0, vec![2, 4, 6]),
    ];
    let (mut w, mut copy) = (wave(dim, 0.9), wave(dim, 0.9));
    let mut parts: Vec<_> = alone
        .iter()
        .map(|(spec, factor, blocks)| {
            let len = blocks.iter().map(|&block| layout.blocks()[block].range.len()).sum();
            (spec.build::<f64>(&Layout::vector(len)).unwrap(), factor, blocks)
        })
        .collect();
    for step in 1..=30 {
        let grad = wave(dim, 0.3 + f64::from(step));
        let norm = grad.iter().map(|g| g * g).sum::<f64>().sqrt();
        let outcome = grouped.step_with(&mut w, &grad, 0.02).unwrap();
        assert!((outcome.norm.unwrap() - norm).abs() < 1e-12);
        let scale = 0.5 / (norm + 1e-6);
        for (optimizer, factor, blocks) in &mut parts {
            let ranges: Vec<_> = blocks.iter().map(|&block| layout.blocks()[block].range.clone()).collect();
            let mut own: Vec<f64> = ranges.iter().flat_map(|range| copy[range.clone()].to_vec()).collect();
            let g: Vec<f64> =
                ranges.iter().flat_map(|range| grad[range.clone()].iter().map(|g| g * scale)).collect();
            optimizer.step_with(&mut own, &g, 0.02 * **factor).unwrap();
            let mut own = own.into_iter();
            ranges.into_iter().flatten().for_each(|i| copy[i] = own.next().unwrap());
        }
        let far = w.iter().zip(&copy).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-13, "step {step}: {far:e}");
    }
    // By spans, one per block, it is the same step.
    let (mut again, mut w) = (spec.build::<f64>(&layout).unwrap(), wave(dim, 0.9));
    let mut rest = &mut w[..];
    let grad = wave(dim, 0.37);
    let mut spans = Vec::new();
    for block in layout.blocks() {
        let (own, behind) = rest.split_at_mut(block.range.len());
        spans.push(Span::new(own, &grad[block.range.clone()]));
        rest = behind;
    }
    again.step_spans(&mut spans, 0.1).unwrap();
    let (mut flat, mut other) = (spec.build::<f64>(&layout).unwrap(), wave(dim, 0.9));
    flat.step_with(&mut other, &grad, 0.1).unwrap();
    assert!(w.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn a_saved_state_goes_on_with_the_same_bits() {
    let layout = network();
    let dim = layout.len();
    let look_ahead = OptimizerSpec::named("nag").dialect(Dialect::Textbook);
    let spec = OptimizerSpec::named("adam")
        .wrapped(wrapper("swa=3:2"))
        .wrapped(wrapper("sam=0.05"))
        .group(GroupSpec::of("0.*").optimizer(look_ahead.wrapped(wrapper("accumulate=3"))))
        .group(GroupSpec::rest())
        .preset(Preset::NoBiasDecay)
        .preset(Preset::LayerwiseDecay(0.5));
    let (mut first, mut second) = (spec.build::<f64>(&layout).unwrap(), spec.build::<f64>(&layout).unwrap());
    let (mut w, mut f) = (wave(dim, 0.9), from_fn(dim, quadratic));
    for _ in 0..16 {
        first.step(&mut w, &mut f, 0.01).expect("a step");
    }
    second.load(&first.save()).unwrap();
    let mut copy = w.clone();
    for _ in 0..100 {
        first.step(&mut w, &mut f, 0.01).expect("a step");
        second.step(&mut copy, &mut f, 0.01).expect("a step");
    }
    assert_eq!(bits(&w), bits(&copy));
    assert_eq!(first.save(), second.save());
    assert!(first.save().entries().contains_key("group0/accumulate/sum/0.dense.weight"));
}

/// A look-ahead rule in a group asks for its own point in its own blocks only.
#[test]
fn look_ahead_groups_ask_at_their_own_points() {
    let layout = network();
    let dim = layout.len();
    let nag = OptimizerSpec::named("nag").dialect(Dialect::Textbook);
    let spec = OptimizerSpec::named("sgd")
        .group(GroupSpec::role("bias").optimizer(nag).learning_rate(2.0))
        .group(GroupSpec::rest());
    let mut optimizer = spec.build::<f64>(&layout).unwrap();
    let biases: Vec<bool> =
        layout.blocks().iter().flat_map(|block| vec![block.role == Role::Bias; block.range.len()]).collect();
    let (mut w, mut own, mut velocity) = (wave(dim, 0.9), wave(dim, 0.9), vec![0.0; dim]);
    let mut grad = vec![0.0; dim];
    for _ in 0..20 {
        optimizer.step(&mut w, &mut from_fn(dim, quadratic), 0.05).expect("a step");
        let ahead = |i: usize| if biases[i] { own[i] - 0.1 * 0.9 * velocity[i] } else { own[i] };
        quadratic(&(0..dim).map(ahead).collect::<Vec<_>>(), &mut grad);
        for i in 0..dim {
            velocity[i] = 0.9 * velocity[i] + grad[i];
            own[i] -= if biases[i] { 0.1 * velocity[i] } else { 0.05 * grad[i] };
        }
        assert!(w.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-13));
    }
    assert!(matches!(optimizer.step_with(&mut w, &grad, 0.1), Err(OptimError::NeedsObjective { .. })));
}

#[test]
fn only_weights_decay_with_the_preset() {
    let layout = network();
    let dim = layout.len();
    for text in ["decoupled-decay=0.5", "weight-decay=0.5", "l1=0.5", "lasso-prox=0.5", "elastic-net=0.5:0.3"]
    {
        let spec = OptimizerSpec::named("sgd").wrapped(wrapper(text)).preset(Preset::NoBiasDecay);
        let mut w = vec![1.0; dim];
        spec.build::<f64>(&layout).unwrap().step_with(&mut w, &vec![0.0; dim], 0.1).unwrap();
        for block in layout.blocks() {
            let expected = if block.role == Role::Weight { 0.95 } else { 1.0 };
            assert!(w[block.range.clone()].iter().all(|w| (w - expected).abs() < 1e-15), "{}", block.name);
        }
    }
}

/// W = 1 after a step without a gradient at a rate of 0.1: what is missing to 1 is a tenth of the decay.
fn decays(spec: &OptimizerSpec) -> Vec<f64> {
    let layout = network();
    let mut w = vec![1.0; layout.len()];
    let mut optimizer = spec.build::<f64>(&layout).expect("the groups fit");
    optimizer.step_with(&mut w, &vec![0.0; layout.len()], 0.1).expect("no look-ahead");
    let of_block = layout.blocks().iter().map(|block| {
        let own = &w[block.range.clone()];
        assert!(own.iter().all(|w| *w == own[0]), "{}: {own:?}", block.name);
        (1.0 - own[0]) / 0.1
    });
    of_block.collect()
}

fn near(found: &[f64], expected: &[f64]) {
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} is not {expected:?}");
}

/// A factor reaches a decay wherever it is written: around all groups, in the rule, or in a wrapper that a group brings.
#[test]
fn a_group_s_factor_reaches_decays_outside_and_inside() {
    for (text, default) in [
        ("decoupled-decay", 1e-2),
        ("weight-decay", 1e-4),
        ("l1", 1e-5),
        ("lasso-prox", 1e-4),
        ("elastic-net", 1e-4),
    ] {
        let own = |value: &str| OptimizerSpec::named("sgd").wrapped(wrapper(&format!("{text}{value}")));
        let plain = OptimizerSpec::named("sgd");
        // Biases at a factor of 0, scales at 0.5 of a wrapper's default, weights twice; 0.2 more outside.
        let spec = plain
            .clone()
            .group(GroupSpec::role("bias").optimizer(own("=0.4")).decay(0.0))
            .group(GroupSpec::role("scale").optimizer(own("")).decay(0.5))
            .group(GroupSpec::rest().optimizer(own("=0.4")).decay(2.0))
            .wrapped(wrapper(&format!("{text}=0.2")));
        let (weight, bias) = (2.0 * (0.4 + 0.2), 0.0);
        let expected = [weight, bias, weight, bias, 0.5 * (default + 0.2), bias, weight, bias];
        near(&decays(&spec), &expected);
        // The preset goes on top: of the decays, only those of weights are left.
        let spec = OptimizerSpec { presets: vec![Preset::NoBiasDecay], ..spec };
        near(&decays(&spec), &[weight, 0.0, weight, 0.0, 0.0, 0.0, weight, 0.0]);
        // So do wrappers of groups within groups, with the factors of both.
        let inner = plain
            .clone()
            .group(GroupSpec::of("0.*").optimizer(own("=0.4")).decay(0.25))
            .group(GroupSpec::rest())
            .wrapped(wrapper(&format!("{text}=0.1")));
        let spec = plain
            .group(GroupSpec::rest().optimizer(inner).decay(0.5))
            .wrapped(wrapper(&format!("{text}=0.2")));
        let (first, other) = (0.5 * 0.25 * (0.4 + 0.1 + 0.2), 0.5 * (0.1 + 0.2));
        near(&decays(&spec), &[first, first, other, other, other, other, other, other]);
    }
    // A rule's own decay beside its wrapper's.
    let own = OptimizerSpec::named("adamw").with("weight_decay", 0.3).wrapped(wrapper("decoupled-decay=0.1"));
    let spec =
        OptimizerSpec::named("sgd").group(GroupSpec::rest().optimizer(own)).preset(Preset::NoBiasDecay);
    let found = decays(&spec);
    // One shrinks what the other left.
    let weight = (1.0 - (1.0 - 0.1 * 0.3) * (1.0 - 0.1 * 0.1)) / 0.1;
    near(&found, &[weight, 0.0, weight, 0.0, 0.0, 0.0, weight, 0.0]);
}

/// A factor multiplies λ, and neither the elastic net's ratio nor which parameters are meant.
#[test]
fn a_group_s_factor_multiplies_the_decay_alone() {
    let layout = network();
    let own = OptimizerSpec::named("sgd").wrapped(wrapper("elastic-net=0.4:0.25:1"));
    let spec = OptimizerSpec::named("sgd").group(GroupSpec::rest().optimizer(own).decay(3.0));
    let mut w = vec![2.0; layout.len()];
    spec.build::<f64>(&layout).unwrap().step_with(&mut w, &vec![0.0; layout.len()], 0.1).unwrap();
    for block in layout.blocks() {
        let pull = if block.role == Role::Weight { 3.0 * 0.4 * (0.25 + 0.75 * 2.0) } else { 0.0 };
        assert!(w[block.range.clone()].iter().all(|w| (w - (2.0 - 0.1 * pull)).abs() < 1e-15), "{w:?}");
    }
}

/// A decay that is set later keeps each group's factor: what is switched off stays so.
#[test]
fn a_decay_that_is_set_later_keeps_the_factors() {
    let layout = network();
    for (text, name) in [
        ("decoupled-decay=0.4", "decoupled_decay"),
        ("weight-decay=0.4", "coupled_decay"),
        ("l1=0.4", "l1_decay"),
        ("lasso-prox=0.4", "lasso_prox"),
        ("elastic-net=0.4", "elastic_decay"),
    ] {
        let own = || OptimizerSpec::named("sgd").wrapped(wrapper(text));
        let spec = OptimizerSpec::named("sgd")
            .group(GroupSpec::role("bias").optimizer(own()).decay(0.0))
            .group(GroupSpec::role("scale").optimizer(own()).decay(0.5))
            .group(GroupSpec::rest().optimizer(own()));
        let mut optimizer = spec.build::<f64>(&layout).unwrap();
        assert_eq!(optimizer.hyper()[0], (name, 0.4));
        optimizer.set_hyper(name, 0.8).unwrap();
        assert_eq!(optimizer.hyper()[0], (name, 0.8));
        let mut w = vec![1.0; layout.len()];
        optimizer.step_with(&mut w, &vec![0.0; layout.len()], 0.1).unwrap();
        for block in layout.blocks() {
            let expected = match block.role {
                Role::Weight => 0.92,
                Role::Scale => 0.96,
                Role::Bias => 1.0,
            };
            assert!(
                w[block.range.clone()].iter().all(|w| (w - expected).abs() < 1e-15),
                "{}: {w:?}",
                block.name
            );
        }
    }
}

/// A factor of 0 makes 0 of any decay, but not a right one of a wrong one.
#[test]
fn a_decay_out_of_range_is_refused_whatever_the_factors() {
    let layout = network();
    for (rule, text, name) in [
        ("adamw", "", "weight_decay"),
        ("sgd", "decoupled-decay=0.4", "decoupled_decay"),
        ("sgd", "weight-decay=0.4", "coupled_decay"),
    ] {
        let wrappers = Some(text).filter(|text| !text.is_empty());
        let own =
            || wrappers.map(wrapper).into_iter().fold(OptimizerSpec::named(rule), OptimizerSpec::wrapped);
        for factors in [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]] {
            let spec = OptimizerSpec::named("sgd")
                .group(GroupSpec::role("weight").optimizer(own()).decay(factors[0]))
                .group(GroupSpec::rest().optimizer(own()).decay(factors[1]));
            let mut optimizer = spec.build::<f64>(&layout).unwrap();
            let before = optimizer.hyper();
            for wrong in [-1.0, f64::NAN, f64::INFINITY] {
                let error = optimizer.set_hyper(name, wrong).expect_err("out of range").to_string();
                assert!(
                    error.contains(&format!("= {wrong} is out of range")),
                    "{name}, {factors:?}: {error}"
                );
                assert_eq!(optimizer.hyper(), before, "{name}, {factors:?}: {wrong}");
            }
            optimizer.set_hyper(name, 0.25).unwrap();
            let expected = if factors == [0.0, 0.0] { 0.0 } else { 0.25 };
            assert!(
                optimizer.hyper().contains(&(name, expected)),
                "{name}, {factors:?}: {:?}",
                optimizer.hyper()
            );
        }
    }
}

#[test]
fn earlier_layers_learn_slower_with_the_preset() {
    let layout = network();
    let spec = OptimizerSpec::named("sgd").preset(Preset::LayerwiseDecay(0.5));
    let mut w = vec![0.0; layout.len()];
    spec.build::<f64>(&layout).unwrap().step_with(&mut w, &vec![1.0; layout.len()], 0.8).unwrap();
    // Layers are 0.dense, 1.dense, 1.norm, 2.dense.
    for (block, rate) in layout.blocks().iter().zip([0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 0.8]) {
        assert!(w[block.range.clone()].iter().all(|w| (w + rate).abs() < 1e-15), "{}: {w:?}", block.name);
    }
    let error = OptimizerSpec::named("sgd").preset(Preset::LayerwiseDecay(1.5)).build::<f64>(&layout).err();
    assert!(error.unwrap().to_string().contains("layerwise-decay = 1.5 is out of range"));
}

/// BEiT's `get_num_layer_for_vit`, which timm's `layer_decay` follows for these names.
fn layer_of_a_vit(name: &str, depth: u32) -> u32 {
    if ["cls_token", "pos_embed"].contains(&name) || name.starts_with("patch_embed") {
        return 0;
    }
    let number = name.strip_prefix("blocks.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    number.map_or(depth + 1, |number| number + 1)
}

fn vit(depth: u32) -> Layout {
    let blocks = (0..depth).flat_map(|block| {
        ["norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.proj.bias", "norm2.weight", "mlp.fc1.weight"]
            .map(|part| format!("blocks.{block}.{part}"))
    });
    let first = ["cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"];
    let last = ["norm.weight", "norm.bias", "head.weight", "head.bias"];
    let mut layout = Layout::default();
    for name in first.map(String::from).into_iter().chain(blocks).chain(last.map(String::from)) {
        layout.push(name, &[2], Role::Weight);
    }
    layout
}

/// How far each block goes with a gradient and a learning rate of 1.
fn rates(layout: &Layout, preset: Preset) -> Vec<f64> {
    let mut optimizer = OptimizerSpec::named("sgd").preset(preset).build::<f64>(layout).expect("valid");
    let mut w = vec![0.0; layout.len()];
    optimizer.step_with(&mut w, &vec![1.0; layout.len()], 1.0).expect("a step");
    layout.blocks().iter().map(|block| -w[block.range.start]).collect()
}

fn by(factor: f64, layer: &str) -> Preset {
    Preset::LayerwiseDecayBy { factor, layer: layer.to_owned() }
}

#[test]
fn a_layer_of_a_transformer_is_a_number_in_its_names() {
    // 12 is more than one digit: 10 lies behind 9, not behind 1.
    for (depth, factor) in [(12, 0.75), (2, 0.9), (24, 0.65)] {
        let layout = vit(depth);
        let found = rates(&layout, by(factor, "blocks.{}."));
        for (block, rate) in layout.blocks().iter().zip(&found) {
            let expected = factor.powi((depth + 1 - layer_of_a_vit(&block.name, depth)) as i32);
            assert!((rate - expected).abs() < 1e-15, "{}: {rate} instead of {expected}", block.name);
        }
        // A module is less than a layer: with names up to the last dot, there would be more layers.
        assert!(rates(&layout, Preset::LayerwiseDecay(factor))[0] < 0.5 * found[0]);
    }
    // Layers are counted, whatever their numbers; what is not there is no layer.
    let mut sequence = Layout::default();
    for name in ["0.weight", "2.weight", "2.bias", "10.weight"] {
        sequence.push(name, &[1], Role::Weight);
    }
    assert_eq!(rates(&sequence, by(0.5, "{}.")), [0.25, 0.5, 0.5, 1.0]);
}

#[test]
fn a_layers_pattern_that_fits_nothing_is_refused() {
    let refused = |preset| {
        let spec = OptimizerSpec::named("sgd").preset(preset);
        spec.build::<f64>(&vit(2)).err().unwrap().to_string()
    };
    for bad in ["blocks.", "", "blocks.{}.{}."] {
        let error = refused(by(0.75, bad));
        assert!(error.contains(&format!("layer = «{bad}» must say once")), "{error}");
        assert!(error.contains("write {} there, as in «blocks.{}.»"), "{error}");
    }
    let error = refused(by(0.75, "block.{}."));
    assert!(
        error.contains("no block's name begins with layer = «block.{}.», with a number for {}"),
        "{error}"
    );
    assert!(error.contains("did you mean «blocks.{}.»? There are: cls_token, pos_embed, "), "{error}");
    let error = refused(by(0.75, "encoder.layer.{}."));
    assert!(error.contains("with a number for {}. There are: cls_token"), "{error}");
    let error = refused(by(1.5, "blocks.{}."));
    assert!(error.contains("layerwise-decay-by = 1.5 is out of range: it must lie in [0, 1]"), "{error}");
}

/// A group that only collects does not leave a hole in an average of all.
#[test]
fn an_average_over_groups_counts_every_parameter() {
    let layout = network();
    let collecting = OptimizerSpec::named("sgd").wrapped(wrapper("accumulate=4"));
    let spec = OptimizerSpec::named("sgd")
        .wrapped(wrapper("ema=0.5"))
        .group(GroupSpec::role("bias").optimizer(collecting))
        .group(GroupSpec::rest());
    let mut optimizer = spec.build::<f64>(&layout).unwrap();
    let (mut w, mut kept) = (wave(layout.len(), 0.9), Vec::new());
    for step in 0..9 {
        let outcome = optimizer.step_with(&mut w, &vec![1.0; layout.len()], 0.1).unwrap();
        assert!(!outcome.collected, "some moved");
        if step == 0 {
            kept.clone_from(&w);
        } else {
            kept.iter_mut().zip(&w).for_each(|(a, w)| *a += 0.5 * (w - *a));
        }
        let mut average = Vec::new();
        assert!(optimizer.average(&w, &mut average));
        assert!(average.iter().zip(&kept).all(|(a, b)| (a - b).abs() < 1e-15), "step {step}");
    }
}

#[test]
fn hyperparameters_are_set_in_every_group_that_has_them_or_none() {
    let layout = network();
    let spec = OptimizerSpec::named("adam")
        .group(GroupSpec::of("0.*").optimizer(OptimizerSpec::named("momentum")))
        .group(GroupSpec::role("bias").learning_rate(0.5))
        .group(GroupSpec::rest());
    let mut optimizer = spec.build::<f64>(&layout).unwrap();
    optimizer.set_hyper("beta1", 0.5).unwrap();
    optimizer.set_hyper("momentum", 0.25).unwrap();
    let hyper = optimizer.hyper();
    assert!(hyper.contains(&("beta1", 0.5)) && hyper.contains(&("momentum", 0.25)), "{hyper:?}");
    assert!(optimizer.set_hyper("beta1", 1.0).is_err());
    assert_eq!(optimizer.hyper(), hyper);
    let error = optimizer.set_hyper("momentm", 0.1).unwrap_err().to_string();
    assert!(error.contains("did you mean «momentum»"), "{error}");
}

#[test]
fn what_does_not_fit_is_named() {
    let layout = network();
    let refused = |groups: &[GroupSpec]| {
        let spec = OptimizerSpec { groups: groups.to_vec(), ..OptimizerSpec::named("sgd") };
        spec.build::<f64>(&layout).err().expect("they do not fit").to_string()
    };
    let sam = OptimizerSpec::named("sgd").wrapped(wrapper("sam"));
    for (groups, says) in [
        (vec![GroupSpec::of("*.weight")], "«0.dense.bias» is in none of them; add a last group {}"),
        (
            vec![GroupSpec::of("3.dense.wieght"), GroupSpec::rest()],
            "no block fits match = «3.dense.wieght»; did you",
        ),
        (vec![GroupSpec::of("*.wieght"), GroupSpec::rest()], "match = «*.wieght»; did you mean «*.weight»?"),
        (vec![GroupSpec::of("1.nrom.*"), GroupSpec::rest()], "match = «1.nrom.*»; did you mean «1.norm.*»?"),
        (
            vec![GroupSpec::of("*.xyzzy"), GroupSpec::rest()],
            "no block fits match = «*.xyzzy». There are: 0.dense.weight",
        ),
        (
            vec![GroupSpec { role: Some("scale".to_owned()), ..GroupSpec::of("0.*") }, GroupSpec::rest()],
            "no block fits match = «0.*», role = «scale». There are",
        ),
        (vec![GroupSpec::rest(), GroupSpec::of("*.bias")], "no block is left for group 2 (match = «*.bias»)"),
        (vec![GroupSpec::role("wieght"), GroupSpec::rest()], "no role «wieght»; did you mean «weight»?"),
        (vec![GroupSpec::rest().learning_rate(-1.0)], "learning-rate = -1 is out of range"),
        (vec![GroupSpec::rest().decay(f64::NAN)], "decay = NaN is out of range"),
        (vec![GroupSpec::rest().optimizer(OptimizerSpec::named("adm"))], "did you mean «adam»?"),
        (vec![GroupSpec::rest().optimizer(sam)], "sgd in sam asks the objective itself"),
        (vec![GroupSpec::rest().optimizer(OptimizerSpec::named("lbfgs"))], "lbfgs asks the objective itself"),
    ] {
        let error = refused(&groups);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn groups_are_written_in_a_recipe() {
    let spec: OptimizerSpec = toml::from_str(
        "name = 'adam'
         presets = [
           'no-bias-decay', { layerwise-decay = 0.8 },
           { layerwise-decay-by = { factor = 0.75, layer = '{}.' } },
         ]
         groups = [
           { match = '*.bias', decay = 0.0 },
           { role = 'weight', optimizer = { name = 'momentum', hyper = { momentum = 0.5 } }, learning-rate = 10.0 },
           {},
         ]",
    )
    .unwrap();
    let built = OptimizerSpec::named("adam")
        .preset(Preset::NoBiasDecay)
        .preset(Preset::LayerwiseDecay(0.8))
        .preset(by(0.75, "{}."))
        .group(GroupSpec::of("*.bias").decay(0.0))
        .group(
            GroupSpec::role("weight")
                .optimizer(OptimizerSpec::named("momentum").with("momentum", 0.5))
                .learning_rate(10.0),
        )
        .group(GroupSpec::rest());
    assert_eq!(spec, built);
    assert_eq!(toml::from_str::<OptimizerSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    let error = toml::from_str::<OptimizerSpec>("name = 'adam'\ngroups = [{ mach = '*' }]").unwrap_err();
    assert!(error.to_string().contains("unknown field `mach`"), "{error}");
    let typo = "name = 'adam'\npresets = [{ layerwise-decay-by = { factor = 0.75, layers = '{}.' } }]";
    let error = toml::from_str::<OptimizerSpec>(typo).unwrap_err();
    assert!(error.to_string().contains("layers") && error.to_string().contains("layer\n"), "{error}");
}
