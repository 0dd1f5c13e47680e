//! Activations, losses, networks and training against `goldens/pytorch.json` (made by `goldens/pytorch.py`).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{
    Activation, Backward, BatchObjective, Forward, Init, Loss, Mode, Network, Piece, Shape, Targets,
};
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::{Objective, OptimizerSpec};

#[derive(Deserialize)]
struct Golden {
    torch: String,
    activations: Vec<ActivationGolden>,
    losses: Vec<LossGolden>,
    networks: Vec<NetworkGolden>,
    training: TrainingGolden,
}

#[derive(Deserialize)]
struct ActivationGolden {
    name: Activation,
    x: Vec<f64>,
    y: Vec<f64>,
    slope: Vec<f64>,
}

#[derive(Deserialize)]
struct LossGolden {
    name: Loss,
    outputs: Vec<f64>,
    targets: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct NetworkGolden {
    activation: Activation,
    loss: Loss,
    inputs: usize,
    hidden: Vec<usize>,
    w: Vec<f64>,
    x: Vec<f64>,
    targets: Vec<f64>,
    outputs: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct TrainingGolden {
    inputs: usize,
    hidden: Vec<usize>,
    activation: Activation,
    loss: Loss,
    w: Vec<f64>,
    batches: Vec<Batch>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Batch {
    x: Vec<f64>,
    targets: Vec<f64>,
}

#[derive(Deserialize)]
struct Run {
    optimizer: String,
    learning_rate: f64,
    losses: Vec<f64>,
    w: Vec<f64>,
}

fn golden() -> Golden {
    read(include_str!("../goldens/pytorch.json"))
}

fn read<D: DeserializeOwned>(json: &str) -> D {
    serde_json::from_str(json).expect("the golden file is readable")
}

fn cast<T: Math>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::from_f64(v)).collect()
}

/// Numbers agree relative to their size, or to `floor` where they are smaller.
fn close<T: Math>(what: &str, found: &[T], expected: &[f64], tolerance: f64, floor: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.to_f64() - expected).abs() / expected.abs().max(floor);
        assert!(error <= tolerance, "{what}, entry {i}: {found}, torch {expected}: {error:e}");
    }
}

/// The largest of some numbers' sizes.
fn size(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |size, v| size.max(v.abs()))
}

/// A row's target as Thalweg takes it: the file has classes and values alike as numbers.
struct Truth<T> {
    codes: Vec<u32>,
    values: Vec<T>,
}

impl<T: Math> Truth<T> {
    fn new(targets: &[f64]) -> Self {
        Self { codes: targets.iter().map(|&t| t as u32).collect(), values: cast(targets) }
    }

    fn of(&self, loss: Loss) -> Targets<'_, T> {
        match loss {
            Loss::CrossEntropy | Loss::Binary => Targets::Classes(&self.codes),
            Loss::SquaredError | Loss::AbsoluteError => Targets::Values(&self.values),
        }
    }
}

#[test]
fn nothing_is_left_out() {
    let golden = golden();
    assert_eq!(golden.torch, "2.15.0");
    assert_eq!(golden.activations.iter().map(|a| a.name).collect::<Vec<_>>(), Activation::ALL);
    assert_eq!(golden.losses.iter().map(|l| l.name).collect::<Vec<_>>(), Loss::ALL);
    for activation in Activation::ALL {
        for loss in Loss::ALL {
            assert!(golden.networks.iter().any(|n| n.activation == activation && n.loss == loss));
        }
    }
    // The methods that are compared by default; every rule alone has golden paths of its own.
    let trained: Vec<_> = golden.training.runs.iter().map(|run| &run.optimizer[..]).collect();
    assert_eq!(trained, REGISTRY.iter().take(7).map(|entry| entry.info.name).collect::<Vec<_>>());
}

fn activations<T: Math>(tolerance: f64, floor: f64) {
    for golden in golden().activations {
        let (x, n) = (cast::<T>(&golden.x), golden.x.len());
        let (mut y, mut dx, mut dy) = (vec![T::ZERO; n], vec![T::ZERO; n], vec![T::ONE; n]);
        let layer = golden.name.layer::<T>(Shape::Flat(n));
        let (piece, w, buffers, mode) = (Piece::whole(1), &[][..], &[][..], Mode::Evaluate);
        let (x, y) = (&x[..], &mut y[..]);
        layer.forward(Forward { piece, w, buffers, x, y, saved: &mut [], scratch: &mut [], mode });
        close(golden.name.name(), y, &golden.y, tolerance, floor);
        let (dy, dx_there) = (&mut dy[..], Some(&mut dx[..]));
        let (dw, saved, scratch) = (&mut [][..], &mut [][..], &mut [][..]);
        layer.backward(Backward { piece, w, buffers, x, y, dy, dw, dx: dx_there, saved, scratch, mode });
        close(&format!("{}′", golden.name.name()), &dx, &golden.slope, tolerance, floor);
    }
}

#[test]
fn activations_in_f64() {
    activations::<f64>(1e-10, 1e-3);
}

#[test]
fn activations_in_f32() {
    activations::<f32>(1e-5, 0.1);
}

/// `share`: the part of the largest gradient below which an entry counts as that large. In f32 it is all of it, for
/// softmax(z) − 1 cancels there.
fn losses<T: Math>(tolerance: f64, share: f64) {
    for golden in golden().losses {
        let truth = Truth::<T>::new(&golden.targets);
        let outputs = cast::<T>(&golden.outputs);
        let mut gradient = vec![T::ZERO; outputs.len()];
        let value = golden.name.value_and_gradient(&outputs, truth.of(golden.name), &mut gradient);
        close(golden.name.name(), &[value], &[golden.value], tolerance, 0.0);
        close(golden.name.name(), &gradient, &golden.gradient, tolerance, share * size(&golden.gradient));
    }
}

#[test]
fn losses_in_f64() {
    losses::<f64>(1e-10, 1e-2);
}

#[test]
fn losses_in_f32() {
    losses::<f32>(1e-5, 1.0);
}

fn networks<T: Math>(tolerance: f64) {
    for golden in golden().networks {
        let rows = golden.targets.len();
        let what = format!(
            "{} {} {}-{:?}",
            golden.activation.name(),
            golden.loss.name(),
            golden.inputs,
            golden.hidden
        );
        let outputs = golden.outputs.len() / rows;
        let network =
            Network::<T>::mlp(golden.inputs, &golden.hidden, outputs, golden.activation, Init::Auto);
        let (w, x, truth) = (cast(&golden.w), cast(&golden.x), Truth::new(&golden.targets));
        let mut workspace = network.workspace(rows);
        let found = network.forward(&w, &[], &x, Mode::Evaluate, &mut workspace);
        close(&what, found, &golden.outputs, tolerance, size(&golden.outputs));
        let (loss, x, targets) = (golden.loss, &x[..], truth.of(golden.loss));
        let mut objective = BatchObjective {
            network: &network,
            buffers: &[],
            workspace: &mut workspace,
            loss,
            x,
            targets,
            mode: Mode::Evaluate,
        };
        let mut gradient = vec![T::ZERO; w.len()];
        let value = objective.value_and_grad(&w, &mut gradient);
        close(&what, &[value], &[golden.value], tolerance, 0.0);
        close(&what, &gradient, &golden.gradient, tolerance, size(&golden.gradient));
    }
}

#[test]
fn networks_in_f64() {
    networks::<f64>(1e-10);
}

#[test]
fn networks_in_f32() {
    networks::<f32>(1e-5);
}

/// Ten steps over three batches in turn; the losses are those before each step.
fn training<T: Math>(tolerance: f64) {
    let golden = golden().training;
    let network = Network::<T>::mlp(golden.inputs, &golden.hidden, 3, golden.activation, Init::Auto);
    let batches: Vec<(Vec<T>, Truth<T>)> =
        golden.batches.iter().map(|b| (cast(&b.x), Truth::new(&b.targets))).collect();
    let mut workspace = network.workspace(8);
    for run in &golden.runs {
        let mut w: Vec<T> = cast(&golden.w);
        let mut optimizer =
            OptimizerSpec::named(&run.optimizer).build::<T>(network.layout()).expect("a row of the registry");
        let mut losses = Vec::new();
        for (x, truth) in batches.iter().cycle().take(10) {
            let (loss, targets) = (golden.loss, truth.of(golden.loss));
            let mut objective = BatchObjective {
                network: &network,
                buffers: &[],
                workspace: &mut workspace,
                loss,
                x,
                targets,
                mode: Mode::Evaluate,
            };
            losses.push(optimizer.step(&mut w, &mut objective, run.learning_rate).expect("a step").value);
        }
        close(&run.optimizer, &losses, &run.losses, tolerance, 0.0);
        close(&run.optimizer, &w, &run.w, tolerance, size(&run.w));
        assert!(run.losses[9] < run.losses[0], "{}: a training that learns nothing", run.optimizer);
    }
}

#[test]
fn ten_steps_of_every_optimizer_in_f64() {
    training::<f64>(1e-10);
}

#[test]
fn ten_steps_of_every_optimizer_in_f32() {
    training::<f32>(1e-4);
}
