//! What holds for every technique of the registry, and for several together.

use super::*;
use crate::nn::{Architecture, Loss, Shape, Targets};
use crate::train::{
    BatchSize, Fitted, Means, NetworkSpec, Recipe, RecipeError, Samples, StopReason, fit, fit_on,
};

const ROWS: usize = 24;

struct Data {
    shape: Shape,
    x: Vec<f32>,
    codes: Vec<u32>,
    values: Vec<f32>,
}

fn data(shape: Shape) -> Data {
    let codes: Vec<u32> = (0..ROWS as u32).map(|row| row % 3).collect();
    let width = shape.len();
    let x = (0..ROWS * width)
        .map(|i| (i as f32 * 0.7).sin() + if i % width % 3 == codes[i / width] as usize { 1.0 } else { 0.0 });
    let values = codes.iter().map(|&code| code as f32 - 1.0).collect();
    Data { shape, x: x.collect(), codes, values }
}

impl Data {
    fn samples(&self, loss: Loss) -> Samples<'_> {
        let targets = match loss {
            Loss::CrossEntropy | Loss::Binary => Targets::Classes(&self.codes),
            Loss::SquaredError | Loss::AbsoluteError => Targets::Values(&self.values),
        };
        Samples { shape: self.shape, x: &self.x, targets }
    }
}

fn recipe(shape: Shape, loss: Loss, regularize: RegularizeSpec) -> Recipe {
    let architecture = match shape {
        Shape::Flat(_) => Architecture::Resmlp,
        Shape::Image { .. } => Architecture::Resnet8,
    };
    // The smallest network that has all: residual blocks, activations of both kinds.
    let layers = match shape {
        Shape::Flat(_) => architecture.layers(&[6], Default::default()),
        Shape::Image { .. } => serde_json::from_str(
            r#"[{ "layer": "conv2d", "filters": 4 }, "relu",
                { "layer": "residual", "body": [{ "layer": "conv2d", "filters": 4 }, "relu"] },
                "global-avg-pool", { "layer": "dense", "units": 6 }, "relu"]"#,
        )
        .unwrap(),
    };
    Recipe {
        network: NetworkSpec::Layers(layers),
        loss,
        learning_rate: 0.02,
        epochs: 12,
        batch_size: BatchSize::Rows(7),
        regularize,
        ..Recipe::default()
    }
}

fn trained(shape: Shape, loss: Loss, regularize: RegularizeSpec, seed: u64) -> Fitted {
    let data = data(shape);
    let outputs = if loss == Loss::CrossEntropy { 3 } else { 1 };
    fit(&recipe(shape, loss, regularize), data.samples(loss), outputs, None, seed, &|| true).unwrap()
}

const TABLE: Shape = Shape::Flat(5);
const IMAGES: Shape = Shape::Image { height: 6, width: 5, channels: 1 };

/// Every technique with a shape and a loss to which it applies.
fn everywhere() -> impl Iterator<Item = (&'static dyn Technique, Shape, Loss)> {
    let places = [TABLE, IMAGES].into_iter().flat_map(|shape| {
        [Loss::CrossEntropy, Loss::SquaredError].into_iter().map(move |loss| (shape, loss))
    });
    places.flat_map(|(shape, loss)| {
        TECHNIQUES
            .iter()
            .copied()
            .filter(move |&technique| {
                let spec = RegularizeSpec::of(Chosen::of(technique));
                recipe(shape, loss, spec).check(shape, ROWS).is_ok()
            })
            .map(move |technique| (technique, shape, loss))
    })
}

#[test]
fn rows_are_complete_and_their_numbers_in_range() {
    let mut names = std::collections::BTreeSet::new();
    for technique in TECHNIQUES {
        let info = technique.info();
        let name = info.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
        assert!([info.summary, info.formula, info.source].iter().all(|text| !text.is_empty()), "{name}");
        assert!(!info.settings.is_empty() && !info.strengths.is_empty(), "{name}");
        for setting in info.settings {
            assert!(setting.range.contains(setting.default), "{name}: {}", setting.key);
        }
        for &strength in info.strengths {
            let chosen = Chosen::of(*technique).strength(strength).unwrap();
            assert_eq!(chosen.values()[0], strength);
        }
        assert!(find(name).is_ok_and(|found| found.info().name == name));
    }
    for (rivals, _) in RIVALS {
        assert!(rivals.iter().filter(|name| names.contains(*name)).count() >= 2, "{rivals:?}");
    }
}

#[test]
fn every_technique_survives_both_ways_of_writing() {
    for technique in TECHNIQUES {
        let info = technique.info();
        let plain = Chosen::of(*technique);
        let strongest = plain.clone().strength(*info.strengths.last().unwrap()).unwrap();
        let last = info.settings.last().unwrap();
        let other = if last.range.contains(1.0) && last.default != 1.0 { 1.0 } else { 0.5 };
        let odd = plain.clone().with(last.key, if last.range.contains(other) { other } else { last.default });
        for chosen in [plain, strongest, odd.unwrap()] {
            let spec = RegularizeSpec::of(chosen);
            assert_eq!(spec.to_string().parse::<RegularizeSpec>().unwrap(), spec, "{spec}");
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<RegularizeSpec>(&json).unwrap(), spec, "{json}");
        }
        let name = info.name;
        let flag = format!("{{\"{name}\":true}}");
        assert_eq!(
            serde_json::from_str::<RegularizeSpec>(&flag).unwrap(),
            RegularizeSpec::of(Chosen::of(*technique))
        );
        assert_eq!(name.parse::<RegularizeSpec>().unwrap(), RegularizeSpec::of(Chosen::of(*technique)));
    }
}

#[test]
fn a_spec_has_one_order_and_one_text() {
    let one: RegularizeSpec = "label-smoothing=0.1, mixup=0.2,crop=4:1".parse().unwrap();
    let other: RegularizeSpec = "crop=4:1,mixup=0.2,label-smoothing".parse().unwrap();
    assert_eq!(one, other);
    assert_eq!(one.to_string(), "crop=4:1,label-smoothing=0.1,mixup=0.2");
    let json = r#"{"crop":{"padding":4.0,"reflect":1.0},"label-smoothing":0.1,"mixup":0.2}"#;
    assert_eq!(serde_json::to_string(&one).unwrap(), json);
    assert_eq!(RegularizeSpec::default().to_string().parse(), Ok(RegularizeSpec::default()));
}

#[test]
fn what_is_wrong_is_said_with_the_remedy() {
    let text = |text: &str| text.parse::<RegularizeSpec>().unwrap_err().to_string();
    assert!(text("mixp=0.2").contains("did you mean «mixup»?"));
    assert_eq!(text("mixup=0"), "mixup: alpha = 0 is out of range: it must lie in (0, ∞)");
    assert_eq!(text("mixup=a"), "«mixup=a»: «a» is not a number; write mixup=ALPHA");
    assert_eq!(text("smote=0.1:2:3"), "«smote=0.1:2:3»: it has 2 settings; write smote=SHARE:NEIGHBOURS");
    assert_eq!(text("mixup,mixup=0.1"), "mixup is named twice: leave one out");
    let json = |text: &str| serde_json::from_str::<RegularizeSpec>(text).unwrap_err().to_string();
    assert!(json(r#"{"smote":{"neighbors":3}}"#).contains("did you mean «neighbours»?"));
    assert!(json(r#"{"flip":false}"#).contains("leave it out instead"));
    assert!(json(r#"{"crop":"big"}"#).contains("give a number, true, or a table"));
    assert!(json(r#"{"crop":1.5}"#).contains("crop: padding = 1.5 is out of range"));
}

#[test]
fn a_technique_that_does_not_apply_says_why_and_what_does() {
    let check = |spec: &str, shape, loss| {
        let error = recipe(shape, loss, spec.parse().unwrap()).check(shape, ROWS).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        check("cutmix", TABLE, Loss::CrossEntropy),
        "cutmix does not apply: it wants images, and these rows are 5 plain numbers: use mixup; if they are images, take a \
         network that reads them as such (network = \"lenet\")"
    );
    assert!(check("smote", IMAGES, Loss::CrossEntropy).contains("it wants a table"));
    assert!(check("label-smoothing", TABLE, Loss::SquaredError).contains("use mixup"));
    assert!(check("crop=5", IMAGES, Loss::CrossEntropy).contains("shorter side of 5"));
    assert!(check("mixup,cutmix", IMAGES, Loss::CrossEntropy).contains("mixed once"));
    assert!(check("early-stopping,early-stopping-gl", TABLE, Loss::CrossEntropy).contains("one criterion"));
    let single = Recipe {
        batch_size: BatchSize::Rows(1),
        ..recipe(TABLE, Loss::CrossEntropy, "mixup".parse().unwrap())
    };
    assert!(single.check(TABLE, ROWS).unwrap_err().to_string().contains("batch size of 2"));
    let linear = Recipe {
        network: NetworkSpec::Named(Architecture::Linear),
        ..recipe(TABLE, Loss::CrossEntropy, "batch-norm".parse().unwrap())
    };
    assert!(linear.check(TABLE, ROWS).unwrap_err().to_string().contains("no hidden layer"));
    let error = fit(&linear, data(TABLE).samples(Loss::CrossEntropy), 3, None, 0, &|| true).unwrap_err();
    assert!(error.to_string().starts_with("batch-norm does not apply"), "{error}");
    let patient =
        Recipe { patience: Some(3), ..recipe(TABLE, Loss::CrossEntropy, "early-stopping".parse().unwrap()) };
    assert!(patient.check(TABLE, ROWS).unwrap_err().to_string().starts_with("patience and early-stopping"));
}

#[test]
fn each_technique_applies_somewhere_and_training_still_falls() {
    let mut seen = std::collections::BTreeSet::new();
    for (technique, shape, loss) in everywhere() {
        let name = technique.info().name;
        seen.insert(name);
        let fitted = trained(shape, loss, RegularizeSpec::of(Chosen::of(technique)), 1);
        assert_eq!(fitted.history.len(), 12, "{name}: {:?}", fitted.stop);
        let mean = |epochs: &[crate::train::EpochRecord]| {
            epochs.iter().map(|epoch| epoch.train_loss).sum::<f64>() / epochs.len() as f64
        };
        let (first, last) = (mean(&fitted.history[..2]), mean(&fitted.history[10..]));
        assert!(last < first, "{name} on {shape} with {}: {first} to {last}", loss.name());
    }
    let never: Vec<_> = TECHNIQUES
        .iter()
        .map(|technique| technique.info().name)
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn each_technique_changes_the_training_and_the_seed_decides_how() {
    for (technique, shape, loss) in everywhere() {
        let info = technique.info();
        // Without a validation part nothing stops; and an average, a clip or a ball may change little that is trained.
        if matches!(info.family, Family::Stopping) || ["clip-norm", "max-norm"].contains(&info.name) {
            continue;
        }
        let spec = RegularizeSpec::of(Chosen::of(technique));
        let w = |spec: &RegularizeSpec, seed| {
            let fitted = trained(shape, loss, spec.clone(), seed);
            fitted.model.parameters().to_vec()
        };
        let on = w(&spec, 4);
        assert_eq!(on, w(&spec, 4), "{}: the same seed, the same bits", info.name);
        assert_ne!(on, w(&RegularizeSpec::default(), 4), "{} does nothing", info.name);
    }
}

#[test]
fn a_strength_of_nothing_leaves_the_bits_as_they_are() {
    for (spec, shape) in [
        ("label-noise=0", TABLE),
        ("smote=0", TABLE),
        ("feature-mask=0", TABLE),
        ("jitter=0.1:0", TABLE),
        ("flip=0", IMAGES),
        ("rotation=0", IMAGES),
        ("scale=0", IMAGES),
        ("shear=0", IMAGES),
        ("shift=0", IMAGES),
        ("random-erasing=0", IMAGES),
        ("stochastic-depth=0", IMAGES),
        ("weight-noise=0", TABLE),
        ("weight-noise=0:1", TABLE),
        ("gradient-noise=0:0.5:1", TABLE),
        ("input-noise=0", IMAGES),
        ("l2=0", TABLE),
        ("swa=0:1000", TABLE),
    ] {
        let w = |spec: &str| {
            trained(shape, Loss::CrossEntropy, spec.parse().unwrap(), 2).model.parameters().to_vec()
        };
        assert_eq!(w(spec), w("none"), "{spec}");
    }
}

#[test]
fn each_noise_is_normal_unless_it_is_to_be_uniform() {
    for (plain, normal, uniform) in [
        ("input-noise=0.1", "input-noise=0.1:0", "input-noise=0.1:1"),
        ("weight-noise=0.1", "weight-noise=0.1:0", "weight-noise=0.1:1"),
        ("gradient-noise=0.1", "gradient-noise=0.1:0.55:0", "gradient-noise=0.1:0.55:1"),
    ] {
        let w = |spec: &str| {
            trained(TABLE, Loss::CrossEntropy, spec.parse().unwrap(), 2).model.parameters().to_vec()
        };
        assert_eq!(w(plain), w(normal));
        assert_ne!(w(plain), w(uniform), "{plain}");
    }
}

#[test]
fn many_techniques_work_together() {
    let specs = [
        (
            IMAGES,
            "label-noise=0.1,flip,rotation,crop=1,brightness,cutout=2,input-noise,label-smoothing,cutmix,l2,ema,sam",
        ),
        (
            TABLE,
            "smote,feature-mask,jitter,weight-noise,gradient-noise=0.001,label-smoothing,mixup,stochastic-depth,max-norm",
        ),
    ];
    for (shape, spec) in specs {
        let fitted = trained(shape, Loss::CrossEntropy, spec.parse().unwrap(), 1);
        assert!(fitted.history.iter().all(|epoch| epoch.train_loss.is_finite()), "{spec}");
        assert_eq!(fitted.history.len(), 12, "{:?}", fitted.stop);
    }
}

#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let data = data(IMAGES);
    for spec in [
        "crop=1,input-noise,label-smoothing,mixup,dropout,weight-noise",
        "manifold-mixup,rotation,spatial-dropout",
        "input-noise=0.1:1,weight-noise=0.01:1,gradient-noise=0.001:0.55:1",
    ] {
        let recipe = Recipe { shards: 3, ..recipe(IMAGES, Loss::CrossEntropy, spec.parse().unwrap()) };
        let w = |count| {
            let threads = thalweg_optim::Threads::new(count).unwrap();
            let samples = data.samples(Loss::CrossEntropy);
            let fitted = fit_on(&threads, &recipe, samples, 3, None, 1, &|| true).unwrap();
            fitted.model.parameters().to_vec()
        };
        assert_eq!(w(1), w(2), "{spec}");
    }
}

#[test]
fn early_stopping_ends_a_training_that_is_watched() {
    let (train, other) = (data(TABLE), data(TABLE));
    // A cost that grows from epoch to epoch.
    let asked = std::cell::Cell::new(0.0);
    let cost = |_: &crate::Predictions| {
        asked.set(asked.get() + 1.0);
        asked.get()
    };
    let recipe = recipe(TABLE, Loss::CrossEntropy, "early-stopping=3".parse().unwrap());
    let validation = crate::train::Validation { samples: other.samples(Loss::CrossEntropy), cost: &cost };
    let fitted = fit(&recipe, train.samples(Loss::CrossEntropy), 3, Some(validation), 0, &|| true).unwrap();
    assert_eq!(fitted.stop, crate::train::StopReason::EarlyStopped);
    assert_eq!(fitted.history.len(), 4);
}

#[test]
fn a_recipe_keeps_its_regularization() {
    let spec: RegularizeSpec = "crop=2:1,mixup".parse().unwrap();
    let recipe = Recipe { regularize: spec, ..Recipe::default() };
    let json = serde_json::to_string(&recipe).unwrap();
    assert!(json.ends_with(r#""regularize":{"crop":{"padding":2.0,"reflect":1.0},"mixup":0.2}}"#), "{json}");
    assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
    let course = recipe.optimizer(320, 7);
    assert_eq!(course, recipe.optimizer, "nothing goes around the optimizer");
    let wrapped = Recipe { regularize: "swa=0.5,l2=0.1".parse().unwrap(), epochs: 10, ..recipe };
    let texts: Vec<String> = wrapped.optimizer(320, 7).wrap.iter().map(ToString::to_string).collect();
    // Ten steps an epoch; half of them come before the average.
    assert_eq!(texts, ["weight-decay=0.1:1", "swa=50:1"]);
    let noisy = Recipe { regularize: "gradient-noise=0.1:0.5:1".parse().unwrap(), ..wrapped };
    assert_eq!(noisy.optimizer(320, 7).wrap[0].to_string(), "gradient-noise=0.1:0.5:7:1");
}

#[test]
fn what_a_training_found_serves_the_next_and_changes_no_bit() {
    let data = data(TABLE);
    let samples = data.samples(Loss::CrossEntropy);
    let finds = Finds::default();
    let w = |spec: &str, finds: Option<&Finds>| {
        let recipe = recipe(TABLE, Loss::CrossEntropy, spec.parse().unwrap());
        let means = Means { threads: &thalweg_optim::Threads::default(), finds };
        fit_on(means, &recipe, samples, 3, None, 1, &|| true).unwrap().model.parameters().to_vec()
    };
    // Other labels have other neighbours, and so has another number of them.
    for spec in ["smote=1:3", "smote=0.5:3", "smote=1:2", "label-noise=0.5,smote=1:3", "smote=1:3"] {
        assert_eq!(w(spec, Some(&finds)), w(spec, None), "{spec}");
    }
    assert_ne!(w("smote=1:3", None), w("label-noise=0.5,smote=1:3", None));
}

#[test]
fn a_training_that_looks_through_its_rows_can_be_interrupted() {
    let data = data(TABLE);
    let recipe = recipe(TABLE, Loss::CrossEntropy, "smote".parse().unwrap());
    let fitted = fit(&recipe, data.samples(Loss::CrossEntropy), 3, None, 1, &|| false).unwrap();
    assert_eq!((fitted.stop, fitted.steps), (StopReason::Interrupted, 0));
}

#[test]
fn the_technique_that_an_optimizer_refuses_is_named() {
    let refused = |spec: &str, optimizer: &str| {
        let recipe = recipe(TABLE, Loss::CrossEntropy, spec.parse().unwrap());
        let recipe = Recipe { optimizer: OptimizerSpec::named(optimizer), ..recipe };
        let samples = data(TABLE);
        fit(&recipe, samples.samples(Loss::CrossEntropy), 3, None, 1, &|| true).unwrap_err()
    };
    let too_large = refused("clip-norm=1,l2=1e39,ema", "adam").to_string();
    assert!(too_large.starts_with("l2 is refused: weight-decay: decay = 1e39"), "{too_large}");
    let around = refused("l2,gradient-noise", "lbfgs").to_string();
    assert!(
        around.starts_with("gradient-noise is refused: gradient-noise cannot go around lbfgs"),
        "{around}"
    );
    assert!(matches!(refused("l2=1e39", "adm"), RecipeError::Optimizer(_)));
}
