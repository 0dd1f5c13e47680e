//! A row's prediction does not depend on the rows beside it.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{Activation, Init, Loss, Mode, Network, Shape, Targets};
use thalweg_learn::train::{BatchSize, Predictions, Recipe, Samples, fit};
use thalweg_optim::Threads;

/// One more than fits a chunk of `predict`.
const ROWS: usize = 257;

fn wave<T: Math>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * 0.37).sin() * 2.0)).collect()
}

fn forward_is_rowwise<T: Math>() {
    for activation in Activation::ALL {
        for (inputs, hidden, outputs) in
            [(5, vec![7, 33], 3), (64, vec![64], 10), (1, vec![], 1), (20, vec![17, 16, 5], 1)]
        {
            let network = Network::<T>::mlp(inputs, &hidden, outputs, activation, Init::Auto);
            let (w, x) = (network.init(4), wave::<T>(ROWS * inputs));
            let mut workspace = network.workspace(ROWS);
            let all = network.forward(&w, &[], &x, Mode::Evaluate, &mut workspace).to_vec();
            assert_eq!(all.len(), ROWS * outputs);
            let mut alone = network.workspace(1);
            for (row, (x, together)) in x.chunks_exact(inputs).zip(all.chunks_exact(outputs)).enumerate() {
                let found = network.forward(&w, &[], x, Mode::Evaluate, &mut alone);
                let same =
                    found.iter().zip(together).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits());
                assert!(same, "{} {inputs}-{hidden:?}-{outputs}, row {row}", activation.name());
            }
        }
    }
}

#[test]
fn a_forward_pass_of_257_rows_equals_257_of_one_row() {
    forward_is_rowwise::<f32>();
    forward_is_rowwise::<f64>();
}

fn numbers(predictions: Predictions) -> Vec<f64> {
    match predictions {
        Predictions::Probabilities { values, .. } => values.into_iter().map(f64::from).collect(),
        Predictions::Values(values) => values,
    }
}

#[test]
fn predictions_of_257_rows_equal_257_of_one_row() {
    let (x, values) = (wave::<f32>(ROWS * 6), wave::<f32>(ROWS));
    for loss in Loss::ALL {
        let (classes, outputs) = if loss == Loss::CrossEntropy { (3, 3) } else { (2, 1) };
        let codes: Vec<u32> = (0..ROWS as u32).map(|i| i * 7 % classes).collect();
        let targets = match loss {
            Loss::CrossEntropy | Loss::Binary => Targets::Classes(&codes[..]),
            Loss::SquaredError | Loss::AbsoluteError => Targets::Values(&values[..]),
        };
        let recipe = Recipe {
            hidden: vec![9],
            loss,
            learning_rate: 0.01,
            epochs: 3,
            batch_size: BatchSize::Rows(32),
            ..Recipe::default()
        };
        let samples = Samples { shape: Shape::Flat(6), x: &x, targets };
        let model = fit(&recipe, samples, outputs, None, 1, &|| true).expect("a valid recipe").model;
        let all = numbers(model.predict(&x));
        let alone: Vec<f64> = x.chunks_exact(6).flat_map(|row| numbers(model.predict(row))).collect();
        assert_eq!(all, alone, "{}", loss.name());
        for threads in [2, 3, 8] {
            let threads = Threads::new(threads).unwrap();
            // 257, 514 and 1285 rows: fewer chunks than threads, more, and a last one that is not full.
            for times in [1, 2, 5] {
                let found = numbers(model.predict_on(&threads, &x.repeat(times)));
                assert_eq!(found, all.repeat(times), "{}, {times} times on {}", loss.name(), threads.count());
            }
            assert!(numbers(model.predict_on(&threads, &[])).is_empty());
        }
        assert!(model.predict(&[]) == model.predict(&x[..0]) && numbers(model.predict(&[])).is_empty());
        // Probabilities are those of the loss: each row sums to 1, and the loss of the predictions is the loss.
        if let Predictions::Probabilities { values, classes } = model.predict(&x) {
            assert!(values.chunks_exact(classes).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        }
        let mut workspace = model.network().workspace(ROWS);
        let outputs =
            model.network().forward(model.parameters(), &[], &x, Mode::Evaluate, &mut workspace).to_vec();
        let mean = loss.value(&outputs, targets, &mut vec![0.0; outputs.len()]);
        let found = loss.of_predictions(&model.predict(&x), targets);
        assert!((found - f64::from(mean)).abs() < 1e-6 * found, "{}: {found}, {mean}", loss.name());
    }
}
