//! Layers, soft targets and a small convolutional network against `goldens/layers.json` (made by `goldens/layers.py`).

use std::sync::LazyLock;

use serde::Deserialize;
use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{BatchObjective, Init, LayerSpec, Loss, Mode, Network, SoftClasses, Targets};
use thalweg_optim::OptimizerSpec;

use crate::run::{Run, cast, shape};

#[derive(Deserialize)]
struct Golden {
    torch: String,
    cases: Vec<Case>,
    soft: Vec<Soft>,
    training: Training,
}

#[derive(Deserialize)]
struct Case {
    layers: Vec<LayerSpec>,
    shape: Vec<usize>,
    rows: usize,
    training: bool,
    w: Vec<f64>,
    /// Batches of earlier steps of training.
    seen: Vec<Vec<f64>>,
    buffers: Vec<f64>,
    x: Vec<f64>,
    dy: Vec<f64>,
    y: Vec<f64>,
    dx: Vec<f64>,
    dw: Vec<f64>,
}

#[derive(Deserialize)]
struct Soft {
    loss: Loss,
    smoothing: f64,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f64>,
    outputs: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Training {
    layers: Vec<LayerSpec>,
    shape: Vec<usize>,
    w: Vec<f64>,
    batches: Vec<Batch>,
    runs: Vec<Steps>,
}

#[derive(Deserialize)]
struct Batch {
    x: Vec<f64>,
    codes: Vec<u32>,
}

#[derive(Deserialize)]
struct Steps {
    optimizer: String,
    learning_rate: f64,
    losses: Vec<f64>,
    w: Vec<f64>,
    buffers: Vec<f64>,
}

static GOLDEN: LazyLock<Golden> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../goldens/layers.json")).expect("the golden file is readable")
});

/// Numbers agree relative to the largest.
fn close<T: Math>(what: &str, found: &[T], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(f64::MIN_POSITIVE, |size, v| size.max(v.abs()));
    for (i, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.to_f64() - expected).abs() / size;
        assert!(error <= tolerance, "{what}, entry {i}: {found}, torch {expected}: {error:e} of {size}");
    }
}

fn step(index: usize) -> Mode {
    Mode::step(9, index as u64)
}

#[test]
fn nothing_is_left_out() {
    assert_eq!(GOLDEN.torch, "2.15.0");
    let names: Vec<&str> = GOLDEN.cases.iter().flat_map(|case| &case.layers).map(LayerSpec::name).collect();
    for kind in thalweg_learn::nn::spec::KINDS {
        // What is random has no golden numbers, but laws; and mixing has no layer in PyTorch.
        let random = ["dropout", "spatial-dropout", "drop-connect", "mix-point"].contains(&kind.name);
        assert_ne!(names.contains(&kind.name), random, "{}", kind.name);
    }
}

fn layers<T: Math>(tolerance: f64) {
    for case in &GOLDEN.cases {
        let mut run = Run::<T>::new(&case.layers, shape(&case.shape), case.rows);
        let what = format!("{:?} on {:?}, training: {}", case.layers, case.shape, case.training);
        assert_eq!(run.w.len(), case.w.len(), "{what}");
        run.w = cast(&case.w);
        for (index, x) in case.seen.iter().enumerate() {
            run.forward(&cast(x), step(index));
            run.update_buffers();
        }
        close(&format!("{what}: buffers"), &run.buffers, &case.buffers, tolerance);
        let mode = if case.training { step(case.seen.len()) } else { Mode::Evaluate };
        let (x, dy) = (cast::<T>(&case.x), cast::<T>(&case.dy));
        close(&what, run.forward(&x, mode), &case.y, tolerance);
        run.backward(&x, &dy, mode);
        close(&format!("{what}: dx"), &run.dx, &case.dx, tolerance);
        close(&format!("{what}: dw"), &run.dw, &case.dw, tolerance);
    }
}

#[test]
fn every_layer_in_f64() {
    layers::<f64>(1e-10);
}

#[test]
fn every_layer_in_f32() {
    layers::<f32>(1e-5);
}

fn soft_targets<T: Math>(tolerance: f64) {
    for golden in &GOLDEN.soft {
        let (outputs, share) = (cast::<T>(&golden.outputs), cast::<T>(&golden.share));
        let mut gradient = vec![T::ZERO; outputs.len()];
        let (first, second, smoothing) = (&golden.first, &golden.second, T::from_f64(golden.smoothing));
        let targets = Targets::Soft(SoftClasses { first, second, share: &share, smoothing });
        let value = golden.loss.value_and_gradient(&outputs, targets, &mut gradient);
        let what = format!("{}, ε = {}, λ = {:?}", golden.loss.name(), golden.smoothing, golden.share);
        close(&what, &[value], &[golden.value], tolerance);
        close(&what, &gradient, &golden.gradient, tolerance);
    }
}

#[test]
fn soft_targets_in_both_types() {
    soft_targets::<f64>(1e-10);
    soft_targets::<f32>(1e-5);
}

/// Ten steps over three batches in turn; the losses are those before each step.
fn training<T: Math>(tolerance: f64) {
    let golden = &GOLDEN.training;
    let network =
        Network::<T>::build(&golden.layers, shape(&golden.shape), 3, Init::Auto).expect("a network");
    let mut workspace = network.workspace(8);
    for run in &golden.runs {
        let (mut w, mut buffers) = (cast::<T>(&golden.w), network.init_buffers());
        let mut optimizer =
            OptimizerSpec::named(&run.optimizer).build::<T>(network.layout()).expect("a row of the registry");
        let mut losses = Vec::new();
        for (index, batch) in golden.batches.iter().cycle().take(10).enumerate() {
            let mut objective = BatchObjective {
                network: &network,
                buffers: &buffers,
                workspace: &mut workspace,
                loss: Loss::CrossEntropy,
                x: &cast(&batch.x),
                targets: Targets::Classes(&batch.codes),
                mode: step(index),
            };
            losses.push(optimizer.step(&mut w, &mut objective, run.learning_rate).expect("a step").value);
            network.update_buffers(&mut buffers, &workspace);
        }
        for (found, &expected) in losses.iter().zip(&run.losses) {
            close(&run.optimizer, &[*found], &[expected], tolerance);
        }
        close(&format!("{}: w", run.optimizer), &w, &run.w, tolerance);
        close(&format!("{}: buffers", run.optimizer), &buffers, &run.buffers, tolerance);
        assert!(run.losses[9] < run.losses[0], "{}: a training that learns nothing", run.optimizer);
    }
}

#[test]
fn ten_steps_of_a_convolutional_network_in_f64() {
    training::<f64>(1e-10);
}

#[test]
fn ten_steps_of_a_convolutional_network_in_f32() {
    training::<f32>(1e-4);
}
