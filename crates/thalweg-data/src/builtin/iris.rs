//! Iris: three species by four measures of their flowers.

use super::BuiltIn;
use crate::dataset::Task;

/// Iris: three species by four measures of their flowers.
pub(super) const IRIS: BuiltIn = BuiltIn {
    name: "iris",
    description: "three species of iris by length and width of sepal and petal (cm)",
    rows: 150,
    features: 4,
    task: Task::Classification,
    source: "R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936; UCI, doi:10.24432/C56C76; as shipped with scikit-learn",
    licence: "CC BY 4.0",
    target: "species",
    time: None,
    lags: None,
    image: None,
    csv_gz: include_bytes!("../../data/iris.csv.gz"),
};
