//! A series: the target's own past becomes features.

use crate::dataset::{Dataset, Feature, FeatureColumn, Target};
use crate::error::DataError;
use crate::table::Table;

/// Adds `lag_1` (the previous row's target) … `lag_L` and drops the first `lags` rows, which have no such past.
///
/// Without a time column the rows are in time order as they stand, and the row number is the time.
pub(super) fn lag(data: &mut Dataset, table: &Table, lags: usize) -> Result<(), DataError> {
    let Target::Values(values) = &data.target else {
        return Err(DataError::LagsImpossible {
            needed: "a series of numbers, and the target is classes",
            remedy: "add --task regression if the classes are numbers, or leave --lags out",
        });
    };
    if data.groups.is_some() {
        return Err(DataError::LagsImpossible {
            needed: "one series, and a group column says that there are several",
            remedy: "leave --group out, or compute the lags of each group beforehand",
        });
    }
    let values = values.clone();
    let (rows, left) = (values.len(), values.len().saturating_sub(lags));
    if left < 2 {
        let (target, most) = (data.target_name.clone(), rows.saturating_sub(2));
        return Err(DataError::TooManyLags { lags, rows, left, most, target });
    }
    let is_lag = |name: &str| (1..=lags).any(|lag| name == format!("lag_{lag}"));
    if let Some(taken) = data.features.iter().find(|feature| is_lag(&feature.name)) {
        let (source_name, column) = (table.source.clone(), taken.name.clone());
        return Err(DataError::LagNameTaken { source_name, column });
    }
    warn(data);
    for feature in &mut data.features {
        match &mut feature.column {
            FeatureColumn::Numbers(numbers) => drop(numbers.drain(..lags)),
            FeatureColumn::Categories { codes, .. } => drop(codes.drain(..lags)),
        }
    }
    data.features.extend((1..=lags).map(|lag| Feature {
        name: format!("lag_{lag}"),
        column: FeatureColumn::Numbers(values[lags - lag..rows - lag].to_vec()),
    }));
    let times = data.times.take().unwrap_or_else(|| (0..rows).map(|row| row as f64).collect());
    data.times = Some(times[lags..].to_vec());
    data.target = Target::Values(values[lags..].to_vec());
    Ok(())
}

/// What lagging takes for granted.
fn warn(data: &mut Dataset) {
    match &data.times {
        None => data.warnings.push(
            "No column orders the rows, so the lags follow their order in the file; --time COL names one."
                .to_owned(),
        ),
        Some(times) if times.windows(2).any(|pair| pair[0] == pair[1]) => data.warnings.push(
            "Some rows share a time, so a lag is not always an earlier time; is this one series?".to_owned(),
        ),
        Some(_) => {}
    }
    if let Some(other) = data.features.first() {
        data.warnings.push(format!(
            "Column «{}» and any other feature is used as of the predicted row itself: it must be known before the \
             target is; --ignore what is not.",
            other.name
        ));
    }
}
