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

pub mod impute;
pub mod one_hot;
pub mod standardize;

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, FeatureColumn, MISSING, Target};
use crate::view::{TrainView, View};
use impute::{median, most_frequent};
use one_hot::OneHot;
use standardize::Standard;

/// What was learned from a training view about how to turn rows into numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    steps: Vec<Step>,
    names: Vec<String>,
    notes: Vec<String>,
    target: Option<Standard>,
}

/// How one feature becomes columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Step {
    /// The feature's name.
    name: String,
    /// What is done with its values.
    values: Values,
    /// Whether a column says which values are missing.
    indicator: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Values {
    /// Constant in training: no column.
    DropNumbers,
    /// Constant in training: no column.
    DropCategories,
    /// One column.
    Numbers { median: f64, standard: Standard },
    /// A column per level.
    Categories { most_frequent: String, one_hot: OneHot },
}

/// Rows ready for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub width: usize,
    /// The values, row after row: `rows × width`, all finite.
    pub x: Vec<f32>,
    /// What is to be predicted, a row each.
    pub y: Targets,
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
    /// Fits every step on the rows of `train`.
    pub fn fit(train: &TrainView<'_>) -> Self {
        let (data, rows) = (train.data(), train.rows());
        let mut fitted = Self {
            steps: Vec::with_capacity(data.features.len()),
            names: vec![],
            notes: vec![],
            target: None,
        };
        for feature in &data.features {
            fitted.fit_feature(&feature.name, &feature.column, rows);
        }
        if let Target::Values(values) = &data.target {
            let values: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
            // A constant target is only shifted.
            fitted.target = Some(Standard::fit(&values).unwrap_or(Standard { mean: values[0], std: 1.0 }));
        }
        fitted
    }

    fn fit_feature(&mut self, name: &str, column: &FeatureColumn, rows: &[u32]) {
        let (values, missing) = match column {
            FeatureColumn::Numbers(values) => fit_numbers(values, rows),
            FeatureColumn::Categories { codes, levels } => fit_categories(codes, levels, rows),
        };
        let indicator = missing > 0 && missing < rows.len();
        match &values {
            Values::Numbers { .. } => self.names.push(name.to_owned()),
            Values::Categories { one_hot, .. } => {
                self.names.extend(one_hot.level_names().map(|level| format!("{name}={level}")));
                if let Some(others) = one_hot.infrequent() {
                    self.notes.push(format!("{others} infrequent levels of «{name}» share one column."));
                }
            }
            _ if missing == rows.len() => {
                self.notes.push(format!("«{name}» is missing in every training row and is dropped."));
            }
            _ => self.notes.push(format!("«{name}» is constant in the training rows and is dropped.")),
        }
        if indicator {
            self.names.push(format!("{name} is missing"));
        }
        self.steps.push(Step { name: name.to_owned(), values, indicator });
    }

    /// The number of columns of a prepared row.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The columns' names: `age`, `city=Rome`, `city=infrequent`, `age is missing`.
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
        assert_eq!(data.features.len(), self.steps.len(), "another number of features than was fitted");
        let width = self.width();
        let mut x = vec![0.0_f32; rows.len() * width];
        let mut at = 0;
        for (step, feature) in self.steps.iter().zip(&data.features) {
            assert_eq!(feature.name, step.name, "another feature than was fitted");
            at += step.write(&feature.column, rows, &mut x, at, width);
        }
        Prepared { rows: rows.len(), width, x, y: self.targets(data, rows) }
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

/// Median and scale of the training rows, and how many of them are missing.
fn fit_numbers(values: &[f64], rows: &[u32]) -> (Values, usize) {
    let mut picked: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
    let missing = picked.iter().filter(|value| value.is_nan()).count();
    let fitted = median(&picked).and_then(|median| {
        picked.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = median);
        Standard::fit(&picked).map(|standard| Values::Numbers { median, standard })
    });
    (fitted.unwrap_or(Values::DropNumbers), missing)
}

/// Most frequent level and columns of the training rows, and how many of them are missing.
fn fit_categories(codes: &[u32], levels: &[String], rows: &[u32]) -> (Values, usize) {
    let mut counts = vec![0_u32; levels.len()];
    let mut missing = 0;
    for code in rows.iter().map(|&row| codes[row as usize]) {
        match counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => missing += 1,
        }
    }
    let Some(top) = most_frequent(&counts) else { return (Values::DropCategories, missing) };
    counts[top] += missing as u32;
    let fitted = OneHot::fit(&counts, levels).map_or(Values::DropCategories, |one_hot| Values::Categories {
        most_frequent: levels[top].clone(),
        one_hot,
    });
    (fitted, missing)
}

impl Step {
    /// Writes this feature's columns from column `at` on and returns how many they are.
    fn write(&self, column: &FeatureColumn, rows: &[u32], x: &mut [f32], at: usize, width: usize) -> usize {
        let written = match (&self.values, column) {
            (Values::DropNumbers, FeatureColumn::Numbers(_))
            | (Values::DropCategories, FeatureColumn::Categories { .. }) => 0,
            (Values::Numbers { median, standard }, FeatureColumn::Numbers(values)) => {
                for (&row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
                    let value = values[row as usize];
                    out[at] = standard.apply(if value.is_nan() { *median } else { value });
                }
                1
            }
            (Values::Categories { most_frequent, one_hot }, FeatureColumn::Categories { codes, levels }) => {
                let columns: Vec<Option<u32>> = levels.iter().map(|level| one_hot.column(level)).collect();
                let if_missing = one_hot.column(most_frequent);
                for (&row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
                    let code = codes[row as usize];
                    let hot = if code == MISSING { if_missing } else { columns[code as usize] };
                    if let Some(hot) = hot {
                        out[at + hot as usize] = 1.0;
                    }
                }
                one_hot.width()
            }
            _ => panic!("feature «{}» has another type than was fitted", self.name),
        };
        if self.indicator {
            write_indicator(column, rows, x, at + written, width);
        }
        written + usize::from(self.indicator)
    }
}

/// 1 where the value is missing.
fn write_indicator(column: &FeatureColumn, rows: &[u32], x: &mut [f32], at: usize, width: usize) {
    for (&row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
        let missing = match column {
            FeatureColumn::Numbers(values) => values[row as usize].is_nan(),
            FeatureColumn::Categories { codes, .. } => codes[row as usize] == MISSING,
        };
        out[at] = f32::from(u8::from(missing));
    }
}
