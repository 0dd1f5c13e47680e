//! Reading files into a [`Table`](crate::Table) or into [`Images`](crate::Images). One file per format.

mod bytes;
pub mod csv;
mod decimal;
mod error;
#[cfg(feature = "images")]
pub(crate) mod folder;
mod header;
pub mod idx;
pub mod npy;
mod quotes;
mod sniff;

pub use error::ReadError;
use serde::{Deserialize, Serialize};

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderMode {
    /// Decided by comparing the first row with the others: it is a header if a column of numbers, dates or booleans
    /// starts with a text, or if the first row is all text. Without a header, columns are named `c1`, `c2`, ….
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It is data.
    No,
}
