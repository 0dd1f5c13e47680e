//! Breast cancer (Wisconsin, diagnostic): malignant or benign by cell nuclei.

use super::BuiltIn;
use crate::dataset::Task;

/// Breast cancer (Wisconsin, diagnostic): malignant or benign by cell nuclei.
pub(super) const BREAST_CANCER: BuiltIn = BuiltIn {
    name: "breast-cancer",
    description: "malignant or benign tumours by 30 measures of their cell nuclei",
    rows: 569,
    features: 30,
    task: Task::Classification,
    source: "W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI, 1993, doi:10.24432/C5DW2B; as shipped with scikit-learn",
    licence: "CC BY 4.0",
    target: "diagnosis",
    time: None,
    lags: None,
    image: None,
    csv_gz: include_bytes!("../../data/breast-cancer.csv.gz"),
};
