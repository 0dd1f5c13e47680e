//! What can be wrong with a model's folder.

use std::path::PathBuf;

/// Why a model is not saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is something already.
    #[error("{}: there is a model already; add --force to replace it, or name another folder", .0.display())]
    Exists(PathBuf),
    /// There is something that is no model.
    #[error(
        "{}: this is no model ({what}), and is not replaced, with --force neither; name another folder", .path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What is there.
        what: String,
    },
    /// No folder.
    #[error("{}: there is no model folder of that name; `thalweg train DATA --target y --out DIR` makes one", .0.display())]
    NoFolder(PathBuf),
    /// A folder without one of the files.
    #[error(
        "{}: the file {file} is missing, so this is no whole model; name the folder that `thalweg train` wrote, or train \
         again", .folder.display()
    )]
    NoFile {
        /// The folder.
        folder: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A file that is not what was written.
    #[error("{}: {what}; the file is damaged or was changed: copy the folder again, or train again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file of another version.
    #[error(
        "{}: the model is of format {found}, and this version of thalweg reads format {reads}; use the version that wrote \
         it ({by}), or train again", .path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// What is read here.
        reads: u64,
        /// The version of the program that wrote it.
        by: String,
    },
    /// The system refuses.
    #[error("{}: the model cannot be {done} ({cause}); check the folder's permissions and the free space", .path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// `written` or `read`.
        done: &'static str,
        /// The system's words.
        cause: std::io::Error,
    },
}

impl ModelError {
    /// Whether the user's input is to blame: exit code 2.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::System { .. })
    }
}
