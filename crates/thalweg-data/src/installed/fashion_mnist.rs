//! Fashion-MNIST: 28×28 grey images of clothes.

use super::Installed;
use crate::dataset::Task;
use crate::images::ImageShape;

const TRAIN: [&str; 2] = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];

/// Fashion-MNIST: 28×28 grey images of clothes, training and test part.
pub(super) const FASHION_MNIST: Installed = Installed {
    name: "fashion-mnist",
    description: "clothes in 10 classes, 28×28 grey images: 60,000 for training, then 10,000 for testing",
    rows: 70_000,
    test_rows: 10_000,
    image: ImageShape { height: 28, width: 28, channels: 1 },
    task: Task::Classification,
    source: "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747",
    licence: "MIT, © 2017 Zalando SE",
    package: "dataset-fashion-mnist",
    home: "https://github.com/zalandoresearch/fashion-mnist",
    classes: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    folders: &["/usr/share/datasets/fashion-mnist", "/usr/local/share/datasets/fashion-mnist"],
    files: &[TRAIN, TEST],
};

/// Its training part alone.
pub(super) const FASHION_MNIST_TRAIN: Installed = Installed {
    name: "fashion-mnist-train",
    description: "the training part of fashion-mnist",
    rows: 60_000,
    test_rows: 0,
    files: &[TRAIN],
    ..FASHION_MNIST
};

/// Its test part alone.
pub(super) const FASHION_MNIST_TEST: Installed = Installed {
    name: "fashion-mnist-test",
    description: "the test part of fashion-mnist",
    rows: 10_000,
    test_rows: 0,
    files: &[TEST],
    ..FASHION_MNIST
};
