//! Data sets that travel inside the crate. One file per set, one row here.

mod air_passengers;
mod breast_cancer;
mod diabetes;
mod digits;
mod iris;
mod wine;

use crate::dataset::{Dataset, Task};
use crate::error::DataError;
use crate::images::ImageShape;
use crate::read::csv::{self, CsvOptions};
use crate::spec::{DatasetSpec, TaskChoice};

/// A data set that travels inside the crate. Its gzipped CSV file is read as any other file is.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name: `digits`.
    pub name: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// The rows a model sees.
    pub rows: usize,
    /// The features a model sees.
    pub features: usize,
    /// What is predicted.
    pub task: Task,
    /// Where it comes from, with the citation.
    pub source: &'static str,
    /// The licence of the data.
    pub licence: &'static str,
    /// The column that is predicted.
    pub target: &'static str,
    /// The time column of a series.
    pub time: Option<&'static str>,
    /// The lags of a series.
    pub lags: Option<usize>,
    /// The shape of the image that the features are the pixels of.
    pub image: Option<ImageShape>,
    /// The file.
    csv_gz: &'static [u8],
}

/// Every built-in set, in the order of a listing.
pub fn all() -> &'static [BuiltIn] {
    const ALL: &[BuiltIn] = &[
        digits::DIGITS,
        iris::IRIS,
        wine::WINE,
        breast_cancer::BREAST_CANCER,
        diabetes::DIABETES,
        air_passengers::AIR_PASSENGERS,
    ];
    ALL
}

/// The built-in set of that name.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    all().iter().find(|set| set.name == name)
}

impl BuiltIn {
    /// The data set with its own target, task, time and lags.
    ///
    /// # Panics
    /// Never: the embedded files are fixed, and a test loads each of them.
    pub fn load(&self) -> Dataset {
        self.open(&DatasetSpec::default()).expect("an embedded data set loads")
    }

    /// The data set as `spec` wants it; what `spec` leaves open is as in [`BuiltIn::load`].
    ///
    /// # Errors
    /// As [`Dataset::from_table`].
    pub fn open(&self, spec: &DatasetSpec) -> Result<Dataset, DataError> {
        let spec = spec.or(&self.spec());
        let options = CsvOptions { header: spec.header, extra_missing: spec.missing.clone() };
        let table = csv::parse(self.name, self.csv_gz.to_vec(), &options)?;
        Dataset::from_table(&table, &spec)
    }

    /// What is said about the file when nobody says otherwise.
    pub fn spec(&self) -> DatasetSpec {
        DatasetSpec {
            target: Some(self.target.to_owned()),
            task: match self.task {
                Task::Classification => TaskChoice::Classification,
                Task::Regression => TaskChoice::Regression,
            },
            time: self.time.map(str::to_owned),
            lags: self.lags,
            image: self.image,
            ..DatasetSpec::default()
        }
    }
}
