//! What is finite in f64 but not in the parameters' number type: it would make NaN of a gradient of zero.

use thalweg_optim::schedule::{Constant, Horizon, Schedule};
use thalweg_optim::wrap::WRAPPERS;
use thalweg_optim::{GroupSpec, Half, Keep, OptimError, Preset, from_fn, registry::REGISTRY};

use super::*;

/// The largest f32, and what is none.
const LARGEST: f64 = f32::MAX as f64;
const BEYOND: f64 = 1e39;

fn says<V>(name: &str, result: Result<V, OptimError>) {
    let error = result.err().expect("infinite").to_string();
    assert!(error.contains(&format!("{name} = 1e39 is infinite in f32")), "{error}");
    assert!(error.contains(" must lie in ") && error.contains(" and be at most 3.4028235e38"), "{error}");
}

#[test]
fn a_learning_rate_is_refused_by_every_method() {
    for entry in REGISTRY {
        let spec = wrapped(entry.info.name, &["ema=0.9"]);
        let (mut optimizer, mut w) = (build::<f32>(&spec), [1.0_f32; 9]);
        says("learning_rate", optimizer.check_learning_rate(BEYOND));
        says("learning_rate", optimizer.step_with(&mut w, &[0.0; 9], BEYOND));
        let mut asked = from_fn(9, |_: &[f32], _: &mut [f32]| unreachable!("the rate is checked first"));
        says("learning_rate", optimizer.step(&mut w, &mut asked, BEYOND));
        assert_eq!((w, optimizer.steps()), ([1.0; 9], 0), "{spec:?}");
        optimizer.check_learning_rate(LARGEST).expect("the largest there is");
        build::<f64>(&spec).check_learning_rate(BEYOND).expect("finite in f64");
    }
    let (mut sgd, mut w) = (build::<f32>(&wrapped("sgd", &[])), [1.0_f32; 9]);
    sgd.step_with(&mut w, &[0.0; 9], LARGEST).expect("the largest there is");
    assert_eq!(w, [1.0; 9]);
    build::<f64>(&wrapped("sgd", &[])).step_with(&mut [1.0; 9], &[0.0; 9], BEYOND).expect("finite in f64");
}

#[test]
fn parameters_of_16_bits_are_moved_in_f32() {
    let mut w = [0x3f80_u16; 9];
    let mut half = Half::new(build(&wrapped("sgd", &[])), Keep::Master, &w);
    says("learning_rate", half.step_with(&mut w, &[0.0_f32; 9][..], BEYOND));
    assert_eq!((w, half.inner().steps()), ([0x3f80; 9], 0));
    half.step_with(&mut w, &[0.0_f32; 9][..], LARGEST).expect("the largest there is");
    assert_eq!(w, [0x3f80; 9]);
    let mut half = Half::new(build(&wrapped("adam", &[])), Keep::Kahan, &w);
    says("epsilon", half.set_hyper("epsilon", BEYOND));
    half.set_hyper("epsilon", LARGEST).expect("the largest there is");
}

/// Each hyperparameter that has no upper end, of each method: when built and when set.
#[test]
fn a_hyperparameter_is_refused_by_every_method() {
    let mut seen = 0;
    for entry in REGISTRY {
        let name = entry.info.name;
        for (hyper, _, _) in (entry.hyper)().into_iter().filter(|(_, _, range)| range.contains(BEYOND)) {
            seen += 1;
            let with = wrapped(name, &[]).with(hyper, BEYOND);
            // Some must stay in order with others, or need not fit f64 more than they did.
            if with.build::<f64>(&layout()).is_err() {
                continue;
            }
            says(hyper, with.build::<f32>(&layout()));
            let mut built = build::<f32>(&wrapped(name, &[]));
            let before = built.hyper();
            says(hyper, built.set_hyper(hyper, BEYOND));
            assert_eq!(built.hyper(), before, "{name}");
            let set = build::<f64>(&wrapped(name, &[])).set_hyper(hyper, BEYOND);
            assert!(matches!(set, Ok(()) | Err(OptimError::FixedOnceBuilt { .. })), "{name}: {set:?}");
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_setting_is_refused_by_every_wrapper() {
    for entry in WRAPPERS {
        for row in (entry.settings)().into_iter().filter(|row| row.range.contains(BEYOND)) {
            let with =
                OptimizerSpec::named("sgd").wrapped(WrapSpec::named(entry.info.name).with(row.key, BEYOND));
            says(row.key, with.build::<f32>(&layout()));
            build::<f64>(&with);
            let plain = wrapped("sgd", &[entry.info.name]);
            says(row.key, build::<f32>(&plain).set_hyper(row.name, BEYOND));
            build::<f64>(&plain).set_hyper(row.name, BEYOND).expect("finite in f64");
        }
    }
}

#[test]
fn a_groups_factor_counts() {
    let grouped = |factor: fn(GroupSpec) -> GroupSpec| {
        wrapped("adamw", &[]).group(factor(GroupSpec::of("weight"))).group(GroupSpec::rest())
    };
    says("learning-rate", grouped(|group| group.learning_rate(BEYOND)).build::<f32>(&layout()));
    says("decay", grouped(|group| group.decay(BEYOND)).build::<f32>(&layout()));
    grouped(|group| group.learning_rate(BEYOND).decay(BEYOND))
        .build::<f64>(&layout())
        .expect("finite in f64");

    // Times a factor of 100, the learning rate must be 100 times smaller.
    let fast = grouped(|group| group.learning_rate(100.0).decay(1000.0));
    let (mut w, mut optimizer) = ([1.0_f32; 9], build::<f32>(&fast));
    let error = optimizer.step_with(&mut w, &[0.0; 9], 1e37).expect_err("infinite").to_string();
    assert!(
        error.contains("learning_rate = 1e37 times a group's factor of 100 is infinite in f32"),
        "{error}"
    );
    assert!(error.contains("at most 3.4028235e36"), "{error}");
    assert_eq!((w, optimizer.steps()), ([1.0; 9], 0));
    optimizer.check_learning_rate(LARGEST / 100.0).expect("the largest there is");
    build::<f64>(&fast).check_learning_rate(1e37).expect("finite in f64");
    // One within the other.
    let inner = wrapped("sgd", &[]).group(GroupSpec::rest().learning_rate(100.0));
    let nested = wrapped("sgd", &["ema=0.9"])
        .group(GroupSpec::of("weight").optimizer(inner).learning_rate(10.0))
        .group(GroupSpec::rest());
    let nested = nested.wrapped("guard".parse().expect("valid"));
    assert!(build::<f32>(&nested).check_learning_rate(1e36).is_err());
    build::<f32>(&nested).check_learning_rate(3e35).expect("finite");
    // A factor below 1 cannot make a rate fit that does not itself.
    let slow = wrapped("sgd", &[]).preset(Preset::LayerwiseDecay(0.5));
    says("learning_rate", build::<f32>(&slow).check_learning_rate(BEYOND));

    // Decays, of the rule and of a wrapper outside.
    let error = fast.clone().with("weight_decay", 1e36).build::<f32>(&layout()).err().expect("infinite");
    assert!(error.to_string().contains("e39 is infinite in f32"), "{error}");
    let around = fast.wrapped(WrapSpec::named("weight-decay").with("decay", 1e36));
    let error = around.build::<f32>(&layout()).err().expect("infinite").to_string();
    assert!(error.contains("decay = 1e36 times a group's factor of 1000 is infinite in f32"), "{error}");
    assert!(error.contains("at most 3.4028235e35"), "{error}");
    around.build::<f64>(&layout()).expect("finite in f64");
}

#[test]
fn a_schedules_output_is_refused_by_the_step() {
    let curve = Schedule::from(Constant { factor: 1e10 })
        .resolve(Horizon { steps: 10, steps_per_epoch: 10 })
        .expect("valid");
    let rate = curve.factor(0) * 1e29;
    let (mut w, mut optimizer) = ([1.0_f32; 9], build::<f32>(&wrapped("adam", &[])));
    says("learning_rate", optimizer.step_with(&mut w, &[0.0; 9], rate));
    assert_eq!((w, optimizer.steps()), ([1.0; 9], 0));
    build::<f64>(&wrapped("adam", &[])).step_with(&mut [1.0; 9], &[0.0; 9], rate).expect("finite in f64");
}
