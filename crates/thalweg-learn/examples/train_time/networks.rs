//! The networks that are timed.

use thalweg_learn::nn::{Architecture, Loss, Shape};
use thalweg_learn::train::{BatchSize, NetworkSpec, Recipe};

/// A network and its batch.
pub(crate) struct Network {
    /// As on the command line.
    pub(crate) name: &'static str,
    architecture: Architecture,
    hidden: &'static [usize],
    /// What a row is.
    pub(crate) shape: Shape,
    /// 2 is one output.
    pub(crate) classes: u32,
    /// Rows in a step.
    pub(crate) batch: u32,
    /// Steps between two looks at the clock.
    pub(crate) steps_between_looks: usize,
}

/// Every network.
pub(crate) const ALL: &[Network] = &[
    mlp("mlp20", 20, &[32, 32], 2, 16),
    mlp("mlp64", 64, &[64, 32], 10, 32),
    mlp("mlp784", 784, &[256, 128], 10, 64),
    image("lenet", Architecture::Lenet, [28, 28, 1]),
    image("resnet8", Architecture::Resnet8, [32, 32, 3]),
];

const fn mlp(
    name: &'static str,
    inputs: usize,
    hidden: &'static [usize],
    classes: u32,
    batch: u32,
) -> Network {
    let shape = Shape::Flat(inputs);
    Network { name, architecture: Architecture::Mlp, hidden, shape, classes, batch, steps_between_looks: 16 }
}

const fn image(name: &'static str, architecture: Architecture, size: [usize; 3]) -> Network {
    let [height, width, channels] = size;
    let shape = Shape::Image { height, width, channels };
    Network { name, architecture, hidden: &[], shape, classes: 10, batch: 64, steps_between_looks: 1 }
}

/// The network of a name.
pub(crate) fn named(name: &str) -> &'static Network {
    ALL.iter().find(|network| network.name == name).unwrap_or_else(|| panic!("there is no network {name}"))
}

impl Network {
    /// Its recipe: Adam at 1e-3.
    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            network: NetworkSpec::Named(self.architecture),
            hidden: self.hidden.to_vec(),
            loss: if self.classes == 2 { Loss::Binary } else { Loss::CrossEntropy },
            batch_size: BatchSize::Rows(self.batch),
            ..Recipe::default()
        }
    }

    /// Numbers that it puts out for a row.
    pub(crate) fn outputs(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes as usize }
    }
}
