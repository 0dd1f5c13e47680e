//! What is learned from.
//!
//! `file → Table → Dataset → Split → TrainView → Preparation → Prepared`. This is the only room below the workbench
//! that reads files. [`open`] takes a built-in name or a path; [`Preparation::fit`] takes a [`TrainView`] and nothing
//! else.
//!
//! ```
//! use thalweg_data::{DatasetSpec, Preparation, Split, open};
//! let iris = open("iris", &DatasetSpec::default())?;
//! let split = Split::new(150, (0..100).collect(), (100..150).collect());
//! let (train, test) = split.views(&iris);
//! let preparation = Preparation::fit(&train);
//! assert_eq!(preparation.apply(&test).x.len(), 50 * preparation.width());
//! # Ok::<(), thalweg_data::DataError>(())
//! ```
mod arrays;
mod assemble;
pub mod builtin;
pub mod dataset;
mod date;
mod error;
mod fingerprint;
pub mod images;
mod infer;
pub mod installed;
mod open;
pub mod prepare;
pub mod read;
pub mod schema;
mod spec;
pub mod table;
pub mod view;

pub use arrays::{ArrayColumn, ArrayError};
pub use builtin::BuiltIn;
pub use dataset::{Dataset, Feature, FeatureColumn, MISSING, Target, Task};
pub use error::DataError;
pub use images::{ImageShape, Images, Pixels};
pub use installed::Installed;
pub use open::{NewImages, open, open_images};
pub use prepare::{Form, Inputs, Preparation, Prepared, Targets};
pub use read::{HeaderMode, ReadError};
pub use schema::{ColumnKind, Reading, Schema};
pub use spec::{DatasetSpec, TaskChoice};
pub use table::{Column, NotFinite, Table, Values};
pub use view::{Rows, Split, TestView, TrainView, View};
