//! Averages of the weights with batch normalization: the running statistics are those of the average.

use std::cell::{Cell, RefCell};

use rand::seq::SliceRandom;
use thalweg_learn::nn::{LayerSpec, Loss, Mode, Shape, Targets};
use thalweg_learn::train::{
    BatchSize, Fitted, NetworkSpec, Predictions, Recipe, Samples, StopReason, Validation, fit, fit_on,
};
use thalweg_optim::random::stream;
use thalweg_optim::{OptimizerSpec, Threads};

const ROWS: usize = 26;
const SEED: u64 = 3;
const TABLE: Shape = Shape::Flat(4);
/// What is random stands before what is measured.
const NORMED: &str = r#"[{"layer":"dropout","rate":0.4},{"layer":"dense","units":5},"batch-norm","relu"]"#;
const PLAIN: &str = r#"[{"layer":"dense","units":5},"tanh"]"#;

struct Data {
    shape: Shape,
    x: Vec<f32>,
    codes: Vec<u32>,
}

impl Data {
    /// Rows sorted by class.
    fn new(shape: Shape) -> Self {
        let codes: Vec<u32> = (0..ROWS).map(|row| u32::from(row >= ROWS / 2)).collect();
        let x = (0..ROWS * shape.len())
            .map(|i| (i as f32 * 0.7).sin() * 1.5 + 0.4 + 2.0 * codes[i / shape.len()] as f32)
            .collect();
        Self { shape, x, codes }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { shape: self.shape, x: &self.x, targets: Targets::Classes(&self.codes) }
    }
}

fn recipe(layers: &str, regularize: &str, batch_size: BatchSize) -> Recipe {
    let layers: Vec<LayerSpec> = serde_json::from_str(layers).expect("layers");
    Recipe {
        network: NetworkSpec::Layers(layers),
        loss: Loss::CrossEntropy,
        optimizer: OptimizerSpec::named("sgd"),
        learning_rate: 0.05,
        epochs: 4,
        batch_size,
        regularize: regularize.parse().expect("techniques"),
        ..Recipe::default()
    }
}

fn train(recipe: &Recipe, data: &Data) -> Fitted {
    fit(recipe, data.samples(), 2, None, SEED, &|| true).expect("a valid recipe")
}

fn losses(fitted: &Fitted) -> Vec<f64> {
    fitted.history.iter().map(|epoch| epoch.train_loss).collect()
}

fn close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < tolerance, "{what}: {found} for {expected}");
    }
}

/// Mean and unbiased variance of each of the five numbers that go into the normalization: the mean over the batches, by
/// their rows. Nothing is dropped out.
fn by_hand(w: &[f32], data: &Data, batch: usize) -> (Vec<f64>, Vec<f64>) {
    let mut order: Vec<u32> = (0..ROWS as u32).collect();
    if batch < ROWS {
        order.shuffle(&mut stream(SEED, "running statistics", 0));
    }
    let (weight, bias) = w[..25].split_at(20);
    let unit = |row: u32, unit: usize| {
        let x = &data.x[row as usize * 4..][..4];
        let sum: f64 = x.iter().zip(weight.chunks(5)).map(|(&x, w)| f64::from(x) * f64::from(w[unit])).sum();
        sum + f64::from(bias[unit])
    };
    let (mut means, mut variances) = (vec![0.0; 5], vec![0.0; 5]);
    for rows in order.chunks(batch) {
        let share = rows.len() as f64 / ROWS as f64;
        for j in 0..5 {
            let z: Vec<f64> = rows.iter().map(|&row| unit(row, j)).collect();
            let mean = z.iter().sum::<f64>() / z.len() as f64;
            let squares: f64 = z.iter().map(|z| (z - mean).powi(2)).sum();
            means[j] += share * mean;
            variances[j] += share * squares / (z.len() as f64 - 1.0);
        }
    }
    (means, variances)
}

#[test]
fn an_average_has_the_running_statistics_of_its_own_weights() {
    let data = Data::new(TABLE);
    for regularize in ["ema=0.9", "swa=0.5"] {
        for (batch_size, rows) in [(BatchSize::Full, ROWS), (BatchSize::Rows(8), 8)] {
            let fitted = train(&recipe(NORMED, regularize, batch_size), &data);
            let (means, variances) = by_hand(fitted.model.parameters(), &data, rows);
            let what = format!("{regularize}, {batch_size:?}");
            close(&format!("{what}: means"), &fitted.model.buffers()[..5], &means, 1e-5);
            close(&format!("{what}: variances"), &fitted.model.buffers()[5..], &variances, 1e-4);
            // Weighed by rows, the batches' means are that of all rows, however they are cut.
            let (all, _) = by_hand(fitted.model.parameters(), &data, ROWS);
            close(&what, &fitted.model.buffers()[..5], &all, 1e-5);
        }
    }
}

#[test]
fn the_path_of_the_weights_does_not_notice() {
    let data = Data::new(TABLE);
    for layers in [NORMED, PLAIN] {
        let (batch, none) = (BatchSize::Rows(8), train(&recipe(layers, "none", BatchSize::Rows(8)), &data));
        let later = train(&recipe(layers, "swa=0:1000", batch), &data);
        assert_eq!(none.model.parameters(), later.model.parameters());
        // Without an average, the running statistics are those of the path: a part of them is of its start, still.
        assert_eq!(none.model.buffers(), later.model.buffers());
        if layers == NORMED {
            let (means, _) = by_hand(none.model.parameters(), &data, ROWS);
            let apart = |(found, own): (&f32, f64)| (f64::from(*found) - own).abs() > 0.01 * own.abs();
            assert!(none.model.buffers().iter().zip(means).any(apart), "taken anew");
        }
        for regularize in ["ema=0.9", "swa=0.5"] {
            let averaged = train(&recipe(layers, regularize, batch), &data);
            assert_eq!(losses(&none), losses(&averaged), "{regularize}");
            assert_ne!(none.model.parameters(), averaged.model.parameters(), "{regularize}");
            assert_eq!(averaged.model.buffers().is_empty(), layers == PLAIN);
        }
    }
}

#[test]
fn the_average_is_the_mean_of_the_path_with_and_without_normalization() {
    let data = Data::new(TABLE);
    for layers in [NORMED, PLAIN] {
        let after = |epochs| {
            let recipe = Recipe { epochs, ..recipe(layers, "none", BatchSize::Full) };
            train(&recipe, &data).model.parameters().to_vec()
        };
        let path: Vec<Vec<f32>> = (1..=4).map(after).collect();
        let mean: Vec<f64> =
            (0..path[0].len()).map(|i| path.iter().map(|w| f64::from(w[i])).sum::<f64>() / 4.0).collect();
        let averaged = train(&recipe(layers, "swa=0", BatchSize::Full), &data);
        close("swa", averaged.model.parameters(), &mean, 1e-6);
    }
}

#[test]
fn what_is_validated_is_what_is_kept() {
    let (data, valid) = (Data::new(TABLE), Data::new(TABLE));
    let recipe = recipe(NORMED, "ema=0.9", BatchSize::Rows(8));
    // A cost that falls: the best epoch is the last.
    let (cost, seen) = (Cell::new(0.0), RefCell::new(None));
    let watch = |predictions: &Predictions| {
        cost.set(cost.get() - 1.0);
        seen.replace(Some(format!("{predictions:?}")));
        cost.get()
    };
    let validation = Validation { samples: valid.samples(), cost: &watch };
    let watched = fit(&recipe, data.samples(), 2, Some(validation), SEED, &|| true).expect("a valid recipe");
    assert_eq!(seen.take(), Some(format!("{:?}", watched.model.predict(&valid.x))));
    let alone = train(&recipe, &data);
    assert_eq!(watched.model.buffers(), alone.model.buffers());
    assert_eq!(watched.model.parameters(), alone.model.parameters());
    assert_eq!(losses(&watched), losses(&alone));
}

#[test]
fn layers_within_layers_have_theirs_too() {
    let layers = r#"[{"layer":"conv2d","filters":3},"batch-norm","relu",
        {"layer":"residual","stochastic-depth":0.5,"body":[{"layer":"conv2d","filters":4},"batch-norm","tanh"],
            "shortcut":[{"layer":"conv2d","filters":4,"kernel":1},"batch-norm"]},
        {"layer":"drop-connect","inner":{"layer":"conv2d","filters":2}},"batch-norm"]"#;
    let data = Data::new(Shape::image(6, 6, 1));
    let fitted = train(&recipe(layers, "swa=0.5", BatchSize::Full), &data);
    let network = fitted.model.network();
    let outputs = |mode| {
        let (w, buffers) = (fitted.model.parameters(), fitted.model.buffers());
        network.forward(w, buffers, &data.x, mode, &mut network.workspace(ROWS)).to_vec()
    };
    // Of one batch, running statistics are those of the batch, but for the unbiased variance of its 936 positions.
    let (measured, evaluated) = (outputs(Mode::Measure), outputs(Mode::Evaluate));
    let size = measured.iter().fold(0.0_f32, |size, y| size.max(y.abs()));
    let far = measured.iter().zip(&evaluated).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far < 0.01 * size && far > 0.0, "{far} of {size}");
}

#[test]
fn threads_do_not_change_a_bit_and_shards_do() {
    let data = Data::new(TABLE);
    let buffers = |shards, threads| {
        let recipe = Recipe { shards, ..recipe(NORMED, "ema=0.9", BatchSize::Rows(8)) };
        let threads = Threads::new(threads).expect("threads");
        let fitted = fit_on(&threads, &recipe, data.samples(), 2, None, SEED, &|| true).expect("valid");
        fitted.model.buffers().to_vec()
    };
    let one = buffers(2, 1);
    assert!(one == buffers(2, 2) && one == buffers(2, 3));
    assert!(one != buffers(1, 1));
}

#[test]
fn an_average_that_never_came_to_be_is_told() {
    let data = Data::new(TABLE);
    // Four epochs of four steps; the first average is that of step 0.9·16 + 5, rounded down.
    let never = train(&recipe(PLAIN, "swa=0.9:5", BatchSize::Rows(8)), &data);
    assert_eq!(never.notes.len(), 1);
    assert!(never.notes[0].starts_with("swa averaged nothing"), "{:?}", never.notes);
    assert!(never.notes[0].contains("step 19,") && never.notes[0].contains("step 16."), "{:?}", never.notes);
    for regularize in ["swa=0.9:2", "swa=0.5", "ema=0.9", "none"] {
        assert!(
            train(&recipe(PLAIN, regularize, BatchSize::Rows(8)), &data).notes.is_empty(),
            "{regularize}"
        );
    }
    // A cost that grows: the best epoch is the first, and the average begins in the third.
    let cost = Cell::new(0.0);
    let watch = |_: &Predictions| {
        cost.set(cost.get() + 1.0);
        cost.get()
    };
    let validation = Validation { samples: data.samples(), cost: &watch };
    let recipe = recipe(PLAIN, "swa=0.5", BatchSize::Rows(8));
    let fitted = fit(&recipe, data.samples(), 2, Some(validation), SEED, &|| true).expect("a valid recipe");
    assert_eq!(fitted.stop, StopReason::Completed);
    assert!(fitted.notes[0].contains("the best epoch ended with step 4"), "{:?}", fitted.notes);
    assert!(fitted.notes[0].contains("that of step 9"), "{:?}", fitted.notes);
}
