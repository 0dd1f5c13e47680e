//! The small CNN on Fashion-MNIST until 90 % of the test images are right.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::data::Set;
use crate::networks;
use crate::trainer::{Crew, Trainer};

const WANTED: f64 = 0.9;
const EPOCHS_MAX: usize = 10;

/// Trains and looks at the test images after every quarter of an epoch; the looks' time is told apart.
pub(crate) fn run(folder: &Path, crew: &Crew, seed: u64) -> Value {
    let (train, test) = (Set::idx(folder, "train"), Set::idx(folder, "t10k"));
    let network = networks::named("lenet");
    let mut trainer = Trainer::new(network, &train, crew, seed);
    let quarter = train.rows().div_ceil(network.batch as usize).div_ceil(4);
    let (mut training, mut looking) = (Duration::ZERO, Duration::ZERO);
    let mut accuracies = Vec::new();
    for _ in 0..4 * EPOCHS_MAX {
        let start = Instant::now();
        for _ in 0..quarter {
            trainer.step();
        }
        training += start.elapsed();
        let start = Instant::now();
        accuracies.push(trainer.model().judge(&test).accuracy);
        looking += start.elapsed();
        if accuracies.last().is_some_and(|accuracy| *accuracy >= WANTED) {
            break;
        }
    }
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "steps": quarter * accuracies.len(),
        "seconds": training.as_secs_f64(),
        "seconds_looking": looking.as_secs_f64(),
        "reached": accuracies.last().is_some_and(|accuracy| *accuracy >= WANTED),
        "accuracies": accuracies,
    })
}
