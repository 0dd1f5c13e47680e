//! What a model says of some rows.

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
    /// A number per row. A [`Model`](crate::Model) gives them in the units that it was trained in, an
    /// [`Estimator`](crate::Estimator)'s predictor in the target's own.
    Values(Vec<f64>),
}

impl Predictions {
    /// Drops the rows but keeps the memory.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Probabilities { values, .. } => values.clear(),
            Self::Values(values) => values.clear(),
        }
    }
}
