//! The time of a training step, in microseconds, for the dense networks of the design's table.
#![allow(clippy::print_stdout, reason = "it is a report")]

use std::time::Instant;

use thalweg_learn::nn::{Shape, Targets};
use thalweg_learn::train::{BatchSize, Recipe, Samples, fit};
use thalweg_optim::OptimizerSpec;
use thalweg_optim::registry::REGISTRY;

fn main() {
    for (inputs, hidden, classes, batch) in [
        (20, vec![32, 32], 2, 16),
        (64, vec![64], 10, 32),
        (64, vec![64, 32], 10, 32),
        (784, vec![256, 128], 10, 64),
    ] {
        let rows = 2048;
        let x: Vec<f32> = (0..rows * inputs).map(|i| (i as f32 * 0.37).sin()).collect();
        let y: Vec<u32> = (0..rows as u32).map(|i| i * 7 % classes).collect();
        let samples = Samples { shape: Shape::Flat(inputs), x: &x, targets: Targets::Classes(&y) };
        print!("{inputs}-{hidden:?}-{classes}, batch {batch}:");
        for entry in REGISTRY {
            let name = entry.info.name;
            let recipe = Recipe {
                hidden: hidden.clone(),
                optimizer: OptimizerSpec::named(name),
                learning_rate: 1e-4,
                epochs: if inputs > 100 { 4 } else { 40 },
                batch_size: BatchSize::Rows(batch),
                ..Recipe::default()
            };
            let time = (0..5)
                .map(|_| {
                    let start = Instant::now();
                    let fitted =
                        fit(&recipe, samples, classes as usize, None, 1, &|| true).expect("a valid recipe");
                    start.elapsed().as_secs_f64() * 1e6 / fitted.steps as f64
                })
                .fold(f64::INFINITY, f64::min);
            print!("  {name} {time:.2}");
        }
        println!();
    }
}
