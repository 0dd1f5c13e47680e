//! A trained network.

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
        let mut predictions = self.loss.no_predictions(self.network.outputs());
        let mut workspace = self.network.workspace(CHUNK.min(x.len() / self.network.inputs().max(1)));
        predict_into(&self.network, &self.w, &self.buffers, self.loss, x, &mut workspace, &mut predictions);
        predictions
    }
}

/// Overwrites `predictions` with those for `x`, in chunks that fit the workspace.
pub(crate) fn predict_into(
    network: &Network<f32>,
    w: &[f32],
    buffers: &[f32],
    loss: Loss,
    x: &[f32],
    workspace: &mut Workspace<f32>,
    predictions: &mut Predictions,
) {
    predictions.clear();
    for rows in x.chunks(CHUNK * network.inputs().max(1)) {
        let outputs = network.forward(w, buffers, rows, Mode::Evaluate, workspace);
        match predictions {
            Predictions::Probabilities { values, classes } => loss.probabilities(outputs, *classes, values),
            Predictions::Values(values) => values.extend(outputs.iter().map(|&z| f64::from(z))),
        }
    }
}
