//! What recipes are in files: written and read without a loss.

use proptest::prelude::*;

use super::*;

#[test]
fn batch_sizes_are_read_from_words_and_numbers() {
    assert_eq!(serde_json::from_str::<BatchSize>("\"full\"").unwrap(), BatchSize::Full);
    assert_eq!(serde_json::from_str::<BatchSize>("32").unwrap(), BatchSize::Rows(32));
    for bad in ["0", "-3", "\"half\""] {
        assert!(serde_json::from_str::<BatchSize>(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_patience_is_written_and_read() {
    let json = serde_json::to_string(&Recipe::default()).unwrap();
    assert!(json.ends_with(r#""patience":0}"#), "{json}");
    assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), Recipe::default());
    // As files of earlier versions have it: null, or nothing at all.
    for old in [json.replace(r#""patience":0"#, r#""patience":null"#), json.replace(r#","patience":0"#, "")] {
        assert_eq!(serde_json::from_str::<Recipe>(&old).unwrap(), Recipe::default(), "{old}");
    }
}

#[test]
fn a_recipe_without_a_schedule_is_written_as_it_always_was() {
    // The hash of this text is part of the key of every stored trial.
    let json = serde_json::to_string(&Recipe { patience: Some(3), ..Recipe::default() }).unwrap();
    let expected = r#"{"hidden":[64],"activation":"relu","init":"auto","loss":"cross-entropy","optimizer":{"name":"adam","dialect":"torch"},"learning-rate":0.001,"epochs":50,"batch-size":32,"patience":3}"#;
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_str::<Recipe>(expected).unwrap().schedule, Schedule::default());
    let schedule = Schedule::named("cosine").unwrap();
    let scheduled = Recipe { schedule, schedule_epochs: Some(9), ..Recipe::default() };
    let json = serde_json::to_string(&scheduled).unwrap();
    assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), scheduled);
    assert!(json.contains(r#""schedule":{"name":"cosine","steps":"100%""#), "{json}");
}

#[test]
fn a_schedule_is_laid_over_all_steps() {
    let schedule = Schedule::named("polynomial").unwrap();
    let recipe = Recipe { schedule, epochs: 5, batch_size: BatchSize::Rows(4), ..Recipe::default() };
    // Ten rows make three steps an epoch.
    let curve = recipe.curve(10).unwrap();
    assert_eq!((curve.factor(0), curve.factor(6), curve.factor(15)), (1.0, 0.6, 0.0));
    let longer = Recipe { schedule_epochs: Some(10), ..recipe };
    assert_eq!(longer.curve(10).unwrap().factor(15), 0.5);
}

#[test]
fn a_recipe_survives_a_round_trip_and_refuses_unknown_keys() {
    let recipe = Recipe { hidden: vec![8, 4], batch_size: BatchSize::Full, ..Recipe::default() };
    let json = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
    let unknown = json.replacen("\"hidden\"", "\"hiden\"", 1);
    assert!(serde_json::from_str::<Recipe>(&unknown).is_err());
}

/// Any recipe that a file can hold, whether or not it makes sense.
fn recipes() -> impl Strategy<Value = Recipe> {
    let networks: Vec<NetworkSpec> = Architecture::ALL
        .into_iter()
        .map(NetworkSpec::Named)
        .chain([
            NetworkSpec::Layers(Vec::new()),
            NetworkSpec::Layers(vec![LayerSpec::activation(Activation::Tanh)]),
        ])
        .collect();
    let schedules = ["constant", "cosine", "one-cycle"].map(|name| Schedule::named(name).unwrap());
    let techniques: Vec<RegularizeSpec> =
        ["none", "dropout=0.3", "early-stopping-pq=0.5:4", "smote=0.5:3,l2=1e-4:0"]
            .map(|text| text.parse().unwrap())
            .into();
    let optimizer = OptimizerSpec::named("adam").with("beta1", 0.8).dialect(thalweg_optim::Dialect::Keras);
    let optimizers = vec![OptimizerSpec::named("sgd"), optimizer.wrapped("ema=0.9".parse().unwrap())];
    let some = |least: u32| prop_oneof![Just(None), (least..5000).prop_map(Some)];
    let network = (
        prop::sample::select(networks),
        prop::collection::vec(1_usize..9999, 0..4),
        prop::sample::select(Activation::ALL.to_vec()),
        prop::sample::select(vec![Init::Auto, Init::He, Init::Glorot]),
        prop::sample::select(Loss::ALL.to_vec()),
    );
    let training = (
        prop::sample::select(optimizers),
        (-12.0_f64..2.0).prop_map(|power| 10.0_f64.powf(power)),
        1_u32..999,
        prop_oneof![Just(BatchSize::Full), (1_u32..999).prop_map(BatchSize::Rows)],
        1_u32..5,
        some(1),
        some(1),
    );
    let choices = (prop::sample::select(schedules.to_vec()), prop::sample::select(techniques));
    (network, training, choices).prop_map(
        |(
            (network, hidden, activation, init, loss),
            (optimizer, learning_rate, epochs, batch_size, shards, patience, schedule_epochs),
            (schedule, regularize),
        )| Recipe {
            network,
            hidden,
            activation,
            init,
            loss,
            optimizer,
            learning_rate,
            epochs,
            batch_size,
            shards,
            patience,
            schedule,
            schedule_epochs,
            regularize,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read(recipe in recipes()) {
        let text = toml::to_string(&recipe).unwrap();
        prop_assert_eq!(&toml::from_str::<Recipe>(&text).unwrap(), &recipe, "{}", text);
        let patience = format!("patience = {}", recipe.patience.unwrap_or(0));
        prop_assert!(text.lines().any(|line| line == patience), "{}", text);
        let json = serde_json::to_string(&recipe).unwrap();
        prop_assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
    }
}
