//! A trained network.

use std::ops::Range;

use thalweg_optim::Threads;
use thalweg_optim::kernel::denormal::FlushDenormals;

use crate::kernel::line::Lines;
use crate::nn::{Loss, Mode, Network, Workspace};
use crate::predictions::Predictions;

/// A network with its parameters. It knows nothing of the data's preparation.
#[derive(Debug)]
pub struct Model {
    pub(crate) network: Network<f32>,
    /// As they were in training: a loop over what begins with a cache line is faster.
    pub(crate) w: Lines<f32>,
    pub(crate) buffers: Vec<f32>,
    pub(crate) loss: Loss,
}

/// Rows that go through the network at once: enough for full tiles, few enough to stay in the cache.
pub(crate) const CHUNK: usize = 256;

impl Model {
    /// A network with numbers that were trained elsewhere, or earlier.
    ///
    /// # Panics
    /// If the numbers are not as many as the network has places.
    pub fn new(network: Network<f32>, w: Vec<f32>, buffers: Vec<f32>, loss: Loss) -> Self {
        assert_eq!(w.len(), network.layout().len(), "the parameters do not fit the network");
        assert_eq!(buffers.len(), network.buffers().len(), "the buffers do not fit the network");
        Self { network, w: Lines::copy_of(&w), buffers, loss }
    }

    /// What it was trained with.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// The flat slice of parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.w
    }

    /// What it keeps beside its parameters: the running statistics of batch normalization.
    pub fn buffers(&self) -> &[f32] {
        &self.buffers
    }

    /// Predictions for the rows `x` (row-major).
    pub fn predict(&self, x: &[f32]) -> Predictions {
        self.predict_on(&Threads::default(), x)
    }

    /// The same on several threads, with the same bits.
    pub fn predict_on(&self, threads: &Threads, x: &[f32]) -> Predictions {
        let mut predictions = self.loss.no_predictions(self.network.outputs());
        let rows = x.len() / self.network.inputs().max(1);
        let mut desk = Desk::new(threads, &self.network, rows);
        desk.predict(&self.network, &self.w, &self.buffers, self.loss, x, &mut predictions);
        predictions
    }
}

/// Where predictions are made: threads, and memory for each.
#[derive(Debug)]
pub(crate) struct Desk {
    threads: Threads,
    seats: Vec<Seat>,
}

/// A chunk at hand.
#[derive(Debug)]
struct Seat {
    workspace: Workspace<f32>,
    /// Where its numbers lie in the input; none if it has no chunk.
    chunk: Range<usize>,
}

impl Desk {
    /// For at most `rows` rows at a time.
    pub(crate) fn new(threads: &Threads, network: &Network<f32>, rows: usize) -> Self {
        let count = rows.div_ceil(CHUNK).clamp(1, threads.count());
        let seat = |_| Seat { workspace: network.workspace(CHUNK.min(rows)), chunk: 0..0 };
        Self { threads: threads.clone(), seats: (0..count).map(seat).collect() }
    }

    /// Overwrites `predictions` with those for `x`: in chunks that fit the workspaces, so that threads change no bit.
    pub(crate) fn predict(
        &mut self,
        network: &Network<f32>,
        w: &[f32],
        buffers: &[f32],
        loss: Loss,
        x: &[f32],
        predictions: &mut Predictions,
    ) {
        // As in training; the threads do as this one.
        let _fast = FlushDenormals::start();
        predictions.clear();
        let mut chunks = (0..x.len()).step_by(CHUNK * network.inputs().max(1));
        while chunks.len() > 0 {
            for seat in &mut self.seats {
                let start = chunks.next().unwrap_or(x.len());
                seat.chunk = start..x.len().min(start + CHUNK * network.inputs());
            }
            self.threads.share(&mut self.seats, |Seat { workspace, chunk }| {
                network.forward(w, buffers, &x[chunk.clone()], Mode::Evaluate, workspace);
            });
            for Seat { workspace, .. } in &self.seats {
                let outputs = network.outputs_in(workspace);
                match predictions {
                    Predictions::Probabilities { values, classes } => {
                        loss.probabilities(outputs, *classes, values);
                    }
                    Predictions::Values(values) => values.extend(outputs.iter().map(|&z| f64::from(z))),
                }
            }
        }
    }
}
