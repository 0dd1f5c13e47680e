//! Batches that are cut into parts: the bits depend on the parts, never on the threads.

use thalweg_learn::nn::{
    Activation, Architecture, BatchObjective, Init, LayerSpec, Loss, Mode, Network, Shape, ShardedObjective,
    Shards, Targets,
};
use thalweg_learn::train::{BatchSize, NetworkSpec, Recipe, Samples, fit_on};
use thalweg_optim::{Objective, Threads};

const ROWS: usize = 23;
const SHAPE: Shape = Shape::Image { height: 6, width: 6, channels: 2 };
const MODE: Mode = Mode::Train { key: 3, step: 0 };

fn wave(len: usize, step: f64) -> Vec<f64> {
    (0..len).map(|i| (i as f64 * step).sin()).collect()
}

fn codes() -> Vec<u32> {
    (0..ROWS as u32).map(|row| row * 7 % 3).collect()
}

fn layers(json: &str) -> Vec<LayerSpec> {
    serde_json::from_str(json).expect("layers")
}

const PLAIN: &str =
    r#"[{"layer":"conv2d","filters":5},"relu","max-pool2d","flatten",{"layer":"dense","units":9},"tanh"]"#;
const NORMED: &str = r#"[{"layer":"conv2d","filters":5},"batch-norm","relu",{"layer":"dropout","rate":0.3},"global-avg-pool"]"#;

#[test]
fn parts_make_the_mean_of_the_whole() {
    let network = Network::<f64>::build(&layers(PLAIN), SHAPE, 3, Init::Auto).expect("it fits");
    let (w, x, codes) = (network.init(4), wave(ROWS * SHAPE.len(), 0.37), codes());
    let targets = Targets::Classes(&codes);
    let (loss, buffers, mode) = (Loss::CrossEntropy, &[][..], MODE);
    let mut workspace = network.workspace(ROWS);
    let mut whole =
        BatchObjective { network: &network, buffers, workspace: &mut workspace, loss, x: &x, targets, mode };
    let mut expected = vec![f64::NAN; w.len()];
    let value = whole.value_and_grad(&w, &mut expected);
    for count in [1, 2, 5, ROWS, 100] {
        for threads in [1, 2, 3] {
            let threads = Threads::new(threads).expect("threads");
            let mut shards = Shards::new(&network, ROWS, count, threads);
            let mut parts = ShardedObjective {
                network: &network,
                buffers,
                shards: &mut shards,
                loss,
                x: &x,
                targets,
                mode,
            };
            let mut gradient = vec![f64::NAN; w.len()];
            let found = parts.value_and_grad(&w, &mut gradient);
            assert!((found - value).abs() < 1e-13 * value.abs(), "{count} parts: {found}, {value}");
            assert_eq!(parts.value(&w).to_bits(), found.to_bits());
            for (g, e) in gradient.iter().zip(&expected) {
                assert!((g - e).abs() < 1e-14 + 1e-11 * e.abs(), "{count} parts: {g}, {e}");
            }
        }
    }
}

#[test]
fn no_rows_have_no_gradient() {
    let network = Network::<f64>::build(&layers(PLAIN), SHAPE, 3, Init::Auto).expect("it fits");
    for count in [2, 3] {
        let mut shards = Shards::new(&network, ROWS, count, Threads::default());
        let mut none = ShardedObjective {
            network: &network,
            buffers: &[],
            shards: &mut shards,
            loss: Loss::CrossEntropy,
            x: &[],
            targets: Targets::Classes(&[]),
            mode: MODE,
        };
        let mut gradient = vec![f64::NAN; network.layout().len()];
        none.value_and_grad(&network.init(4), &mut gradient);
        assert!(gradient.iter().all(|&g| g == 0.0), "{count} parts");
    }
}

#[test]
fn running_statistics_take_the_mean_of_the_parts() {
    let specs = layers(r#"[{"layer":"batch-norm","momentum":1.0}]"#);
    let network = Network::<f64>::build(&specs, Shape::Flat(1), 1, Init::Auto).expect("it fits");
    let (w, x, y) = (network.init(1), [1.0, 3.0, 10.0, 30.0], [0.0; 4]);
    let mut buffers = network.init_buffers();
    let mut shards = Shards::new(&network, 4, 2, Threads::default());
    let mut objective = ShardedObjective {
        network: &network,
        buffers: &buffers.clone(),
        shards: &mut shards,
        loss: Loss::SquaredError,
        x: &x,
        targets: Targets::Values(&y),
        mode: MODE,
    };
    objective.value_and_grad(&w, &mut vec![0.0; w.len()]);
    shards.update_buffers(&network, &mut buffers);
    // Means 2 and 20, unbiased variances 2 and 200.
    assert_eq!(buffers, [11.0, 101.0]);
}

#[test]
fn a_training_has_the_same_bits_on_any_number_of_threads() {
    let x: Vec<f32> = wave(ROWS * SHAPE.len(), 0.37).iter().map(|&x| x as f32).collect();
    let codes = codes();
    let samples = Samples { shape: SHAPE, x: &x, targets: Targets::Classes(&codes) };
    for network in [
        NetworkSpec::Layers(layers(PLAIN)),
        NetworkSpec::Layers(layers(NORMED)),
        NetworkSpec::Named(Architecture::Resnet8),
    ] {
        let train = |shards, threads| {
            let recipe = Recipe {
                network: network.clone(),
                activation: Activation::Relu,
                epochs: 2,
                batch_size: BatchSize::Rows(10),
                shards,
                regularize: "mixup=0.4,input-noise=0.1".parse().expect("techniques"),
                ..Recipe::default()
            };
            let threads = Threads::new(threads).expect("threads");
            let fitted = fit_on(&threads, &recipe, samples, 3, None, 5, &|| true).expect("a valid recipe");
            (fitted.model.parameters().to_vec(), fitted.model.buffers().to_vec())
        };
        let one = train(4, 1);
        assert!(one == train(4, 2) && one == train(4, 3), "{network}");
        assert!(one != train(1, 1), "{network}: parts differ in rounding at least");
    }
}
