//! Thalweg's side of `cargo xtask bench train`: networks of the design's table and resnet8, trained or asked for
//! predictions whenever a line comes on stdin, and the small CNN on Fashion-MNIST. `benchmarks/peers/README.md` has the
//! protocol that all contenders speak.
#![allow(clippy::print_stdout, reason = "it is a report")]

mod data;
mod fashion;
mod model;
mod networks;
mod trainer;

use std::io::BufRead;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use data::Set;
use model::Share;
use networks::Network;
use serde_json::{Value, json};
use thalweg_optim::kernel::denormal::FlushDenormals;
use trainer::{Crew, Trainer};

/// What the command line said.
struct Options {
    network: &'static Network,
    task: String,
    crew: Crew,
    seconds: f64,
    seed: u64,
    folder: PathBuf,
}

fn main() {
    let _fast = FlushDenormals::start();
    let options = options();
    if options.task == "fashion" {
        return println!("{}", fashion::run(&options.folder, &options.crew, options.seed));
    }
    let set = Set::made_up(options.network);
    let mut trainer = Trainer::new(options.network, &set, &options.crew, options.seed);
    println!("{}", check(&mut trainer));
    let length = Duration::from_secs_f64(options.seconds);
    for line in std::io::stdin().lock().lines() {
        line.expect("stdin is open");
        let row = match options.task.as_str() {
            "infer" => infer(&trainer, options.crew.threads, length),
            _ => train(&mut trainer, length),
        };
        println!("{row}");
    }
}

/// Two epochs and what they did, so that nobody is timed doing nothing.
fn check(trainer: &mut Trainer<'_>) -> Value {
    let before = trainer.model().judge(trainer.set());
    let losses = [0; 2].map(|_| trainer.epoch());
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "parameters": trainer.model().w.len(),
        "loss_start": before.loss,
        "loss_epoch_1": losses[0],
        "loss_epoch_2": losses[1],
        "accuracy": trainer.model().judge(trainer.set()).accuracy,
    })
}

/// Steps for a while. The clock is asked every few, for the smallest take microseconds.
fn train(trainer: &mut Trainer<'_>, length: Duration) -> Value {
    let start = Instant::now();
    let (mut steps, mut samples) = (0_u64, 0);
    while start.elapsed() < length {
        for _ in 0..trainer.model().network.steps_between_looks {
            samples += trainer.step().rows;
            steps += 1;
        }
    }
    json!({"steps": steps, "samples": samples, "seconds": start.elapsed().as_secs_f64()})
}

/// Predictions for a while: the batches are dealt to the threads whole.
fn infer(trainer: &Trainer<'_>, threads: usize, length: Duration) -> Value {
    let (model, set) = (trainer.model(), trainer.set());
    let start = Instant::now();
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let worker =
            |thread| scope.spawn(move || model.predict_for(set, Share { thread, of: threads }, length));
        let workers: Vec<_> = (0..threads).map(worker).collect();
        workers.into_iter().map(|worker| worker.join().expect("a thread predicts")).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let (batches, samples) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    json!({"steps": batches, "samples": samples, "seconds": seconds})
}

fn options() -> Options {
    let mut options = Options {
        network: &networks::ALL[0],
        task: "train".into(),
        crew: Crew { threads: 1, shards: 0 },
        seconds: 1.0,
        seed: 1,
        folder: PathBuf::new(),
    };
    let mut left = std::env::args().skip(1);
    while let Some(option) = left.next() {
        let value = left.next().unwrap_or_else(|| panic!("{option} has no value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{option} {value} is no whole number"));
        match option.as_str() {
            "--network" => options.network = networks::named(&value),
            "--task" => options.task = value,
            "--threads" => options.crew.threads = number() as usize,
            "--shards" => options.crew.shards = number() as usize,
            "--seed" => options.seed = number(),
            "--seconds" => options.seconds = value.parse().expect("--seconds is a number"),
            "--folder" => options.folder = value.into(),
            _ => panic!("{option} is not an option"),
        }
    }
    if options.crew.shards == 0 {
        options.crew.shards = options.crew.threads;
    }
    options
}
