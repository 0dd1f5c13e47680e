//! Named architectures: a list of layers each, from one word in a recipe.

mod lenet;
mod linear;
mod mlp;
mod resmlp;
mod resnet;

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::dense::DenseSpec;
use super::shape::Shape;
use super::spec::LayerSpec;

/// The architectures that a recipe can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// No hidden layer: logistic regression, or ridge regression with a weight decay.
    Linear,
    /// Dense layers.
    #[default]
    Mlp,
    /// A residual network for tables.
    Resmlp,
    /// Two convolutions with pooling, two dense layers: for small images.
    Lenet,
    /// A residual network of 8 layers for small images.
    Resnet8,
    /// A residual network of 20 layers for small images.
    Resnet20,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Self; 6] =
        [Self::Linear, Self::Mlp, Self::Resmlp, Self::Lenet, Self::Resnet8, Self::Resnet20];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Mlp => "mlp",
            Self::Resmlp => "resmlp",
            Self::Lenet => "lenet",
            Self::Resnet8 => "resnet8",
            Self::Resnet20 => "resnet20",
        }
    }

    /// What it is, in one line, for tables.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Linear => linear::SUMMARY,
            Self::Mlp => mlp::SUMMARY,
            Self::Resmlp => resmlp::SUMMARY,
            Self::Lenet => lenet::SUMMARY,
            Self::Resnet8 => resnet::SUMMARY_8,
            Self::Resnet20 => resnet::SUMMARY_20,
        }
    }

    /// Whether it looks at images; the others look at plain numbers.
    pub fn wants_images(self) -> bool {
        matches!(self, Self::Lenet | Self::Resnet8 | Self::Resnet20)
    }

    /// Its layers without the output. `hidden` are the widths of dense layers, where it has such; `activation` follows
    /// each hidden layer.
    pub fn layers(self, hidden: &[usize], activation: Activation) -> Vec<LayerSpec> {
        let activation = LayerSpec::activation(activation);
        match self {
            Self::Linear => linear::layers(),
            Self::Mlp => mlp::layers(hidden, &activation),
            Self::Resmlp => resmlp::layers(hidden, &activation),
            Self::Lenet => lenet::layers(&activation),
            Self::Resnet8 => resnet::layers(1, &activation),
            Self::Resnet20 => resnet::layers(3, &activation),
        }
    }
}

/// A dense layer of so many units.
fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense(DenseSpec { units, bias: true })
}

/// The layers with an output of `outputs` numbers behind them: an image is flattened first. `end` is the shape that the
/// layers lead to.
pub fn with_head(mut layers: Vec<LayerSpec>, end: Shape, outputs: usize) -> Vec<LayerSpec> {
    if matches!(end, Shape::Image { .. }) {
        layers.push(LayerSpec::Flatten(super::flatten::FlattenSpec {}));
    }
    layers.push(dense(outputs));
    layers
}
