//! Wine: three cultivars by chemical analysis.

use super::BuiltIn;
use crate::dataset::Task;

/// Wine: three cultivars by chemical analysis.
pub(super) const WINE: BuiltIn = BuiltIn {
    name: "wine",
    description: "three cultivars of wine by 13 chemical measures",
    rows: 178,
    features: 13,
    task: Task::Classification,
    source: "S. Aeberhard and M. Forina, Wine, UCI, 1992, doi:10.24432/C5PC7J; as shipped with scikit-learn",
    licence: "CC BY 4.0",
    target: "cultivar",
    time: None,
    lags: None,
    image: None,
    csv_gz: include_bytes!("../../data/wine.csv.gz"),
};
