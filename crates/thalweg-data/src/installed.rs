//! Data sets that are too large to travel inside the crate: a package of the system brings their files. One file per
//! set, one row a name here.

mod fashion_mnist;

use std::path::Path;

use crate::arrays::ArrayColumn;
use crate::assemble::images::{Labelled, labelled, of_classes};
use crate::dataset::{Dataset, Target, Task};
use crate::error::DataError;
use crate::images::{ImageShape, Images, Pixels};
use crate::read::idx;
use crate::spec::DatasetSpec;

/// A set of images, with labels, that a package brings.
#[derive(Debug)]
pub struct Installed {
    /// Its name: `fashion-mnist`.
    pub name: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// The rows, training rows first.
    pub rows: usize,
    /// The last rows that are the publisher's test part; 0 if this is one part only.
    pub test_rows: usize,
    /// The shape of a row.
    pub image: ImageShape,
    /// What is predicted.
    pub task: Task,
    /// Where it comes from, with the citation.
    pub source: &'static str,
    /// The licence of the data.
    pub licence: &'static str,
    /// The package of Debian and Ubuntu that brings it.
    pub package: &'static str,
    /// Where to get it elsewhere.
    home: &'static str,
    /// The classes in the order of the labels 0, 1, ….
    classes: &'static [&'static str],
    /// The folders in which it is looked for.
    folders: &'static [&'static str],
    /// Files of images and of labels, in the order of the rows.
    files: &'static [[&'static str; 2]],
}

/// Every name, in the order of a listing.
pub fn all() -> &'static [Installed] {
    const ALL: &[Installed] = &[
        fashion_mnist::FASHION_MNIST,
        fashion_mnist::FASHION_MNIST_TRAIN,
        fashion_mnist::FASHION_MNIST_TEST,
    ];
    ALL
}

/// The set of that name.
pub fn find(name: &str) -> Option<&'static Installed> {
    all().iter().find(|set| set.name == name)
}

impl Installed {
    /// The data set, if it is installed.
    ///
    /// # Errors
    /// [`DataError::NotInstalled`] with what to do, or as [`Dataset::from_images`].
    pub fn open(&self, spec: &DatasetSpec) -> Result<Dataset, DataError> {
        let folders: Vec<&Path> = self.folders.iter().map(Path::new).collect();
        self.open_in(&folders, spec)
    }

    fn open_in(&self, folders: &[&Path], spec: &DatasetSpec) -> Result<Dataset, DataError> {
        let file = self.files[0][0];
        let Some(folder) = folders.iter().find(|folder| folder.join(file).is_file()) else {
            let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            return Err(DataError::NotInstalled {
                name: self.name,
                file,
                folders: folders.join(" or "),
                package: self.package,
                home: self.home,
            });
        };
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for names in self.files {
            let [images, coded] = names.map(|name| folder.join(name));
            self.read_part(&images, &coded, &mut pixels, &mut labels)?;
        }
        let source = folder.display().to_string();
        let given = Labelled {
            name: self.name,
            source: &source,
            labels_source: &source,
            images: Images { shape: self.image, pixels: Pixels::Bytes(pixels) },
            labels: ArrayColumn::Numbers(labels.into_iter().map(f64::from).collect()),
        };
        let mut data = labelled(given, &of_classes(spec))?;
        if let Target::Classes { names, .. } = &mut data.target {
            let known = |name: &String| self.classes.get(name.parse::<usize>().ok()?);
            names
                .iter_mut()
                .for_each(|name| *name = known(name).map_or(name.clone(), |&known| known.to_owned()));
        }
        let rows = data.rows() as u32;
        data.fixed_test = (self.test_rows > 0).then(|| rows - self.test_rows as u32..rows);
        Ok(data)
    }

    /// Appends a file of images and its labels, which must be what the set is known to be.
    fn read_part(
        &self,
        images: &Path,
        coded: &Path,
        pixels: &mut Vec<u8>,
        labels: &mut Vec<u8>,
    ) -> Result<(), DataError> {
        let (part, codes) = (idx::images(images)?, idx::labels(coded)?);
        let source_name = images.display().to_string();
        if part.shape != self.image {
            return Err(DataError::OtherShape { source_name, found: part.shape, asked: self.image });
        }
        let Pixels::Bytes(bytes) = part.pixels else { return Ok(()) };
        let rows = bytes.len() / self.image.len();
        if rows != codes.len() {
            let labels_source = coded.display().to_string();
            return Err(DataError::LabelCount {
                source_name,
                images: rows,
                labels_source,
                labels: codes.len(),
            });
        }
        pixels.extend(bytes);
        labels.extend(codes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
