//! What is learned from.
//!
//! `file → Table → Dataset → Split → TrainView → Preparation → Prepared`. This is the only room below the workbench
//! that reads files.
pub mod dataset;
pub mod view;

pub use dataset::{Dataset, Feature, FeatureColumn, MISSING, Target, Task};
pub use view::{Rows, Split, TestView, TrainView, View};
