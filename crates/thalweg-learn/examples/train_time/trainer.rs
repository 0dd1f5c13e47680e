//! The steps that are timed, as `train::fit` does them: gather, forward, backward, Adam.

use rand::RngCore;
use rand::seq::SliceRandom;
use thalweg_learn::kernel::line::Lines;
use thalweg_learn::kernel::rows::gather;
use thalweg_learn::nn::{Mode, ShardedObjective, Shards, Targets};
use thalweg_optim::random::stream;
use thalweg_optim::{Optimizer, Threads};

use crate::data::Set;
use crate::model::Model;
use crate::networks::Network;

/// Who does a training.
pub(crate) struct Crew {
    /// Threads.
    pub(crate) threads: usize,
    /// Parts that each batch is cut into.
    pub(crate) shards: usize,
}

/// A training under way.
pub(crate) struct Trainer<'a> {
    model: Model,
    set: &'a Set,
    learning_rate: f64,
    optimizer: Box<dyn Optimizer<f32>>,
    shards: Shards<f32>,
    seed: u64,
    key: u64,
    steps: usize,
    order: Vec<u32>,
    /// Where in the order the next batch starts.
    at: usize,
    epochs: u64,
    x: Vec<f32>,
    y: Vec<u32>,
}

/// What a step saw.
pub(crate) struct Step {
    /// Rows in its batch.
    pub(crate) rows: usize,
    /// Their mean loss.
    pub(crate) loss: f32,
}

impl<'a> Trainer<'a> {
    pub(crate) fn new(network: &'static Network, set: &'a Set, crew: &Crew, seed: u64) -> Self {
        let threads = Threads::new(crew.threads).expect("the system gives threads");
        let recipe = network.recipe();
        let layers = recipe.network(network.shape, network.outputs()).expect("the layers fit");
        let mut optimizer = recipe.optimizer.build(layers.layout()).expect("Adam is known");
        optimizer.set_threads(&threads);
        Self {
            set,
            learning_rate: recipe.learning_rate,
            optimizer,
            shards: Shards::new(&layers, network.batch as usize, crew.shards, threads),
            model: Model {
                network,
                w: Lines::copy_of(&layers.init(seed)),
                buffers: layers.init_buffers(),
                layers,
                loss: recipe.loss,
            },
            seed,
            key: stream(seed, "step", 0).next_u64(),
            steps: 0,
            order: (0..set.rows() as u32).collect(),
            at: set.rows(),
            epochs: 0,
            x: Vec::new(),
            y: Vec::new(),
        }
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    pub(crate) fn set(&self) -> &'a Set {
        self.set
    }

    /// The next batch of the shuffled rows, gathered, and a step on it.
    pub(crate) fn step(&mut self) -> Step {
        if self.at >= self.order.len() {
            self.epochs += 1;
            self.order.shuffle(&mut stream(self.seed, "shuffle", self.epochs));
            self.at = 0;
        }
        let end = self.order.len().min(self.at + self.model.network.batch as usize);
        let rows = &self.order[self.at..end];
        gather(&self.set.x, self.model.network.shape.len(), rows, &mut self.x);
        self.y.clear();
        self.y.extend(rows.iter().map(|&row| self.set.y[row as usize]));
        self.at = end;
        Step { rows: self.y.len(), loss: self.move_weights() }
    }

    /// Forward, backward and Adam on the gathered batch.
    fn move_weights(&mut self) -> f32 {
        let Model { layers, w, buffers, loss, .. } = &mut self.model;
        let mut objective = ShardedObjective {
            network: layers,
            buffers,
            shards: &mut self.shards,
            loss: *loss,
            x: &self.x,
            targets: Targets::Classes(&self.y),
            mode: Mode::step(self.key, self.steps as u64),
        };
        self.steps += 1;
        let report = self.optimizer.step(w, &mut objective, self.learning_rate).expect("the rate is valid");
        self.shards.update_buffers(layers, buffers);
        report.value
    }

    /// The steps of a pass over the rows, and the mean loss.
    pub(crate) fn epoch(&mut self) -> f64 {
        let (mut total, mut rows) = (0.0, 0);
        while rows < self.set.rows() {
            let step = self.step();
            total += f64::from(step.loss) * step.rows as f64;
            rows += step.rows;
        }
        total / rows as f64
    }
}
