//! `preparation.json`: all that is neither weights nor recipe.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg_data::{Preparation, Schema};
use thalweg_learn::nn::{Loss, Shape};

use super::{ModelError, SavedModel};
use thalweg_learn::estimator::shape_of;

/// The version of the folder's format.
pub(super) const FORMAT: u64 = 1;

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Sidecar {
    format: u64,
    /// The program's version, for people.
    thalweg: String,
    pub(super) data: String,
    pub(super) loss: Loss,
    /// Numbers in a row, or height × width × channels.
    input: Vec<usize>,
    pub(super) schema: Schema,
    pub(super) preparation: Preparation,
}

fn sizes(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Flat(width) => vec![width],
        Shape::Image { height, width, channels } => vec![height, width, channels],
    }
}

pub(super) fn to_text(saved: &SavedModel) -> String {
    let sidecar = Sidecar {
        format: FORMAT,
        thalweg: env!("CARGO_PKG_VERSION").to_owned(),
        data: saved.data.clone(),
        loss: saved.recipe.loss,
        input: sizes(saved.model.network().input()),
        schema: saved.schema.clone(),
        preparation: saved.preparation.clone(),
    };
    serde_json::to_string_pretty(&sidecar).expect("plain data have a JSON form") + "\n"
}

/// Reads and checks the file at `path`.
pub(super) fn of_text(path: &Path, text: &str) -> Result<Sidecar, ModelError> {
    let damaged = |what: String| ModelError::Damaged { path: path.to_owned(), what };
    // The version first: a file of another one may have other keys.
    #[derive(Deserialize)]
    struct Version {
        format: u64,
        #[serde(default)]
        thalweg: String,
    }
    let version: Version = serde_json::from_str(text).map_err(|cause| damaged(cause.to_string()))?;
    if version.format != FORMAT {
        let (found, by) = (version.format, version.thalweg);
        return Err(ModelError::OtherFormat { path: path.to_owned(), found, reads: FORMAT, by });
    }
    let sidecar: Sidecar = serde_json::from_str(text).map_err(|cause| damaged(cause.to_string()))?;
    let Sidecar { schema, preparation, loss, .. } = &sidecar;
    preparation
        .check(schema)
        .map_err(|why| damaged(format!("preparation and schema do not go together: {why}")))?;
    let classes = schema.target.classes.as_ref().map(Vec::len);
    let fits = match loss {
        Loss::CrossEntropy => classes.is_some_and(|classes| classes > 1),
        Loss::Binary => classes == Some(2),
        Loss::SquaredError | Loss::AbsoluteError => classes.is_none(),
    };
    if !fits {
        return Err(damaged(format!("the loss {} does not fit the target", loss.name())));
    }
    if sidecar.input != sizes(shape_of(preparation)) {
        return Err(damaged("the input's shape is not the preparation's".to_owned()));
    }
    Ok(sidecar)
}

impl Sidecar {
    /// How many numbers the network puts out.
    pub(super) fn outputs(&self) -> usize {
        match (self.loss, &self.schema.target.classes) {
            (Loss::CrossEntropy, Some(classes)) => classes.len(),
            _ => 1,
        }
    }
}
