//! Predictions for images, with their labels and without: an array, an IDX file, folders.

use image::GrayImage;

use super::npy;
use crate::common::Folder;

const ROWS: usize = 40;
const SIDE: usize = 4;

/// Class 1 is bright at the bottom, class 0 at the top.
fn pixels(row: usize) -> Vec<u8> {
    let bright = |at: usize| (at / SIDE >= SIDE / 2) == (row % 2 == 1);
    (0..SIDE * SIDE)
        .map(|at| if bright(at) { 180 + (row % 40) as u8 } else { (at * row % 30) as u8 })
        .collect()
}

fn block() -> Vec<u8> {
    (0..ROWS).flat_map(pixels).collect()
}

fn labels() -> Vec<u8> {
    (0..ROWS).map(|row| (row % 2) as u8).collect()
}

/// An IDX file of bytes.
fn idx(sizes: &[usize], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|&size| file.extend((size as u32).to_be_bytes()));
    file.extend(bytes);
    file
}

/// A PNG file below the folder.
fn png(folder: &Folder, name: &str, row: usize) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for a test");
    let image = GrayImage::from_raw(SIDE as u32, SIDE as u32, pixels(row)).expect("all pixels");
    image.save(path).expect("an image");
}

/// A folder with a block of images, their labels, and a model of them, `m`, that has learned them.
fn with_images(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("x.npy", npy(&[ROWS, SIDE, SIDE], &block()));
    folder.write("y.npy", npy(&[ROWS], &labels()));
    folder.good(
        "train x.npy --task classification --network linear --learning-rate 0.1 --epochs 20 --quiet --out m",
    );
    folder
}

#[test]
fn images_with_labels_are_scored_and_others_are_not() {
    let folder = with_images("predict-images");
    let scored = folder.good("predict m x.npy --format csv");
    assert_eq!(scored.out.lines().count(), ROWS + 1);
    assert!(scored.err.starts_with("accuracy 1.0000, log-loss 0."), "{}", scored.err);
    assert!(scored.err.contains(&format!("on the {ROWS} rows with a target")), "{}", scored.err);
    // The same images, wherever they lie.
    folder.write("images-idx3-ubyte", idx(&[ROWS, SIDE, SIDE], &block()));
    folder.write("labels-idx1-ubyte", idx(&[ROWS], &labels()));
    folder.write("new.npy", npy(&[ROWS, SIDE, SIDE], &block()));
    for told in ["predict m images-idx3-ubyte", "predict m new.npy --labels y.npy"] {
        let ran = folder.good(&format!("{told} --format csv"));
        assert_eq!((ran.out, &ran.err), (scored.out.clone(), &scored.err), "{told}");
    }
    let unscored = folder.good("predict m new.npy --format csv");
    assert_eq!((unscored.out, unscored.err.as_str()), (scored.out, ""));
}

#[test]
fn folders_per_class_are_scored_and_flat_ones_are_not() {
    let folder = with_images("predict-image-folders");
    for row in 0..6 {
        png(&folder, &format!("classes/{}/{row}.png", row % 2), row);
        png(&folder, &format!("flat/{row}.png"), row);
    }
    let scored = folder.good("predict m classes --format csv");
    assert!(scored.err.starts_with("accuracy 1.0000, log-loss 0."), "{}", scored.err);
    let files = |text: &str| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split(',').take(2).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(
        files(&scored.out),
        ["0/0.png 0", "0/2.png 0", "0/4.png 0", "1/1.png 1", "1/3.png 1", "1/5.png 1"]
    );
    let flat = folder.good("predict m flat --format csv");
    assert_eq!(flat.err, "");
    assert_eq!(files(&flat.out), ["0.png 0", "1.png 1", "2.png 0", "3.png 1", "4.png 0", "5.png 1"]);
    // A class that training did not have is no error, and is not scored.
    png(&folder, "classes/unknown/6.png", 6);
    let strange = folder.good("predict m classes --format csv");
    assert!(strange.err.contains("on the 6 rows with a target"), "{}", strange.err);
    assert!(strange.err.contains("note: 1 labels, such as «unknown», were no target"), "{}", strange.err);
}

#[test]
fn labels_that_do_not_fit_are_an_error_only_if_they_are_named() {
    let folder = with_images("predict-image-labels");
    folder.write("y.npy", npy(&[3], &[0, 1, 0]));
    let ran = folder.good("predict m x.npy --format csv");
    assert_eq!(ran.out.lines().count(), ROWS + 1);
    assert!(ran.err.starts_with("note: the labels are not scored against: "), "{}", ran.err);
    assert!(ran.err.contains("y.npy") && ran.err.contains('3'), "{}", ran.err);
    for (flag, word) in [("y.npy", "y.npy"), ("nope.npy", "no file «nope.npy»")] {
        let ran = folder.run(&format!("predict m x.npy --labels {flag}"));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}
