//! Diabetes: progression of the disease after one year, in unscaled measures.

use super::BuiltIn;
use crate::dataset::Task;

/// Diabetes: progression of the disease after one year, in unscaled measures.
pub(super) const DIABETES: BuiltIn = BuiltIn {
    name: "diabetes",
    description: "progression of diabetes one year on by 10 measures, unscaled (as load_diabetes(scaled=False))",
    rows: 442,
    features: 10,
    task: Task::Regression,
    source: "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of Statistics 32, 2004; as shipped with scikit-learn",
    licence: "redistributed with scikit-learn under BSD-3-Clause; the authors state no terms of their own",
    target: "progression",
    time: None,
    lags: None,
    image: None,
    csv_gz: include_bytes!("../../data/diabetes.csv.gz"),
};
