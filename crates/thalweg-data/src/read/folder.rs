//! A folder of images: `ROOT/CLASS/*.png` or `*.jpg`, a folder per class.
//!
//! Classes and the images of each are sorted by the bytes of their names, whatever order the system lists them in.
//! Grey images have one channel and colour ones three, 8 bits each; 16 bits are rounded to 8, transparency is dropped
//! (the colour below it stays), and what a camera notes about its rotation is not looked at. Hidden folders and further
//! files are left out.

use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ColorType, DynamicImage, ImageDecoder, ImageReader};

use super::{ReadError, bytes};
use crate::images::{ImageShape, Images, Pixels};

/// An image of more decoded bytes than this is refused before it is decoded: 4096 × 4096 in colour fits.
const MOST_BYTES: u64 = 1 << 26;

/// The images, the class of each, and what a reader should know of them.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) images: Images,
    /// A code per image, into `classes`.
    pub(crate) codes: Vec<u32>,
    /// The class folders' names.
    pub(crate) classes: Vec<String>,
    /// The file of each image, behind its class.
    pub(crate) files: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// Reads every image below a folder.
pub(crate) fn read(root: &Path) -> Result<Folder, ReadError> {
    let mut reading = Reading::default();
    let (mut without, mut files) = (None, Vec::new());
    for class in entries(root)? {
        let hidden = class.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !class.is_dir() || hidden {
            continue;
        }
        let images: Vec<PathBuf> = reading.images_of(&class)?;
        if images.is_empty() {
            without.get_or_insert(class);
            continue;
        }
        let name = name_of(&class);
        files.extend(images.iter().map(|image| format!("{name}/{}", name_of(image))));
        reading.classes.push(name);
        images.into_iter().try_for_each(|image| reading.add(image))?;
    }
    let Some((shape, _)) = reading.first else { return Err(ReadError::Folder { path: root.to_owned() }) };
    if let Some(path) = without {
        return Err(ReadError::EmptyClass { path });
    }
    let warnings = reading.warnings();
    let images = Images { shape, pixels: Pixels::Bytes(reading.pixels) };
    Ok(Folder { images, codes: reading.codes, classes: reading.classes, files, warnings })
}

/// Reads every image that is in a folder itself, with the files' names.
pub(crate) fn read_flat(root: &Path) -> Result<(Images, Vec<String>), ReadError> {
    let mut reading = Reading::default();
    let files = reading.images_of(root)?;
    let names = files.iter().map(|file| name_of(file)).collect();
    files.into_iter().try_for_each(|file| reading.add(file))?;
    let Some((shape, _)) = reading.first else { return Err(ReadError::EmptyClass { path: root.to_owned() }) };
    Ok((Images { shape, pixels: Pixels::Bytes(reading.pixels) }, names))
}

/// Whether there are images in a folder itself.
pub(crate) fn has_images(root: &Path) -> Result<bool, ReadError> {
    Ok(entries(root)?.iter().any(|path| is_image(path)))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, sorted by the bytes of the names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |cause| ReadError::Unreadable { path: folder.to_owned(), cause };
    let mut names: Vec<OsString> = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    names.sort_unstable_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    first: Option<(ImageShape, PathBuf)>,
    pixels: Vec<u8>,
    codes: Vec<u32>,
    classes: Vec<String>,
    /// How many images are transparent, or of 16 bits; how many files are no images, and the first of each.
    transparent: Noticed,
    deep: Noticed,
    other: Noticed,
}

#[derive(Debug, Default)]
struct Noticed {
    count: usize,
    first: PathBuf,
}

impl Noticed {
    fn add(&mut self, path: &Path) {
        if self.count == 0 {
            self.first = path.to_owned();
        }
        self.count += 1;
    }
}

impl Reading {
    fn images_of(&mut self, class: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let (images, others): (Vec<PathBuf>, Vec<PathBuf>) =
            entries(class)?.into_iter().partition(|path| is_image(path));
        others.iter().for_each(|other| self.other.add(other));
        Ok(images)
    }

    /// Decodes an image and appends its pixels.
    fn add(&mut self, path: PathBuf) -> Result<(), ReadError> {
        let bad = |cause: String| ReadError::BadImage { path: path.clone(), cause };
        let decoder = ImageReader::new(Cursor::new(bytes::load(&path)?))
            .with_guessed_format()
            .map_err(|cause| bad(cause.to_string()))?
            .into_decoder()
            .map_err(|cause| bad(cause.to_string()))?;
        let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
        let channels = if color.has_color() { 3 } else { 1 };
        let found = ImageShape { height: height as usize, width: width as usize, channels };
        let (expected, first) = self.first.get_or_insert_with(|| (found, path.clone()));
        if found != *expected {
            let same_size = (found.height, found.width) == (expected.height, expected.width);
            let remedy = match same_size {
                true => "save all in grey or all in colour",
                false => "resize or crop them beforehand",
            };
            let (first, expected) = (first.clone(), *expected);
            return Err(ReadError::ImageSize { path: path.clone(), found, first, expected, remedy });
        }
        if decoder.total_bytes() > MOST_BYTES {
            return Err(bad(format!("{found} is larger than the {MOST_BYTES} bytes that an image may take")));
        }
        let image = DynamicImage::from_decoder(decoder).map_err(|cause| bad(cause.to_string()))?;
        self.pixels.extend(if channels == 3 {
            image.into_rgb8().into_raw()
        } else {
            image.into_luma8().into_raw()
        });
        self.codes.push((self.classes.len() as u32).saturating_sub(1));
        if color.has_alpha() {
            self.transparent.add(&path);
        }
        if matches!(color, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16) {
            self.deep.add(&path);
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        let notices = [
            (
                &self.transparent,
                "image has transparency, which is dropped",
                "images have transparency, which is dropped",
            ),
            (&self.deep, "image of 16 bits is rounded to 8", "images of 16 bits are rounded to 8"),
            (
                &self.other,
                "file in the class folders is no PNG or JPEG image and is left out",
                "files in the class folders are no PNG or JPEG images and are left out",
            ),
        ];
        let told = notices.into_iter().filter(|(noticed, ..)| noticed.count > 0);
        told.map(|(noticed, one, many)| {
            let what = if noticed.count == 1 { one } else { many };
            format!("{} {what} (the first is «{}»).", noticed.count, noticed.first.display())
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
