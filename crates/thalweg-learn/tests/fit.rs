//! What the training loop promises: steps, bits, stopping, divergence.

use std::cell::Cell;
use std::hint::black_box;

use rand::seq::SliceRandom;
use thalweg_learn::nn::{Activation, BatchObjective, Loss, Mode, Shape, SoftClasses, Targets};
use thalweg_learn::train::{
    BatchSize, Fitted, Predictions, RangeTest, Recipe, RecipeError, Samples, StopReason, Validation, fit,
    range_test,
};
use thalweg_optim::random::stream;
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::schedule::{self, Constant, Cosine, Length, ReduceOnPlateau};
use thalweg_optim::{Dialect, OptimizerSpec, Schedule};

/// A noisy wave over three features.
struct Data {
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Data {
    fn new(rows: usize, phase: f32) -> Self {
        let x: Vec<f32> = (0..rows * 3).map(|i| (i as f32 * 0.37 + phase).sin()).collect();
        let noise = |row: usize| ((row * 7919 + 13) % 101) as f32 / 101.0 - 0.5;
        let y = x.chunks_exact(3).enumerate().map(|(row, x)| x[0] - 2.0 * x[1] * x[2] + noise(row)).collect();
        Self { x, y }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { shape: Shape::Flat(3), x: &self.x, targets: Targets::Values(&self.y) }
    }
}

/// A small regression.
fn recipe(epochs: u32, batch_size: BatchSize) -> Recipe {
    Recipe {
        hidden: vec![6],
        activation: Activation::Tanh,
        loss: Loss::SquaredError,
        optimizer: OptimizerSpec::named("sgd"),
        learning_rate: 0.05,
        epochs,
        batch_size,
        ..Recipe::default()
    }
}

fn train(recipe: &Recipe, data: &Data, seed: u64) -> Fitted {
    fit(recipe, data.samples(), 1, None, seed, &|| true).expect("a valid recipe")
}

fn bits(fitted: &Fitted) -> Vec<u32> {
    fitted.model.parameters().iter().map(|w| w.to_bits()).collect()
}

#[test]
fn an_epoch_has_as_many_steps_as_batches() {
    let data = Data::new(10, 0.0);
    for (batch_size, steps) in [
        (BatchSize::Full, 1),
        (BatchSize::Rows(1), 10),
        (BatchSize::Rows(4), 3),
        (BatchSize::Rows(5), 2),
        (BatchSize::Rows(10), 1),
        (BatchSize::Rows(999), 1),
    ] {
        for epochs in [1, 4] {
            let asked = Cell::new(0);
            let keep_going = || {
                asked.set(asked.get() + 1);
                true
            };
            let fitted = fit(&recipe(epochs, batch_size), data.samples(), 1, None, 7, &keep_going)
                .expect("a valid recipe");
            assert_eq!(fitted.steps, u64::from(steps * epochs), "{batch_size:?}");
            assert_eq!(asked.get(), steps * epochs, "{batch_size:?}: asked before each step");
            assert_eq!((fitted.history.len(), fitted.stop), (epochs as usize, StopReason::Completed));
            assert_eq!(fitted.best, None);
        }
    }
}

#[test]
fn no_epochs_leave_the_start_and_one_row_is_enough() {
    let data = Data::new(10, 0.0);
    let recipe = recipe(0, BatchSize::Full);
    let fitted = train(&recipe, &data, 7);
    assert_eq!((fitted.steps, fitted.history.len(), fitted.stop), (0, 0, StopReason::Completed));
    assert_eq!(fitted.model.parameters(), recipe.network(Shape::Flat(3), 1).unwrap().init(7));
    let (one, recipe) = (Data::new(1, 0.0), Recipe { epochs: 300, ..recipe });
    for batch_size in [BatchSize::Full, BatchSize::Rows(1), BatchSize::Rows(32)] {
        let fitted = train(&Recipe { batch_size, ..recipe.clone() }, &one, 7);
        let Predictions::Values(found) = fitted.model.predict(&one.x) else { panic!("a regression") };
        assert!((found[0] - f64::from(one.y[0])).abs() < 1e-3, "{batch_size:?}");
    }
}

/// The loop in plain words, with the documented streams.
fn by_hand(recipe: &Recipe, data: &Data, seed: u64) -> Vec<f32> {
    let rows = data.y.len();
    let batch = recipe.batch_size.resolve(rows);
    let network = recipe.network(Shape::Flat(3), 1).expect("a valid recipe");
    let mut w = network.init(seed);
    let mut optimizer = recipe.optimizer.build::<f32>(network.layout()).expect("in range");
    for epoch in 1..=recipe.epochs {
        let mut order: Vec<u32> = (0..rows as u32).collect();
        if batch < rows {
            order.shuffle(&mut stream(seed, "shuffle", u64::from(epoch)));
        }
        for rows in order.chunks(batch) {
            let x: Vec<f32> = rows.iter().flat_map(|&r| data.x[3 * r as usize..][..3].to_vec()).collect();
            let y: Vec<f32> = rows.iter().map(|&r| data.y[r as usize]).collect();
            let mut workspace = network.workspace(rows.len());
            let (loss, targets) = (recipe.loss, Targets::Values(&y[..]));
            let mut objective = BatchObjective {
                network: &network,
                buffers: &[],
                workspace: &mut workspace,
                loss,
                x: &x,
                targets,
                mode: Mode::Evaluate,
            };
            optimizer.step(&mut w, &mut objective, recipe.learning_rate).expect("a step");
        }
    }
    let mut judged = Vec::new();
    if optimizer.average(&w, &mut judged) { judged } else { w }
}

#[test]
fn the_loop_does_what_its_plain_words_say() {
    let data = Data::new(23, 0.0);
    for batch_size in [BatchSize::Full, BatchSize::Rows(1), BatchSize::Rows(5), BatchSize::Rows(8)] {
        for entry in REGISTRY {
            for dialect in Dialect::ALL {
                let optimizer = OptimizerSpec::named(entry.info.name).dialect(dialect);
                let recipe = Recipe { optimizer, learning_rate: 0.01, ..recipe(3, batch_size) };
                assert_eq!(
                    train(&recipe, &data, 7).model.parameters(),
                    by_hand(&recipe, &data, 7),
                    "{recipe:?}"
                );
            }
        }
    }
}

#[test]
fn equal_seeds_give_equal_bits_and_other_seeds_others() {
    let data = Data::new(23, 0.0);
    let recipe = recipe(5, BatchSize::Rows(4));
    let (first, again, other) =
        (train(&recipe, &data, 1), train(&recipe, &data, 1), train(&recipe, &data, 2));
    assert_eq!(bits(&first), bits(&again));
    assert_eq!(first.history, again.history);
    assert_ne!(bits(&first), bits(&other));
    // From equal weights, too: the order of the rows depends on the seed.
    let network = recipe.network(Shape::Flat(3), 1).expect("a valid recipe");
    assert_ne!(network.init(1), network.init(2));
}

#[test]
fn the_training_loss_is_the_mean_over_rows_whatever_the_batches() {
    // A learning rate of 0 leaves the weights alone, so all batch sizes must tell the same mean: 10 rows in batches of 3
    // end with one of 1 row, which must not weigh as much as the others.
    let data = Data::new(10, 0.0);
    let loss = |batch_size| {
        let recipe = Recipe { learning_rate: 0.0, ..recipe(1, batch_size) };
        train(&recipe, &data, 7).history[0].train_loss
    };
    let full = loss(BatchSize::Full);
    for rows in [1, 3, 4, 7] {
        let found = loss(BatchSize::Rows(rows));
        assert!((found - full).abs() < 1e-6 * full, "batches of {rows}: {found}, full batch {full}");
    }
}

/// The validation loss as cost.
fn loss_of(data: &Data) -> impl Fn(&Predictions) -> f64 {
    |predictions| Loss::SquaredError.of_predictions(predictions, Targets::Values(&data.y))
}

#[test]
fn early_stopping_gives_back_the_best_epoch_s_weights() {
    // Few rows and a wide network: it learns the noise, so that the validation loss turns.
    let (data, held_out) = (Data::new(12, 0.0), Data::new(300, 1.9));
    let cost = loss_of(&held_out);
    for patience in [1, 4, 9] {
        let optimizer = OptimizerSpec::named("adam");
        let (hidden, learning_rate, patience) = (vec![40], 0.03, Some(patience));
        let recipe = Recipe { hidden, optimizer, learning_rate, patience, ..recipe(500, BatchSize::Rows(4)) };
        let validation = Validation { samples: held_out.samples(), cost: &cost };
        let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
        let best = fitted.best.expect("its costs are numbers");
        assert_eq!(fitted.stop, StopReason::EarlyStopped);
        assert_eq!(fitted.history.len() as u32, best.epoch + patience.unwrap_or(0));
        let costs: Vec<f64> = fitted.history.iter().filter_map(|record| record.valid_cost).collect();
        let lowest = costs.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!((costs[best.epoch as usize - 1], best.cost), (lowest, lowest));
        // The model is the best epoch's, to the bit, and not the last one's.
        assert_eq!(cost(&fitted.model.predict(&held_out.x)), best.cost);
        assert_ne!(costs.last(), Some(&best.cost));
        // It is also what a training of just so many epochs ends with.
        let short = Recipe { epochs: best.epoch, patience: None, ..recipe };
        assert_eq!(bits(&fitted), bits(&train(&short, &data, 3)));
    }
}

#[test]
fn without_patience_all_epochs_are_done_and_the_best_one_kept() {
    let data = Data::new(12, 0.0);
    let calls = Cell::new(0_u32);
    // Best in the third of six epochs.
    let cost = |_: &Predictions| {
        calls.set(calls.get() + 1);
        [5.0, 4.0, 1.0, 2.0, 3.0, 4.0][calls.get() as usize - 1]
    };
    let recipe = recipe(6, BatchSize::Rows(5));
    let validation = Validation { samples: data.samples(), cost: &cost };
    let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
    assert_eq!((fitted.stop, fitted.history.len(), calls.get()), (StopReason::Completed, 6, 6));
    assert_eq!(fitted.best.map(|best| (best.epoch, best.cost)), Some((3, 1.0)));
    assert_eq!(bits(&fitted), bits(&train(&Recipe { epochs: 3, ..recipe }, &data, 3)));
}

#[test]
fn a_nan_cost_never_wins() {
    let data = Data::new(12, 0.0);
    let calls = Cell::new(0_u32);
    let cost = |_: &Predictions| {
        calls.set(calls.get() + 1);
        if calls.get() == 2 { 3.0 } else { f64::NAN }
    };
    let recipe = Recipe { patience: Some(4), ..recipe(50, BatchSize::Full) };
    let validation = Validation { samples: data.samples(), cost: &cost };
    let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
    assert_eq!((fitted.stop, fitted.history.len()), (StopReason::EarlyStopped, 6));
    assert_eq!(fitted.best.map(|best| best.epoch), Some(2));
    let costs: Vec<_> = fitted.history.iter().map(|record| record.valid_cost).collect();
    assert_eq!(costs, [None, Some(3.0), None, None, None, None], "a history holds no NaN");
    assert_eq!(bits(&fitted), bits(&train(&Recipe { epochs: 2, ..recipe.clone() }, &data, 3)));
    // Never a number: no epoch is best, the last weights stay.
    let validation = Validation { samples: data.samples(), cost: &|_| f64::NAN };
    let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
    assert_eq!((fitted.stop, fitted.history.len(), fitted.best), (StopReason::EarlyStopped, 4, None));
    assert_eq!(bits(&fitted), bits(&train(&Recipe { epochs: 4, ..recipe }, &data, 3)));
}

#[test]
fn divergence_ends_with_its_step() {
    let data = Data::new(12, 0.0);
    let recipe = Recipe { hidden: vec![], learning_rate: 1e10, ..recipe(50, BatchSize::Rows(5)) };
    let fitted = train(&recipe, &data, 3);
    // Each step multiplies the error by about 1e10: the squares leave f32 in the third step.
    assert_eq!((fitted.stop, fitted.steps), (StopReason::Diverged { step: 3 }, 3));
    assert!(fitted.history.is_empty());
    assert!(fitted.stop.to_string().contains("step 3"));
    // The largest rate that f32 can hold throws the weights away after a loss that was still finite.
    let recipe = Recipe { learning_rate: f64::from(f32::MAX), batch_size: BatchSize::Full, ..recipe };
    let mut far = Data::new(12, 0.0);
    far.y.iter_mut().for_each(|y| *y *= 100.0);
    let fitted = train(&recipe, &far, 3);
    assert_eq!((fitted.stop, fitted.steps), (StopReason::Diverged { step: 1 }, 1));
    // A good epoch before the fall is kept.
    let (calls, cost) = (Cell::new(0), loss_of(&data));
    let watched = |predictions: &Predictions| {
        calls.set(calls.get() + 1);
        cost(predictions)
    };
    let validation = Validation { samples: data.samples(), cost: &watched };
    let recipe = Recipe { learning_rate: 30.0, ..recipe };
    let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
    assert!(matches!(fitted.stop, StopReason::Diverged { .. }), "{:?}", fitted.stop);
    assert_eq!(fitted.history.len(), calls.get());
    assert!(fitted.best.is_some() && fitted.model.parameters().iter().all(|w| w.is_finite()));
}

#[test]
fn no_rate_makes_any_training_panic() {
    let data = Data::new(12, 0.0);
    let codes: Vec<u32> = (0..12).map(|i| i % 2).collect();
    for entry in REGISTRY {
        for dialect in Dialect::ALL {
            for loss in Loss::ALL {
                let (targets, outputs) = match loss {
                    Loss::CrossEntropy => (Targets::Classes(&codes[..]), 2),
                    Loss::Binary => (Targets::Classes(&codes[..]), 1),
                    _ => (Targets::Values(&data.y[..]), 1),
                };
                let samples = Samples { shape: Shape::Flat(3), x: &data.x, targets };
                for learning_rate in [1e3, 1e10, 1e38] {
                    let optimizer = OptimizerSpec::named(entry.info.name).dialect(dialect);
                    let recipe = Recipe { loss, optimizer, learning_rate, ..recipe(20, BatchSize::Rows(5)) };
                    let cost = |predictions: &Predictions| loss.of_predictions(predictions, targets);
                    let validation = Some(Validation { samples, cost: &cost });
                    let fitted =
                        fit(&recipe, samples, outputs, validation, 3, &|| true).expect("a valid recipe");
                    if let StopReason::Diverged { step } = fitted.stop {
                        assert_eq!(step, fitted.steps);
                    } else {
                        assert!(fitted.history.iter().all(|record| record.train_loss.is_finite()));
                    }
                    assert!(!fitted.best.is_some_and(|best| best.cost.is_nan()));
                }
            }
        }
    }
}

#[test]
fn it_stops_where_it_is_asked_to() {
    let data = Data::new(12, 0.0);
    let recipe = recipe(50, BatchSize::Rows(5));
    for allowed in [0, 1, 4, 6] {
        let asked = Cell::new(0);
        let keep_going = || {
            asked.set(asked.get() + 1);
            asked.get() <= allowed
        };
        let fitted = fit(&recipe, data.samples(), 1, None, 3, &keep_going).expect("a valid recipe");
        assert_eq!((fitted.stop, fitted.steps), (StopReason::Interrupted, allowed));
        assert_eq!(fitted.history.len() as u64, allowed / 3);
    }
}

#[test]
fn a_recipe_that_is_not_valid_is_refused() {
    let data = Data::new(12, 0.0);
    let refused = |recipe: Recipe| {
        fit(&recipe, data.samples(), 1, None, 3, &|| true).map(drop).expect_err("not valid").to_string()
    };
    let good = recipe(5, BatchSize::Full);
    for learning_rate in [-1.0, f64::NAN, f64::INFINITY, 1e39] {
        assert!(refused(Recipe { learning_rate, ..good.clone() }).contains("learning_rate"));
    }
    let typo = OptimizerSpec::named("adm");
    assert!(refused(Recipe { optimizer: typo, ..good.clone() }).contains("did you mean «adam»"));
    let wild = OptimizerSpec::named("momentum").with("momentum", 1.0);
    assert!(refused(Recipe { optimizer: wild, ..good }).contains("[0, 1)"));
    assert!(denormals_live(), "a refusal, too, puts the mode back");
}

#[test]
fn soft_targets_of_whole_rows_are_refused() {
    let (data, codes, share) = (Data::new(8, 0.0), [0; 8], [0.5; 8]);
    let soft = SoftClasses { first: &codes, second: &codes, share: &share, smoothing: 0.0 };
    let recipe = Recipe { loss: Loss::CrossEntropy, ..recipe(1, BatchSize::Full) };
    let soft = Samples { targets: Targets::Soft(soft), ..data.samples() };
    let hard = Samples { targets: Targets::Classes(&codes), ..soft };
    let fitted = |samples, watched: Option<Samples<'_>>| {
        let watched = watched.map(|samples| Validation { samples, cost: &|_| 0.0 });
        fit(&recipe, samples, 2, watched, 0, &|| true).map(|_| ())
    };
    assert_eq!(fitted(hard, Some(hard)), Ok(()));
    assert_eq!(fitted(soft, None), Err(RecipeError::SoftTargets));
    assert_eq!(fitted(hard, Some(soft)), Err(RecipeError::SoftTargets));
    let ranged = range_test(&recipe, soft, 2, 0, &RangeTest::default(), &|| true);
    assert_eq!(ranged.unwrap_err(), RecipeError::SoftTargets);
    assert!(RecipeError::SoftTargets.to_string().contains("one class or one number"));
    let noisy = Recipe { regularize: "label-noise".parse().unwrap(), ..recipe };
    assert_eq!(thalweg_learn::regularize::labels_shown(&noisy, soft, 2, 0), None);
}

#[test]
fn a_schedule_gives_each_step_its_rate() {
    let data = Data::new(10, 0.0);
    let schedule = Schedule::from(Cosine { last: 0.1, ..Cosine::default() });
    let recipe = Recipe { schedule, ..recipe(4, BatchSize::Rows(4)) };
    let curve = recipe.curve(10).expect("a valid schedule");
    // The same training by hand: three steps an epoch, with the rates of the curve.
    let network = recipe.network(Shape::Flat(3), 1).expect("a valid recipe");
    let (mut w, mut workspace) = (network.init(7), network.workspace(4));
    let mut optimizer = recipe.optimizer.build::<f32>(network.layout()).expect("in range");
    let mut step = 0;
    for epoch in 1..=4 {
        let mut order: Vec<usize> = (0..10).collect();
        order.shuffle(&mut stream(7, "shuffle", epoch));
        for rows in order.chunks(4) {
            let x: Vec<f32> = rows.iter().flat_map(|&row| data.x[3 * row..3 * row + 3].to_vec()).collect();
            let y: Vec<f32> = rows.iter().map(|&row| data.y[row]).collect();
            let (network, workspace) = (&network, &mut workspace);
            let (loss, targets) = (recipe.loss, Targets::Values(&y));
            let mut objective = BatchObjective {
                network,
                buffers: &[],
                workspace,
                loss,
                x: &x,
                targets,
                mode: Mode::Evaluate,
            };
            optimizer.step(&mut w, &mut objective, 0.05 * curve.factor(step)).expect("a step");
            step += 1;
        }
    }
    let fitted = train(&recipe, &data, 7);
    assert_eq!(fitted.steps, step);
    assert_eq!(fitted.model.parameters(), w);
}

#[test]
fn a_constant_schedule_changes_no_bit_and_others_do() {
    let data = Data::new(10, 0.0);
    let plain = recipe(4, BatchSize::Rows(4));
    let expected = bits(&train(&plain, &data, 7));
    let with = |schedule: Schedule| bits(&train(&Recipe { schedule, ..plain.clone() }, &data, 7));
    assert_eq!(with(Constant::default().into()), expected);
    let halved = Recipe { learning_rate: 0.025, ..plain.clone() };
    assert_eq!(with(Constant { factor: 0.5 }.into()), bits(&train(&halved, &data, 7)));
    for entry in schedule::REGISTRY
        .iter()
        .filter(|entry| !["constant", "reduce-on-plateau"].contains(&entry.info.name))
    {
        assert_ne!(with((entry.default)()), expected, "{}", entry.info.name);
    }
}

#[test]
fn a_shorter_training_on_the_same_schedule_is_the_start_of_the_longer_one() {
    let data = Data::new(12, 0.0);
    let calls = Cell::new(0_u32);
    let cost = |_: &Predictions| {
        calls.set(calls.get() + 1);
        [5.0, 4.0, 1.0, 2.0, 3.0, 4.0][calls.get() as usize - 1]
    };
    for entry in schedule::REGISTRY.iter().filter(|entry| entry.info.name != "reduce-on-plateau") {
        calls.set(0);
        let long = Recipe { schedule: (entry.default)(), ..recipe(6, BatchSize::Rows(5)) };
        let validation = Validation { samples: data.samples(), cost: &cost };
        let fitted = fit(&long, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
        assert_eq!(fitted.best.map(|best| best.epoch), Some(3));
        let short = Recipe { epochs: 3, schedule_epochs: Some(6), ..long };
        assert_eq!(bits(&fitted), bits(&train(&short, &data, 3)), "{}", entry.info.name);
    }
}

#[test]
fn a_plateau_is_seen_in_the_validation_loss_or_else_in_the_training_loss() {
    let (data, held_out) = (Data::new(40, 0.0), Data::new(15, 5.0));
    let rule = ReduceOnPlateau { patience: 0, gamma: 0.0, threshold: 0.0, ..ReduceOnPlateau::default() };
    let recipe = Recipe { schedule: rule.into(), learning_rate: 0.3, ..recipe(60, BatchSize::Rows(8)) };
    // γ = 0 freezes the weights: after the first epoch whose loss is no better, nothing moves any more.
    let cost = |_: &Predictions| 0.0;
    let validation = Validation { samples: held_out.samples(), cost: &cost };
    let fitted = fit(&recipe, data.samples(), 1, Some(validation), 3, &|| true).expect("a valid recipe");
    let losses: Vec<f64> = fitted.history.iter().filter_map(|record| record.valid_loss).collect();
    let frozen = losses.windows(2).position(|pair| pair[1] >= pair[0]).expect("a plateau") + 1;
    assert!(frozen + 1 < losses.len());
    assert!(losses[frozen..].iter().all(|&loss| loss == losses[frozen]), "{losses:?}");
    // Without a validation part: the training loss, which is a mean over batches while the weights moved.
    let alone = train(&recipe, &data, 3);
    let losses: Vec<f64> = alone.history.iter().map(|record| record.train_loss).collect();
    let bad = losses.windows(2).position(|pair| pair[1] >= pair[0]).expect("a plateau") + 1;
    assert_eq!(bits(&alone), bits(&train(&Recipe { epochs: bad as u32 + 1, ..recipe }, &data, 3)));
}

#[test]
fn a_factor_beyond_all_numbers_diverges() {
    let data = Data::new(12, 0.0);
    for (factor, learning_rate) in [(1e300, 1e38), (1e3, 1e38), (1e30, 1e30)] {
        let schedule = Schedule::from(Constant { factor });
        let recipe = Recipe { schedule, learning_rate, ..recipe(5, BatchSize::Full) };
        let fitted = train(&recipe, &data, 3);
        assert_eq!((fitted.stop, fitted.steps), (StopReason::Diverged { step: 1 }, 0), "{factor:e}");
    }
}

#[test]
fn a_schedule_that_is_not_valid_is_refused() {
    let data = Data::new(12, 0.0);
    let schedule = Schedule::from(Cosine { last: -1.0, steps: Length::ALL, power: 1.0 });
    let recipe = Recipe { schedule, ..recipe(5, BatchSize::Full) };
    let error = fit(&recipe, data.samples(), 1, None, 3, &|| true).map(drop).expect_err("not valid");
    assert!(error.to_string().contains("cosine: final = -1.0"), "{error}");
}

/// Whether denormals are kept, as they are by default.
fn denormals_live() -> bool {
    black_box(f32::MIN_POSITIVE) * black_box(0.5) > 0.0
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn denormals_are_flushed_while_it_runs_and_not_after() {
    let (data, inside) = (Data::new(12, 0.0), Cell::new(true));
    assert!(denormals_live());
    let keep_going = || {
        inside.set(denormals_live());
        true
    };
    fit(&recipe(2, BatchSize::Full), data.samples(), 1, None, 3, &keep_going).expect("a valid recipe");
    assert!(!inside.get() && denormals_live());
}

fn wrapped(name: &str, texts: &[&str]) -> OptimizerSpec {
    texts.iter().fold(OptimizerSpec::named(name), |spec, text| spec.wrapped(text.parse().expect("a wrapper")))
}

/// What a training would have at the end if its wrapper's average were taken by hand.
fn mean_of_path(recipe: &Recipe, data: &Data, steps: std::ops::RangeInclusive<u32>) -> Vec<f64> {
    let (mut mean, count) = (Vec::new(), steps.clone().count() as f64);
    for epochs in steps {
        let w = train(&Recipe { epochs, ..recipe.clone() }, data, 7);
        mean.resize(w.model.parameters().len(), 0.0);
        mean.iter_mut().zip(w.model.parameters()).for_each(|(mean, w)| *mean += f64::from(*w) / count);
    }
    mean
}

#[test]
fn an_average_is_what_is_validated_and_what_is_given_back() {
    let data = Data::new(30, 0.0);
    // Full batches: a step an epoch.
    let plain = recipe(12, BatchSize::Full);
    let averaging = Recipe { optimizer: wrapped("sgd", &["swa=4:1"]), ..plain.clone() };
    let mean = mean_of_path(&plain, &data, 5..=12);
    let near = |fitted: &Fitted| {
        fitted.model.parameters().iter().zip(&mean).all(|(w, m)| (f64::from(*w) - m).abs() < 1e-6)
    };
    assert!(near(&train(&averaging, &data, 7)), "without a validation part");
    assert!(!near(&train(&plain, &data, 7)));
    // With one: the last epoch is made the best, and its predictions are those of the mean.
    let other = Data::new(9, 1.0);
    let seen = Cell::new(0.0);
    let epoch = Cell::new(0.0);
    let cost = |predictions: &Predictions| {
        seen.set(loss_of(&other)(predictions));
        epoch.set(epoch.get() + 1.0);
        -epoch.get()
    };
    let validation = Validation { samples: other.samples(), cost: &cost };
    let fitted = fit(&averaging, data.samples(), 1, Some(validation), 7, &|| true).expect("a valid recipe");
    assert!(near(&fitted) && fitted.best.map(|best| best.epoch) == Some(12));
    assert_eq!(seen.get(), loss_of(&other)(&fitted.model.predict(&other.x)));
    // An EMA that forgets at once is W itself.
    let forgetting = Recipe { optimizer: wrapped("sgd", &["ema=0"]), ..plain.clone() };
    assert_eq!(bits(&train(&forgetting, &data, 7)), bits(&train(&plain, &data, 7)));
}

#[test]
fn a_step_that_a_guard_refuses_is_no_divergence() {
    let mut data = Data::new(20, 0.0);
    data.x[3 * 7 + 1] = f32::NAN;
    let plain = recipe(5, BatchSize::Rows(1));
    assert!(matches!(train(&plain, &data, 7).stop, StopReason::Diverged { .. }));
    let guarded = Recipe { optimizer: wrapped("sgd", &["guard"]), ..plain };
    let fitted = train(&guarded, &data, 7);
    assert_eq!((fitted.stop, fitted.steps), (StopReason::Completed, 5 * 19));
    assert!(fitted.history.iter().all(|epoch| epoch.train_loss.is_finite()));
    assert!(fitted.model.parameters().iter().all(|w| w.is_finite()));
    // If not one step of an epoch is possible, nothing is learned.
    let all = Recipe { batch_size: BatchSize::Full, ..guarded };
    assert_eq!(train(&all, &data, 7).stop, StopReason::Diverged { step: 0 });
}

#[test]
fn searches_train_on_full_and_on_mini_batches() {
    let data = Data::new(40, 0.0);
    let sgd = train(&recipe(30, BatchSize::Full), &data, 7);
    let last = |fitted: &Fitted| fitted.history.last().map(|epoch| epoch.train_loss).unwrap_or(f64::NAN);
    for (name, batch_size) in [
        ("lbfgs", BatchSize::Full),
        ("lbfgs", BatchSize::Rows(8)),
        ("gradient-descent", BatchSize::Full),
        ("gradient-descent", BatchSize::Rows(8)),
    ] {
        let recipe =
            Recipe { optimizer: OptimizerSpec::named(name), learning_rate: 1.0, ..recipe(30, batch_size) };
        let fitted = train(&recipe, &data, 7);
        assert_eq!(fitted.stop, StopReason::Completed);
        assert!(last(&fitted) < last(&sgd), "{name}, {batch_size}: {} {}", last(&fitted), last(&sgd));
    }
}
