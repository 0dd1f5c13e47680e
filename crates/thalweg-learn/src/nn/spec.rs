//! What a network is made of, as settings: layers by name, the same in TOML and Rust.
//!
//! A layer is a row of the table below: its settings are a serde type in the layer's own file, which also builds it.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::activation::Activation;
use super::flatten::Unchanged;
use super::init::Init;
use super::layer::Layer;
use super::norm::batch::BatchNorm;
use super::sequence::Sequence;
use super::shape::Shape;
use crate::kernel::math::Math;

/// The settings of a kind of layer.
pub trait Kind: Clone + PartialEq + fmt::Debug {
    /// What it does, in one line, for tables.
    const SUMMARY: &'static str;

    /// The layer for its place.
    ///
    /// # Errors
    /// If it does not go there: why, and what would.
    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError>;
}

/// Where a layer is to stand.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The shape of the rows that it is given.
    pub input: Shape,
    /// How weights start.
    pub init: Init,
    /// The next activation behind it, if there is one before the next layer with weights.
    pub next: Option<Activation>,
}

/// Why a layer does not fit: `place` says which one, from the outside in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer {place} ({name}) on an input of {input}: {reason}")]
pub struct LayerError {
    /// Such as `3` or `3.body.0`, counted from 0 as in the parameters' names.
    pub place: String,
    /// The kind of layer.
    pub name: String,
    /// The shape that it was given.
    pub input: String,
    /// What is wrong and what to do.
    pub reason: String,
}

impl LayerError {
    /// An error of the layer that stands at `site`.
    pub fn new(site: &Site, reason: impl Into<String>) -> Self {
        Self {
            place: String::new(),
            name: String::new(),
            input: site.input.to_string(),
            reason: reason.into(),
        }
    }

    fn at(mut self, index: usize, name: &str) -> Self {
        if self.name.is_empty() {
            name.clone_into(&mut self.name);
        }
        self.place =
            if self.place.is_empty() { index.to_string() } else { format!("{index}.{}", self.place) };
        self
    }

    /// The error of a layer within a part of this one.
    pub(super) fn within(mut self, part: &str) -> Self {
        self.place = format!("{part}.{}", self.place);
        self
    }
}

/// The most weights of a layer, and of a network: 400 MB in single precision, several times over in training.
pub const MOST_WEIGHTS: usize = 100_000_000;

/// Refuses a layer of more weights than memory has room for: a slip of the pen, found before anything is made.
///
/// # Errors
/// Then, with the numbers.
pub(super) fn too_large(site: &Site, weights: usize) -> Result<(), LayerError> {
    if weights <= MOST_WEIGHTS {
        return Ok(());
    }
    Err(LayerError::new(
        site,
        format!("it would have {weights} weights, and a layer has at most {MOST_WEIGHTS} weights"),
    ))
}

/// A kind of layer, for tables.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// The name in recipes.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
}

macro_rules! layers {
    ($($name:literal $variant:ident($settings:ty),)*) => {
        /// A layer's settings, by the layer's name. In TOML a table such as `{ layer = "conv2d", filters = 32 }`, or the
        /// bare name if the defaults will do.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "layer")]
        #[allow(missing_docs, reason = "the settings' types are documented")]
        pub enum LayerSpec {
            $(#[serde(rename = $name)] $variant($settings),)*
        }

        /// The same, as it is read from a table.
        #[derive(Deserialize)]
        #[serde(tag = "layer")]
        enum Table {
            $(#[serde(rename = $name)] $variant($settings),)*
        }

        impl From<Table> for LayerSpec {
            fn from(table: Table) -> Self {
                match table { $(Table::$variant(settings) => Self::$variant(settings),)* }
            }
        }

        /// Every kind of layer, without the activations: see [`Activation::ALL`].
        pub const KINDS: &[KindInfo] =
            &[$(KindInfo { name: $name, summary: <$settings as Kind>::SUMMARY },)*];

        impl LayerSpec {
            /// The name in recipes.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            pub(super) fn build_there<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
                match self { $(Self::$variant(settings) => settings.build(site),)* }
            }
        }
    };
}

layers! {
    "dense" Dense(super::dense::DenseSpec),
    "conv2d" Conv2d(super::conv2d::Conv2dSpec),
    "max-pool2d" MaxPool2d(super::pool::max::MaxPool2dSpec),
    "avg-pool2d" AvgPool2d(super::pool::avg::AvgPool2dSpec),
    "global-avg-pool" GlobalAvgPool(super::pool::global::GlobalAvgPoolSpec),
    "global-max-pool" GlobalMaxPool(super::pool::global_max::GlobalMaxPoolSpec),
    "batch-norm" BatchNorm(super::norm::batch::BatchNormSpec),
    "layer-norm" LayerNorm(super::norm::layer::LayerNormSpec),
    "group-norm" GroupNorm(super::norm::group::GroupNormSpec),
    "dropout" Dropout(super::dropout::DropoutSpec),
    "spatial-dropout" SpatialDropout(super::spatial_dropout::SpatialDropoutSpec),
    "drop-connect" DropConnect(super::drop_connect::DropConnectSpec),
    "mix-point" MixPoint(super::mix_point::MixPointSpec),
    "embedding" Embedding(super::embedding::EmbeddingSpec),
    "flatten" Flatten(super::flatten::FlattenSpec),
    "activation" Activation(super::activation::ActivationSpec),
    "residual" Residual(super::residual::ResidualSpec),
}

impl LayerSpec {
    /// An activation as a layer.
    pub fn activation(function: Activation) -> Self {
        Self::Activation(super::activation::ActivationSpec { function })
    }

    /// Whether it normalizes over a batch, itself or within.
    pub(crate) fn has_batch_norm(&self) -> bool {
        self.any(&|layer| matches!(layer, Self::BatchNorm(_)))
    }

    /// Whether it mixes rows, itself or within.
    pub(crate) fn has_mix_point(&self) -> bool {
        self.any(&|layer| matches!(layer, Self::MixPoint(_)))
    }

    /// Whether it or a layer within it is such.
    pub fn any(&self, such: &dyn Fn(&Self) -> bool) -> bool {
        such(self)
            || match self {
                Self::Residual(block) => {
                    block.body.iter().chain(&block.shortcut).any(|layer| layer.any(such))
                }
                Self::DropConnect(spec) => spec.inner.any(such),
                _ => false,
            }
    }

    /// Changes it and the layers within it.
    pub(crate) fn change_each(&mut self, change: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Residual(block) => {
                let within = block.body.iter_mut().chain(&mut block.shortcut);
                within.for_each(|layer| layer.change_each(change));
            }
            Self::DropConnect(spec) => spec.inner.change_each(change),
            _ => {}
        }
        change(self);
    }

    fn is_rectifier(&self) -> bool {
        matches!(self, Self::Activation(spec) if spec.function == Activation::Relu)
    }

    /// Whether it has weights whose start depends on the activation behind them.
    fn has_weights(&self) -> bool {
        matches!(self, Self::Dense(_) | Self::Conv2d(_) | Self::DropConnect(_) | Self::Residual(_))
    }
}

/// The layers for rows of a shape, each checked against the one before it.
///
/// # Errors
/// If one does not fit: which, and why.
pub fn build<T: Math>(specs: &[LayerSpec], input: Shape, init: Init) -> Result<Sequence<T>, LayerError> {
    Ok(Sequence::new(input, build_each(specs, input, init)?))
}

/// The layers and their places in the list, with each rectifier behind the max pooling that follows it: the largest of
/// rectified numbers is the largest one, rectified. So the bits are the same, and the map that is rectified is smaller. A
/// rectifier behind batch normalization stays where it is: there it costs nothing.
fn pooled_first(specs: &[LayerSpec]) -> Vec<(usize, &LayerSpec)> {
    let mut ordered: Vec<_> = specs.iter().enumerate().collect();
    for at in 1..ordered.len() {
        let normalized = at >= 2 && matches!(ordered[at - 2].1, LayerSpec::BatchNorm(_));
        let pools = matches!(ordered[at].1, LayerSpec::MaxPool2d(_));
        if pools && ordered[at - 1].1.is_rectifier() && !normalized {
            ordered.swap(at - 1, at);
        }
    }
    ordered
}

pub(super) fn build_each<T: Math>(
    specs: &[LayerSpec],
    input: Shape,
    init: Init,
) -> Result<Vec<Box<dyn Layer<T>>>, LayerError> {
    let mut input = input;
    let mut layers = Vec::with_capacity(specs.len());
    let ordered = pooled_first(specs);
    for (at, &(index, spec)) in ordered.iter().enumerate() {
        let behind = specs[index + 1..].iter().take_while(|spec| !spec.has_weights());
        let next = behind.into_iter().find_map(|spec| match spec {
            LayerSpec::Activation(spec) => Some(spec.function),
            _ => None,
        });
        let site = Site { input, init, next };
        // Normalization and the rectifier behind it are one layer: both move more memory than they compute.
        let layer = match (spec, at.checked_sub(1).map(|before| ordered[before].1)) {
            (LayerSpec::BatchNorm(settings), _)
                if ordered.get(at + 1).is_some_and(|(_, next)| next.is_rectifier()) =>
            {
                BatchNorm::rectified(*settings, &site)
            }
            (_, Some(LayerSpec::BatchNorm(_))) if spec.is_rectifier() => {
                Ok(Unchanged::boxed(Activation::Relu.name(), input))
            }
            _ => spec.build_there(&site),
        };
        let layer = layer.map_err(|error| error.at(index, spec.name()))?;
        input = layer.output();
        layers.push(layer);
    }
    Ok(layers)
}

/// An error about an unknown name among known ones, as serde writes it, with the nearest of them.
fn with_hint<E: de::Error>(message: &str) -> E {
    // What is quoted: first the unknown name, then the known ones.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let hint = match quoted.next() {
        Some(unknown) if message.starts_with("unknown ") && !message.contains('«') => {
            thalweg_optim::suggest::did_you_mean(unknown, quoted)
        }
        _ => String::new(),
    };
    E::custom(format!("{}{hint}", message.trim_end()))
}

impl<'de> Deserialize<'de> for LayerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = LayerSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a layer's name, or a table with a key «layer»")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<LayerSpec, E> {
                if let Some(function) = Activation::ALL.into_iter().find(|function| function.name() == name) {
                    return Ok(LayerSpec::activation(function));
                }
                let known =
                    || KINDS.iter().map(|kind| kind.name).chain(Activation::ALL.map(Activation::name));
                if !known().any(|known| known == name) {
                    let hint = thalweg_optim::suggest::did_you_mean(name, known());
                    let end = if hint.is_empty() { "." } else { "" };
                    let names: Vec<_> = known().collect();
                    return Err(E::custom(format!(
                        "there is no layer «{name}»{hint}{end} There are: {}",
                        names.join(", ")
                    )));
                }
                let table = [("layer", name)].into_iter();
                Table::deserialize(de::value::MapDeserializer::new(
                    table.map(|(key, value)| (key, StrDeserializer::new(value))),
                ))
                .map(Into::into)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LayerSpec, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map))
                    .map(Into::into)
                    .map_err(|error: A::Error| with_hint(&error.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}
