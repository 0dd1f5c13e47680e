//! `thalweg export`: a model for other programs.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::predict::check_file;
use crate::model::SavedModel;
use crate::report::replace;

/// Writes a model as an ONNX file that takes raw columns: the preparation is included.
///
/// An input per column, named as the column, of N rows. Numbers are float [N, 1], NaN where missing; booleans the same with
/// 0 and 1, dates with days since 1970-01-01; categories are string [N, 1], the empty text where missing. (Cells are to be
/// trimmed as a CSV file's are. A float has 24 bits: of larger numbers the end is lost.) A network of images has one input,
/// image, float [N, height, width, channels], with the pixels as they were in training.
///
/// Outputs are probabilities, float [N, classes], and label, string [N]; or value, float [N, 1], in the target's own unit.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  thalweg export model model.onnx
  thalweg export models/digits digits.onnx --force

In Python: onnxruntime.InferenceSession(\"model.onnx\").run(None, {\"age\": ages, \"city\": cities})

The operators are those of ONNX 1.12 (opset 17, ai.onnx.ml 3). A column that has the name of an output keeps it; the output
gets an underscore.")]
pub(super) struct Export {
    /// The model's folder
    model: PathBuf,
    /// The file to write
    file: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
    /// Write nothing to standard error but errors
    #[arg(long)]
    quiet: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { model, file, force, quiet } = self;
        let model = SavedModel::load(&model)?;
        check_file(&file)?;
        if file.exists() && !force {
            return Err(Failure::usage(format!(
                "{}: there is a file already; add --force to replace it, or name another",
                file.display()
            )));
        }
        let bytes = model.to_onnx();
        replace(&file, &bytes).map_err(|cause| {
            Failure::failed(format!(
                "{}: the file cannot be written ({cause}); check the permissions and the free space",
                file.display()
            ))
        })?;
        if !quiet {
            eprintln!("ONNX: {} ({} KB)", file.display(), bytes.len().div_ceil(1000));
        }
        Ok(())
    }
}
