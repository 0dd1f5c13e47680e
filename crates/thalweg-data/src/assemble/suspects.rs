//! Columns a model should rather not see: identifiers, copies of the target, damaged numbers.

use std::collections::BTreeMap;

use super::roles::Roles;
use super::target::NEARLY_ALL;
use crate::dataset::{Dataset, FeatureColumn, MISSING, Target};
use crate::date::parse_days;
use crate::table::{Table, Values};

/// With fewer rows, distinct values are no surprise.
const IDENTIFIER_ROWS: usize = 20;

/// Texts of which this share differ tell rows apart rather than describe them.
const IDENTIFIER_SHARE: f64 = 0.95;

/// Why a column looks like an identifier, if it does.
pub(super) fn identifier(values: &Values) -> Option<&'static str> {
    match values {
        Values::Integers(numbers) if numbers.len() >= IDENTIFIER_ROWS => {
            let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let mut seen = vec![false; numbers.len()];
            let once = |value: &f64| {
                let place = seen.get_mut((value - least) as usize);
                !value.is_nan() && place.is_some_and(|seen| !std::mem::replace(seen, true))
            };
            numbers.iter().all(once).then_some("it counts the rows")
        }
        Values::Text { codes, levels } => {
            let filled = codes.iter().filter(|&&code| code != MISSING).count();
            let distinct =
                filled >= IDENTIFIER_ROWS && levels.len() as f64 >= IDENTIFIER_SHARE * filled as f64;
            distinct.then_some("nearly every row has its own text")
        }
        _ => None,
    }
}

/// Warns of texts that look like damaged numbers or dates, and of `NaN` taken as a category.
pub(super) fn warn_of_text(table: &Table, roles: &Roles, data: &mut Dataset) {
    for column in roles.features.iter().map(|&at| &table.columns[at]) {
        let Values::Text { codes, levels } = &column.values else { continue };
        let level = |code: u32| levels.get(code as usize).map(String::as_str);
        let filled = codes.iter().filter(|&&code| code != MISSING).count() as f64;
        for (what, fits) in [("numbers", is_number as fn(&str) -> bool), ("dates", is_date)] {
            let fitting: Vec<bool> = levels.iter().map(|level| fits(level)).collect();
            let odd = |code: u32| fitting.get(code as usize) == Some(&false);
            let share = codes.iter().filter(|&&code| fitting.get(code as usize) == Some(&true)).count()
                as f64
                / filled;
            let Some(row) = codes.iter().position(|&code| odd(code)).filter(|_| share >= NEARLY_ALL) else {
                continue;
            };
            data.warnings.push(format!(
                "Column «{0}» is nearly all {what}, but «{1}» ({2}) is not, so it is read as text; mend the cell, or \
                 --missing {1}.",
                column.name,
                level(codes[row]).unwrap_or_default(),
                table.place(row)
            ));
        }
        let not_a_number = |&code: &u32| level(code).is_some_and(|text| text.eq_ignore_ascii_case("nan"));
        if let Some(row) = codes.iter().position(not_a_number) {
            data.warnings.push(format!(
                "Column «{0}» has the text «{1}» ({2}), taken as a category; --missing {1} makes it a missing value.",
                column.name,
                level(codes[row]).unwrap_or_default(),
                table.place(row)
            ));
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn is_date(text: &str) -> bool {
    parse_days(text).is_some()
}

/// Warns of features that give the target away.
pub(super) fn warn_of_copies(data: &mut Dataset) {
    for feature in &data.features {
        let copy = match (&feature.column, &data.target) {
            (FeatureColumn::Numbers(x), Target::Values(y)) => is_affine(x, y),
            (FeatureColumn::Numbers(x), Target::Classes { codes, names }) => one_to_one(
                x.iter().map(|value| (!value.is_nan()).then(|| (value + 0.0).to_bits())),
                codes,
                names.len(),
            ),
            (FeatureColumn::Categories { codes: x, .. }, Target::Classes { codes, names }) => one_to_one(
                x.iter().map(|&code| (code != MISSING).then_some(u64::from(code))),
                codes,
                names.len(),
            ),
            (FeatureColumn::Categories { codes: x, levels }, Target::Values(y)) => {
                let (codes, distinct) = super::number_codes(y);
                // Where every row has its own level, one-to-one says nothing.
                levels.len() < x.len()
                    && one_to_one(
                        x.iter().map(|&code| (code != MISSING).then_some(u64::from(code))),
                        &codes,
                        distinct.len(),
                    )
            }
        };
        if copy {
            data.warnings.push(format!(
                "Column «{0}» is a copy of the target «{1}» in other words: a model that sees it has nothing to learn; \
                 --ignore {0} unless it is known before the target.",
                feature.name, data.target_name
            ));
        }
    }
}

/// Whether x and the classes determine each other; a missing x belongs to no class.
fn one_to_one(x: impl Iterator<Item = Option<u64>>, classes: &[u32], count: usize) -> bool {
    let mut class_of: BTreeMap<u64, u32> = BTreeMap::new();
    let mut value_of: Vec<Option<u64>> = vec![None; count];
    for (value, &class) in x.zip(classes) {
        let Some(value) = value else { return false };
        let seen = *value_of[class as usize].get_or_insert(value);
        if seen != value || *class_of.entry(value).or_insert(class) != class {
            return false;
        }
    }
    true
}

/// Whether y = a + bx with b ≠ 0: |r| = 1 within 1e-12, over rows where x is given (at least 3, and half of all).
fn is_affine(x: &[f64], y: &[f64]) -> bool {
    let pairs: Vec<(f64, f64)> =
        x.iter().copied().zip(y.iter().copied()).filter(|(x, _)| !x.is_nan()).collect();
    let n = pairs.len() as f64;
    if pairs.len() < 3 || pairs.len() * 2 < x.len() {
        return false;
    }
    let mean = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |product: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|&(x, y)| product(x - mean_x, y - mean_y)).sum()
    };
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    xx > 0.0 && yy > 0.0 && (xy.abs() / (xx.sqrt() * yy.sqrt())) >= 1.0 - 1e-12
}
