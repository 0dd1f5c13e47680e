//! From a table to a data set: each column gets its role, each row its place.

pub(crate) mod images;
mod roles;
mod series;
mod suspects;
mod target;

use crate::dataset::{Dataset, Feature, FeatureColumn, MISSING, Target};
use crate::error::DataError;
use crate::schema::{ColumnKind, Reading};
use crate::spec::DatasetSpec;
use crate::table::{Table, Values};
use roles::Roles;
pub(crate) use roles::list;

/// See [`Dataset::from_table`].
pub(crate) fn assemble(table: &Table, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let mut warnings = Vec::new();
    let roles = Roles::of(table, spec, &mut warnings)?;
    check_finite(table, &roles)?;
    let rows = order(table, &roles, &mut warnings)?;
    let target = target::target(table, roles.target, spec, &rows, &mut warnings)?;
    let mut data = Dataset {
        name: table.name.clone(),
        features: features(table, &roles, &rows),
        images: None,
        target_name: table.columns[roles.target].name.clone(),
        target,
        groups: roles.group.map(|group| group_codes(&table.columns[group].values, &rows)),
        times: roles.time.map(|time| pick(table.columns[time].values.numbers().unwrap_or_default(), &rows)),
        fixed_test: None,
        reading: reading(table, &roles, spec),
        warnings,
    };
    if let (Some(group), Some(time)) = (roles.group, roles.time) {
        let (group, time) = (&table.columns[group].name, &table.columns[time].name);
        data.warnings.push(format!(
            "Column «{group}» is the group and «{time}» the time axis: --cv auto splits by time, so a group may stand on \
             both sides of a border; --cv group keeps groups whole."
        ));
    }
    suspects::warn_of_text(table, &roles, &mut data);
    suspects::warn_of_copies(&mut data);
    if let Some(lags) = spec.lags.filter(|&lags| lags > 0) {
        series::lag(&mut data, table, lags)?;
    }
    if data.features.is_empty() {
        return Err(DataError::NoFeatures {
            source_name: table.source.clone(),
            target: data.target_name,
            left_out: match roles.left_out.as_slice() {
                [] => String::new(),
                left_out => format!(" (left out: {})", list(left_out.iter().map(String::as_str))),
            },
        });
    }
    data.images = spec.image.map(|shape| images::of_columns(&data, shape, &table.source)).transpose()?;
    Ok(data)
}

/// How the texts of features were read as numbers, where it is not as they stand.
fn reading(table: &Table, roles: &Roles, spec: &DatasetSpec) -> Reading {
    let kind = |values: &Values| match values {
        Values::Booleans { names, .. } => Some(ColumnKind::Boolean(names.clone())),
        Values::Dates(_) => Some(ColumnKind::Date),
        _ => None,
    };
    let columns = roles.features.iter().map(|&at| &table.columns[at]);
    let kinds = columns.filter_map(|column| Some((column.name.clone(), kind(&column.values)?)));
    Reading { kinds: kinds.collect(), missing: spec.missing.clone() }
}

/// No column that is used may hold NaN or ∞.
fn check_finite(table: &Table, roles: &Roles) -> Result<(), DataError> {
    let mut used: Vec<usize> = roles.features.iter().copied().chain([roles.target]).collect();
    used.extend(roles.group);
    used.extend(roles.time);
    used.sort_unstable();
    for column in used.into_iter().map(|at| &table.columns[at]) {
        if let Some(bad) = &column.not_finite {
            let (column, cell) = (column.name.clone(), bad.text.clone());
            return Err(DataError::NotFinite { place: table.place(bad.row), column, cell });
        }
    }
    Ok(())
}

/// The rows that are kept, in the order they are kept in: those with a target, by time if there is one.
fn order(table: &Table, roles: &Roles, warnings: &mut Vec<String>) -> Result<Vec<u32>, DataError> {
    let mut rows = with_target(table, roles.target, warnings)?;
    for (column, role) in [(roles.group, "the group"), (roles.time, "the time")] {
        let Some(column) = column.map(|at| &table.columns[at]) else { continue };
        if let Some(&row) = rows.iter().find(|&&row| column.values.is_missing(row as usize)) {
            let (place, column) = (table.place(row as usize), column.name.clone());
            return Err(DataError::MissingKey { place, role, column });
        }
    }
    if let Some(times) = roles.time.and_then(|time| table.columns[time].values.numbers()) {
        rows.sort_by(|&a, &b| times[a as usize].total_cmp(&times[b as usize]));
    }
    Ok(rows)
}

/// The rows that have a target; how many have none is a warning.
fn with_target(table: &Table, at: usize, warnings: &mut Vec<String>) -> Result<Vec<u32>, DataError> {
    let target = &table.columns[at];
    let rows: Vec<u32> =
        (0..table.rows() as u32).filter(|&row| !target.values.is_missing(row as usize)).collect();
    if rows.is_empty() {
        let (source_name, column) = (table.source.clone(), target.name.clone());
        return Err(DataError::EmptyTarget { source_name, column });
    }
    let dropped = table.rows() - rows.len();
    if dropped > 0 {
        let (has, is) = if dropped == 1 { ("row has", "is") } else { ("rows have", "are") };
        warnings.push(format!("{dropped} {has} no value of the target «{}» and {is} left out.", target.name));
    }
    Ok(rows)
}

fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}

fn features(table: &Table, roles: &Roles, rows: &[u32]) -> Vec<Feature> {
    let column = |values: &Values| match values {
        Values::Text { codes, levels } => {
            let (codes, levels) = used_levels(&pick(codes, rows), levels);
            FeatureColumn::Categories { codes, levels }
        }
        _ => FeatureColumn::Numbers(pick(values.numbers().unwrap_or_default(), rows)),
    };
    let named = roles.features.iter().map(|&at| &table.columns[at]);
    named.map(|found| Feature { name: found.name.clone(), column: column(&found.values) }).collect()
}

/// The codes and levels without those levels that no row has (their rows were left out).
fn used_levels(codes: &[u32], levels: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut used = vec![false; levels.len()];
    codes.iter().filter(|&&code| code != MISSING).for_each(|&code| used[code as usize] = true);
    let mut next = 0;
    let renumbered: Vec<u32> = used
        .iter()
        .map(|&used| {
            next += u32::from(used);
            next.wrapping_sub(1)
        })
        .collect();
    let renumber = |&code: &u32| if code == MISSING { MISSING } else { renumbered[code as usize] };
    let kept = levels.iter().zip(&used).filter(|(_, used)| **used).map(|(level, _)| level.clone());
    (codes.iter().map(renumber).collect(), kept.collect())
}

/// Group codes 0, 1, … in the order of the groups' names or numbers.
fn group_codes(values: &Values, rows: &[u32]) -> Vec<u32> {
    match values {
        Values::Text { codes, levels } => used_levels(&pick(codes, rows), levels).0,
        _ => number_codes(&pick(values.numbers().unwrap_or_default(), rows)).0,
    }
}

/// Codes into the sorted distinct numbers; none is missing.
fn number_codes(values: &[f64]) -> (Vec<u32>, Vec<f64>) {
    let mut distinct: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    let code = |value: &f64| distinct.partition_point(|other| other < value) as u32;
    (values.iter().map(code).collect(), distinct)
}

impl Dataset {
    /// The data set that `spec` makes of `table`.
    ///
    /// Rows without a target are dropped; with a time column the rows are sorted by it (equal times keep their
    /// order). Columns that look like an identifier are left out unless kept: whole numbers that are a permutation of
    /// consecutive ones, or texts of which at least 95 % differ, in 20 rows or more. A single column of dates, with no
    /// group column, is the time axis; further dates are numbers (days since 1970). What was decided without being
    /// asked stands in [`Dataset::warnings`].
    ///
    /// # Errors
    /// See [`DataError`]: a column that is not there, a target that is missing, constant or of the wrong type, NaN or
    /// ∞ in a column that is used, no feature left, lags that are impossible.
    pub fn from_table(table: &Table, spec: &DatasetSpec) -> Result<Dataset, DataError> {
        assemble(table, spec)
    }

    /// The names of the classes; empty for regression.
    pub fn class_names(&self) -> &[String] {
        match &self.target {
            Target::Classes { names, .. } => names,
            Target::Values(_) => &[],
        }
    }
}
