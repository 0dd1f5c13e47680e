//! What an average of the weights needs besides: running statistics of its own, and a word where it never came to be.

use rand::seq::SliceRandom;
use thalweg_optim::random::stream;
use thalweg_optim::wrap::Swa;
use thalweg_optim::{Objective, OptimizerSpec};

use super::fit::Samples;
use super::gathered::Gathered;
use super::recipe::Recipe;
use crate::nn::{LayerSpec, Loss, Mode, Network, ShardedObjective, Shards};

/// The running statistics of batch normalization, taken anew: those of W's path are of other weights than the average.
///
/// One pass over the training rows in batches of the training's size, each cut into the recipe's shards and ghosts, in an
/// order of the stream (seed, "running statistics", 0): rows that lie sorted by class would make batches of one class. Each
/// layer normalizes by the batch, as in training; but nothing is random ([`Mode::Measure`]: no dropout, no noise, no mixing),
/// and rows are as they are, without augmentation, since so the network is used. The statistics are the batches' means,
/// weighed by their rows (with unbiased variances): r ← r + b/n·(s − r) for a batch of b rows among n so far.
///
/// As `bn_update` of the authors of SWA (Izmailov et al., *Averaging weights leads to wider optima and better generalization*,
/// 2018). PyTorch's `update_bn` weighs a smaller last batch as any other, drops out and sees augmented rows.
#[derive(Debug)]
pub(super) struct Statistics {
    /// The recipe's network, where the statistics of a batch take the place of the running ones at once.
    network: Network<f32>,
    loss: Loss,
    /// Empty until it is needed.
    order: Vec<u32>,
    buffers: Vec<f32>,
    /// Those of a batch.
    own: Vec<f32>,
}

impl Statistics {
    /// Of the recipe's network.
    ///
    /// # Panics
    /// If the recipe's layers do not fit the samples.
    pub(super) fn new(recipe: &Recipe, train: &Samples<'_>, outputs: usize) -> Self {
        let mut layers = recipe.layers();
        for layer in &mut layers {
            layer.change_each(&mut |layer| {
                if let LayerSpec::BatchNorm(settings) = layer {
                    settings.momentum = 1.0;
                }
            });
        }
        let network =
            Network::build(&layers, train.shape, outputs, recipe.init).expect("the layers of a training");
        let buffers = network.init_buffers();
        Self { network, loss: recipe.loss, order: Vec::new(), own: buffers.clone(), buffers }
    }

    /// Those of the network with the parameters `w`.
    pub(super) fn take(
        &mut self,
        w: &[f32],
        train: &Samples<'_>,
        batch: usize,
        seed: u64,
        gathered: &mut Gathered,
        shards: &mut Shards<f32>,
    ) -> &[f32] {
        let rows = train.rows();
        if self.order.is_empty() {
            self.order.extend(0..rows as u32);
            if batch < rows {
                self.order.shuffle(&mut stream(seed, "running statistics", 0));
            }
        }
        // What was taken before leaves no trace, not even in the last digit.
        self.network.reset_buffers(&mut self.buffers);
        let mut seen = 0;
        for rows in self.order.chunks(batch) {
            gathered.fill(train, rows);
            let batch = gathered.samples(train);
            let mut objective = ShardedObjective {
                network: &self.network,
                buffers: &self.buffers,
                shards,
                loss: self.loss,
                x: batch.x,
                targets: batch.targets,
                mode: Mode::Measure,
            };
            // Its value is of no use; what its layers keep is.
            objective.value(w);
            // A layer that can tell no variance of the batch leaves what was there, so that it does not count.
            self.own.copy_from_slice(&self.buffers);
            shards.update_buffers(&self.network, &mut self.own);
            seen += rows.len();
            let share = rows.len() as f32 / seen as f32;
            self.buffers.iter_mut().zip(&self.own).for_each(|(r, s)| *r += share * (s - *r));
        }
        &self.buffers
    }
}

/// What is to be said if the weights that were kept, those after the step `kept` of `done`, come before all that SWA
/// averages.
pub(super) fn unaveraged(optimizer: &OptimizerSpec, kept: u64, done: u64) -> Option<String> {
    let swa = optimizer.wrap.iter().find(|wrap| wrap.name == "swa")?;
    let setting = |key, default| swa.settings.get(key).copied().unwrap_or(default);
    let Swa { start, every } = Swa::default();
    let first = (setting("start", start) + setting("every", every)) as u64;
    if kept >= first {
        return None;
    }
    Some(if done < first {
        format!(
            "swa averaged nothing: its first weights would have been those of step {first}, and the training ended after \
             step {done}. The model has weights as a step left them; start earlier, or train longer."
        )
    } else {
        format!(
            "swa: the best epoch ended with step {kept}, before the first average, that of step {first}. The model has \
             weights as a step left them; start earlier, or leave early stopping out."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Shape, Targets};
    use crate::train::{BatchSize, NetworkSpec};

    #[test]
    fn what_was_taken_before_leaves_no_trace() {
        let layers = r#"[{"layer":"dense","units":3},"batch-norm"]"#;
        let recipe = Recipe {
            network: NetworkSpec::Layers(serde_json::from_str(layers).unwrap()),
            loss: Loss::SquaredError,
            batch_size: BatchSize::Rows(4),
            ..Recipe::default()
        };
        let x: Vec<f32> = (0..20).map(|i| (i as f32 * 0.7).sin()).collect();
        let train = Samples { shape: Shape::Flat(2), x: &x, targets: Targets::Values(&[0.0; 10]) };
        let mut statistics = Statistics::new(&recipe, &train, 1);
        let mut shards = Shards::new(&statistics.network, 4, 1, thalweg_optim::Threads::default());
        let mut gathered = Gathered::new(&train, 4);
        let small = statistics.network.init(1);
        let large: Vec<f32> = small.iter().map(|w| w * 1e6).collect();
        let mut take = |w: &[f32]| statistics.take(w, &train, 4, 7, &mut gathered, &mut shards).to_vec();
        let first = take(&small);
        assert_ne!(first, take(&large));
        assert_eq!(first, take(&small));
    }
}
