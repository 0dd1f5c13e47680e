//! The learning-rate range test on a small training.

use std::cell::Cell;

use thalweg_learn::nn::{Activation, Loss, Shape, Targets};
use thalweg_learn::train::{BatchSize, RangeStop, RangeTest, Recipe, Samples, fit, range_test};
use thalweg_optim::OptimizerSpec;

fn recipe(batch_size: BatchSize) -> Recipe {
    let optimizer = OptimizerSpec::named("sgd");
    let activation = Activation::Tanh;
    Recipe {
        hidden: vec![6],
        activation,
        loss: Loss::SquaredError,
        optimizer,
        batch_size,
        ..Recipe::default()
    }
}

fn data() -> (Vec<f32>, Vec<f32>) {
    let x: Vec<f32> = (0..120).map(|i| (i as f32 * 0.37).sin()).collect();
    let y = x.chunks_exact(3).map(|x| 2.0 * x[0] - x[1]).collect();
    (x, y)
}

#[test]
fn the_loss_falls_then_grows_and_equal_seeds_give_equal_bits() {
    let (x, y) = data();
    let samples = Samples { shape: Shape::Flat(3), x: &x, targets: Targets::Values(&y) };
    let run = |seed| {
        let test = RangeTest { from: 1e-5, to: 100.0, ..RangeTest::default() };
        range_test(&recipe(BatchSize::Rows(8)), samples, 1, seed, &test, &|| true).expect("a valid recipe")
    };
    let curve = run(3);
    assert!(matches!(curve.stop, RangeStop::Grew | RangeStop::Diverged), "{:?}", curve.stop);
    assert!(curve.points.iter().all(|point| point.loss.is_finite()));
    let (steepest, lowest) = (curve.steepest().expect("it falls"), curve.lowest().expect("it falls"));
    assert!(steepest < lowest && lowest < curve.points.len() - 1);
    let rate = |index: usize| curve.points[index].learning_rate;
    assert!((1e-3..1.0).contains(&rate(steepest)), "{}", rate(steepest));
    assert_eq!(run(3), curve);
    assert_ne!(run(4), curve);
    // What is suggested does train: half the way and better than the start.
    let trained = Recipe { learning_rate: rate(steepest), epochs: 30, ..recipe(BatchSize::Rows(8)) };
    let fitted = fit(&trained, samples, 1, None, 3, &|| true).expect("a valid recipe");
    let losses: Vec<f64> = fitted.history.iter().map(|record| record.train_loss).collect();
    assert!(losses[29] < 0.5 * curve.points[0].loss, "{losses:?}");
}

#[test]
fn it_counts_its_steps_over_epochs_and_stops_when_asked() {
    let (x, y) = data();
    let samples = Samples { shape: Shape::Flat(3), x: &x, targets: Targets::Values(&y) };
    let test = RangeTest { to: 1e-3, steps: 33, ..RangeTest::default() };
    for batch in [BatchSize::Full, BatchSize::Rows(1), BatchSize::Rows(16), BatchSize::Rows(999)] {
        let curve = range_test(&recipe(batch), samples, 1, 0, &test, &|| true).expect("a valid recipe");
        assert_eq!((curve.points.len(), curve.stop), (33, RangeStop::Completed));
        let asked = Cell::new(0);
        let keep_going = || {
            asked.set(asked.get() + 1);
            asked.get() <= 20
        };
        let curve = range_test(&recipe(batch), samples, 1, 0, &test, &keep_going).expect("a valid recipe");
        assert_eq!((curve.points.len(), curve.stop), (20, RangeStop::Interrupted));
    }
}
