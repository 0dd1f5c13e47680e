//! A trained model in a folder: written whole or not at all, read with every doubt told, and exported.
//!
//! | file | what it holds |
//! |---|---|
//! | `model.safetensors` | parameters and buffers, `f32`, by their names and in their shapes in the network |
//! | `recipe.toml` | the recipe, to be read; its keys are those of `thalweg train --config` |
//! | `preparation.json` | the preparation, the schema with the target, the loss, the input's shape, versions |

mod error;
mod folder;
mod onnx;
mod rows;
mod sidecar;
mod train;
mod truth;
mod weights;

use std::path::Path;

use thalweg_data::{DataError, Images, Inputs, Preparation, Schema, Table};
use thalweg_learn::estimator::restore;
use thalweg_learn::train::Predictions;
use thalweg_learn::{Model, Recipe};
use thalweg_optim::Threads;

pub use error::ModelError;
pub use folder::check_place;
pub use train::{PartReport, Ready, TrainError, TrainReport, Trained, Training, usual_rate};
pub use truth::KnownTruth;

/// All that predicts from raw columns.
#[derive(Debug)]
pub struct SavedModel {
    /// The name of the data that it was trained on.
    pub data: String,
    /// How it was built and trained.
    pub recipe: Recipe,
    /// The columns of the data, and how they are read.
    pub schema: Schema,
    /// From columns to numbers.
    pub preparation: Preparation,
    /// From numbers to predictions.
    pub model: Model,
}

impl SavedModel {
    /// The names of the classes; `None` if numbers are predicted.
    pub fn classes(&self) -> Option<&[String]> {
        self.schema.target.classes.as_deref()
    }

    /// Whether it takes a block of images; otherwise it takes tables.
    pub fn takes_images(&self) -> bool {
        self.schema.columns.is_empty()
    }

    /// Predictions for new rows, best read with [`Schema::read`]: probabilities, or values in the target's own unit. They
    /// are handed over in parts, in the order of the rows; `threads` change nothing but the time.
    ///
    /// # Errors
    /// See [`Preparation::apply_table`], and the first error of `on`.
    pub fn predict<E: From<DataError>>(
        &self,
        threads: &Threads,
        table: &Table,
        on: &mut dyn FnMut(Predictions) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = table.rows();
        // An error names what is in the whole table, and comes before the first prediction.
        if !rows::sound(table, &self.schema) {
            self.preparation.apply_table(table, &self.schema)?;
        }
        for start in (0..rows).step_by(rows::CHUNK) {
            let part = rows::part(table, &self.schema, start..rows.min(start + rows::CHUNK));
            on(self.of_inputs(threads, &self.preparation.apply_table(&part, &self.schema)?))?;
        }
        Ok(())
    }

    /// Predictions for new images, called `name` in errors.
    ///
    /// # Errors
    /// See [`Preparation::apply_images`].
    pub fn predict_images(
        &self,
        threads: &Threads,
        name: &str,
        images: &Images,
    ) -> Result<Predictions, DataError> {
        Ok(self.of_inputs(threads, &self.preparation.apply_images(name, images)?))
    }

    fn of_inputs(&self, threads: &Threads, inputs: &Inputs) -> Predictions {
        let mut predictions = self.model.predict_on(threads, &inputs.x);
        restore(&self.preparation, &mut predictions);
        predictions
    }

    /// Writes the model's folder. It is made under another name and renamed at the end. With `force`, a model that is there
    /// is replaced; anything else never is.
    ///
    /// # Errors
    /// [`ModelError`]; then nothing has changed.
    pub fn save(&self, folder: &Path, force: bool) -> Result<(), ModelError> {
        folder::save(self, folder, force)
    }

    /// Reads a model's folder.
    ///
    /// # Errors
    /// [`ModelError`]: a file that is missing, damaged, or of another model.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        folder::load(folder)
    }

    /// The bytes of an ONNX file that predicts from raw columns: see the folder's description in `thalweg export --help`.
    pub fn to_onnx(&self) -> Vec<u8> {
        onnx::export(self)
    }
}
