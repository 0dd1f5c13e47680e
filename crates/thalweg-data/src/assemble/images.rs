//! Images become a data set: a block of pixels with a label each, or a table whose columns are pixels.

use super::target;
use crate::arrays::ArrayColumn;
use crate::dataset::{Dataset, FeatureColumn};
use crate::error::DataError;
use crate::images::{ImageShape, Images, Pixels};
use crate::schema::Reading;
use crate::spec::{DatasetSpec, TaskChoice};
use crate::table::Table;

/// The images that a table's features are, if they are.
pub(super) fn of_columns(data: &Dataset, shape: ImageShape, source: &str) -> Result<Images, DataError> {
    let text = |column: &FeatureColumn| matches!(column, FeatureColumn::Categories { .. });
    let texts = data.features.iter().filter(|feature| text(&feature.column)).count();
    let numbers = data.features.len() - texts;
    if texts > 0 || numbers != shape.len() {
        let s = if numbers == 1 { "" } else { "s" };
        let found = match texts {
            0 => format!("there are {numbers} feature column{s}"),
            _ => format!("there are {numbers} feature column{s} of numbers and {texts} of text"),
        };
        let source_name = source.to_owned();
        return Err(DataError::NotPixels { source_name, shape, expected: shape.len(), found });
    }
    Ok(Images { shape, pixels: Pixels::Columns })
}

impl Dataset {
    /// The data set of a block of images with a label each, in memory. [`DatasetSpec::target`] is the label's name
    /// (`label` if none is given), and [`DatasetSpec::task`] says what it is. Rows without a label are dropped.
    ///
    /// # Errors
    /// See [`DataError`]: no block of pixels, another number of labels than images, ∞ among the pixels, a label that
    /// never varies, settings that name columns.
    pub fn from_images(
        name: &str,
        images: Images,
        labels: ArrayColumn,
        spec: &DatasetSpec,
    ) -> Result<Dataset, DataError> {
        labelled(Labelled { name, source: name, labels_source: "the labels", images, labels }, spec)
    }
}

/// Images, their labels, and what to call either in an error.
#[derive(Debug)]
pub(crate) struct Labelled<'a> {
    pub(crate) name: &'a str,
    pub(crate) source: &'a str,
    pub(crate) labels_source: &'a str,
    pub(crate) images: Images,
    pub(crate) labels: ArrayColumn,
}

/// See [`Dataset::from_images`].
pub(crate) fn labelled(given: Labelled<'_>, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let Labelled { name, source, labels_source, images, labels } = given;
    refuse_columns(spec, source)?;
    check(&images, source, spec.image)?;
    let target_name = spec.target.clone().unwrap_or_else(|| "label".to_owned());
    let rows = images.rows().unwrap_or(0);
    let mut table = Table::from_arrays(name, vec![(target_name.clone(), labels)])?;
    table.source = labels_source.to_owned();
    if table.rows() != rows {
        return Err(DataError::LabelCount {
            source_name: source.to_owned(),
            images: rows,
            labels_source: labels_source.to_owned(),
            labels: table.rows(),
        });
    }
    let mut warnings = Vec::new();
    let kept = super::with_target(&table, 0, &mut warnings)?;
    let target = target::target(&table, 0, spec, &kept, &mut warnings)?;
    Ok(Dataset {
        name: name.to_owned(),
        features: Vec::new(),
        images: Some(if kept.len() == rows { images } else { images.pick(&kept) }),
        target_name,
        target,
        groups: None,
        times: None,
        fixed_test: None,
        reading: Reading::default(),
        warnings,
    })
}

/// Images have no columns to name.
fn refuse_columns(spec: &DatasetSpec, source: &str) -> Result<(), DataError> {
    let named = [
        ("--ignore", !spec.ignore.is_empty()),
        ("--keep", !spec.keep.is_empty()),
        ("--group", spec.group.is_some()),
        ("--time", spec.time.is_some()),
        ("--lags", spec.lags.is_some_and(|lags| lags > 0)),
    ];
    match named.iter().find(|(_, given)| *given) {
        Some(&(flag, _)) => Err(DataError::ColumnOfImages { source_name: source.to_owned(), flag }),
        None => Ok(()),
    }
}

/// A block of whole images without ∞, of the shape that was asked for.
pub(crate) fn check(images: &Images, source: &str, asked: Option<ImageShape>) -> Result<(), DataError> {
    let (found, source_name) = (images.shape, source.to_owned());
    let len = found.checked_len().filter(|&len| len > 0);
    let whole = match (&images.pixels, len) {
        (Pixels::Columns, _) | (_, None) => false,
        (Pixels::Bytes(bytes), Some(len)) => bytes.len().is_multiple_of(len),
        (Pixels::Numbers(numbers), Some(len)) => numbers.len().is_multiple_of(len),
    };
    if !whole {
        let (shape, expected) = (found, len.unwrap_or(0));
        let found = "the block of pixels is not a whole number of them".to_owned();
        return Err(DataError::NotPixels { source_name, shape, expected, found });
    }
    if let Some(asked) = asked.filter(|&asked| asked != found) {
        return Err(DataError::OtherShape { source_name, found, asked });
    }
    if let Pixels::Numbers(numbers) = &images.pixels
        && let Some(at) = numbers.iter().position(|pixel| pixel.is_infinite())
    {
        return Err(DataError::InfinitePixel { source_name, row: at / found.len(), value: numbers[at] });
    }
    Ok(())
}

/// The specification with classes as the target unless it says otherwise.
pub(crate) fn of_classes(spec: &DatasetSpec) -> DatasetSpec {
    let task = match spec.task {
        TaskChoice::Auto => TaskChoice::Classification,
        task => task,
    };
    DatasetSpec { task, ..spec.clone() }
}
