//! Images that a model is asked about, with their labels where these are known.

use std::path::{Path, PathBuf};

use super::{images_of, labels};
use crate::arrays::ArrayColumn;
use crate::error::DataError;
use crate::images::{ImageShape, Images};
use crate::read::{ReadError, idx, npy};

/// New images, for [`Preparation::apply_images`](crate::Preparation::apply_images).
#[derive(Debug)]
pub struct NewImages {
    /// All of one shape.
    pub images: Images,
    /// The file of each, which only a folder has.
    pub files: Vec<String>,
    /// The label of each, if there are any; an error if they were found beside the images, and do not fit them.
    pub labels: Option<Result<ArrayColumn, DataError>>,
}

/// New images. What is at `path` is
///
/// | path | images | labels |
/// |---|---|---|
/// | a folder | its PNG and JPEG files, sorted by the bytes of their names | none |
/// | a folder without such files | those of the folders in it, sorted likewise | the folders' names |
/// | `*.npy` | an array of images, or of flat rows of pixels of the shape `like` | `y….npy` or `labels….npy` beside it |
/// | any other | IDX images | the file of labels beside them |
///
/// `named` is a file of labels that goes before those.
///
/// # Errors
/// See [`DataError`]; also if named labels cannot be read, or are not as many as the images. That the images are of the
/// shape `like` is not checked here.
pub fn open_images(path: &Path, like: ImageShape, named: Option<&str>) -> Result<NewImages, DataError> {
    if path.is_dir() {
        let (images, files, classes) = folder(path)?;
        let known = known(path, &images, &[], named)?;
        return Ok(NewImages { images, files, labels: known.or(classes.map(Ok)) });
    }
    let is_npy = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let (images, beside) = if is_npy {
        let images = images_of(npy::read(path)?, &path.display().to_string(), Some(like))?;
        (images, npy::labels_beside(path))
    } else {
        (idx::images(path)?, idx::labels_beside(path))
    };
    let labels = known(path, &images, &beside, named)?;
    Ok(NewImages { images, files: Vec::new(), labels })
}

/// The labels in a file that is named, or that is there beside the images.
fn known(
    path: &Path,
    images: &Images,
    beside: &[PathBuf],
    named: Option<&str>,
) -> Result<Option<Result<ArrayColumn, DataError>>, DataError> {
    if named.is_none() && !beside.iter().any(|path| path.is_file()) {
        return Ok(None);
    }
    let found = labels(path, beside, named).and_then(|(labels, labels_source)| {
        let rows = images.rows().unwrap_or(0);
        if labels.len() == rows {
            return Ok(labels);
        }
        let source_name = path.display().to_string();
        Err(DataError::LabelCount { source_name, images: rows, labels_source, labels: labels.len() })
    });
    // Whoever names a file means it; one that lies there may be about something else.
    if named.is_some() { found.map(|labels| Some(Ok(labels))) } else { Ok(Some(found)) }
}

type InFolder = (Images, Vec<String>, Option<ArrayColumn>);

#[cfg(feature = "images")]
fn folder(path: &Path) -> Result<InFolder, DataError> {
    use crate::read::folder::{has_images, read, read_flat};
    if has_images(path)? {
        let (images, files) = read_flat(path)?;
        return Ok((images, files, None));
    }
    let read = read(path).map_err(|error| match error {
        // Here a folder need have no classes.
        ReadError::Folder { path } => ReadError::EmptyClass { path },
        other => other,
    })?;
    let class = |&code: &u32| Some(read.classes[code as usize].clone());
    let labels = ArrayColumn::Texts(read.codes.iter().map(class).collect());
    Ok((read.images, read.files, Some(labels)))
}

#[cfg(not(feature = "images"))]
fn folder(path: &Path) -> Result<InFolder, DataError> {
    Err(ReadError::NoDecoders { path: path.to_owned() }.into())
}
