//! The contract of a regularization technique, and what it is told about the training that it is for.

use std::fmt::Debug;

use thalweg_optim::{Range, WrapSpec};

use super::augment::affine::Warp;
use super::draws::Draws;
use super::noise::law::Noise;
use super::plan::{Alter, Scene};
use crate::nn::{LayerSpec, Loss, Shape};
use crate::train::StoppingSpec;

/// A way to make a network generalize better, off unless a recipe names it.
///
/// A technique acts through one or more hooks, each of which does nothing unless the technique says otherwise. `values`
/// are those of its settings, in their order and within their ranges.
pub trait Technique: Sync {
    /// What the tables show.
    fn info(&self) -> &Info;

    /// Whether it can be used there.
    ///
    /// # Errors
    /// The reason why not, and what to use instead: «it wants images; this data set is a table: use mixup».
    fn applies(&self, _values: &[f64], _site: &Site<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Rewrites the layers before the output.
    fn layers(&self, _values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        layers
    }

    /// What goes around the optimizer.
    fn wrap(&self, _values: &[f64], _course: Course) -> Option<WrapSpec> {
        None
    }

    /// When training stops.
    fn stopping(&self, _values: &[f64]) -> Option<StoppingSpec> {
        None
    }

    /// The noise on the weights, drawn anew in each step.
    fn weight_noise(&self, _values: &[f64]) -> Option<Noise> {
        None
    }

    /// Replaces labels of the training rows, once and for the whole training: see [`Labels`].
    fn spoil(&self, _values: &[f64], _labels: &mut Labels, _draws: &mut Draws) {}

    /// Whether [`Technique::spoil`] does anything.
    fn spoils(&self) -> bool {
        false
    }

    /// How it moves the pixels of an image: what all such techniques do is done in one pass.
    fn warp(&self) -> Option<Warp> {
        None
    }

    /// ε: the part of each label that is spread over all classes.
    fn smoothing(&self, _values: &[f64]) -> Option<f64> {
        None
    }

    /// What changes each batch in another way.
    fn alter(&self, _values: &[f64], _scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        None
    }
}

/// What the tables show of a technique.
#[derive(Debug)]
pub struct Info {
    /// The name in recipes and on the command line.
    pub name: &'static str,
    /// What it is akin to.
    pub family: Family,
    /// One line on what it does.
    pub summary: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Who and when.
    pub source: &'static str,
    /// At least one; the first is its strength, which a bare number sets and a comparison varies.
    pub settings: &'static [Setting],
    /// Values of the first setting that a comparison tries, weak to strong.
    pub strengths: &'static [f64],
}

/// A number that a technique is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The name in recipes.
    pub key: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// What it may be.
    pub range: Range,
    /// What it is if nothing is said.
    pub default: f64,
}

/// Kinds of techniques.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Labels replaced, to study what helps against it: no remedy.
    Study,
    /// When to end.
    Stopping,
    /// Small weights.
    Penalty,
    /// Altered copies of the rows.
    Augmentation,
    /// Noise on what is learned from, or on the weights or gradients.
    Noise,
    /// Softer targets and mixed rows.
    Labels,
    /// Parts left out at random.
    Dropout,
    /// Activations of known mean and spread.
    Normalization,
    /// How W moves: clipped steps, averages, flat places.
    Steps,
}

impl Family {
    /// In one or two words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Stopping => "early stopping",
            Self::Penalty => "penalty",
            Self::Augmentation => "augmentation",
            Self::Noise => "noise",
            Self::Labels => "labels",
            Self::Dropout => "dropout",
            Self::Normalization => "normalization",
            Self::Steps => "steps",
        }
    }
}

/// Where a technique is to be used.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// What a row is.
    pub input: Shape,
    /// What is minimized: says whether the targets are classes or numbers.
    pub loss: Loss,
    /// The layers before the output, without regularization.
    pub layers: &'a [LayerSpec],
    /// Rows in a step.
    pub batch: usize,
}

impl Site<'_> {
    /// Whether rows are images.
    pub fn has_images(&self) -> bool {
        matches!(self.input, Shape::Image { .. })
    }

    /// Whether targets are classes.
    pub fn has_classes(&self) -> bool {
        matches!(self.loss, Loss::CrossEntropy | Loss::Binary)
    }

    /// Refuses rows that begin with an embedding: a code between two codes is none.
    pub(super) fn want_no_codes(&self) -> Result<(), String> {
        if matches!(self.layers, [LayerSpec::Embedding(_), ..]) {
            return Err("it changes numbers, and some of these columns are codes of an embedding: leave the embedding out, \
                        or use dropout or a penalty"
                .to_owned());
        }
        Ok(())
    }

    /// Refuses tables.
    pub(super) fn want_images(&self, instead: &str) -> Result<(), String> {
        if self.has_images() {
            return Ok(());
        }
        Err(format!(
            "it wants images, and these rows are {} plain numbers: {instead}; if they are images, take a network that reads \
             them as such (network = \"lenet\")",
            self.input
        ))
    }

    /// Refuses images.
    pub(super) fn want_table(&self, instead: &str) -> Result<(), String> {
        if !self.has_images() {
            return self.want_no_codes();
        }
        Err(format!("it wants a table, and these rows are images of {}: {instead}", self.input))
    }

    /// Refuses steps of one row.
    pub(super) fn want_two_rows(&self, why: &str) -> Result<(), String> {
        if self.batch >= 2 {
            return Ok(());
        }
        Err(format!("{why}, and a step has 1 row: give a batch size of 2 or more"))
    }
}

/// The training that an optimizer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Steps that are planned.
    pub steps: u64,
    /// Of the training.
    pub seed: u64,
}

/// The targets of all training rows, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// Class codes below `count`.
    Classes {
        /// A code per row.
        codes: Vec<u32>,
        /// Classes.
        count: u32,
    },
    /// A number per row.
    Values(Vec<f32>),
}
