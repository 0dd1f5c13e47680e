//! Burn's side of `cargo xtask bench train`, on its `flex` backend: the loop of its book with its Adam and PyTorch's ε.
//! `benchmarks/peers/README.md` has the protocol that all contenders speak.

mod data;
mod networks;

use std::io::BufRead;
use std::time::{Duration, Instant};

use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor};
use data::{ROWS, Set};
use networks::{Classifier, Lenet, Mlp, Resnet8};
use serde_json::{Value, json};

const RATE: f64 = 1e-3;
/// The pinned version, as the lock file has it.
const LOCK: &str = include_str!("../Cargo.lock");

/// What the command line said.
struct Options {
    network: String,
    infer: bool,
    seconds: f64,
    seed: u64,
}

fn main() {
    let options = options();
    let device = Device::flex();
    device.seed(options.seed);
    let device = device.autodiff();
    match options.network.as_str() {
        "mlp20" => run(Mlp::new(&[20, 32, 32, 1], &device), &[20], 2, 16, &options, &device),
        "mlp64" => run(Mlp::new(&[64, 64, 32, 10], &device), &[64], 10, 32, &options, &device),
        "mlp784" => run(Mlp::new(&[784, 256, 128, 10], &device), &[784], 10, 64, &options, &device),
        "lenet" => run(Lenet::new(&device), &[28, 28, 1], 10, 64, &options, &device),
        "resnet8" => run(Resnet8::new(&device), &[32, 32, 3], 10, 64, &options, &device),
        other => panic!("there is no network {other}"),
    }
}

fn run<M: Classifier>(
    model: M,
    shape: &[usize],
    classes: u32,
    batch: usize,
    options: &Options,
    device: &Device,
) {
    let set = Set::made_up(shape, classes, device);
    let mut training = Training::new(model, set, classes, batch, options.seed, device);
    println!("{}", training.check());
    let length = Duration::from_secs_f64(options.seconds);
    let asked = training.valid();
    let mut at = 0;
    for line in std::io::stdin().lock().lines() {
        line.expect("stdin is open");
        let start = Instant::now();
        let (mut steps, mut samples) = (0, 0);
        while start.elapsed() < length {
            samples += if options.infer {
                let x = asked.1.clone().slice([at..at + batch]);
                at = (at + batch) % ROWS;
                std::hint::black_box(asked.0.forward(x)).dims()[0]
            } else {
                training.step();
                batch
            };
            steps += 1;
        }
        println!("{}", json!({"steps": steps, "samples": samples, "seconds": start.elapsed().as_secs_f64()}));
    }
}

/// A training under way.
struct Training<M> {
    model: Option<M>,
    optimizer: ModuleOptimizer,
    set: Set,
    binary: bool,
    batch: usize,
    order: Vec<i32>,
    at: usize,
    random: u64,
    device: Device,
}

impl<M: Classifier> Training<M> {
    fn new(model: M, set: Set, classes: u32, batch: usize, seed: u64, device: &Device) -> Self {
        Self {
            model: Some(model),
            optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
            set,
            binary: classes == 2,
            batch,
            order: (0..ROWS as i32).collect(),
            at: ROWS,
            random: seed,
            device: device.clone(),
        }
    }

    /// Gather, forward, backward, Adam; the batch's loss.
    fn step(&mut self) -> f32 {
        if self.at >= ROWS {
            shuffle(&mut self.order, &mut self.random);
            self.at = 0;
        }
        let rows = &self.order[self.at..self.at + self.batch];
        self.at += self.batch;
        let rows = Tensor::<1, Int>::from_ints(rows, &self.device);
        let x = self.set.x.clone().select(0, rows.clone());
        let y = self.set.y.clone().select(0, rows);
        let model = self.model.take().expect("it is put back");
        let loss = self.loss(model.forward(x), y);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(RATE, model, gradients));
        loss.into_scalar()
    }

    fn loss(&self, z: Tensor<2>, y: Tensor<1, Int>) -> Tensor<1> {
        let device = z.device();
        if self.binary {
            let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
            loss.forward(z, y.unsqueeze_dim(1))
        } else {
            CrossEntropyLossConfig::new().init(&device).forward(z, y)
        }
    }

    /// The network and the rows without the tape.
    fn valid(&self) -> (M, Tensor<2>) {
        (self.model.as_ref().expect("it is put back").valid(), self.set.x.clone().inner())
    }

    /// Mean loss and accuracy in evaluation mode.
    fn judge(&self) -> (f64, f64) {
        let (model, x) = self.valid();
        let (mut loss, mut right) = (0.0, 0);
        for start in (0..ROWS).step_by(self.batch) {
            let part = start..start + self.batch;
            let z = model.forward(x.clone().slice([part.clone()]));
            let y = self.set.y.clone().inner().slice([part]);
            let found = if self.binary { z.clone().greater_elem(0).int() } else { z.clone().argmax(1) }
                .flatten::<1>(0, 1);
            right += found.equal(y.clone()).int().sum().into_scalar::<i64>();
            loss += f64::from(self.loss(z, y).into_scalar::<f32>());
        }
        (loss * self.batch as f64 / ROWS as f64, right as f64 / ROWS as f64)
    }

    /// Two epochs and what they did, so that nobody is timed doing nothing.
    fn check(&mut self) -> Value {
        let (before, _) = self.judge();
        let steps = ROWS / self.batch;
        let losses = [0; 2].map(|_| (0..steps).map(|_| f64::from(self.step())).sum::<f64>() / steps as f64);
        json!({
            "version": version(),
            "parameters": self.model.as_ref().expect("it is put back").trained(),
            "loss_start": before,
            "loss_epoch_1": losses[0],
            "loss_epoch_2": losses[1],
            "accuracy": self.judge().1,
        })
    }
}

fn version() -> &'static str {
    let own = LOCK.split("[[package]]").find(|package| package.contains("\nname = \"burn\"\n"));
    own.and_then(|package| package.split("version = \"").nth(1)?.split('"').next()).unwrap_or("unknown")
}

/// Fisher and Yates's, by a linear congruence (Knuth's MMIX).
fn shuffle(order: &mut [i32], random: &mut u64) {
    for last in (1..order.len()).rev() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (*random >> 33) as usize % (last + 1));
    }
}

/// The threads are those of `RAYON_NUM_THREADS`: flex has no other setting.
fn options() -> Options {
    let mut options = Options { network: "mlp20".into(), infer: false, seconds: 1.0, seed: 1 };
    let mut left = std::env::args().skip(1);
    while let Some(option) = left.next() {
        let value = left.next().unwrap_or_else(|| panic!("{option} has no value"));
        match option.as_str() {
            "--network" => options.network = value,
            "--task" => options.infer = value == "infer",
            "--threads" => {
                let told = std::env::var("RAYON_NUM_THREADS").unwrap_or_default();
                assert_eq!(told, value, "RAYON_NUM_THREADS and --threads differ");
            }
            "--seed" => options.seed = value.parse().expect("--seed is a whole number"),
            "--seconds" => options.seconds = value.parse().expect("--seconds is a number"),
            _ => panic!("{option} is not an option"),
        }
    }
    options
}
