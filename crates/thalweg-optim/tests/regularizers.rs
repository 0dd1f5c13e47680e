//! Penalties, the roles that they leave alone, the max-norm constraint and noise on the gradient, by their definitions.

use thalweg_optim::wrap::{ElasticNet, GradientNoise, L1, LassoProx, MaxNorm};
use thalweg_optim::{
    GroupSpec, Half, Keep, Layout, Momentum, Optimizer, OptimizerSpec, Orientation, Precision, Role, Rule,
    Sgd, Span, Wrap, WrapSpec, from_fn,
};

/// A weight of 6 numbers, a bias of 3, a scale of 3, another weight of 64.
fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[2, 3], Role::Weight);
    layout.push("bias", &[3], Role::Bias);
    layout.push("scale", &[3], Role::Scale);
    layout.push("head", &[32, 2], Role::Weight);
    layout
}

fn wave(len: usize, step: f64) -> Vec<f64> {
    (0..len).map(|i| (i as f64 * step + 0.3).sin()).collect()
}

fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

fn wrapped(rule: &str, wrapper: &str) -> OptimizerSpec {
    OptimizerSpec::named(rule).wrapped(wrapper.parse::<WrapSpec>().expect("a wrapper"))
}

#[test]
fn the_penalties_pull_as_they_say() {
    let start = [2.0, -3.0, 0.0, -0.25, f64::NAN];
    let step = |spec: &str, grad: f64| {
        let mut w = start;
        let mut optimizer = wrapped("sgd", spec).build::<f64>(&Layout::vector(5)).expect("valid");
        optimizer.step_with(&mut w, &[grad; 5], 0.125).expect("given gradients");
        assert!(w[4].is_nan(), "{spec} hides a NaN");
        [w[0], w[1], w[2], w[3]]
    };
    // λ·sign(W), and sign(0) is 0: a zero does not move.
    assert_eq!(step("l1=0.5", 0.0), [1.9375, -2.9375, 0.0, -0.1875]);
    // ηλ = ½ nearer to zero, and not across.
    assert_eq!(step("lasso-prox=4", 0.0), [1.5, -2.5, 0.0, 0.0]);
    // After the rule: W − 0.125·4 first.
    assert_eq!(step("lasso-prox=4", 4.0), [1.0, -3.0, 0.0, -0.25]);
    // ½(¼·sign + ¾·W).
    assert_eq!(step("elastic-net=0.5:0.25", 0.0), [1.890625, -2.84375, 0.0, -0.22265625]);
    assert_eq!(step("elastic-net=0.5:1", 1.0), step("l1=0.5", 1.0));
    assert_eq!(step("elastic-net=0.5:0", 1.0), step("weight-decay=0.5", 1.0));
    // A cut gradient is pulled all the same.
    let [clip, l1] = ["clip-value=0.125", "l1=0.5"].map(|text| text.parse::<WrapSpec>().expect("a wrapper"));
    for order in [[clip.clone(), l1.clone()], [l1, clip]] {
        let spec = OptimizerSpec { wrap: order.to_vec(), ..OptimizerSpec::named("sgd") };
        let mut w = [1.0, -1.0];
        let mut optimizer = spec.build::<f64>(&Layout::vector(2)).expect("valid");
        optimizer.step_with(&mut w, &[8.0, 8.0], 1.0).expect("given gradients");
        assert_eq!(w, [1.0 - 0.125 - 0.5, -1.0 - 0.125 + 0.5]);
    }
}

/// The minimum of ½‖W − c‖² + λ‖W‖₁ is c, soft-thresholded at λ: found exactly by the proximal form, and up to 2ηλ by the
/// subgradient, which jumps about a zero.
#[test]
fn the_lasso_is_found_with_its_zeros() {
    let (lambda, rate) = (0.4, 0.1);
    let target = wave(30, 0.9);
    let solution: Vec<f64> = target.iter().map(|c| (c.abs() - lambda).max(0.0) * c.signum()).collect();
    let mut f = from_fn(30, |w: &[f64], grad: &mut [f64]| {
        grad.iter_mut().zip(w.iter().zip(&target)).for_each(|(g, (w, c))| *g = w - c);
        0.0
    });
    let mut walk = |mut optimizer: Box<dyn Optimizer<f64>>| {
        let mut w = wave(30, 0.37);
        for _ in 0..500 {
            optimizer.step(&mut w, &mut f, rate).expect("a step");
        }
        w
    };
    let sgd = || Sgd.optimizer::<f64>(30).expect("in range");
    let prox = walk(Box::new(sgd().lasso_prox(lambda).expect("valid")));
    let sub = walk(Box::new(sgd().l1(lambda).expect("valid")));
    let zeros = |w: &[f64]| w.iter().filter(|w| **w == 0.0).count();
    assert!(zeros(&solution) > 5);
    assert_eq!((zeros(&prox), zeros(&sub)), (zeros(&solution), 0));
    for ((prox, sub), solution) in prox.iter().zip(&sub).zip(&solution) {
        assert!((prox - solution).abs() < 1e-12, "{prox} for {solution}");
        assert!((sub - solution).abs() <= 2.0 * rate * lambda + 1e-12, "{sub} for {solution}");
    }
}

/// Weights move as if all were pulled, biases and scales as if none were: in one span and in several, with a state in full
/// and in 16 bits, for W of 16 bits, in methods that see blocks, and around groups.
#[test]
fn weights_only_leaves_biases_and_scales_alone() {
    let (layout, n) = (layout(), layout().len());
    let penalties =
        ["weight-decay=0.3", "decoupled-decay=0.4", "l1=0.3", "lasso-prox=0.6", "elastic-net=0.3:0.5"];
    let halves = |w: &[f64]| w.iter().map(|w| ((*w as f32).to_bits() >> 16) as u16).collect::<Vec<_>>();
    for (rule, precision) in
        [("adam", Precision::Full), ("momentum", Precision::Bf16), ("muon", Precision::Full)]
    {
        for penalty in penalties {
            let of_weights = format!("{penalty}:1");
            // Twice: what is pulled by both rides, too.
            let texts: [&[&str]; 3] =
                [&[], &[penalty, "decoupled-decay=0.1"], &[&of_weights, "decoupled-decay=0.1:1"]];
            let specs = texts.map(|texts| {
                let bare = OptimizerSpec::named(rule).precision(precision);
                texts.iter().fold(bare, |spec, text| spec.wrapped(text.parse().expect("a wrapper")))
            });
            let walk = |spec: &OptimizerSpec, spans: bool| {
                let mut optimizer = spec.build::<f32>(&layout).expect("valid");
                let mut w: Vec<f32> = wave(n, 0.9).iter().map(|w| *w as f32).collect();
                for step in 0..4 {
                    let grad: Vec<f32> = wave(n, 0.4 + f64::from(step)).iter().map(|g| *g as f32).collect();
                    if spans {
                        let (mut rest, mut given) = (&mut w[..], Vec::new());
                        for block in layout.blocks() {
                            let own = rest.split_off_mut(..block.range.len()).expect("as long");
                            given.push(Span::new(own, &grad[block.range.clone()]));
                        }
                        optimizer.step_spans(&mut given, 0.05).expect("given gradients");
                    } else {
                        optimizer.step_with(&mut w, &grad, 0.05).expect("given gradients");
                    }
                }
                w.iter().map(|w| w.to_bits()).collect::<Vec<_>>()
            };
            let walk_half = |spec: &OptimizerSpec| {
                let mut w = halves(&wave(n, 0.9));
                let mut half = Half::new(spec.build(&layout).expect("valid"), Keep::Kahan, &w);
                for step in 0..4 {
                    let grad = halves(&wave(n, 0.4 + f64::from(step)));
                    half.step_with(&mut w, &grad[..], 0.05).expect("given gradients");
                }
                w.into_iter().map(u32::from).collect::<Vec<_>>()
            };
            for way in ["one span", "spans", "halves"] {
                let [bare, all, weights] = specs.each_ref().map(|spec| match way {
                    "halves" => walk_half(spec),
                    _ => walk(spec, way == "spans"),
                });
                for block in layout.blocks() {
                    let own = block.range.clone();
                    let expected = if block.role == Role::Weight { &all } else { &bare };
                    assert_eq!(
                        weights[own.clone()],
                        expected[own.clone()],
                        "{rule}, {penalty}, {}, {way}",
                        block.name
                    );
                    assert_ne!(all[own.clone()], bare[own], "{rule}, {penalty}: nothing was pulled");
                }
            }
        }
    }
}

#[test]
fn weights_only_is_heard_around_groups_and_multiplied_by_them() {
    let layout = layout();
    let spec = wrapped("sgd", "l1=0.5:1")
        .group(thalweg_optim::GroupSpec::of("head").decay(2.0))
        .group(thalweg_optim::GroupSpec::rest());
    let mut w = vec![1.0; layout.len()];
    spec.build::<f64>(&layout)
        .expect("valid")
        .step_with(&mut w, &vec![0.0; layout.len()], 0.5)
        .expect("a step");
    for (block, expected) in layout.blocks().iter().zip([0.75, 1.0, 1.0, 0.5]) {
        assert!(w[block.range.clone()].iter().all(|w| *w == expected), "{}: {w:?}", block.name);
    }
}

/// A search sees the penalties as a part of the objective, and is thresholded at its end.
#[test]
fn a_search_minimizes_the_penalties_too() {
    let (layout, start) = (layout(), vec![0.5; layout().len()]);
    let mut zero = from_fn(start.len(), |_: &[f64], grad: &mut [f64]| {
        grad.fill(0.0);
        0.0
    });
    // ½·¼·Σw² of 70 weights, or of all 76 numbers; ¼·Σ|w|. Each has one step of 0.5 along its gradient.
    for (spec, value, weights, others) in [
        ("weight-decay=0.25", 0.125 * 76.0 * 0.25, 0.4375, 0.4375),
        ("weight-decay=0.25:1", 0.125 * 70.0 * 0.25, 0.4375, 0.5),
        ("l1=0.25", 0.25 * 76.0 * 0.5, 0.375, 0.375),
        ("l1=0.25:1", 0.25 * 70.0 * 0.5, 0.375, 0.5),
        ("elastic-net=0.25:0.5:1", 0.125 * 70.0 * 0.5 + 0.0625 * 70.0 * 0.25, 0.40625, 0.5),
        ("decoupled-decay=0.25:1", 0.0, 0.4375, 0.5),
        ("lasso-prox=0.25:1", 0.0, 0.375, 0.5),
        ("lasso-prox=9", 0.0, 0.0, 0.0),
    ] {
        let mut w = start.clone();
        let mut optimizer = wrapped("gradient-descent", spec).build::<f64>(&layout).expect("valid");
        let report = optimizer.step(&mut w, &mut zero, 0.5).expect("a step");
        assert!((report.value - value).abs() < 1e-12 && !report.outcome.stuck, "{spec}: {report:?}");
        for block in layout.blocks() {
            let expected = if block.role == Role::Weight { weights } else { others };
            assert!(w[block.range.clone()].iter().all(|w| *w == expected), "{spec}, {}: {w:?}", block.name);
        }
    }
    // One that is stuck is left where it was.
    let mut lie = from_fn(start.len(), |w: &[f64], grad: &mut [f64]| {
        grad.fill(1.0);
        w.iter().map(|w| (w - 0.5).abs()).sum()
    });
    for spec in ["lasso-prox=0.25", "max-norm=0.1"] {
        let mut w = start.clone();
        let mut optimizer = wrapped("gradient-descent", spec).build::<f64>(&layout).expect("valid");
        assert!(optimizer.step(&mut w, &mut lie, 0.5).expect("a step").outcome.stuck);
        assert_eq!(w, start, "{spec}");
    }
}

/// W after a step that moves nothing, under a max-norm of `radius`.
fn projected(layout: &Layout, w: &[f64], radius: f64) -> Vec<f64> {
    let mut tower = Sgd.optimizer_of::<f64>(layout).expect("in range").max_norm(radius).expect("valid");
    let (mut given, mut driven) = (w.to_vec(), w.to_vec());
    tower.step_with(&mut given, &vec![0.0; w.len()], 1.0).expect("given gradients");
    let mut zero = from_fn(w.len(), |_: &[f64], grad: &mut [f64]| {
        grad.fill(0.0);
        0.0
    });
    tower.step(&mut driven, &mut zero, 1.0).expect("a step");
    assert_eq!(bits(&given), bits(&driven));
    given
}

#[test]
fn a_max_norm_shrinks_the_weights_that_lead_to_a_unit() {
    let one = |orientation: Option<Orientation>, shape: &[usize], role| {
        let layout = orientation.map_or_else(Layout::default, |own| Layout::default().with_orientation(own));
        let mut layout = layout;
        layout.push("block", shape, role);
        layout
    };
    let w = [3.0, 4.0, 0.5, 1.0];
    // Rows of length 5 and 1.1; columns of √9.25 and √17.
    let rows = [1.5, 2.0, 0.5, 1.0];
    assert_eq!(projected(&one(Some(Orientation::OutIn), &[2, 2], Role::Weight), &w, 2.5), rows);
    // A filter of a convolution [out, in, 2]: all behind the first axis.
    assert_eq!(projected(&one(Some(Orientation::OutIn), &[2, 1, 2], Role::Weight), &w, 2.5), rows);
    let by_column = [
        3.0 * 2.5 / 9.25_f64.sqrt(),
        4.0 * 2.5 / 17_f64.sqrt(),
        0.5 * 2.5 / 9.25_f64.sqrt(),
        2.5 / 17_f64.sqrt(),
    ];
    for orientation in [Some(Orientation::InOut), None] {
        for shape in [&[2, 2][..], &[1, 2, 2]] {
            let found = projected(&one(orientation, shape, Role::Weight), &w, 2.5);
            assert!(found.iter().zip(by_column).all(|(a, b)| (a - b).abs() < 1e-15), "{shape:?}: {found:?}");
        }
        // Within the ball nothing is rounded.
        assert_eq!(projected(&one(orientation, &[2, 2], Role::Weight), &w, 4.2), w);
    }
    // Of an embedding's table each row is one, also within a group of its own.
    for orientation in [Some(Orientation::OutIn), Some(Orientation::InOut), None] {
        let mut layout = one(orientation, &[2], Role::Bias);
        layout.push_table("table", [2, 2]);
        let found = projected(&layout, &[[9.0; 2].as_slice(), &w].concat(), 2.5);
        assert_eq!(found, [[9.0; 2].as_slice(), &rows].concat(), "{orientation:?}");
    }
    // A vector is one unit; biases and scales are none.
    let vector = projected(&one(None, &[4], Role::Weight), &[3.0, 4.0, 0.0, 0.0], 2.5);
    assert_eq!(vector, [1.5, 2.0, 0.0, 0.0]);
    for role in [Role::Bias, Role::Scale] {
        assert_eq!(projected(&one(Some(Orientation::OutIn), &[2, 2], role), &w, 0.1), w);
    }
    // A NaN is not spread beyond what the step made of it.
    let found = projected(&one(None, &[2, 2], Role::Weight), &[f64::NAN, 4.0, 0.5, 3.0], 2.5);
    assert!(found[0].is_nan() && found[2] == 0.5 && (found[1] - 2.0).abs() < 1e-15, "{found:?}");
}

#[test]
fn an_average_follows_what_a_max_norm_leaves_and_a_refused_step_is_not_projected() {
    let grad = [-1.0, -2.0];
    let momentum = || Momentum::default().optimizer::<f64>(2).expect("in range");
    let mut tower =
        momentum().max_norm(1.0).expect("valid").ema(0.75).expect("valid").guard().expect("valid");
    let (mut w, mut judged) = (vec![3.0, 4.0], Vec::new());
    tower.step_with(&mut w, &[f64::NAN, 0.0], 0.1).expect("given gradients");
    assert_eq!(w, [3.0, 4.0]);
    let (mut own, mut velocity, mut kept) = (w.clone(), [0.0; 2], Vec::new());
    for step in 0..6 {
        tower.step_with(&mut w, &grad, 0.1).expect("given gradients");
        for i in 0..2 {
            velocity[i] = 0.9 * velocity[i] + grad[i];
            own[i] -= 0.1 * velocity[i];
        }
        let length = own[0].hypot(own[1]);
        own.iter_mut().for_each(|w| *w *= (1.0 / length).min(1.0));
        if step == 0 {
            kept.clone_from(&own);
        } else {
            kept.iter_mut().zip(&own).for_each(|(a, w)| *a += 0.25 * (w - *a));
        }
        assert!(w.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-15), "{w:?} {own:?}");
        assert!(tower.average(&w, &mut judged));
        assert!(judged.iter().zip(&kept).all(|(a, b)| (a - b).abs() < 1e-15), "{judged:?} {kept:?}");
    }
}

/// The noise of each step on a gradient of zero.
fn noise(wrapper: GradientNoise, layout: &Layout, steps: usize) -> Vec<Vec<f64>> {
    let mut tower = Sgd.optimizer_of::<f64>(layout).expect("in range").wrap(wrapper).expect("valid");
    let zero = vec![0.0; layout.len()];
    let draw = |_| {
        let mut w = zero.clone();
        tower.step_with(&mut w, &zero, 1.0).expect("given gradients");
        w.iter().map(|w| -w).collect()
    };
    (0..steps).map(draw).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// The first four moments of a law of variance 1, each with the variance of its power: E x²ᵏ − (E xᵏ)².
type Moments = [(i32, f64, f64); 4];
const NORMAL: Moments = [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)];
/// Of [−√3, √3): E x²ᵏ is 3ᵏ/(2k + 1).
const UNIFORM: Moments =
    [(1, 0.0, 1.0), (2, 1.0, 0.8), (3, 0.0, 27.0 / 7.0), (4, 9.0 / 5.0, 9.0 - 81.0 / 25.0)];

#[test]
fn noise_has_its_law_and_fades_as_its_schedule_says() {
    let mut layout = Layout::default();
    layout.push("a", &[251, 200], Role::Weight);
    layout.push("b", &[50_200], Role::Bias);
    let n = layout.len() as f64;
    for (uniform, moments, most) in [(0.0, NORMAL, f64::INFINITY), (1.0, UNIFORM, 3_f64.sqrt() + 1e-12)] {
        let wrapper = GradientNoise { eta: 0.3, seed: 3.0, uniform, ..GradientNoise::default() };
        let drawn = noise(wrapper, &layout, 10);
        for (step, noise) in drawn.iter().enumerate() {
            let deviation = (0.3 / (1.0 + step as f64).powf(0.55)).sqrt();
            let found = |power: i32| noise.iter().map(|x| (x / deviation).powi(power)).sum::<f64>() / n;
            // Five standard errors of each moment.
            for (power, expected, variance) in moments {
                let (found, error) = (found(power), 5.0 * (variance / n).sqrt());
                assert!(
                    (found - expected).abs() < error,
                    "uniform: {uniform}, step {step}: moment {power} is {found}"
                );
            }
            let largest = noise.iter().fold(0.0_f64, |most, x| most.max((x / deviation).abs()));
            assert!(largest <= most && largest > 1.73, "uniform: {uniform}, step {step}: up to {largest}");
        }
        let (first, half) = (&drawn[0], drawn[0].len() / 2);
        let limit = 5.0 / (half as f64).sqrt();
        let seeded = noise(GradientNoise { seed: 4.0, ..wrapper }, &layout, 1);
        for (what, a, b) in [
            ("steps", &first[..], &drawn[1][..]),
            ("blocks", &first[..half], &first[half..]),
            ("neighbours", &first[1..], &first[..first.len() - 1]),
            ("seeds", &first[..], &seeded[0][..]),
        ] {
            assert!(correlation(a, b).abs() < limit, "uniform: {uniform}, {what}");
        }
        assert_eq!(noise(wrapper, &layout, 1)[0], *first);
        // A block's noise is its own, wherever it lies.
        let mut alone = Layout::default();
        alone.push("b", &[50_200], Role::Bias);
        assert_eq!(noise(wrapper, &alone, 1)[0], first[half..]);
        assert_eq!(noise(GradientNoise { eta: 0.0, ..wrapper }, &alone, 1)[0], vec![0.0; half]);
    }
}

#[test]
fn an_embedding_in_a_group_of_its_own_is_bounded_by_rows() {
    let mut layout = Layout::default().with_orientation(Orientation::InOut);
    layout.push_table("0.embedding.table0", [2, 2]);
    layout.push("1.dense.weight", &[2, 2], Role::Weight);
    // The table's group has a method of its own, with its own bound; the rest has the recipe's.
    let bounded = || wrapped("sgd", "max-norm=2.5");
    let spec = OptimizerSpec::named("sgd")
        .group(GroupSpec::of("*embedding*").optimizer(bounded()))
        .group(GroupSpec::rest().optimizer(bounded()));
    let mut optimizer = spec.build::<f64>(&layout).expect("valid");
    let mut w = [3.0, 4.0, 0.5, 1.0, 3.0, 0.5, 4.0, 1.0];
    optimizer.step_with(&mut w, &[0.0; 8], 1.0).expect("given gradients");
    let expected = [1.5, 2.0, 0.5, 1.0, 1.5, 0.5, 2.0, 1.0];
    assert!(w.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{w:?}");
}

#[test]
fn what_is_outside_acts_before_the_noise_and_what_is_inside_after() {
    let layout = Layout::vector(50);
    let wrapper = GradientNoise { eta: 1.0, gamma: 0.0, seed: 1.0, uniform: 0.0 };
    let drawn = noise(wrapper, &layout, 2);
    let sgd = || Sgd.optimizer_of::<f64>(&layout).expect("in range");
    let grad = vec![9.0; 50];
    let mut outside =
        sgd().wrap(wrapper).expect("valid").clip_value(0.5).expect("valid").guard().expect("valid");
    let mut w = vec![0.0; 50];
    // A refused gradient takes no draws.
    assert!(outside.step_with(&mut w, &[f64::NAN; 50], 1.0).expect("given gradients").skipped);
    outside.step_with(&mut w, &grad, 1.0).expect("given gradients");
    assert!(w.iter().zip(&drawn[0]).all(|(w, noise)| *w == -(0.5 + noise)));
    assert_eq!(outside.save().count("gradient-noise/disturbed"), 1);
    let mut inside = sgd().clip_value(0.5).expect("valid").wrap(wrapper).expect("valid");
    let mut w = vec![0.0; 50];
    inside.step_with(&mut w, &[0.25; 50], 1.0).expect("given gradients");
    assert!(w.iter().zip(&drawn[0]).all(|(w, noise)| *w == -(0.25 + noise).clamp(-0.5, 0.5)));
    // A state that comes back goes on with the next draw.
    let mut again = sgd().clip_value(0.5).expect("valid").wrap(wrapper).expect("valid");
    again.load(&inside.save()).expect("its own state");
    let mut w = vec![0.0; 50];
    again.step_with(&mut w, &[0.0; 50], 1.0).expect("given gradients");
    assert!(w.iter().zip(&drawn[1]).all(|(w, noise)| *w == -noise.clamp(-0.5, 0.5)));
}

#[test]
fn the_short_forms_are_the_structs() {
    let sgd = || Sgd.optimizer::<f64>(2).expect("in range");
    assert_eq!(*sgd().l1(0.5).expect("valid").wrapper(), L1 { decay: 0.5, weights_only: 0.0 });
    assert_eq!(*sgd().lasso_prox(0.5).expect("valid").wrapper(), LassoProx { decay: 0.5, weights_only: 0.0 });
    let net = ElasticNet { decay: 0.5, ratio: 0.25, weights_only: 0.0 };
    assert_eq!(*sgd().elastic_net(0.5, 0.25).expect("valid").wrapper(), net);
    assert_eq!(*sgd().max_norm(2.0).expect("valid").wrapper(), MaxNorm { radius: 2.0 });
    let noise = GradientNoise { eta: 0.5, gamma: 0.55, seed: 7.0, uniform: 0.0 };
    assert_eq!(*sgd().gradient_noise(0.5, 7).expect("valid").wrapper(), noise);
}
