//! Preparation: from columns to the numbers a network sees. Everything is fitted on a [`TrainView`] and on nothing
//! else; a test view can only be transformed.
//!
//! Per feature, in file order:
//!
//! | column | becomes |
//! |---|---|
//! | numbers | missing → the median, then (x − mean) / std with the population's std: one column |
//! | categories | missing → the most frequent level, then one 0/1 column per level ([`one_hot`]) |
//! | either, with missing values in training | one more 0/1 column `NAME is missing` behind the others |
//!
//! The pixels of images, and categories as codes, are other [`Form`]s of the same ([`Preparation::fit_as`]).
//!
//! Columns that are constant in training are dropped. The 0/1 columns are not standardized. Numbers agree with
//! scikit-learn's `SimpleImputer(add_indicator=True)`, `StandardScaler` and
//! `OneHotEncoder(max_categories=50, handle_unknown="infrequent_if_exist")`. What is fitted is kept in `f64`; the
//! result is rounded to `f32` once.
//!
//! Fitting takes a training view. A test view is refused by the compiler:
//!
//! ```compile_fail
//! # use thalweg_data::{DatasetSpec, Preparation, Split, open};
//! # let iris = open("iris", &DatasetSpec::default()).unwrap();
//! # let split = Split::new(150, (0..100).collect(), (100..150).collect());
//! let (train, test) = split.views(&iris);
//! let preparation = Preparation::fit(&test); // a `TestView` is not a `TrainView`
//! ```
//!
//! The same with the training view compiles:
//!
//! ```
//! # use thalweg_data::{DatasetSpec, Preparation, Split, open};
//! # let iris = open("iris", &DatasetSpec::default()).unwrap();
//! # let split = Split::new(150, (0..100).collect(), (100..150).collect());
//! let (train, test) = split.views(&iris);
//! let preparation = Preparation::fit(&train);
//! ```

mod form;
pub mod impute;
pub mod one_hot;
mod pixels;
mod plan;
pub mod standardize;
mod step;

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Feature, Target};
use crate::error::DataError;
use crate::images::{ImageShape, Images, Pixels};
use crate::schema::Schema;
use crate::table::Table;
use crate::view::{TrainView, View};
pub use form::Form;
use pixels::{PixelScale, Source};
pub use plan::{FeaturePlan, PixelPlan, ValuesPlan};
use standardize::Standard;
use step::{Place, Step};

/// What was learned from a training view about how to turn rows into numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    #[serde(default, skip_serializing_if = "Form::is_table")]
    form: Form,
    steps: Vec<Step>,
    /// Of a block of pixels, or of the columns that are pixels in the form of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pixels: Option<PixelScale>,
    names: Vec<String>,
    notes: Vec<String>,
    target: Option<Standard>,
}

/// Rows ready for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub width: usize,
    /// The shape of a row in the form of images: `width` numbers, row-major, channels last.
    pub shape: Option<ImageShape>,
    /// The values, row after row: `rows × width`, all finite.
    pub x: Vec<f32>,
    /// What is to be predicted, a row each.
    pub y: Targets,
}

/// New rows ready for a network, whose target is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub width: usize,
    /// The shape of a row in the form of images: `width` numbers, row-major, channels last.
    pub shape: Option<ImageShape>,
    /// The values, row after row: `rows × width`, all finite.
    pub x: Vec<f32>,
}

/// The target of prepared rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Class codes.
    Classes(Vec<u32>),
    /// Numbers.
    Values {
        /// In the data's own unit.
        raw: Vec<f64>,
        /// (y − mean) / std with the training rows' mean and population std: what a network is fitted to.
        scaled: Vec<f32>,
    },
}

impl Targets {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(codes) => codes.len(),
            Self::Values { raw, .. } => raw.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Preparation {
    /// Fits every step on the rows of `train`, in the form of a table.
    pub fn fit(train: &TrainView<'_>) -> Self {
        Self::of_columns(train, Form::Table)
    }

    /// Fits on the rows of `train`, in any form.
    ///
    /// # Errors
    /// [`DataError::NoImages`] for [`Form::Images`] of data that are no images.
    pub fn fit_as(train: &TrainView<'_>, form: Form) -> Result<Self, DataError> {
        match form {
            Form::Table | Form::Codes => Ok(Self::of_columns(train, form)),
            Form::Images => Self::of_images(train),
        }
    }

    fn of_columns(train: &TrainView<'_>, form: Form) -> Self {
        let (data, rows) = (train.data(), train.rows());
        let mut notes = Vec::new();
        let steps = data.features.iter().map(|feature| Step::fit(feature, rows, &mut notes)).collect();
        let block = data.images.as_ref().filter(|images| !matches!(images.pixels, Pixels::Columns));
        let pixels = block.map(|images| {
            PixelScale::fit(images.shape, Source::of(block, &[], images.shape), rows, &mut notes)
        });
        let mut fitted =
            Self { form, steps, pixels, names: vec![], notes, target: scale_of_target(data, rows) };
        fitted.names = fitted.column_names();
        fitted
    }

    fn of_images(train: &TrainView<'_>) -> Result<Self, DataError> {
        let (data, rows) = (train.data(), train.rows());
        let Some(images) = &data.images else { return Err(DataError::NoImages { name: data.name.clone() }) };
        let mut notes = Vec::new();
        let in_columns = matches!(images.pixels, Pixels::Columns);
        let source = Source::of(Some(images), &data.features, images.shape);
        let pixels = PixelScale::fit(images.shape, source, rows, &mut notes);
        if !in_columns && !data.features.is_empty() {
            notes.push("Features beside the images are not part of their form.".to_owned());
        }
        let names = match in_columns {
            true => data.features.iter().map(|feature| feature.name.clone()).collect(),
            false => pixel_names(images.shape),
        };
        let target = scale_of_target(data, rows);
        Ok(Self { form: Form::Images, steps: vec![], pixels: Some(pixels), names, notes, target })
    }

    /// The number of columns of a prepared row.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The form of a prepared row.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The shape of a prepared row in the form of images.
    pub fn shape(&self) -> Option<ImageShape> {
        self.pixels.as_ref().filter(|_| self.form == Form::Images).map(|pixels| pixels.shape)
    }

    /// How many codes (0, 1, …) each of the last columns can hold, in the form of codes; empty otherwise.
    pub fn categories(&self) -> Vec<usize> {
        match self.form {
            Form::Codes => self.encodings().map(|(_, one_hot)| one_hot.width() + 1).collect(),
            Form::Table | Form::Images => Vec::new(),
        }
    }

    /// The columns' names: `age`, `city=Rome`, `city=infrequent`, `age is missing`; of codes `city`; of a block's
    /// pixels `pixel 3,7` (row, column) and in several channels `pixel 3,7,0`.
    pub fn feature_names(&self) -> &[String] {
        &self.names
    }

    /// What was dropped or merged, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The rows of `view` as numbers.
    ///
    /// A level that was not seen in training goes to the column of infrequent levels if there is one, and is all
    /// zeros otherwise. A value missing here but never in training is imputed all the same. What does not fit an
    /// `f32` is held at its largest finite value.
    ///
    /// # Panics
    /// If the features of `view` are not those of the training view, by name and type.
    pub fn apply(&self, view: &impl View) -> Prepared {
        let (data, rows) = (view.data(), view.rows());
        let Inputs { rows: count, width, shape, x } = self.inputs(&data.features, data.images.as_ref(), rows);
        Prepared { rows: count, width, shape, x, y: self.targets(data, rows) }
    }

    /// New rows as numbers: those that [`Preparation::apply`] makes of the same rows. `schema` is that of the data set
    /// that this was fitted on, and `table` best read with [`Schema::read`]. Columns are found by name, further ones
    /// are not looked at, and the target may be missing. A category that was not seen in training counts as such.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`], [`DataError::WrongKind`] for a cell that is not what its column was in training,
    /// [`DataError::NotFinite`], [`DataError::OtherInputs`] if this was fitted on a block of images
    /// ([`Preparation::apply_images`] takes those).
    ///
    /// # Panics
    /// If `schema` is that of another data set.
    pub fn apply_table(&self, table: &Table, schema: &Schema) -> Result<Inputs, DataError> {
        let in_columns = self.form == Form::Images && !schema.columns.is_empty();
        if let Some(pixels) = self.pixels.as_ref().filter(|_| !in_columns) {
            let trained_on = format!("images of {}", pixels.shape);
            return Err(DataError::OtherInputs { name: table.source.clone(), found: "a table", trained_on });
        }
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        Ok(self.inputs(&schema.features(table)?, None, &rows))
    }

    /// New images, called `name` in errors, as numbers: those that [`Preparation::apply`] makes of the same rows.
    ///
    /// # Errors
    /// [`DataError::OtherShape`] if the images are not of the shape that this was fitted on, [`DataError::OtherInputs`]
    /// if it was not fitted on a block of images alone or is given none.
    pub fn apply_images(&self, name: &str, images: &Images) -> Result<Inputs, DataError> {
        let (Some(pixels), Some(rows)) =
            (self.pixels.as_ref().filter(|_| self.steps.is_empty()), images.rows())
        else {
            let trained_on = "the columns of a table".to_owned();
            return Err(DataError::OtherInputs { name: name.to_owned(), found: "images", trained_on });
        };
        crate::assemble::images::check(images, name, Some(pixels.shape))?;
        let rows: Vec<u32> = (0..rows as u32).collect();
        Ok(self.inputs(&[], Some(images), &rows))
    }

    /// The numbers of `rows`.
    fn inputs(&self, features: &[Feature], images: Option<&Images>, rows: &[u32]) -> Inputs {
        let width = self.width();
        let mut x = vec![0.0_f32; rows.len() * width];
        let (places, pixels_at) = self.places();
        if self.form != Form::Images {
            assert_eq!(features.len(), self.steps.len(), "another number of features than was fitted");
            for ((step, feature), place) in self.steps.iter().zip(features).zip(places) {
                assert_eq!(feature.name, step.name, "another feature than was fitted");
                step.write(&feature.column, rows, &mut x, width, place, self.form == Form::Codes);
            }
        }
        if let Some(pixels) = &self.pixels {
            let shape = images.map_or(pixels.shape, |images| images.shape);
            assert_eq!(shape, pixels.shape, "images of another shape than was fitted");
            pixels.write(Source::of(images, features, shape), rows, &mut x, pixels_at, width);
        }
        Inputs { rows: rows.len(), width, shape: self.shape(), x }
    }

    /// The categories that have columns, with their encodings.
    fn encodings(&self) -> impl Iterator<Item = (&Step, &one_hot::OneHot)> {
        self.steps.iter().filter_map(|step| Some((step, step.one_hot()?)))
    }

    /// Where each step's columns begin, and where those of the pixels do.
    ///
    /// In the form of a table: each step's values and its indicator, then the pixels. In the form of codes: all
    /// numbers, all indicators, the pixels, all codes.
    fn places(&self) -> (Vec<Place>, usize) {
        let count = |counts: fn(&Step) -> bool| self.steps.iter().filter(|step| counts(step)).count();
        let pixels = self.pixels.as_ref().map_or(0, |pixels| pixels.shape.len());
        let mut next = 0;
        if self.form != Form::Codes {
            let place = |step: &Step| {
                let columns = step.one_hot().map_or(usize::from(step.is_number()), one_hot::OneHot::width);
                let values = take(&mut next, columns);
                Place { values, indicator: take(&mut next, usize::from(step.indicator)) }
            };
            let places = self.steps.iter().map(place).collect();
            return (places, next);
        }
        let mut number = take(&mut next, count(Step::is_number));
        let mut indicator = take(&mut next, count(|step| step.indicator));
        let pixels_at = take(&mut next, pixels);
        let mut code = next;
        let place = |step: &Step| {
            let values = match step.one_hot() {
                Some(_) => take(&mut code, 1),
                None => take(&mut number, usize::from(step.is_number())),
            };
            Place { values, indicator: take(&mut indicator, usize::from(step.indicator)) }
        };
        (self.steps.iter().map(place).collect(), pixels_at)
    }

    /// The names of all columns of a table or of codes, in their places.
    fn column_names(&self) -> Vec<String> {
        let (places, pixels_at) = self.places();
        let mut names: Vec<(usize, String)> = Vec::new();
        for (step, place) in self.steps.iter().zip(places) {
            match step.one_hot() {
                Some(one_hot) if self.form == Form::Table => {
                    let level = |level: &str| format!("{}={level}", step.name);
                    names.extend((place.values..).zip(one_hot.level_names().map(level)));
                }
                Some(_) => names.push((place.values, step.name.clone())),
                None if step.is_number() => names.push((place.values, step.name.clone())),
                None => {}
            }
            if step.indicator {
                names.push((place.indicator, format!("{} is missing", step.name)));
            }
        }
        names.extend(self.pixels.iter().flat_map(|pixels| (pixels_at..).zip(pixel_names(pixels.shape))));
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    fn targets(&self, data: &Dataset, rows: &[u32]) -> Targets {
        match (&data.target, &self.target) {
            (Target::Classes { codes, .. }, None) => {
                Targets::Classes(rows.iter().map(|&row| codes[row as usize]).collect())
            }
            (Target::Values(values), Some(standard)) => {
                let raw: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
                let scaled = raw.iter().map(|&value| standard.apply(value)).collect();
                Targets::Values { raw, scaled }
            }
            _ => panic!("another task than was fitted"),
        }
    }

    /// A scaled prediction in the target's own unit: ŷ · std + mean.
    ///
    /// # Panics
    /// If the target is classes.
    pub fn restore_target(&self, scaled: f32) -> f64 {
        match &self.target {
            Some(standard) => standard.restore(scaled),
            None => panic!("classes are not scaled"),
        }
    }
}

/// The next free column, of which `columns` are taken.
fn take(next: &mut usize, columns: usize) -> usize {
    let first = *next;
    *next += columns;
    first
}

/// Mean and deviation of a target of numbers.
fn scale_of_target(data: &Dataset, rows: &[u32]) -> Option<Standard> {
    let Target::Values(values) = &data.target else { return None };
    let values: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
    // A constant target is only shifted.
    Some(Standard::fit(&values).unwrap_or(Standard { mean: values[0], std: 1.0 }))
}

/// `pixel 0,0`, `pixel 0,1`, …; with the channel behind if there are several.
fn pixel_names(shape: ImageShape) -> Vec<String> {
    let name = |at: usize| {
        let (pixel, channel) = (at / shape.channels, at % shape.channels);
        let name = format!("pixel {},{}", pixel / shape.width, pixel % shape.width);
        if shape.channels == 1 { name } else { format!("{name},{channel}") }
    };
    (0..shape.len()).map(name).collect()
}
