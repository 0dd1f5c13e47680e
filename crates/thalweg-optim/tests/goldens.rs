//! The `torch` dialect against the paths of `torch.optim` in `goldens/torch.json` (made by `goldens/torch_optim.py`).

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_optim::registry::{Entry, Kind, REGISTRY};
use thalweg_optim::{Layout, OptimizerSpec, Real, from_fn};

#[derive(Deserialize)]
struct Golden {
    torch: String,
    defaults: BTreeMap<String, BTreeMap<String, f64>>,
    problems: Vec<Problem>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    optimizer: String,
    problem: String,
    hyperparameters: BTreeMap<String, f64>,
    /// W after some steps, by their number.
    w: BTreeMap<u64, Vec<f64>>,
}

/// An objective of the script; sums run left to right, as there.
#[derive(Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
enum Problem {
    Quadratic { a: Vec<Vec<f64>>, b: Vec<f64>, w0: Vec<f64> },
    Logistic { x: Vec<Vec<f64>>, y: Vec<f64>, ridge: f64, w0: Vec<f64> },
    Cauchy { x: Vec<Vec<f64>>, y: Vec<f64>, w0: Vec<f64> },
}

impl Problem {
    fn name(&self) -> &'static str {
        match self {
            Self::Quadratic { .. } => "quadratic",
            Self::Logistic { .. } => "logistic",
            Self::Cauchy { .. } => "cauchy",
        }
    }

    fn start(&self) -> &[f64] {
        match self {
            Self::Quadratic { w0, .. } | Self::Logistic { w0, .. } | Self::Cauchy { w0, .. } => w0,
        }
    }

    fn gradient(&self, w: &[f64]) -> Vec<f64> {
        let pulled = |x: &[Vec<f64>], y: &[f64], pull: fn(f64, f64) -> f64| {
            let mut grad = vec![0.0; w.len()];
            for (x, &y) in x.iter().zip(y) {
                let pull = pull(dot(x, w), y);
                grad.iter_mut().zip(x).for_each(|(g, x)| *g += pull * x);
            }
            grad
        };
        match self {
            Self::Quadratic { a, b, .. } => a.iter().zip(b).map(|(row, b)| dot(row, w) - b).collect(),
            Self::Logistic { x, y, ridge, .. } => {
                let grad = pulled(x, y, |z, y| -y / (1.0 + (y * z).exp()));
                grad.iter().zip(w).map(|(g, w)| g + ridge * w).collect()
            }
            Self::Cauchy { x, y, .. } => pulled(x, y, |z, y| 2.0 * (z - y) / (1.0 + (z - y) * (z - y))),
        }
    }
}

/// The rows that see no shapes; `shaped.rs` follows the others.
fn elementwise() -> impl Iterator<Item = &'static Entry> {
    REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../goldens/torch.json")).expect("the golden file is readable")
}

/// Follows a run in `T` and answers the largest error after any stored step, relative to the largest |w| there.
fn largest_error<T: Real>(golden: &Golden, run: &Run) -> f64 {
    let problem = golden.problems.iter().find(|p| p.name() == run.problem).expect("a problem of the file");
    let mut spec = OptimizerSpec::named(&run.optimizer);
    for (name, &value) in run.hyperparameters.iter().filter(|(name, _)| *name != "learning_rate") {
        spec = spec.with(name, value);
    }
    let mut w: Vec<T> = problem.start().iter().map(|&w| T::from_f64(w)).collect();
    let mut optimizer =
        spec.build::<T>(&Layout::vector(w.len())).expect("the script's settings are in range");
    let mut objective = from_fn(w.len(), |w: &[T], grad: &mut [T]| {
        let w: Vec<f64> = w.iter().map(|w| w.to_f64()).collect();
        grad.iter_mut().zip(problem.gradient(&w)).for_each(|(g, exact)| *g = T::from_f64(exact));
        T::ZERO
    });
    let mut worst = 0.0_f64;
    for step in 1..=100 {
        optimizer.step(&mut w, &mut objective, run.hyperparameters["learning_rate"]);
        let Some(expected) = run.w.get(&step) else { continue };
        let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
        for (found, expected) in w.iter().zip(expected) {
            let error = (found.to_f64() - expected).abs() / size;
            assert!(!error.is_nan(), "{} on {}, step {step}", run.optimizer, run.problem);
            worst = worst.max(error);
        }
    }
    worst
}

#[test]
fn every_rule_has_golden_paths_of_100_steps() {
    let golden = golden();
    assert_eq!(golden.torch, "2.15.0");
    for entry in elementwise() {
        let name = entry.info.name;
        let runs: Vec<_> = golden.runs.iter().filter(|run| run.optimizer == name).collect();
        assert!(runs.len() >= 9, "{name} has {} golden paths: add it to torch_optim.py", runs.len());
        for run in runs {
            assert_eq!(run.w.keys().copied().collect::<Vec<_>>(), [1, 2, 10, 100]);
            let mut given: Vec<_> = run.hyperparameters.keys().map(String::as_str).collect();
            given.retain(|&name| name != "learning_rate");
            let mut known: Vec<_> = (entry.hyper)().iter().map(|(name, ..)| *name).collect();
            known.sort_unstable();
            assert_eq!(given, known, "{name}: a golden path must set every hyperparameter");
        }
    }
}

#[test]
fn f64_follows_torch() {
    let golden = golden();
    for run in &golden.runs {
        let error = largest_error::<f64>(&golden, run);
        assert!(
            error <= 1e-10,
            "{} on {} with {:?}: {error:e}",
            run.optimizer,
            run.problem,
            run.hyperparameters
        );
    }
}

/// A step rounds to about 6e-8 of W, and an ill-conditioned path carries that on: what 100 steps may add up to is 100
/// such roundings.
#[test]
fn f32_follows_torch_as_closely_as_its_digits_allow() {
    let golden = golden();
    for run in &golden.runs {
        let error = largest_error::<f32>(&golden, run);
        assert!(
            error <= 6e-6,
            "{} on {} with {:?}: {error:e}",
            run.optimizer,
            run.problem,
            run.hyperparameters
        );
    }
}

#[test]
fn the_torch_dialect_has_the_defaults_of_torch_s_signatures() {
    let golden = golden();
    for entry in elementwise() {
        let name = entry.info.name;
        let defaults = &golden.defaults[name];
        assert_eq!(entry.info.learning_rate.torch, defaults["learning_rate"], "{name}");
        for (hyper, value) in OptimizerSpec::named(name).resolved().expect("a row of the registry") {
            assert_eq!(value, defaults[hyper], "{name}: {hyper}");
        }
        assert_eq!(defaults.len(), 1 + (entry.hyper)().len(), "{name}");
    }
}
