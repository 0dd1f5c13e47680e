//! What a person or a program reads of a study: one exporter a file, a row each in [`Format`].

pub mod csv;
pub mod grid;
pub mod html;
pub mod json;
pub mod text;

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
