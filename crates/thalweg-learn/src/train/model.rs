//! A trained network.

use crate::nn::{Loss, Network, Workspace};

/// What a model says of some rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// Class probabilities, rows × classes, row-major.
    Probabilities {
        /// The probabilities.
        values: Vec<f32>,
        /// Numbers per row.
        classes: usize,
    },
    /// A number per row. A [`Model`] gives them in the units that it was trained in, an
    /// [`Estimator`](crate::Estimator)'s predictor in the target's own.
    Values(Vec<f64>),
}

/// A network with its parameters. It knows nothing of the data's preparation.
#[derive(Debug)]
pub struct Model {
    pub(crate) network: Network<f32>,
    pub(crate) w: Vec<f32>,
    pub(crate) loss: Loss,
}

/// Rows that go through the network at once: enough for full tiles, few enough to stay in the cache.
pub(crate) const CHUNK: usize = 256;

impl Model {
    /// The network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// The flat slice of parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.w
    }

    /// Predictions for the rows `x` (row-major).
    pub fn predict(&self, x: &[f32]) -> Predictions {
        let mut predictions = Predictions::empty(self.loss, self.network.outputs());
        let mut workspace = self.network.workspace(CHUNK.min(x.len() / self.network.inputs().max(1)));
        predict_into(&self.network, &self.w, self.loss, x, &mut workspace, &mut predictions);
        predictions
    }
}

impl Predictions {
    /// No rows yet, of the kind that `loss` leads to.
    pub(crate) fn empty(loss: Loss, outputs: usize) -> Self {
        match loss {
            Loss::CrossEntropy => Self::Probabilities { values: Vec::new(), classes: outputs },
            Loss::Binary => Self::Probabilities { values: Vec::new(), classes: 2 },
            Loss::SquaredError | Loss::AbsoluteError => Self::Values(Vec::new()),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Probabilities { values, .. } => values.clear(),
            Self::Values(values) => values.clear(),
        }
    }
}

/// Overwrites `predictions` with those for `x`, in chunks that fit the workspace.
pub(crate) fn predict_into(
    network: &Network<f32>,
    w: &[f32],
    loss: Loss,
    x: &[f32],
    workspace: &mut Workspace<f32>,
    predictions: &mut Predictions,
) {
    predictions.clear();
    for rows in x.chunks(CHUNK * network.inputs().max(1)) {
        let outputs = network.forward(w, rows, workspace);
        match predictions {
            Predictions::Probabilities { values, classes } => loss.probabilities(outputs, *classes, values),
            Predictions::Values(values) => values.extend(outputs.iter().map(|&z| f64::from(z))),
        }
    }
}
