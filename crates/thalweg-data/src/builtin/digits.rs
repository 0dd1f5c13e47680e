//! Optical digits: 8×8 images of handwritten digits.

use super::BuiltIn;
use crate::dataset::Task;
use crate::images::ImageShape;

/// Optical digits: 8×8 images of handwritten digits.
pub(super) const DIGITS: BuiltIn = BuiltIn {
    name: "digits",
    description: "handwritten digits, 8×8 grey values of 0 to 16",
    rows: 1797,
    features: 64,
    task: Task::Classification,
    source: "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (test part), UCI, 1998, doi:10.24432/C50P49; as shipped with scikit-learn",
    licence: "CC BY 4.0",
    target: "digit",
    time: None,
    lags: None,
    image: Some(ImageShape { height: 8, width: 8, channels: 1 }),
    csv_gz: include_bytes!("../../data/digits.csv.gz"),
};
