//! The contract of whatever learns from data as they are, preparation included.

use thalweg_data::{Dataset, Preparation, Target, Targets as DataTargets, Task, TestView, TrainView, View};

use crate::nn::{Loss, Shape, Targets};
use crate::train::{Model, Predictions, Recipe, RecipeError, Samples, StopReason, fit};

/// Settings that can be fitted. Fitting never changes them: what was fitted is a [`Predictor`].
pub trait Estimator: Send + Sync {
    /// Fits on a training view.
    ///
    /// # Errors
    /// If the settings are not valid or do not fit the data, or if training diverged.
    fn fit(&self, train: &TrainView<'_>, seed: u64) -> Result<Box<dyn Predictor>, FitError>;
}

/// What was fitted.
pub trait Predictor: Send + Sync {
    /// Predictions for the rows of a test view: probabilities, or values in the target's own unit.
    fn predict(&self, test: &TestView<'_>) -> Predictions;
}

/// Why nothing was fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe's settings.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The loss does not fit the target.
    #[error("--loss {loss} does not fit a target of {target}; use one of {usable}")]
    LossForTask {
        /// The loss's name.
        loss: &'static str,
        /// What the target is.
        target: String,
        /// The losses that fit.
        usable: &'static str,
    },
    /// Training diverged: a result, not a bug.
    #[error("training diverged in step {step}; try a smaller learning rate")]
    Diverged {
        /// The step.
        step: u64,
    },
}

/// The loss that a target is usually fitted with: softmax cross-entropy for several classes, binary for two, squared
/// error for numbers.
pub fn default_loss(data: &Dataset) -> Loss {
    match &data.target {
        Target::Classes { names, .. } if names.len() == 2 => Loss::Binary,
        Target::Classes { .. } => Loss::CrossEntropy,
        Target::Values(_) => Loss::SquaredError,
    }
}

/// How many outputs a network with this loss needs for this target.
///
/// # Errors
/// [`FitError::LossForTask`] if the two do not go together.
pub fn outputs(loss: Loss, data: &Dataset) -> Result<usize, FitError> {
    let classes = data.class_names().len();
    let (target, usable) = match data.task() {
        Task::Classification if classes == 2 => ("2 classes".to_owned(), "binary, cross-entropy"),
        Task::Classification => (format!("{classes} classes"), "cross-entropy"),
        Task::Regression => ("numbers".to_owned(), "squared-error, absolute-error"),
    };
    match (loss, data.task()) {
        (Loss::CrossEntropy, Task::Classification) => Ok(classes),
        (Loss::Binary, Task::Classification) if classes == 2 => Ok(1),
        (Loss::SquaredError | Loss::AbsoluteError, Task::Regression) => Ok(1),
        _ => Err(FitError::LossForTask { loss: loss.name(), target, usable }),
    }
}

/// Prepared targets as a network is fitted to them: codes, or standardized numbers.
pub fn network_targets(targets: &DataTargets) -> Targets<'_, f32> {
    match targets {
        DataTargets::Classes(codes) => Targets::Classes(codes),
        DataTargets::Values { scaled, .. } => Targets::Values(scaled),
    }
}

impl Estimator for Recipe {
    /// Fits the preparation and the network on all rows of the view, for all epochs.
    fn fit(&self, train: &TrainView<'_>, seed: u64) -> Result<Box<dyn Predictor>, FitError> {
        let outputs = outputs(self.loss, train.data())?;
        let preparation = Preparation::fit(train);
        let prepared = preparation.apply(train);
        let shape = Shape::Flat(prepared.width);
        let samples = Samples { shape, x: &prepared.x, targets: network_targets(&prepared.y) };
        let fitted = fit(self, samples, outputs, None, seed, &|| true)?;
        match fitted.stop {
            StopReason::Diverged { step } => Err(FitError::Diverged { step }),
            _ => Ok(Box::new(Prepared { preparation, model: fitted.model })),
        }
    }
}

/// A network behind its preparation.
struct Prepared {
    preparation: Preparation,
    model: Model,
}

impl Predictor for Prepared {
    fn predict(&self, test: &TestView<'_>) -> Predictions {
        let mut predictions = self.model.predict(&self.preparation.apply(test).x);
        restore(&self.preparation, &mut predictions);
        predictions
    }
}

/// Turns predicted values back into the target's own unit.
pub fn restore(preparation: &Preparation, predictions: &mut Predictions) {
    if let Predictions::Values(values) = predictions {
        for value in values {
            *value = preparation.restore_target(*value as f32);
        }
    }
}
