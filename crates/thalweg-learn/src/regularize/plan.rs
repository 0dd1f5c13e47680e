//! What regularization does within the training loop: made before the first step, with all memory that steps need.

use std::fmt::Debug;

use rand::RngCore;
use thalweg_optim::Layout;
use thalweg_optim::random::stream;

use super::augment::affine::Warps;
use super::draws::Draws;
use super::finds::Finds;
use super::noise::weight::NoisyWeights;
use super::spec::RegularizeSpec;
use super::technique::Labels;
use crate::nn::{LayerSpec, Loss, SoftClasses, Targets};
use crate::train::{Recipe, Samples};

/// Changes a gathered batch.
pub trait Alter: Debug + Send {
    /// Looks through all training rows for what it has to know of them, once and before the first batch. `keep_going` is
    /// asked now and then; false if it said no, and then no batch comes.
    fn survey(&mut self, _train: Samples<'_>, _finds: &Finds, _keep_going: &dyn Fn() -> bool) -> bool {
        true
    }

    /// The same `key` makes the same of the same batch. Rows are independent of each other and of their number, unless it
    /// mixes them.
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64);

    /// Whether it gives rows a second class.
    fn mixes(&self) -> bool {
        false
    }
}

/// A batch on its way to the network.
#[derive(Debug)]
pub struct Batch<'a> {
    /// All training rows.
    pub train: Samples<'a>,
    /// Which of them these are.
    pub rows: &'a [u32],
    /// Their numbers, row-major.
    pub x: &'a mut [f32],
    /// A class code for each row; empty for numbers.
    pub classes: &'a mut [u32],
    /// A number for each row; empty for classes.
    pub values: &'a mut [f32],
    /// Another class for each row.
    pub second: &'a mut [u32],
    /// How much of each row's class is the first.
    pub share: &'a mut [f32],
    /// The key of the step, as the layers know it.
    pub step_key: u64,
}

impl Batch<'_> {
    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.train.shape.len()
    }
}

/// What an [`Alter`] is made for.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The training rows, with the labels that training sees.
    pub train: Samples<'a>,
    /// Rows in a step, at most.
    pub batch: usize,
    /// Parts into which a step is cut.
    pub shards: usize,
    /// The recipe's layers before the output.
    pub layers: &'a [LayerSpec],
    /// Of draws that are made once.
    pub key: u64,
    /// What is known of these rows.
    pub finds: &'a Finds,
}

/// All that a recipe's techniques do to batches and to the point where the gradient is taken.
#[derive(Debug, Default)]
pub struct BatchPlan {
    /// Replaced labels of all training rows.
    labels: Option<Labels>,
    /// Pixels that move come first, in one pass.
    warps: Option<Warps>,
    /// Those before the warp, then those behind it, each with its key.
    alters: Vec<(u64, Box<dyn Alter>)>,
    /// How many of them stand before the warp.
    before: usize,
    smoothing: f32,
    soft: bool,
    second: Vec<u32>,
    share: Vec<f32>,
}

impl RegularizeSpec {
    /// What disturbs the weights in each step of a training, if a technique does.
    pub fn weight_noise(&self, layout: &Layout, seed: u64) -> Option<NoisyWeights> {
        self.chosen().iter().find_map(|chosen| {
            let law = chosen.technique().weight_noise(chosen.values())?;
            Some(NoisyWeights::new(law, layout, key(seed, chosen.name())))
        })
    }
}

/// The key of a technique in a training.
fn key(seed: u64, name: &str) -> u64 {
    stream(seed, &format!("regularize {name}"), 0).next_u64()
}

impl BatchPlan {
    /// The plan for a training of the recipe on these rows. `outputs` is the network's width.
    pub fn new(recipe: &Recipe, train: Samples<'_>, outputs: usize, seed: u64, finds: &Finds) -> Self {
        let (spec, loss, layers) = (&recipe.regularize, recipe.loss, recipe.plain_layers());
        let batch = recipe.batch_size.resolve(train.rows());
        // As many parts as the objective has.
        let shards = (recipe.shards as usize).clamp(1, batch.max(1));
        let labels = spoiled(spec, train.targets, loss, outputs, seed);
        let train = Samples { targets: seen(labels.as_ref(), train.targets), ..train };
        let mut plan = Self::default();
        let mut warps = Warps::new(train.shape);
        for chosen in spec.chosen() {
            let (technique, values, key) = (chosen.technique(), chosen.values(), key(seed, chosen.name()));
            if let Some(warp) = technique.warp() {
                warps.push(warp, values, key);
                plan.before = plan.alters.len();
            }
            let scene = Scene { train, batch, shards, layers: &layers, key, finds };
            plan.alters.extend(technique.alter(values, &scene).map(|alter| (key, alter)));
            if let Some(smoothing) = technique.smoothing(values) {
                plan.smoothing = smoothing as f32;
            }
        }
        let classes = matches!(train.targets, Targets::Classes(_));
        plan.soft = classes && (plan.smoothing > 0.0 || plan.alters.iter().any(|(_, alter)| alter.mixes()));
        plan.second = vec![0; if classes { batch } else { 0 }];
        plan.share = vec![1.0; batch];
        plan.warps = (!warps.is_empty()).then_some(warps);
        plan.labels = labels;
        plan
    }

    /// Lets whatever changes batches look through all rows first: see [`Alter::survey`]. False if it was interrupted.
    pub fn survey(&mut self, train: Samples<'_>, finds: &Finds, keep_going: &dyn Fn() -> bool) -> bool {
        let train = Samples { targets: seen(self.labels.as_ref(), train.targets), ..train };
        self.alters.iter_mut().all(|(_, alter)| alter.survey(train, finds, keep_going))
    }

    /// Whether batches go to the network as they are.
    pub fn leaves_batches(&self) -> bool {
        self.labels.is_none() && self.warps.is_none() && self.alters.is_empty() && !self.soft
    }

    /// Changes the gathered rows; `step` counts the batches from 0, and its layers have `step_key`.
    #[expect(clippy::too_many_arguments, reason = "the parts of a batch and of its address")]
    pub fn alter(
        &mut self,
        train: Samples<'_>,
        rows: &[u32],
        x: &mut [f32],
        classes: &mut [u32],
        values: &mut [f32],
        step: u64,
        step_key: u64,
    ) {
        match &self.labels {
            Some(Labels::Classes { codes, .. }) => {
                classes.iter_mut().zip(rows).for_each(|(class, &row)| *class = codes[row as usize]);
            }
            Some(Labels::Values(spoiled)) => {
                values.iter_mut().zip(rows).for_each(|(value, &row)| *value = spoiled[row as usize]);
            }
            None => {}
        }
        let second = &mut self.second[..classes.len()];
        second.copy_from_slice(classes);
        let share = &mut self.share[..rows.len()];
        share.fill(1.0);
        let train = Samples { targets: seen(self.labels.as_ref(), train.targets), ..train };
        let mut batch = Batch { train, rows, x, classes, values, second, share, step_key };
        let (before, behind) = self.alters.split_at_mut(self.before);
        for (key, alter) in before {
            alter.alter(&mut batch, Draws::key(*key, step));
        }
        if let Some(warps) = &mut self.warps {
            warps.run(batch.x, step);
        }
        for (key, alter) in behind {
            alter.alter(&mut batch, Draws::key(*key, step));
        }
    }

    /// The targets of the rows that were altered last, given their altered classes or values.
    pub fn targets<'a>(&'a self, plain: Targets<'a, f32>) -> Targets<'a, f32> {
        match plain {
            Targets::Classes(first) if self.soft => Targets::Soft(SoftClasses {
                first,
                second: &self.second[..first.len()],
                share: &self.share[..first.len()],
                smoothing: self.smoothing,
            }),
            plain => plain,
        }
    }
}

/// The targets that training sees.
fn seen<'a>(labels: Option<&'a Labels>, targets: Targets<'a, f32>) -> Targets<'a, f32> {
    match labels {
        Some(Labels::Classes { codes, .. }) => Targets::Classes(codes),
        Some(Labels::Values(values)) => Targets::Values(values),
        None => targets,
    }
}

/// The labels that a training of the recipe is shown in place of `train`'s, if a technique replaces some.
pub fn labels_shown(recipe: &Recipe, train: Samples<'_>, outputs: usize, seed: u64) -> Option<Labels> {
    spoiled(&recipe.regularize, train.targets, recipe.loss, outputs, seed)
}

/// The labels of all rows, if a technique replaces some.
fn spoiled(
    spec: &RegularizeSpec,
    targets: Targets<'_, f32>,
    loss: Loss,
    outputs: usize,
    seed: u64,
) -> Option<Labels> {
    let mut spoilers = spec.chosen().iter().filter(|chosen| chosen.technique().spoils()).peekable();
    spoilers.peek()?;
    let count = if loss == Loss::Binary { 2 } else { outputs as u32 };
    let mut labels = match targets {
        Targets::Classes(codes) => Labels::Classes { codes: codes.to_vec(), count },
        Targets::Values(values) => Labels::Values(values.to_vec()),
        // No training has such samples.
        Targets::Soft(_) => return None,
    };
    for chosen in spoilers {
        let mut draws = Draws::new(key(seed, chosen.name()));
        chosen.technique().spoil(chosen.values(), &mut labels, &mut draws);
    }
    Some(labels)
}
