//! From a name or a path to a data set: which reader takes it.

mod new_images;

use std::path::{Path, PathBuf};

use thalweg_optim::suggest::did_you_mean;

use crate::arrays::ArrayColumn;
use crate::assemble::images::{Labelled, labelled, of_classes};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::images::{ImageShape, Images, Pixels};
use crate::read::csv::{self, CsvOptions};
use crate::read::npy::{self, Array, ArrayData};
use crate::read::{ReadError, idx};
use crate::spec::DatasetSpec;
use crate::table::Table;
use crate::{builtin, installed};
pub use new_images::{NewImages, open_images};

/// A data set by name or by path.
///
/// A name without a folder and without an extension is a built-in or installed set if there is one of that name
/// (`./digits` is always a file). Fields of `spec` go before a built-in set's defaults. A path is
///
/// | path | read as |
/// |---|---|
/// | a folder | images, a folder per class (with the feature `images`) |
/// | `*-ubyte`, `*.idx`, either `.gz` | IDX images, their labels beside them or [`DatasetSpec::labels`] |
/// | `*.npy` | an array of rows, or of images, its labels likewise |
/// | any other | CSV or TSV, plain or gzipped |
///
/// # Errors
/// See [`DataError`]: no such set or file, a file that is no table, a specification that does not fit it.
pub fn open(name_or_path: &str, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let bare = !name_or_path.contains(['/', '\\', '.']);
    if let Some(set) = builtin::find(name_or_path).filter(|_| bare) {
        return set.open(spec);
    }
    if let Some(set) = installed::find(name_or_path).filter(|_| bare) {
        return set.open(spec);
    }
    let path = Path::new(name_or_path);
    if bare && !path.exists() {
        let names = || {
            let installed = installed::all().iter().map(|set| set.name);
            builtin::all().iter().map(|set| set.name).chain(installed)
        };
        let hint = did_you_mean(name_or_path, names());
        return Err(DataError::UnknownDataset {
            name: name_or_path.to_owned(),
            hint: if hint.is_empty() { ".".to_owned() } else { hint },
            known: names().collect::<Vec<_>>().join(", "),
        });
    }
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if path.is_dir() {
        return open_folder(path, spec);
    }
    if idx::is_idx(&file_name) {
        return open_idx(path, spec);
    }
    if file_name.ends_with(".npy") {
        return open_npy(path, spec);
    }
    let options = CsvOptions { header: spec.header, extra_missing: spec.missing.clone() };
    Dataset::from_table(&csv::read(path, &options)?, spec)
}

/// The file's name without `.npy`, `.gz` and the like.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    plain.strip_suffix(".npy").or(plain.strip_suffix(".idx")).unwrap_or(plain).to_owned()
}

#[cfg(feature = "images")]
fn open_folder(path: &Path, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let read = crate::read::folder::read(path)?;
    let text = |&code: &u32| Some(read.classes[code as usize].clone());
    let labels = ArrayColumn::Texts(read.codes.iter().map(text).collect());
    let (name, source) = (stem(path), path.display().to_string());
    let given =
        Labelled { name: &name, source: &source, labels_source: &source, images: read.images, labels };
    let mut data = labelled(given, &of_classes(spec))?;
    data.warnings.extend(read.warnings);
    Ok(data)
}

#[cfg(not(feature = "images"))]
fn open_folder(path: &Path, _: &DatasetSpec) -> Result<Dataset, DataError> {
    Err(ReadError::NoDecoders { path: path.to_owned() }.into())
}

fn open_idx(path: &Path, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let images = idx::images(path)?;
    let (labels, found) = labels(path, &idx::labels_beside(path), spec.labels.as_deref())?;
    let (name, source) = (stem(path), path.display().to_string());
    let given = Labelled { name: &name, source: &source, labels_source: &found, images, labels };
    labelled(given, &of_classes(spec))
}

fn open_npy(path: &Path, spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let array = npy::read(path)?;
    let (labels, found) = labels(path, &npy::labels_beside(path), spec.labels.as_deref())?;
    let (name, source) = (stem(path), path.display().to_string());
    if let (&[_, columns], None) = (array.shape.as_slice(), spec.image) {
        return table(&name, &source, array.data, columns, labels, &found, spec);
    }
    let images = images_of(array, &source, spec.image)?;
    let shape = images.shape;
    let given = Labelled { name: &name, source: &source, labels_source: &found, images, labels };
    let mut data = labelled(given, spec)?;
    if shape.channels > 4 && shape.height <= 4 {
        data.warnings.push(format!(
            "The images are {shape} (height, width, channels); if their channels come first, save \
             x.transpose(0, 2, 3, 1) instead."
        ));
    }
    Ok(data)
}

/// The images of an array; of two dimensions if `flat` says of which shape each row is.
fn images_of(array: Array, source: &str, flat: Option<ImageShape>) -> Result<Images, DataError> {
    let unfit = || ReadError::WrongSizes {
        source_name: source.to_owned(),
        sizes: array.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × "),
        expected: "rows × columns of numbers, or images as rows × height × width (× channels); reshape it before saving",
    };
    let shape = match (array.shape.as_slice(), flat) {
        (&[_, columns], Some(shape)) if shape.checked_len() == Some(columns) => shape,
        (&[_, columns], Some(shape)) => {
            let (expected, found) = (shape.len(), format!("there are {columns} columns"));
            return Err(DataError::NotPixels { source_name: source.to_owned(), shape, expected, found });
        }
        (&[_, height, width], _) => ImageShape { height, width, channels: 1 },
        (&[_, height, width, channels], _) => ImageShape { height, width, channels },
        _ => return Err(unfit().into()),
    };
    let pixels = match array.data {
        ArrayData::Bytes(bytes) => Pixels::Bytes(bytes),
        ArrayData::Floats(floats) => Pixels::Numbers(floats),
        ArrayData::Numbers(numbers) => {
            Pixels::Numbers(numbers.into_iter().map(|value| value as f32).collect())
        }
        ArrayData::Booleans(values) => Pixels::Bytes(values.into_iter().map(u8::from).collect()),
        ArrayData::Texts(_) => return Err(unfit().into()),
    };
    Ok(Images { shape, pixels })
}

/// Columns `x0`, `x1`, … and `y`.
fn table(
    name: &str,
    source: &str,
    data: ArrayData,
    columns: usize,
    labels: ArrayColumn,
    labels_source: &str,
    spec: &DatasetSpec,
) -> Result<Dataset, DataError> {
    fn column<T>(values: &[T], at: usize, columns: usize, number: fn(&T) -> f64) -> ArrayColumn {
        ArrayColumn::Numbers(values.iter().skip(at).step_by(columns).map(number).collect())
    }
    let rows = |len: usize| len / columns;
    let (rows, pick): (usize, Box<dyn Fn(usize) -> ArrayColumn>) = match data {
        ArrayData::Bytes(values) => {
            (rows(values.len()), Box::new(move |at| column(&values, at, columns, |&value| f64::from(value))))
        }
        ArrayData::Floats(values) => {
            (rows(values.len()), Box::new(move |at| column(&values, at, columns, |&value| f64::from(value))))
        }
        ArrayData::Numbers(values) => {
            (rows(values.len()), Box::new(move |at| column(&values, at, columns, |&value| value)))
        }
        ArrayData::Booleans(values) => (
            rows(values.len()),
            Box::new(move |at| column(&values, at, columns, |&value| f64::from(u8::from(value)))),
        ),
        ArrayData::Texts(texts) => (
            rows(texts.len()),
            Box::new(move |at| {
                let texts = texts.iter().skip(at).step_by(columns).cloned();
                ArrayColumn::Texts(texts.map(|text| (!text.is_empty()).then_some(text)).collect())
            }),
        ),
    };
    if labels.len() != rows {
        return Err(DataError::LabelCount {
            source_name: source.to_owned(),
            images: rows,
            labels_source: labels_source.to_owned(),
            labels: labels.len(),
        });
    }
    let mut named: Vec<(String, ArrayColumn)> = (0..columns).map(|at| (format!("x{at}"), pick(at))).collect();
    named.push(("y".to_owned(), labels));
    let mut table = Table::from_arrays(name, named)?;
    table.source = source.to_owned();
    let target = spec.target.clone().or_else(|| Some("y".to_owned()));
    Dataset::from_table(&table, &DatasetSpec { target, ..spec.clone() })
}

/// The labels of a file, and which file they are from.
fn labels(path: &Path, beside: &[PathBuf], named: Option<&str>) -> Result<(ArrayColumn, String), DataError> {
    let found = match named {
        Some(named) => PathBuf::from(named),
        None => beside.iter().find(|path| path.is_file()).cloned().ok_or_else(|| ReadError::NoLabels {
            source_name: path.display().to_string(),
            looked_for: match beside {
                [] => "its name does not say which file has its labels".to_owned(),
                beside => {
                    let names = beside.iter().map(|path| format!("«{}»", path.display()));
                    format!("there is no {} with its labels", names.collect::<Vec<_>>().join(" or "))
                }
            },
        })?,
    };
    let source = found.display().to_string();
    let is_npy = found.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    if !is_npy {
        let labels = idx::labels(&found)?.into_iter().map(f64::from).collect();
        return Ok((ArrayColumn::Numbers(labels), source));
    }
    let array: Array = npy::read(&found)?;
    let sizes = array.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
    let expected = "one label a row; save labels, not one-hot columns, such as y.argmax(axis=1)";
    let unfit = ReadError::WrongSizes { source_name: source.clone(), sizes, expected };
    Ok((array.into_labels().ok_or(unfit)?, source))
}
