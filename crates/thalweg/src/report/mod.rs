//! What a person or a program reads of a study: one exporter a file, a row each in [`Format`].

pub mod csv;
pub mod find_lr;
pub mod grid;
pub mod html;
pub mod json;
pub mod predictions;
pub mod race;
pub mod text;
pub mod train;
mod wrap;

use std::path::Path;

use serde::{Deserialize, Serialize};

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A table and sentences, to be read.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// Comma-separated values with a header.
    Csv,
    /// A table and sentences in Markdown.
    Markdown,
}

/// Writes a whole file or nothing: readers never see half a report.
///
/// # Errors
/// The system's; then nothing has changed.
pub fn replace(path: &Path, text: impl AsRef<[u8]>) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path)).inspect_err(|_| {
        // Best effort: the first error is the one to tell.
        let _ = std::fs::remove_file(&draft);
    })
}
