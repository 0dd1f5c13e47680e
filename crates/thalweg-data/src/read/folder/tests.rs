//! Folders of small images, made here.

use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba};

use super::*;

/// A folder of its own, gone afterwards.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("thalweg-folder-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The path of a file in it, whose folder there is.
    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a temporary folder");
        path
    }

    fn grey(&self, name: &str, width: u32, height: u32, first: u8) {
        let pixel = |x, y| Luma([first + (y * width + x) as u8]);
        GrayImage::from_fn(width, height, pixel).save(self.file(name)).expect("an image");
    }

    fn error(&self) -> String {
        read(&self.0).expect_err("no images").to_string()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn has(text: &str, words: &[&str]) {
    words.iter().for_each(|word| assert!(text.contains(word), "no «{word}» in: {text}"));
}

#[test]
fn classes_and_images_are_sorted_by_bytes() {
    let root = Root::new("sorted");
    root.grey("ö/1.png", 3, 2, 30);
    root.grey("b/2.PNG", 3, 2, 20);
    root.grey("b/10.png", 3, 2, 10);
    root.grey("Z/1.png", 3, 2, 0);
    std::fs::create_dir_all(root.0.join(".hidden")).expect("a folder");
    let found = read(&root.0).expect("images");
    assert_eq!(found.classes, ["Z", "b", "ö"]);
    assert_eq!(found.codes, [0, 1, 1, 2]);
    assert_eq!(found.images.shape, ImageShape { height: 2, width: 3, channels: 1 });
    let rows = [0, 10, 20, 30].into_iter().flat_map(|first| first..first + 6);
    assert_eq!(found.images.pixels, Pixels::Bytes(rows.collect()));
    assert_eq!(found.warnings, Vec::<String>::new());
}

#[test]
fn colour_is_three_channels_last() {
    let root = Root::new("colour");
    let pixel = |x: u32, y: u32| Rgb([x as u8, y as u8, 100 + x as u8]);
    RgbImage::from_fn(2, 2, pixel).save(root.file("a/1.png")).expect("an image");
    let found = read(&root.0).expect("images");
    assert_eq!(found.images.shape, ImageShape { height: 2, width: 2, channels: 3 });
    assert_eq!(found.images.pixels, Pixels::Bytes(vec![0, 0, 100, 1, 0, 101, 0, 1, 100, 1, 1, 101]));
}

#[test]
fn jpeg_is_read_nearly_as_it_was() {
    let root = Root::new("jpeg");
    GrayImage::from_pixel(8, 8, Luma([77])).save(root.file("a/1.jpg")).expect("an image");
    GrayImage::from_pixel(8, 8, Luma([200])).save(root.file("b/1.jpeg")).expect("an image");
    let found = read(&root.0).expect("images");
    let Pixels::Bytes(pixels) = found.images.pixels else { panic!("not bytes") };
    assert!(pixels[..64].iter().all(|pixel| pixel.abs_diff(77) <= 2), "{pixels:?}");
    assert!(pixels[64..].iter().all(|pixel| pixel.abs_diff(200) <= 2), "{pixels:?}");
}

#[test]
fn transparency_depth_and_other_files_are_told() {
    let root = Root::new("odd");
    let clear = |r: u8| Rgba([r, 5, 6, 0]);
    ImageBuffer::from_pixel(1, 1, clear(4)).save(root.file("a/1.png")).expect("an image");
    ImageBuffer::from_pixel(1, 1, clear(7)).save(root.file("a/2.png")).expect("an image");
    std::fs::write(root.file("a/notes.txt"), "none").expect("a file");
    let found = read(&root.0).expect("images");
    assert_eq!(found.images.pixels, Pixels::Bytes(vec![4, 5, 6, 7, 5, 6]));
    assert_eq!(found.warnings.len(), 2);
    has(&found.warnings[0], &["2 images have transparency", "1.png"]);
    has(&found.warnings[1], &["1 file in", "notes.txt"]);
    let root = Root::new("deep");
    ImageBuffer::from_pixel(1, 1, Luma([0x8000_u16])).save(root.file("a/1.png")).expect("an image");
    ImageBuffer::from_pixel(1, 1, LumaA([9_u8, 1])).save(root.file("b/1.png")).expect("an image");
    let found = read(&root.0).expect("images");
    assert_eq!(found.images.pixels, Pixels::Bytes(vec![128, 9]));
    has(&found.warnings.join(" "), &["1 image of 16 bits", "1 image has transparency"]);
}

#[test]
fn the_first_image_that_differs_is_named() {
    let root = Root::new("sizes");
    root.grey("a/1.png", 3, 2, 0);
    root.grey("a/2.png", 3, 2, 0);
    root.grey("b/1.png", 2, 3, 0);
    root.grey("b/2.png", 9, 9, 0);
    has(&root.error(), &["b/1.png» is 3x2x1", "a/1.png», the first image, is 2x3x1", "resize or crop"]);
    let root = Root::new("colours");
    root.grey("a/1.png", 2, 2, 0);
    RgbImage::new(2, 2).save(root.file("a/2.png")).expect("an image");
    has(&root.error(), &["2.png» is 2x2x3", "all in grey or all in colour"]);
}

#[test]
fn what_holds_no_images_is_refused() {
    let root = Root::new("empty");
    has(&root.error(), &["is a folder", "name one CSV file", "PNG or JPEG images for each class"]);
    root.grey("1.png", 2, 2, 0);
    std::fs::create_dir_all(root.0.join("cats")).expect("a folder");
    has(&root.error(), &["is a folder", "for each class"]);
    root.grey("dogs/1.png", 2, 2, 0);
    has(&root.error(), &["cats» has no PNG or JPEG image", "take the folder away"]);
}

#[test]
fn damaged_images_are_named() {
    let root = Root::new("damaged");
    std::fs::write(root.file("a/1.png"), b"no image").expect("a file");
    has(&root.error(), &["a/1.png» cannot be read as an image", "save it again"]);
    root.grey("a/1.png", 20, 20, 0);
    let path = root.file("a/1.png");
    let whole = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("a file");
    has(&root.error(), &["a/1.png» cannot be read as an image"]);
    // A PNG of a hundred bytes that says it is 30000 × 30000.
    let mut huge = whole.clone();
    huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let crc = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(&path, &huge).expect("a file");
    has(&root.error(), &["30000x30000x1 is larger than"]);
}

#[test]
fn new_images_are_a_folder_without_classes() {
    let root = Root::new("flat");
    has(&read_flat(&root.0).expect_err("no images").to_string(), &["has no PNG or JPEG image"]);
    root.grey("b.png", 2, 1, 7);
    root.grey("a.png", 2, 1, 1);
    root.grey("class/c.png", 2, 1, 1);
    let (images, names) = read_flat(&root.0).expect("images");
    assert_eq!(names, ["a.png", "b.png"]);
    assert_eq!(images.pixels, Pixels::Bytes(vec![1, 2, 7, 8]));
}

/// The checksum of a PNG's chunk.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0_u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}
