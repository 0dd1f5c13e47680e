//! What a preparation does, told: for whoever does the same elsewhere (an exporter) or checks one that was kept in a file.

use super::one_hot::OneHot;
use super::standardize::Standard;
use super::step::Values;
use super::{Form, Preparation};
use crate::images::ImageShape;
use crate::schema::{ColumnKind, Schema};

/// What becomes of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeaturePlan<'a> {
    /// The feature's name.
    pub name: &'a str,
    /// What is done with its values.
    pub values: ValuesPlan<'a>,
    /// The column that is 1 where the value is missing, if there is one.
    pub indicator: Option<usize>,
}

/// What becomes of a feature's values.
#[derive(Debug, Clone, PartialEq)]
pub enum ValuesPlan<'a> {
    /// Numbers that were constant in training: no column.
    DroppedNumbers,
    /// Categories of which there was one in training: no column.
    DroppedCategories,
    /// One column: missing values become the median, then (x − mean) / std, held within the finite `f32` numbers.
    Number {
        /// The column.
        at: usize,
        /// What stands for a missing value.
        median: f64,
        /// The mean and deviation.
        standard: Standard,
    },
    /// A 0/1 column for each of the encoding's columns, or in the form of codes one column with 1 + the encoding's column,
    /// 0 for none.
    Categories {
        /// The first column.
        at: usize,
        /// Which level goes to which column.
        one_hot: &'a OneHot,
        /// What stands for a missing level.
        most_frequent: &'a str,
    },
}

/// What becomes of pixels: (x − mean) / std by channel, and 0 where one is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelPlan<'a> {
    /// The first column; a row's pixels follow each other.
    pub at: usize,
    /// Of every image.
    pub shape: ImageShape,
    /// The mean and deviation of each channel.
    pub channels: &'a [Standard],
}

impl Preparation {
    /// What becomes of each feature, in their order; none in the form of images.
    pub fn features(&self) -> Vec<FeaturePlan<'_>> {
        let (places, _) = self.places();
        let plans = self.steps.iter().zip(places).map(|(step, place)| FeaturePlan {
            name: &step.name,
            values: match &step.values {
                Values::DropNumbers => ValuesPlan::DroppedNumbers,
                Values::DropCategories => ValuesPlan::DroppedCategories,
                Values::Numbers { median, standard } => {
                    ValuesPlan::Number { at: place.values, median: *median, standard: *standard }
                }
                Values::Categories { most_frequent, one_hot } => {
                    ValuesPlan::Categories { at: place.values, one_hot, most_frequent }
                }
            },
            indicator: step.indicator.then_some(place.indicator),
        });
        plans.collect()
    }

    /// What becomes of pixels, if a row is an image or has one beside its features.
    pub fn pixels(&self) -> Option<PixelPlan<'_>> {
        let at = if self.form == Form::Images { 0 } else { self.places().1 };
        let pixels = self.pixels.as_ref()?;
        Some(PixelPlan { at, shape: pixels.shape, channels: &pixels.channels })
    }

    /// The mean and deviation of a target of numbers.
    pub fn target(&self) -> Option<Standard> {
        self.target
    }

    /// Whether this was fitted on data of that schema, and its numbers can be computed with: what is not so in a file that
    /// was damaged or put together from two.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self, schema: &Schema) -> Result<(), String> {
        let usable =
            |standard: &Standard| standard.mean.is_finite() && standard.std.is_finite() && standard.std > 0.0;
        if self.target.is_some() != schema.target.classes.is_none() {
            return Err("one of them has classes as its target, the other numbers".to_owned());
        }
        if self.target.iter().any(|standard| !usable(standard)) {
            return Err("the target's mean or deviation is no usable number".to_owned());
        }
        if self.form != Form::Images {
            if self.steps.len() != schema.columns.len() {
                let (steps, columns) = (self.steps.len(), schema.columns.len());
                return Err(format!("{steps} columns were prepared, and the schema has {columns}"));
            }
            for (plan, column) in self.features().iter().zip(&schema.columns) {
                let text = match &plan.values {
                    ValuesPlan::DroppedNumbers => false,
                    ValuesPlan::DroppedCategories | ValuesPlan::Categories { .. } => true,
                    ValuesPlan::Number { median, standard, .. } => {
                        if !(median.is_finite() && usable(standard)) {
                            return Err(format!("the numbers of «{}» are not usable", plan.name));
                        }
                        false
                    }
                };
                if plan.name != column.name || text != (column.kind == ColumnKind::Category) {
                    return Err(format!(
                        "«{}» was prepared where the schema has «{}»",
                        plan.name, column.name
                    ));
                }
            }
        }
        if let Some(pixels) = self.pixels() {
            let fits = schema.image == Some(pixels.shape) && pixels.channels.len() == pixels.shape.channels;
            if !(fits && pixels.channels.iter().all(usable)) {
                return Err("the pixels are not those of the schema".to_owned());
            }
        }
        let columns = match self.form {
            Form::Images => self.pixels.as_ref().map_or(0, |pixels| pixels.shape.len()),
            Form::Table | Form::Codes => self.column_names().len(),
        };
        if columns != self.names.len() {
            return Err(format!("it makes {columns} columns and names {}", self.names.len()));
        }
        Ok(())
    }
}
