//! One feature: what is fitted on it and which columns it becomes.

use serde::{Deserialize, Serialize};

use super::impute::{median, most_frequent};
use super::one_hot::OneHot;
use super::standardize::Standard;
use crate::dataset::{Feature, FeatureColumn, MISSING};

/// How one feature becomes columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    /// The feature's name.
    pub(super) name: String,
    /// What is done with its values.
    pub(super) values: Values,
    /// Whether a column says which values are missing.
    pub(super) indicator: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Values {
    /// Constant in training: no column.
    DropNumbers,
    /// Constant in training: no column.
    DropCategories,
    /// One column.
    Numbers { median: f64, standard: Standard },
    /// A column per level, or one of codes.
    Categories { most_frequent: String, one_hot: OneHot },
}

/// Where a step's columns begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The column of numbers, the first column of levels, or the column of codes.
    pub(super) values: usize,
    /// The column that says which values are missing.
    pub(super) indicator: usize,
}

impl Step {
    /// Fits a feature on `rows`; what was dropped or merged is a note.
    pub(super) fn fit(feature: &Feature, rows: &[u32], notes: &mut Vec<String>) -> Self {
        let name = &feature.name;
        let (values, missing) = match &feature.column {
            FeatureColumn::Numbers(values) => fit_numbers(values, rows),
            FeatureColumn::Categories { codes, levels } => fit_categories(codes, levels, rows),
        };
        match &values {
            Values::Numbers { .. } => {}
            Values::Categories { one_hot, .. } => {
                if let Some(others) = one_hot.infrequent() {
                    notes.push(format!("{others} infrequent levels of «{name}» share one column."));
                }
            }
            _ if missing == rows.len() => {
                notes.push(format!("«{name}» is missing in every training row and is dropped."));
            }
            _ => notes.push(format!("«{name}» is constant in the training rows and is dropped.")),
        }
        Self { name: name.clone(), values, indicator: missing > 0 && missing < rows.len() }
    }

    /// The encoding, if this is a category with columns.
    pub(super) fn one_hot(&self) -> Option<&OneHot> {
        match &self.values {
            Values::Categories { one_hot, .. } => Some(one_hot),
            _ => None,
        }
    }

    /// Whether this is one column of numbers.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.values, Values::Numbers { .. })
    }

    /// Writes this feature's columns; with `codes`, a category is one column.
    pub(super) fn write(
        &self,
        column: &FeatureColumn,
        rows: &[u32],
        x: &mut [f32],
        width: usize,
        place: Place,
        codes_only: bool,
    ) {
        let at = place.values;
        match (&self.values, column) {
            (Values::DropNumbers, FeatureColumn::Numbers(_))
            | (Values::DropCategories, FeatureColumn::Categories { .. }) => {}
            (Values::Numbers { median, standard }, FeatureColumn::Numbers(values)) => {
                for (&row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
                    let value = values[row as usize];
                    out[at] = standard.apply(if value.is_nan() { *median } else { value });
                }
            }
            (Values::Categories { most_frequent, one_hot }, FeatureColumn::Categories { codes, levels }) => {
                let columns: Vec<Option<u32>> = levels.iter().map(|level| one_hot.column(level)).collect();
                let if_missing = one_hot.column(most_frequent);
                for (&row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
                    let code = codes[row as usize];
                    let hot = if code == MISSING { if_missing } else { columns[code as usize] };
                    match hot {
                        Some(hot) if codes_only => out[at] = (hot + 1) as f32,
                        Some(hot) => out[at + hot as usize] = 1.0,
                        None => {}
                    }
                }
            }
            _ => panic!("feature «{}» has another type than was fitted", self.name),
        }
        if self.indicator {
            write_indicator(column, rows, x, place.indicator, width);
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
