//! The plan of a study: every fold, every trial, and the key by which each is known.

use thalweg_data::{Dataset, Preparation, Rows, Split, View};
use thalweg_eval::split::test_over_train;
use thalweg_eval::stats::ALPHA;
use thalweg_eval::{Metric, SplitError, Splitter, cross_validate};
use thalweg_learn::Baseline;
use thalweg_learn::estimator::{default_loss, outputs, prepare, shape_of};
use thalweg_learn::nn::Loss;
use thalweg_learn::nn::spec::MOST_WEIGHTS;
use thalweg_learn::regularize::RegularizeSpec;
use thalweg_learn::train::{Recipe, RecipeError};
use thalweg_optim::kernel::levels;
use thalweg_optim::random::stream;
use thalweg_optim::{Layout, OptimizerSpec};

use super::error::StudyError;
use super::method::{Method, Methods, Place};
use super::reproduce::command;
use super::spec::{LossChoice, StudySpec};
use super::summary::{DataInfo, Protocol, StudyRecord};
use super::trial::{Role, Trial, Tuned};

/// Stands in front of every key: a change of what a trial means changes every key.
const TRIAL_LAYOUT: &str = "thalweg trial 4";

/// The largest width of a hidden layer: more is a typing error, and would ask for gigabytes.
const WIDEST: usize = 65_536;

/// A study that can be run: all settings are checked, all folds are drawn.
#[derive(Debug)]
pub struct Plan<'d> {
    pub(crate) spec: StudySpec,
    pub(crate) data: &'d Dataset,
    pub(crate) metric: Metric,
    pub(crate) outputs: usize,
    pub(crate) folds: Vec<Fold>,
    pub(crate) methods: Vec<Method>,
    /// Techniques that were asked for as «all» and do not apply.
    left_out: Vec<String>,
    /// What every method has.
    regularize: RegularizeSpec,
    loss: Loss,
    policy: &'static str,
    test_over_train: f64,
    fingerprint: String,
    baseline: Baselines,
    /// That of the first fold, to be shown.
    preparation: Preparation,
}

/// An outer fold with its inner split.
#[derive(Debug)]
pub(crate) struct Fold {
    /// The rows to refit on, and to score on.
    pub(crate) outer: Split,
    /// Within the outer training part: the rows to fit on, and to validate on.
    pub(crate) inner: Split,
    /// Decides start weights and batch order: the same for all methods, so that they are compared on equal terms.
    pub(crate) seed: u64,
    /// The hashes of the two splits.
    keys: [String; 2],
}

/// The mean score of the constant prediction on the test and on the validation parts.
#[derive(Debug, Clone, Copy, Default)]
struct Baselines {
    test: Option<f64>,
    validation: Option<f64>,
}

impl<'d> Plan<'d> {
    /// Checks all settings against the data and draws the folds.
    ///
    /// # Errors
    /// See [`StudyError`]; nothing has been written then.
    pub fn new(mut spec: StudySpec, data: &'d Dataset) -> Result<Self, StudyError> {
        check_settings(&spec)?;
        let metric = spec.metric.unwrap_or(Metric::default_for(data.task()));
        metric.check(data.task())?;
        spec.metric = Some(metric);
        let loss = match spec.loss {
            LossChoice::Auto => default_loss(data),
            LossChoice::Named(loss) => loss,
        };
        let outputs = outputs(loss, data)?;
        let named = |error: SplitError| StudyError::Split(error.with_class_names(data.class_names()));
        let rows = Rows::all(data);
        let splitter = spec.split.resolve(&rows).map_err(named)?;
        // A group that is named but taken apart would be a promise broken in silence.
        if rows.groups.is_some() && ["k-fold", "stratified"].contains(&splitter.name()) {
            return Err(named(SplitError::GroupsDivided { policy: splitter.name() }));
        }
        let outer = splitter.split(&rows, spec.seed).map_err(named)?;
        // Of the undivided training parts: the correction is for what these share, and smaller ones share less.
        let test_over_train = test_over_train(&outer);
        let folds = outer
            .into_iter()
            .enumerate()
            .map(|(index, outer)| Fold::new(index, outer, splitter.as_ref(), &spec, data).map_err(named))
            .collect::<Result<Vec<_>, _>>()?;
        let policy = splitter.name();
        let fingerprint = data.fingerprint();
        let preparation = prepare(&spec.network, &folds[0].outer.views(data).0)?;
        let regularize = spec.every_method().map_err(StudyError::Regularize)?;
        let mut plan = Self {
            methods: Vec::new(),
            left_out: Vec::new(),
            regularize,
            spec,
            data,
            metric,
            outputs,
            folds,
            loss,
            policy,
            test_over_train,
            fingerprint,
            baseline: Baselines::default(),
            preparation,
        };
        plan.check_folds()?;
        let methods = plan.name_methods()?;
        (plan.methods, plan.left_out) = (methods.all, methods.left_out);
        plan.check_recipes()?;
        plan.baseline = plan.score_baseline()?;
        Ok(plan)
    }

    /// What a store keeps of the study beside its trials.
    pub fn record(&self) -> StudyRecord {
        let (spec, data) = (&self.spec, self.data);
        let sizes = |part: fn(&Fold) -> &[u32]| self.folds.iter().map(|fold| part(fold).len()).collect();
        StudyRecord {
            spec: spec.clone(),
            data: DataInfo {
                name: data.name.clone(),
                rows: data.rows(),
                features: data.inputs(),
                task: data.task(),
                target: data.target_name.clone(),
                classes: data.class_names().to_vec(),
                fingerprint: self.fingerprint.clone(),
                warnings: data.warnings.clone(),
                inputs: self.preparation.width(),
                preparation: self.preparation.notes().to_vec(),
            },
            protocol: Protocol {
                cv: self.policy.to_owned(),
                folds: spec.split.folds,
                repeats: spec.split.repeats,
                gap: spec.split.gap,
                train_rows: sizes(|fold| fold.outer.train()),
                test_rows: sizes(|fold| fold.outer.test()),
                validation_rows: sizes(|fold| fold.inner.test()),
                test_over_train: self.test_over_train,
                higher_is_better: self.metric.higher_is_better(),
                baseline: self.baseline.test,
                validation_baseline: self.baseline.validation,
                methods: self.methods.iter().map(|method| method.name.clone()).collect(),
                left_out: self.left_out.clone(),
                learning_rates: spec.learning_rates.values().to_vec(),
                schedule: spec.schedule.to_string(),
                wrap: spec.wrap.iter().map(ToString::to_string).collect(),
                loss: self.loss.name().to_owned(),
                dialect: spec.dialect.name().to_owned(),
                network: spec.network.to_string(),
                hidden: spec.hidden.clone(),
                activation: spec.activation.name().to_owned(),
                init: spec.init.name().to_owned(),
                epochs: spec.epochs,
                patience: spec.patience,
                batch_size: spec.batch_size.to_string(),
                seed: spec.seed,
                alpha: ALPHA,
                cpu_level: cpu_level(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                command: command(spec),
            },
        }
    }

    /// How many trials there are, refits included.
    pub fn trials(&self) -> u64 {
        let rates = self.spec.learning_rates.values().len();
        (self.folds.len() * self.methods.len() * (rates + 1)) as u64
    }

    /// The inner trials of one fold and method, in the order of the learning rates.
    pub(crate) fn inner_trials(&self, fold: usize, method: usize) -> Vec<Trial> {
        let rates = self.spec.learning_rates.values().iter().enumerate();
        rates
            .map(|(index, &learning_rate)| {
                let strength = self.methods[method].strength(index);
                let tuned = Tuned { learning_rate, strength, epochs: self.spec.epochs };
                self.trial(fold, method, Role::Inner, tuned)
            })
            .collect()
    }

    /// A refit with what the inner trials chose.
    pub(crate) fn refit(&self, fold: usize, method: usize, tuned: Tuned) -> Trial {
        self.trial(fold, method, Role::Refit, tuned)
    }

    fn trial(&self, fold: usize, method: usize, role: Role, tuned: Tuned) -> Trial {
        let (spec, method) = (&self.spec, &self.methods[method]);
        let Tuned { learning_rate, strength, epochs } = tuned;
        // Where early stopping is one of the techniques, the others do without.
        let patient = role == Role::Inner
            && spec.regularizers.is_empty()
            && spec.patience > 0
            && self.regularize.stopping().is_none();
        let recipe = Recipe {
            network: spec.network.clone(),
            hidden: spec.hidden.clone(),
            activation: spec.activation,
            init: spec.init,
            loss: self.loss,
            optimizer: spec.optimizer(&method.optimizer),
            learning_rate,
            epochs,
            batch_size: spec.batch_size,
            patience: patient.then_some(spec.patience),
            schedule: spec.schedule.clone(),
            // A refit of fewer epochs has the rates that were validated: those of the first epochs of the whole.
            // (Some techniques, too, begin at a share of the whole.)
            schedule_epochs: (!(spec.schedule.is_default() && self.regularize.is_empty())
                && epochs != spec.epochs)
                .then_some(spec.epochs),
            regularize: self.regularize.clone(),
            shards: 1,
        };
        let recipe = method.apply(recipe, strength, role == Role::Refit);
        let (method, best_epoch) = (method.name.clone(), method.best_epoch);
        Trial { fold, method, strength, best_epoch, role, recipe }
    }

    /// The recipe of all methods, as far as it does not depend on them.
    fn common(&self) -> Recipe {
        let spec = &self.spec;
        Recipe {
            network: spec.network.clone(),
            hidden: spec.hidden.clone(),
            activation: spec.activation,
            init: spec.init,
            loss: self.loss,
            regularize: self.regularize.clone(),
            batch_size: spec.batch_size,
            ..Recipe::default()
        }
    }

    /// The methods, checked against the data and the network.
    fn name_methods(&self) -> Result<Methods, StudyError> {
        let common = self.common();
        let input = shape_of(&self.preparation);
        let rows = self.folds.iter().map(|fold| fold.inner.train().len()).min().unwrap_or(1);
        common.check(input, rows).map_err(StudyError::Regularize)?;
        for name in &self.spec.optimizers {
            let recipe = Recipe { optimizer: self.spec.optimizer(name), ..common.clone() };
            recipe.build_optimizer(&Layout::vector(1), rows, 0).map_err(StudyError::of_recipe)?;
        }
        let layers = Recipe { regularize: RegularizeSpec::default(), ..common.clone() }.layers();
        let place = Place { input, recipe: &common, layers: &layers, rows };
        Methods::new(&self.spec, &place).map_err(StudyError::Regularizers)
    }

    /// Builds what every trial of the first fold is made of, so that none fails in the middle of a study.
    fn check_recipes(&self) -> Result<(), StudyError> {
        let input = shape_of(&self.preparation);
        let rows = self.folds.iter().map(|fold| fold.inner.train().len()).min().unwrap_or(1);
        for (index, method) in self.methods.iter().enumerate() {
            // What every method has was checked before: what is wrong now is a technique's, if there is one.
            let wrong = |error: RecipeError| match error {
                RecipeError::Regularize(error) if method.is_technique() => StudyError::Regularizers(error),
                error => StudyError::of_recipe(error),
            };
            for trial in self.inner_trials(0, index) {
                let recipe = &trial.recipe;
                recipe.check(input, rows).map_err(|error| wrong(error.into()))?;
                let network = recipe.network(input, self.outputs)?;
                if network.layout().len() > MOST_WEIGHTS {
                    return Err(StudyError::Setting {
                        flag: "network",
                        value: self.spec.network.to_string(),
                        expected: format!(
                            "a network of at most {MOST_WEIGHTS} weights, and this one has {}",
                            network.layout().len()
                        ),
                    });
                }
                recipe.build_optimizer(network.layout(), rows, 0).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// The hash of all that decides a trial's bits.
    pub(crate) fn key(&self, trial: &Trial) -> String {
        let fold = &self.folds[trial.fold];
        let parts = (
            TRIAL_LAYOUT,
            cpu_level(),
            &self.fingerprint,
            &fold.keys,
            fold.seed,
            trial.role,
            // Refits of two criteria to stop by may be the same training; each is its method's own.
            &trial.method,
            trial.best_epoch,
            self.metric,
            &trial.recipe,
        );
        let text = serde_json::to_string(&parts).expect("plain data have a JSON form");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// Refuses folds in which nothing can be learned or scored.
    fn check_folds(&self) -> Result<(), StudyError> {
        let hint = "; check --ignore, or give more rows";
        for (index, fold) in self.folds.iter().enumerate() {
            let (train, _) = fold.outer.views(self.data);
            let (inner, _) = train.inner(&fold.inner);
            for view in [&train, &inner] {
                let preparation = prepare(&self.spec.network, view)?;
                if preparation.width() == 0 {
                    return Err(StudyError::NoFeatures { fold: index + 1, hint });
                }
            }
        }
        Ok(())
    }

    /// The mean score of the constant prediction; also finds parts on which the metric is not defined.
    fn score_baseline(&self) -> Result<Baselines, StudyError> {
        let undefined = |part, fold: usize, rows| StudyError::UndefinedMetric {
            metric: self.metric,
            part,
            fold: fold + 1,
            rows,
        };
        let (mut test, mut validation) = (0.0, 0.0);
        for (index, fold) in self.folds.iter().enumerate() {
            let score = |split: &Split| {
                cross_validate(&Baseline, self.data, std::slice::from_ref(split), self.metric, 0)
                    .map(|scores| scores[0])
            };
            let (train, _) = fold.outer.views(self.data);
            let rows = train.rows();
            let global = |part: &[u32]| part.iter().map(|&row| rows[row as usize]).collect::<Vec<_>>();
            let inner = Split::new(self.data.rows(), global(fold.inner.train()), global(fold.inner.test()));
            validation += score(&inner)?.ok_or_else(|| undefined("validation", index, inner.test().len()))?;
            test += score(&fold.outer)?.ok_or_else(|| undefined("test", index, fold.outer.test().len()))?;
        }
        let mean = |sum: f64| Some(sum / self.folds.len() as f64).filter(|mean| mean.is_finite());
        Ok(Baselines { test: mean(test), validation: mean(validation) })
    }
}

impl Fold {
    fn new(
        index: usize,
        outer: Split,
        splitter: &dyn Splitter,
        spec: &StudySpec,
        data: &Dataset,
    ) -> Result<Self, SplitError> {
        use rand::RngCore;
        let seed = stream(spec.seed, "fold", index as u64).next_u64();
        let outer = match spec.train_size {
            Some(rows) => smaller(outer, rows, splitter, data, seed)?,
            None => outer,
        };
        let (train, _) = outer.views(data);
        let inner = splitter.holdout(&train.describe(), spec.validation, seed)?;
        let keys = [&outer, &inner].map(|split| {
            let mut hash = blake3::Hasher::new();
            for part in [split.train(), split.test()] {
                hash.update(&(part.len() as u64).to_le_bytes());
                part.iter().for_each(|row| {
                    hash.update(&row.to_le_bytes());
                });
            }
            hash.finalize().to_hex().to_string()
        });
        Ok(Self { outer, inner, seed, keys })
    }
}

/// A split with so many training rows, chosen as a validation part is; a training part that has no more stays whole.
fn smaller(
    outer: Split,
    rows: usize,
    splitter: &dyn Splitter,
    data: &Dataset,
    seed: u64,
) -> Result<Split, SplitError> {
    let (train, _) = outer.views(data);
    let have = train.rows().len();
    if rows >= have {
        return Ok(outer);
    }
    let part = splitter.holdout(&train.describe(), rows as f64 / have as f64, seed)?;
    let chosen: Vec<u32> = part.test().iter().map(|&row| outer.train()[row as usize]).collect();
    Ok(Split::new(data.rows(), chosen, outer.test().to_vec()))
}

fn cpu_level() -> String {
    format!("{:?}", levels()[0]).to_lowercase()
}

fn check_settings(spec: &StudySpec) -> Result<(), StudyError> {
    let setting = |flag, value: String, expected: &str| {
        Err(StudyError::Setting { flag, value, expected: expected.to_owned() })
    };
    if !spec.regularizers.is_empty() && spec.optimizers.len() != 1 {
        return setting(
            "optimizers",
            spec.optimizers.join(","),
            "one name with --regularizers: techniques are compared under one optimizer",
        );
    }
    if !(0.0..1.0).contains(&spec.label_noise) {
        return setting(
            "label-noise",
            spec.label_noise.to_string(),
            "at least 0 and less than 1, such as 0.2",
        );
    }
    if spec.train_size.is_some_and(|rows| rows < 4) {
        let rows = spec.train_size.unwrap_or_default().to_string();
        return setting("train-size", rows, "at least 4 rows");
    }
    if spec.optimizers.is_empty() {
        return setting(
            "optimizers",
            "(none)".to_owned(),
            "at least one name; see `thalweg list optimizers`",
        );
    }
    for (index, name) in spec.optimizers.iter().enumerate() {
        OptimizerSpec::named(name).dialect(spec.dialect).resolved()?;
        // Built once, for what a wrapper cannot go around.
        spec.optimizer(name).build::<f32>(&Layout::vector(1)).map_err(StudyError::Wrap)?;
        if spec.optimizers[..index].contains(name) {
            return setting("optimizers", name.clone(), "named once");
        }
    }
    spec.schedule.check()?;
    if let Some(width) = spec.hidden.iter().find(|width| !(1..=WIDEST).contains(*width)) {
        return setting("hidden", width.to_string(), "widths from 1 to 65536, separated by commas");
    }
    if !(1..=1_000_000).contains(&spec.epochs) {
        return setting("epochs", spec.epochs.to_string(), "from 1 to 1000000");
    }
    if !(spec.validation > 0.0 && spec.validation < 1.0) {
        return setting("validation", spec.validation.to_string(), "between 0 and 1, such as 0.2");
    }
    Ok(())
}
