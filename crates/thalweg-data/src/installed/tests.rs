//! A set made of small files in the places where a package would put them.

use std::path::PathBuf;

use super::*;
use crate::spec::TaskChoice;

const SMALL: Installed = Installed {
    name: "small",
    rows: 5,
    test_rows: 2,
    image: ImageShape { height: 1, width: 2, channels: 1 },
    classes: &["shoe", "bag"],
    files: &[
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
        ["t-images-idx3-ubyte", "t-labels-idx1-ubyte"],
    ],
    ..fashion_mnist::FASHION_MNIST
};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("thalweg-installed-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn write(&self, part: &str, rows: u8, width: u8, labels: &[u8]) {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 1, 0, 0, 0, width];
        images.extend(0..rows * width);
        std::fs::write(self.0.join(format!("{part}-images-idx3-ubyte")), images).expect("a file");
        let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, labels.len() as u8];
        bytes.extend(labels);
        std::fs::write(self.0.join(format!("{part}-labels-idx1-ubyte")), bytes).expect("a file");
    }

    fn open(&self) -> Result<Dataset, DataError> {
        SMALL.open_in(&[Path::new("nowhere"), &self.0], &DatasetSpec::default())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn both_parts_are_one_set_and_its_own_split() {
    let folder = Folder::new("parts");
    folder.write("train", 3, 2, &[1, 0, 1]);
    folder.write("t", 2, 2, &[0, 1]);
    let data = folder.open().expect("a data set");
    let codes = vec![1, 0, 1, 0, 1];
    assert_eq!(data.target, Target::Classes { codes, names: vec!["shoe".into(), "bag".into()] });
    let images = data.images.as_ref().expect("images");
    assert_eq!(images.pixels, Pixels::Bytes(vec![0, 1, 2, 3, 4, 5, 0, 1, 2, 3]));
    assert_eq!((data.name.as_str(), data.inputs()), ("small", 2));
    let split = data.fixed_split().expect("a split");
    assert_eq!((split.train(), split.test()), (&[0, 1, 2][..], &[3, 4][..]));
    let spec = DatasetSpec { task: TaskChoice::Regression, ..DatasetSpec::default() };
    let numbers = SMALL.open_in(&[&folder.0], &spec).expect("a data set");
    assert_eq!(numbers.target, Target::Values(vec![1.0, 0.0, 1.0, 0.0, 1.0]));
}

#[test]
fn files_of_something_else_are_refused() {
    let folder = Folder::new("other");
    folder.write("train", 3, 2, &[1, 0]);
    folder.write("t", 2, 2, &[0, 1]);
    let error = folder.open().expect_err("two labels of three").to_string();
    assert!(error.contains("has 3 images") && error.contains("has 2 labels"), "{error}");
    folder.write("train", 3, 4, &[1, 0, 1]);
    let error = folder.open().expect_err("another shape").to_string();
    assert!(error.contains("1x4x1, not 1x2x1"), "{error}");
}

#[test]
fn what_is_not_installed_says_how_to_get_it() {
    let error = SMALL.open_in(&[Path::new("a/b"), Path::new("c/d")], &DatasetSpec::default());
    let error = error.expect_err("no files").to_string();
    for word in ["«small»", "a/b or c/d", "sudo apt install dataset-fashion-mnist", "https://"] {
        assert!(error.contains(word), "no «{word}» in: {error}");
    }
}
