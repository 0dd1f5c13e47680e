//! Air passengers: a monthly series, 1949 to 1960.

use super::BuiltIn;
use crate::dataset::Task;

/// Air passengers: a monthly series, 1949 to 1960.
pub(super) const AIR_PASSENGERS: BuiltIn = BuiltIn {
    name: "air-passengers",
    description: "monthly international airline passengers in thousands, 1949-01 to 1960-12, from the 12 months before",
    rows: 132,
    features: 12,
    task: Task::Regression,
    source: "G. E. P. Box and G. M. Jenkins, Time Series Analysis: Forecasting and Control, 1976, series G; as shipped with pmdarima",
    licence: "facts published in print, redistributed with R and pmdarima (MIT); no terms of their own",
    target: "passengers",
    time: Some("month"),
    lags: Some(12),
    image: None,
    csv_gz: include_bytes!("../../data/air-passengers.csv.gz"),
};
