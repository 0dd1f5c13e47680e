//! The contract of whatever learns from data as they are, preparation included.

use thalweg_data::{
    Dataset, Form, ImageShape, Preparation, Prepared as PreparedRows, Target, Targets as DataTargets, Task,
    TestView, TrainView, View,
};

use crate::nn::{Init, LayerSpec, Loss, Shape, Targets, spec};
use crate::train::{Model, NetworkSpec, Predictions, Recipe, RecipeError, Samples, StopReason, fit};

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
    /// A network of images on data that have none.
    #[error(
        "--network {network} looks at images, and a row of {data} is none; if its numeric columns are pixels, say so with \
         --image HEIGHTxWIDTH, else use --network mlp or resmlp"
    )]
    NoImages {
        /// The network.
        network: String,
        /// The data's name.
        data: String,
    },
    /// The data cannot be prepared as the network needs them.
    #[error("{0}")]
    Preparation(String),
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

/// The form of rows that a network looks at: codes if it begins with an embedding, images if its layers cannot stand on
/// plain numbers, else columns.
///
/// # Errors
/// [`FitError::NoImages`] if it wants images and the data have none.
pub fn form(network: &NetworkSpec, data: &Dataset) -> Result<Form, FitError> {
    let (wanted, name) = match network {
        NetworkSpec::Named(architecture) => (architecture.wants_images(), architecture.name()),
        NetworkSpec::Layers(layers) if matches!(layers[..], [LayerSpec::Embedding(_), ..]) => {
            return Ok(Form::Codes);
        }
        NetworkSpec::Layers(layers) => {
            let flat = spec::build::<f32>(layers, Shape::Flat(data.inputs()), Init::Auto);
            (data.image_shape().is_some() && flat.is_err(), "of these layers")
        }
    };
    match (wanted, data.image_shape()) {
        (false, _) => Ok(Form::Table),
        (true, Some(_)) => Ok(Form::Images),
        (true, None) => Err(FitError::NoImages { network: name.to_owned(), data: data.name.clone() }),
    }
}

/// What a row that is prepared so is to a network.
pub fn shape_of(preparation: &Preparation) -> Shape {
    shape(preparation.shape(), preparation.width())
}

/// What a prepared row is to a network.
pub fn row_shape(prepared: &PreparedRows) -> Shape {
    shape(prepared.shape, prepared.width)
}

fn shape(image: Option<ImageShape>, width: usize) -> Shape {
    match image {
        Some(ImageShape { height, width, channels }) => Shape::image(height, width, channels),
        None => Shape::Flat(width),
    }
}

/// The preparation that a network needs, fitted on the rows of a view.
///
/// # Errors
/// As [`form`]; and if the network's embeddings do not fit the categories.
pub fn prepare(network: &NetworkSpec, train: &TrainView<'_>) -> Result<Preparation, FitError> {
    let form = form(network, train.data())?;
    let preparation =
        Preparation::fit_as(train, form).map_err(|error| FitError::Preparation(error.to_string()))?;
    if let NetworkSpec::Layers(layers) = network {
        check_embedding(layers, &preparation.categories())?;
    }
    Ok(preparation)
}

/// Whether an embedding stands where the codes are, and has a vector for each.
fn check_embedding(layers: &[LayerSpec], there: &[usize]) -> Result<(), FitError> {
    let is_embedding = |layer: &LayerSpec| matches!(layer, LayerSpec::Embedding(_));
    if layers.iter().skip(1).any(|layer| layer.any(&is_embedding)) {
        let why = "an embedding must be the first layer: it takes the codes of the categories";
        return Err(FitError::Preparation(format!("--network: {why}")));
    }
    let Some(LayerSpec::Embedding(spec)) = layers.first() else { return Ok(()) };
    // A part of the rows may show fewer categories than all do.
    let fits =
        spec.codes.len() == there.len() && spec.codes.iter().zip(there).all(|(own, there)| own >= there);
    if fits {
        return Ok(());
    }
    Err(FitError::Preparation(format!(
        "--network: layer 0 (embedding) has codes = {:?}, and the categories of these data have {there:?} (one more than \
         their columns would be); write codes = {there:?}",
        spec.codes
    )))
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
        let preparation = prepare(&self.network, train)?;
        let prepared = preparation.apply(train);
        let samples =
            Samples { shape: row_shape(&prepared), x: &prepared.x, targets: network_targets(&prepared.y) };
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
