//! The network and its weights: what several threads may ask at once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use thalweg_learn::kernel::line::Lines;
use thalweg_learn::nn::{self, Loss, Mode, Targets};
use thalweg_optim::kernel::denormal::FlushDenormals;

use crate::data::Set;
use crate::networks::Network;

/// A network with its weights.
pub(crate) struct Model {
    /// Which.
    pub(crate) network: &'static Network,
    /// Its layers.
    pub(crate) layers: nn::Network<f32>,
    /// Its loss.
    pub(crate) loss: Loss,
    /// What is trained.
    pub(crate) w: Lines<f32>,
    /// The running statistics.
    pub(crate) buffers: Vec<f32>,
}

/// What the network is worth on some rows, in evaluation mode.
pub(crate) struct Judgement {
    /// The mean loss.
    pub(crate) loss: f64,
    /// The share of rows whose class is right.
    pub(crate) accuracy: f64,
}

/// Which batches are a thread's.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    /// The thread, from 0.
    pub(crate) thread: usize,
    /// How many there are.
    pub(crate) of: usize,
}

impl Model {
    /// Loss and accuracy on some rows.
    pub(crate) fn judge(&self, set: &Set) -> Judgement {
        let (width, outputs, batch) =
            (self.network.shape.len(), self.network.outputs(), self.network.batch as usize);
        let mut workspace = self.layers.workspace(batch);
        let mut scratch = vec![0.0; batch * outputs];
        let (mut loss, mut right) = (0.0, 0);
        for (x, y) in set.x.chunks(batch * width).zip(set.y.chunks(batch)) {
            let z = self.layers.forward(&self.w, &self.buffers, x, Mode::Evaluate, &mut workspace);
            let mean = self.loss.value(z, Targets::Classes(y), &mut scratch[..z.len()]);
            loss += f64::from(mean) * y.len() as f64;
            right += z.chunks(outputs).zip(y).filter(|(z, y)| class(z) == **y).count();
        }
        Judgement { loss: loss / set.rows() as f64, accuracy: right as f64 / set.rows() as f64 }
    }

    /// One thread's predictions for a while, over and over its share of the batches: how many batches and rows.
    pub(crate) fn predict_for(&self, set: &Set, share: Share, length: Duration) -> (u64, u64) {
        let (_fast, start) = (FlushDenormals::start(), Instant::now());
        let (batch, width) = (self.network.batch as usize, self.network.shape.len());
        let mut workspace = self.layers.workspace(batch);
        let mut own = set.x.chunks(batch * width).skip(share.thread).step_by(share.of).cycle();
        let (mut batches, mut rows) = (0, 0);
        while start.elapsed() < length {
            for x in own.by_ref().take(self.network.steps_between_looks) {
                black_box(self.layers.forward(&self.w, &self.buffers, x, Mode::Evaluate, &mut workspace));
                batches += 1;
                rows += (x.len() / width) as u64;
            }
        }
        (batches, rows)
    }
}

/// One output is the logit of class 1.
fn class(z: &[f32]) -> u32 {
    match z {
        [z] => u32::from(*z > 0.0),
        _ => (0..).zip(z).max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class),
    }
}
