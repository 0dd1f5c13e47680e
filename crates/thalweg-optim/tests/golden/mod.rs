//! The golden files, their problems, and a walk along one of their rows.

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_optim::{
    Dialect, Layout, OptimError, Optimizer, OptimizerSpec, Orientation, Real, Role, WrapSpec, from_fn,
};

/// A package's file and the dialect that must follow it.
pub(crate) struct File {
    pub(crate) dialect: Dialect,
    pub(crate) golden: Golden,
}

#[derive(Deserialize)]
pub(crate) struct Golden {
    torch: Option<String>,
    keras: Option<String>,
    optax: Option<String>,
    pub(crate) defaults: BTreeMap<String, BTreeMap<String, f64>>,
    problems: Vec<Problem>,
    pub(crate) runs: Vec<Run>,
    /// Runs with a wrapper around the optimizer.
    pub(crate) wrapped: Vec<Run>,
}

impl Golden {
    /// The version of the package that made the file.
    pub(crate) fn version(self, dialect: Dialect) -> String {
        let version = match dialect {
            Dialect::Torch => self.torch,
            Dialect::Keras => self.keras,
            _ => self.optax,
        };
        version.expect("a file names its package's version")
    }
}

#[derive(Deserialize)]
pub(crate) struct Run {
    pub(crate) optimizer: String,
    pub(crate) problem: String,
    pub(crate) hyperparameters: BTreeMap<String, f64>,
    /// W after some steps, by their number.
    pub(crate) w: BTreeMap<u64, Vec<f64>>,
    /// Whether the script took out what the package gets wrong; it says how.
    #[serde(default)]
    pub(crate) mended: bool,
    /// How close f64 can follow, where that is not the usual; the script says why.
    pub(crate) tolerance: Option<f64>,
    /// Where the model is judged, if that is not W.
    #[serde(default)]
    evaluation: BTreeMap<u64, Vec<f64>>,
    /// The average of W, of a wrapper that keeps one.
    #[serde(default)]
    average: BTreeMap<u64, Vec<f64>>,
    /// Lookahead's slow weights.
    #[serde(default)]
    slow: BTreeMap<u64, Vec<f64>>,
    /// How often a search had asked the objective after some steps.
    #[serde(default)]
    evaluations: BTreeMap<u64, u64>,
    /// What is around the optimizer; empty if nothing.
    #[serde(default)]
    pub(crate) wrapper: String,
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, f64>,
}

/// A problem of the scripts: an objective, where to start, and how W is cut into blocks.
#[derive(Deserialize)]
struct Problem {
    name: String,
    w0: Vec<f64>,
    layout: Option<Vec<(String, Vec<usize>, String)>>,
    #[serde(flatten)]
    form: Form,
}

/// An objective of the scripts; sums run left to right, as there.
#[derive(Deserialize)]
#[serde(tag = "form", rename_all = "lowercase")]
enum Form {
    Quadratic { a: Vec<Vec<f64>>, b: Vec<f64> },
    Logistic { x: Vec<Vec<f64>>, y: Vec<f64>, ridge: f64 },
    Cauchy { x: Vec<Vec<f64>>, y: Vec<f64> },
}

impl Problem {
    fn layout(&self) -> Layout {
        let Some(blocks) = &self.layout else { return Layout::vector(self.w0.len()) };
        let mut layout = Layout::default();
        for (name, shape, role) in blocks {
            let role = match role.as_str() {
                "weight" => Role::Weight,
                "bias" => Role::Bias,
                other => panic!("the role {other} is new"),
            };
            layout.push(name, shape, role);
        }
        layout
    }
}

impl Form {
    fn value(&self, w: &[f64]) -> f64 {
        let sum = |x: &[Vec<f64>], y: &[f64], term: fn(f64, f64) -> f64| -> f64 {
            x.iter().zip(y).map(|(x, &y)| term(dot(x, w), y)).sum()
        };
        match self {
            Self::Quadratic { a, b } => {
                let aw: Vec<f64> = a.iter().map(|row| dot(row, w)).collect();
                0.5 * dot(w, &aw) - dot(b, w)
            }
            Self::Logistic { x, y, ridge } => {
                sum(x, y, |z, y| (-y * z).exp().ln_1p()) + 0.5 * ridge * dot(w, w)
            }
            Self::Cauchy { x, y } => sum(x, y, |z, y| ((z - y) * (z - y)).ln_1p()),
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
            Self::Quadratic { a, b } => a.iter().zip(b).map(|(row, b)| dot(row, w) - b).collect(),
            Self::Logistic { x, y, ridge } => {
                let grad = pulled(x, y, |z, y| -y / (1.0 + (y * z).exp()));
                grad.iter().zip(w).map(|(g, w)| g + ridge * w).collect()
            }
            Self::Cauchy { x, y } => pulled(x, y, |z, y| 2.0 * (z - y) / (1.0 + (z - y) * (z - y))),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// All golden files.
pub(crate) fn files() -> Vec<File> {
    [
        (Dialect::Torch, include_str!("../../goldens/torch.json")),
        (Dialect::Keras, include_str!("../../goldens/keras.json")),
        (Dialect::Optax, include_str!("../../goldens/optax.json")),
    ]
    .into_iter()
    .map(|(dialect, text)| File {
        dialect,
        golden: serde_json::from_str(text).expect("the golden file is readable"),
    })
    .collect()
}

impl File {
    /// The rows of an optimizer.
    pub(crate) fn of(&self, optimizer: &str) -> Vec<&Run> {
        self.golden.runs.iter().filter(|run| run.optimizer == optimizer).collect()
    }

    /// What a row is, in a message.
    pub(crate) fn title(&self, run: &Run) -> String {
        format!(
            "{}: {} on {} with {:?}",
            self.dialect.name(),
            run.optimizer,
            run.problem,
            run.hyperparameters
        )
    }

    /// An optimizer of the registry with the defaults of the file's package.
    pub(crate) fn named(&self, optimizer: &str) -> OptimizerSpec {
        OptimizerSpec::named(optimizer).dialect(self.dialect)
    }

    /// Hyperparameters of the package by the names that they have here.
    pub(crate) fn translated(&self, optimizer: &str, given: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let rename = |(name, &value): (&String, &f64)| {
            let ours: Vec<(&str, f64)> = match (self.dialect, optimizer, name.as_str()) {
                (Dialect::Optax, "adafactor", "decay_rate") => vec![("beta2_decay", -value)],
                (Dialect::Optax, "adafactor", "epsilon") => vec![("epsilon1", value)],
                (Dialect::Optax, "adafactor", "multiply_by_parameter_scale") => {
                    vec![("parameter_scale", value)]
                }
                // The published scale of a matrix that shall step as AdamW does.
                (Dialect::Torch, "muon", "match_rms_adamw") => vec![("rms_rate", 0.2 * value)],
                (Dialect::Optax, "muon", "consistent_rms") => vec![("rms_rate", value)],
                (Dialect::Keras, "muon", "epsilon") => vec![("adam_epsilon", value)],
                (Dialect::Optax, "muon", "epsilon") => vec![("epsilon", value), ("adam_epsilon", value)],
                (_, _, name) => vec![(name, value)],
            };
            ours.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()
        };
        given.iter().flat_map(rename).collect()
    }

    /// The row's optimizer, or what of it the registry does not have.
    pub(crate) fn spec(&self, run: &Run) -> Result<OptimizerSpec, String> {
        let mut spec = self.named(&run.optimizer);
        let given = self.translated(&run.optimizer, &run.hyperparameters);
        for (name, &value) in given.iter().filter(|(name, _)| *name != "learning_rate") {
            spec = spec.with(name, value);
        }
        match spec.resolved() {
            Ok(_) => Ok(spec),
            Err(error @ (OptimError::UnknownOptimizer { .. } | OptimError::UnknownHyper { .. })) => {
                Err(format!("{}: {error}", self.dialect.name()))
            }
            Err(error) => panic!("{}: the script's settings are in range: {error}", self.title(run)),
        }
    }
}

/// Follows a row in `T` and answers the largest error after any stored step, relative to the largest |w| there.
pub(crate) fn largest_error<T: Real>(file: &File, run: &Run) -> f64 {
    let spec = file.spec(run).expect("a row that the registry can play");
    follow::<T>(file, run, &spec, Play::of(run)).0
}

/// The same from another start than the rule's own.
pub(crate) fn largest_error_from<T: Real>(file: &File, run: &Run, start: Start) -> f64 {
    let begin = |optimizer: &mut dyn Optimizer<T>| {
        let mut state = optimizer.save();
        for (name, tensor) in optimizer.save().entries() {
            if let Some(value) = start(run, name) {
                let values = vec![T::from_f64(value); tensor.values.len()];
                state.insert(name, &tensor.shape, T::values(values));
            }
        }
        optimizer.load(&state).expect("its own state with other numbers");
    };
    let spec = file.spec(run).expect("a row that the registry can play");
    follow::<T>(file, run, &spec, Play { begin: &begin, ..Play::of(run) }).0
}

/// What every number of a state is before the first step, by the state's name, where it is not the rule's own.
pub(crate) type Start = fn(&Run, &str) -> Option<f64>;

/// What following a row in f32 costs at least: the arithmetic is f64's, but W and the state are kept in f32 between
/// steps.
pub(crate) fn cost_of_f32(file: &File, run: &Run) -> f64 {
    let rounded = |w: f64| f64::from(w as f32);
    let after = |w: &mut [f64], optimizer: &mut dyn Optimizer<f64>| {
        w.iter_mut().for_each(|w| *w = rounded(*w));
        let mut state = optimizer.save();
        for (name, tensor) in optimizer.save().entries().iter().filter(|(name, _)| name.contains('/')) {
            if let Some(values) = f64::from_values(&tensor.values) {
                let values = values.iter().copied().map(rounded).collect();
                state.insert(name, &tensor.shape, f64::values(values));
            }
        }
        optimizer.load(&state).expect("its own state, rounded");
    };
    let spec = file.spec(run).expect("a row that the registry can play");
    follow::<f64>(file, run, &spec, Play { after: &after, ..Play::of(run) }).0
}

/// The same of a wrapped optimizer; and how far the path's end moves if its start moves by a rounding.
pub(crate) fn largest_wrapped_error<T: Real>(file: &File, row: &Run, wrapper: WrapSpec) -> (f64, f64) {
    let spec = file.spec(row).expect("a row that the registry can play").wrapped(wrapper);
    let judged = if row.slow.is_empty() { &row.average } else { &row.slow };
    let rounding = rounding::<T>();
    let (error, end) = follow::<T>(file, row, &spec, Play { judged_at: judged, ..Play::of(row) });
    let (_, nudged) =
        follow::<T>(file, row, &spec, Play { judged_at: judged, nudge: rounding, ..Play::of(row) });
    let nudged: Vec<f64> = nudged.iter().map(|w| w.to_f64()).collect();
    (error, distance(&end, &nudged))
}

/// How far a row's end moves in `T` if its start moves by a rounding.
pub(crate) fn moved_by_a_rounding<T: Real>(file: &File, run: &Run) -> f64 {
    let spec = file.spec(run).expect("a row that the registry can play");
    let [end, nudged] =
        [0.0, rounding::<T>()].map(|nudge| follow::<T>(file, run, &spec, Play { nudge, ..Play::of(run) }).1);
    let nudged: Vec<f64> = nudged.iter().map(|w| w.to_f64()).collect();
    distance(&end, &nudged)
}

/// Two units in the last place of 1.
fn rounding<T: Real>() -> f64 {
    if T::from_f64(1e-10) + T::ONE == T::ONE { 2.4e-7 } else { 4.5e-16 }
}

/// The error of a row whose matrices are stored the other way round, by a layout that says how they lie then.
pub(crate) fn largest_error_turned(file: &File, run: &Run, orientation: Orientation) -> f64 {
    let spec = file.spec(run).expect("a row that the registry can play");
    let problem = file.golden.problems.iter().find(|p| p.name == run.problem).expect("a problem of the file");
    let mut layout = Layout::default().with_orientation(orientation);
    // Where each number lies in the package's W.
    let mut place: Vec<usize> = Vec::new();
    for block in problem.layout().blocks() {
        let shape: Vec<usize> = block.shape.iter().rev().copied().collect();
        layout.push(&block.name, &shape, block.role);
        match *block.shape {
            [_] => place.extend(block.range.clone()),
            [rows, columns] => {
                let start = block.range.start;
                place.extend((0..rows * columns).map(|i| start + i % rows * columns + i / rows));
            }
            _ => panic!("a shape of more axes is new"),
        }
    }
    let back = |turned: &[f64]| {
        let mut w = vec![0.0; turned.len()];
        place.iter().zip(turned).for_each(|(&at, &turned)| w[at] = turned);
        w
    };
    let mut w: Vec<f64> = place.iter().map(|&at| problem.w0[at]).collect();
    let mut optimizer = spec.build::<f64>(&layout).expect("the script's settings are in range");
    let mut worst = 0.0_f64;
    for step in 1..=100 {
        let gradient = problem.form.gradient(&back(&w));
        let gradient: Vec<f64> = place.iter().map(|&at| gradient[at]).collect();
        optimizer.step_with(&mut w, &gradient, run.hyperparameters["learning_rate"]).expect("no look-ahead");
        if let Some(expected) = run.w.get(&step) {
            worst = worst.max(distance(&back(&w), expected));
        }
    }
    worst
}

static NONE: At = BTreeMap::new();

/// The error of a row's first steps alone, and how often the objective was asked in them, with what the file says.
pub(crate) fn first_steps(file: &File, run: &Run, steps: u64) -> (f64, [u64; 2]) {
    let spec = file.spec(run).expect("a row that the registry can play");
    let early: BTreeMap<_, _> =
        run.w.iter().filter(|(step, _)| **step <= steps).map(|(k, w)| (*k, w.clone())).collect();
    let problem = file.golden.problems.iter().find(|p| p.name == run.problem).expect("a problem of the file");
    let (mut w, mut asked) = (problem.w0.clone(), 0);
    let mut optimizer = spec.build::<f64>(&problem.layout()).expect("the script's settings are in range");
    let mut objective = from_fn(w.len(), |w: &[f64], grad: &mut [f64]| {
        grad.copy_from_slice(&problem.form.gradient(w));
        problem.form.value(w)
    });
    for _ in 0..steps {
        asked += u64::from(
            optimizer
                .step(&mut w, &mut objective, run.hyperparameters["learning_rate"])
                .expect("a step")
                .evaluations,
        );
    }
    let play = Play { w_at: &early, judged_at: &NONE, ..Play::of(run) };
    (follow::<f64>(file, run, &spec, play).0, [asked, run.evaluations[&steps]])
}

/// W after some steps, by their number.
type At = BTreeMap<u64, Vec<f64>>;

type After<'a, T> = &'a dyn Fn(&mut [T], &mut dyn Optimizer<T>);

/// How a row is followed.
struct Play<'a, T> {
    w_at: &'a At,
    /// Where the model is judged.
    judged_at: &'a At,
    /// The start is moved by this share.
    nudge: f64,
    /// Before the first step.
    begin: &'a dyn Fn(&mut dyn Optimizer<T>),
    /// After each step.
    after: After<'a, T>,
}

impl<'a, T: Real> Play<'a, T> {
    fn of(run: &'a Run) -> Self {
        Self { w_at: &run.w, judged_at: &run.evaluation, nudge: 0.0, begin: &|_| {}, after: &|_, _| {} }
    }
}

/// The largest error of W, and of where the model is judged; and the last W.
fn follow<T: Real>(file: &File, run: &Run, spec: &OptimizerSpec, play: Play<'_, T>) -> (f64, Vec<T>) {
    let problem = file.golden.problems.iter().find(|p| p.name == run.problem).expect("a problem of the file");
    let mut w: Vec<T> = problem.w0.iter().map(|&w| T::from_f64(w * (1.0 + play.nudge))).collect();
    let mut optimizer = spec.build::<T>(&problem.layout()).expect("the script's settings are in range");
    let mut objective = from_fn(w.len(), |w: &[T], grad: &mut [T]| {
        let w: Vec<f64> = w.iter().map(|w| w.to_f64()).collect();
        grad.iter_mut().zip(problem.form.gradient(&w)).for_each(|(g, exact)| *g = T::from_f64(exact));
        T::from_f64(problem.form.value(&w))
    });
    let mut worst = 0.0_f64;
    (play.begin)(&mut *optimizer);
    for step in 1..=100 {
        optimizer.step(&mut w, &mut objective, run.hyperparameters["learning_rate"]).expect("a step");
        (play.after)(&mut w, &mut *optimizer);
        if let Some(expected) = play.w_at.get(&step) {
            worst = worst.max(distance(&w, expected));
        }
        if let Some(expected) = play.judged_at.get(&step) {
            worst = worst.max(distance(&judged(&mut *optimizer, &w), expected));
        }
    }
    (worst, w)
}

/// Where the model is judged.
fn judged<T: Real>(optimizer: &mut dyn Optimizer<T>, w: &[T]) -> Vec<T> {
    let mut point = Vec::new();
    assert!(optimizer.average(w, &mut point), "{} must say where the model is judged", optimizer.name());
    point
}

/// Relative to the largest of `expected`; infinite if there is a NaN.
fn distance<T: Real>(found: &[T], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
    let errors = found.iter().zip(expected).map(|(found, expected)| (found.to_f64() - expected).abs() / size);
    errors.fold(0.0, |worst, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) })
}
