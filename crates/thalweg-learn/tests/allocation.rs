//! A warm training step allocates nothing: counted by an allocator that counts.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use thalweg_learn::nn::spec::KINDS;
use thalweg_learn::nn::{
    Activation, BatchObjective, Init, LayerSpec, Loss, Mode, Network, Shape, SoftClasses, Targets,
};
use thalweg_learn::regularize::{RegularizeSpec, TECHNIQUES};
use thalweg_learn::train::{BatchSize, Predictions, Recipe, Samples, Validation, fit};
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::{Dialect, GroupSpec, OptimizerSpec, Preset};

struct Counting;

thread_local! {
    // By thread, so that tests that run beside each other do not count each other's.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() -> u64 {
    COUNT.with(Cell::get)
}

fn one_more() {
    // A thread that is being torn down may still allocate; nobody asks for its count.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator with the arguments unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        one_more();
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        one_more();
        // SAFETY: promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        one_more();
        // SAFETY: promised by the caller.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 37;
const WIDTH: usize = 5;

struct Data {
    x: Vec<f32>,
    codes: Vec<u32>,
    values: Vec<f32>,
}

fn data() -> Data {
    let x = (0..ROWS * WIDTH).map(|i| (i as f32 * 0.37).sin()).collect();
    let codes = (0..ROWS as u32).map(|i| i * 7 % 2).collect();
    let values = (0..ROWS).map(|i| (i as f32 * 0.7).cos()).collect();
    Data { x, codes, values }
}

impl Data {
    fn targets(&self, loss: Loss) -> Targets<'_, f32> {
        match loss {
            Loss::CrossEntropy | Loss::Binary => Targets::Classes(&self.codes),
            Loss::SquaredError | Loss::AbsoluteError => Targets::Values(&self.values),
        }
    }
}

fn outputs(loss: Loss) -> usize {
    if loss == Loss::CrossEntropy { 2 } else { 1 }
}

fn every_spec() -> impl Iterator<Item = OptimizerSpec> {
    REGISTRY
        .iter()
        .flat_map(|entry| Dialect::ALL.map(|dialect| OptimizerSpec::named(entry.info.name).dialect(dialect)))
}

/// Wrapped and grouped optimizers.
fn towers() -> Vec<OptimizerSpec> {
    let wrap = |name: &str, texts: &[&str]| {
        texts.iter().fold(OptimizerSpec::named(name), |spec, text| {
            spec.wrapped(text.parse().expect("a wrapper of the registry"))
        })
    };
    let rides =
        ["clip-norm=1", "clip-value=0.5", "weight-decay=0.01", "decoupled-decay=0.01", "guard", "ema=0.9"];
    let of_weights =
        ["l1=0.01:1", "lasso-prox=0.01:1", "elastic-net=0.01:0.5:1", "max-norm=1", "gradient-noise"];
    let passes = ["clip-adaptive=0.01", "accumulate=2", "lookahead=2", "swa=0:1", "ema=0.9", "sam"];
    let groups = wrap("adam", &["clip-norm=1", "ema=0.9", "asam"])
        .group(GroupSpec::role("bias").optimizer(wrap("nag", &["accumulate=2"]).dialect(Dialect::Textbook)))
        .group(GroupSpec::rest())
        .preset(Preset::NoBiasDecay)
        .preset(Preset::LayerwiseDecay(0.5));
    vec![
        wrap("adam", &rides),
        wrap("momentum", &passes),
        wrap("lbfgs", &["lookahead=2", "ema=0.9", "sam"]),
        wrap("adam", &of_weights),
        wrap("lbfgs", &of_weights[..4]),
        groups,
    ]
}

#[test]
fn the_allocator_counts() {
    let before = count();
    let mut held = std::hint::black_box(vec![1_u8; 10]);
    assert_eq!(count(), before + 1);
    held.reserve_exact(1000);
    assert_eq!(count(), before + 2);
}

#[test]
fn a_warm_step_of_an_optimizer_allocates_nothing() {
    let data = data();
    for spec in every_spec().chain(towers()) {
        for loss in Loss::ALL {
            for activation in Activation::ALL {
                let network = Network::<f32>::mlp(WIDTH, &[9, 6], outputs(loss), activation, Init::Auto);
                let (mut w, mut workspace) = (network.init(1), network.workspace(ROWS));
                let mut optimizer = spec.build::<f32>(network.layout()).expect("the defaults are in range");
                let mut counts = [0; 4];
                for after in &mut counts {
                    for rows in [ROWS, 8, 1] {
                        let targets = data.targets(loss).part(0..rows);
                        let (network, workspace, x) = (&network, &mut workspace, &data.x[..rows * WIDTH]);
                        let mut objective = BatchObjective {
                            network,
                            buffers: &[],
                            workspace,
                            loss,
                            x,
                            targets,
                            mode: Mode::Evaluate,
                        };
                        optimizer.step(&mut w, &mut objective, 1e-3).expect("a step");
                    }
                    *after = count();
                }
                assert_eq!(counts, [counts[0]; 4], "{spec:?} {} {}", loss.name(), activation.name());
            }
        }
    }
}

#[test]
fn a_warm_step_of_any_layer_allocates_nothing() {
    let image = r#"["mix-point",{"layer":"conv2d","filters":4},"batch-norm","relu","max-pool2d","spatial-dropout",
        {"layer":"conv2d","filters":8,"groups":4},"group-norm","gelu",
        {"layer":"drop-connect","rate":0.2,"inner":{"layer":"conv2d","filters":6,"kernel":1}},"layer-norm",
        {"layer":"residual","stochastic-depth":0.2,"body":[{"layer":"conv2d","filters":5,"stride":2},"batch-norm","silu"],
            "shortcut":[{"layer":"conv2d","filters":5,"kernel":1,"stride":2},{"layer":"batch-norm","ghost":4}]},
        "tanh","dropout",{"layer":"avg-pool2d","kernel":2,"stride":1},"global-avg-pool",{"layer":"dense","units":7}]"#;
    let flat = r#"[{"layer":"embedding","codes":[2,3]},{"layer":"mix-point","point":1,"points":2},"layer-norm",
        {"layer":"drop-connect","inner":{"layer":"dense","units":9}},"relu","dropout","flatten"]"#;
    let largest = r#"[{"layer":"conv2d","filters":4},"global-max-pool",{"layer":"dense","units":5}]"#;
    let named: String = [image, flat, largest].concat();
    for kind in KINDS {
        let written = named.contains(&format!("\"{}\"", kind.name));
        assert!(written || kind.name == "activation", "no step with {}", kind.name);
    }
    for (json, shape) in
        [(image, Shape::image(8, 8, 2)), (flat, Shape::Flat(4)), (largest, Shape::image(8, 8, 2))]
    {
        let specs: Vec<LayerSpec> = serde_json::from_str(json).expect("a list of layers");
        let network = Network::<f32>::build(&specs, shape, 3, Init::Auto).expect("layers that fit");
        // Codes for the embedding: whole, and small enough.
        let x: Vec<f32> = (0..ROWS * shape.len()).map(|i| (i * i % 7 % 2) as f32).collect();
        let codes: Vec<u32> = (0..ROWS as u32).map(|i| i % 3).collect();
        let share = vec![0.7; ROWS];
        let (mut w, mut workspace) = (network.init(1), network.workspace(ROWS));
        let mut buffers = network.init_buffers();
        let mut optimizer =
            OptimizerSpec::named("adam").build::<f32>(network.layout()).expect("the defaults");
        let mut counts = [0; 4];
        for (step, after) in counts.iter_mut().enumerate() {
            for rows in [ROWS, 8, 1] {
                let soft = SoftClasses { first: &codes, second: &codes, share: &share, smoothing: 0.1 };
                let mut objective = BatchObjective {
                    network: &network,
                    buffers: &buffers,
                    workspace: &mut workspace,
                    loss: Loss::CrossEntropy,
                    x: &x[..rows * shape.len()],
                    targets: Targets::Soft(soft).part(0..rows),
                    mode: Mode::step(3, step as u64),
                };
                optimizer.step(&mut w, &mut objective, 1e-3).expect("a step");
                network.update_buffers(&mut buffers, &workspace);
            }
            *after = count();
        }
        assert_eq!(counts, [counts[0]; 4], "{json}");
        assert!(w.iter().all(|w| w.is_finite()), "{json}");
    }
}

/// The allocations up to each step of a training, read where `fit` asks whether to go on.
fn counts_in_fit(recipe: &Recipe, validation: Option<Validation<'_>>, counts: &mut Vec<u64>) -> u32 {
    let data = data();
    let samples = Samples { shape: Shape::Flat(WIDTH), x: &data.x, targets: data.targets(recipe.loss) };
    counts_on(samples, recipe, validation, counts)
}

fn counts_on(
    samples: Samples<'_>,
    recipe: &Recipe,
    validation: Option<Validation<'_>>,
    counts: &mut Vec<u64>,
) -> u32 {
    let (slots, next) = (Cell::from_mut(&mut counts[..]).as_slice_of_cells(), Cell::new(0));
    let keep_going = || {
        slots[next.get()].set(count());
        next.set(next.get() + 1);
        true
    };
    let fitted =
        fit(recipe, samples, outputs(recipe.loss), validation, 3, &keep_going).expect("a valid recipe");
    assert_eq!(fitted.history.len(), recipe.epochs as usize, "{:?}", fitted.stop);
    counts.truncate(next.get());
    fitted.steps as u32
}

#[test]
fn a_warm_training_allocates_nothing() {
    for optimizer in every_spec() {
        for loss in Loss::ALL {
            for batch_size in [BatchSize::Full, BatchSize::Rows(8), BatchSize::Rows(1)] {
                let (hidden, learning_rate, epochs) = (vec![9, 6], 1e-3, 4);
                let optimizer = optimizer.clone();
                let recipe = Recipe {
                    hidden,
                    loss,
                    optimizer,
                    learning_rate,
                    epochs,
                    batch_size,
                    ..Recipe::default()
                };
                let mut counts = vec![0; 4 * ROWS];
                let steps = counts_in_fit(&recipe, None, &mut counts);
                assert_eq!(counts.len(), steps as usize);
                // From the third step on, over all batches (the ragged one, too) and epochs: SOAP finds its first basis in
                // the first step, and moves in the second.
                let warm = &counts[2..];
                assert!(warm.iter().all(|count| *count == warm[0]), "{recipe:?}: {counts:?}");
            }
        }
    }
}

#[test]
fn a_warm_training_with_a_schedule_allocates_nothing() {
    for entry in thalweg_optim::schedule::REGISTRY {
        let (schedule, batch_size) = ((entry.default)(), BatchSize::Rows(8));
        let (loss, epochs) = (Loss::SquaredError, 4);
        let recipe = Recipe { hidden: vec![9], loss, epochs, batch_size, schedule, ..Recipe::default() };
        let mut counts = vec![0; 4 * ROWS];
        counts_in_fit(&recipe, None, &mut counts);
        assert!(counts[1..].iter().all(|&count| count == counts[1]), "{}: {counts:?}", entry.info.name);
    }
}

#[test]
fn validation_allocates_in_its_first_epoch_only() {
    let data = data();
    let cost = |_: &Predictions| 1.0;
    for loss in Loss::ALL {
        let samples = Samples { shape: Shape::Flat(WIDTH), x: &data.x, targets: data.targets(loss) };
        let batch_size = BatchSize::Rows(8);
        let recipe = Recipe { loss, hidden: vec![9], epochs: 5, batch_size, ..Recipe::default() };
        let mut counts = vec![0; 5 * ROWS];
        counts_in_fit(&recipe, Some(Validation { samples, cost: &cost }), &mut counts);
        let second_epoch = counts.len() / 5;
        let warm = &counts[second_epoch..];
        assert!(warm.iter().all(|&count| count == warm[0]), "{}: {counts:?}", loss.name());
    }
}

#[test]
fn a_warm_training_with_regularization_allocates_nothing() {
    let table = r#"[{ "layer": "dense", "units": 6 }, "relu",
        { "layer": "residual", "body": [{ "layer": "dense", "units": 6 }, "relu"] }]"#;
    let image = r#"[{ "layer": "conv2d", "filters": 2 }, "relu",
        { "layer": "residual", "body": [{ "layer": "conv2d", "filters": 2 }, "relu"] },
        "flatten", { "layer": "dense", "units": 5 }, "relu"]"#;
    let mut seen = std::collections::BTreeSet::new();
    for (layers, shape) in [(table, Shape::Flat(12)), (image, Shape::image(6, 6, 1))] {
        let x: Vec<f32> = (0..ROWS * shape.len()).map(|i| (i as f32 * 0.37).sin()).collect();
        let data = Data { x, ..data() };
        for (regularize, loss) in RegularizeSpec::each()
            .flat_map(|spec| [(spec.clone(), Loss::CrossEntropy), (spec, Loss::SquaredError)])
        {
            let recipe = Recipe {
                network: serde_json::from_str(layers).expect("layers"),
                loss,
                epochs: 5,
                batch_size: BatchSize::Rows(8),
                regularize,
                ..Recipe::default()
            };
            if recipe.check(shape, ROWS).is_err() {
                continue;
            }
            seen.insert(recipe.regularize.chosen()[0].name());
            let samples = Samples { shape, x: &data.x, targets: data.targets(loss) };
            let mut counts = vec![0; 5 * ROWS];
            counts_on(samples, &recipe, None, &mut counts);
            // Two steps; and before them, where the rows are looked through, a question for each class.
            let warm = &counts[4..];
            assert!(warm.iter().all(|&count| count == warm[0]), "{}: {counts:?}", recipe.regularize);
        }
    }
    assert_eq!(seen.len(), TECHNIQUES.len(), "each technique applies to one of the two: {seen:?}");
}
