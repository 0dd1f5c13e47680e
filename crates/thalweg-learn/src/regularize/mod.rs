//! Regularization: what makes a network generalize better, each technique one file and one row of [`TECHNIQUES`].
//!
//! All are off unless a recipe names them ([`RegularizeSpec`]); several work together. A technique acts through hooks
//! ([`Technique`]): it rewrites the list of layers, goes around the optimizer, changes the gathered batch before the
//! objective is built (so that the objective stays pure), moves the point where the gradient is taken, replaces labels,
//! or stops the training. Validation and test rows are never touched.
//!
//! What is random is drawn from the stream (seed, "regularize NAME", 0), with a key of its own for each step and row: the
//! same bits for any number of threads, and one technique does not change another's draws. Within a batch the techniques
//! act in the order of the registry: labels, then rows of a table, then the pixels of each image (moved, cropped, shaded,
//! erased), then noise, then whatever mixes rows.

pub mod augment;
pub mod draws;
mod error;
mod finds;
mod labels;
#[cfg(test)]
mod laws;
mod layers;
mod mix;
pub mod noise;
pub mod plan;
mod spec;
mod stopping;
mod table;
mod technique;
#[cfg(test)]
mod tests;
mod wrap;

use thalweg_optim::suggest::did_you_mean;
use thalweg_optim::{Layout, OptimizerSpec, WrapSpec};

pub use error::RegularizeError;
pub use finds::Finds;
pub use plan::{Alter, Batch, BatchPlan, Scene, labels_shown};
pub use spec::{Chosen, RegularizeSpec};
pub use technique::{Course, Family, Info, Labels, Setting, Site, Technique};

use crate::nn::LayerSpec;
use crate::train::StoppingSpec;

/// Every technique, in the order in which tables show them and in which those that change a batch act.
pub static TECHNIQUES: &[&dyn Technique] = &[
    &labels::noise::LabelNoise,
    &stopping::EARLY_STOPPING,
    &stopping::GL,
    &stopping::PQ,
    &stopping::UP,
    &wrap::L1,
    &wrap::LASSO_PROX,
    &wrap::L2,
    &wrap::ELASTIC_NET,
    &wrap::DECOUPLED_DECAY,
    &wrap::MAX_NORM,
    &layers::batch_norm::BatchNorm,
    &layers::dropout::Dropout,
    &layers::spatial_dropout::SpatialDropout,
    &layers::drop_connect::DropConnect,
    &layers::stochastic_depth::StochasticDepth,
    &table::smote::Smote,
    &table::feature_mask::FeatureMask,
    &table::jitter::Jitter,
    &augment::flip::Flip,
    &augment::rotation::Rotation,
    &augment::scale::Scale,
    &augment::shear::Shear,
    &augment::shift::Shift,
    &augment::crop::Crop,
    &augment::randaugment::RandAugment,
    &augment::brightness::Brightness,
    &augment::contrast::Contrast,
    &augment::cutout::Cutout,
    &augment::random_erasing::RandomErasing,
    &noise::input::InputNoise,
    &noise::weight::WeightNoise,
    &wrap::GRADIENT_NOISE,
    &labels::smoothing::LabelSmoothing,
    &mix::mixup::Mixup,
    &mix::cutmix::CutMix,
    &mix::manifold_mixup::ManifoldMixup,
    &wrap::CLIP_NORM,
    &wrap::EMA,
    &wrap::SWA,
    &wrap::SAM,
];

/// The technique of this name.
///
/// # Errors
/// [`RegularizeError::Unknown`], with the nearest name.
pub fn find(name: &str) -> Result<&'static dyn Technique, RegularizeError> {
    let names = || TECHNIQUES.iter().map(|technique| technique.info().name);
    let found = TECHNIQUES.iter().find(|technique| technique.info().name == name);
    found.copied().ok_or_else(|| RegularizeError::Unknown {
        name: name.to_owned(),
        suggestion: did_you_mean(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

/// Where a technique stands in the registry.
fn place(name: &str) -> usize {
    TECHNIQUES.iter().position(|technique| technique.info().name == name).unwrap_or(TECHNIQUES.len())
}

/// Techniques of which a training has one at most, and why.
const RIVALS: &[(&[&str], &str)] = &[
    (&["mixup", "cutmix", "manifold-mixup"], "a row is mixed once: choose one"),
    (
        &["early-stopping", "early-stopping-gl", "early-stopping-pq", "early-stopping-up"],
        "a training ends by one criterion: choose one",
    ),
    (&["ema", "swa"], "a model is judged by one average: choose one"),
];

impl RegularizeSpec {
    /// Whether all techniques can be used there, and together.
    ///
    /// # Errors
    /// The first that cannot: why, and what to do.
    pub fn check(&self, site: &Site<'_>) -> Result<(), RegularizeError> {
        for chosen in self.chosen() {
            chosen.applies(site)?;
        }
        for (names, why) in RIVALS {
            let mut rivals = self.chosen().iter().filter(|chosen| names.contains(&chosen.name()));
            if let (Some(first), Some(second)) = (rivals.next(), rivals.next()) {
                let (first, second) = (first.name(), second.name());
                return Err(RegularizeError::Together { first, second, why });
            }
        }
        Ok(())
    }

    /// The layers before the output with what the techniques put between them.
    pub fn layers(&self, layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        let hook = |layers, chosen: &Chosen| chosen.technique().layers(chosen.values(), layers);
        self.chosen().iter().fold(layers, hook)
    }

    /// The optimizer with what the techniques put around it, outside of its own wrappers.
    pub fn wrapped(&self, optimizer: &OptimizerSpec, course: Course) -> OptimizerSpec {
        let wraps = self.chosen().iter().filter_map(|chosen| chosen.wrap(course));
        wraps.fold(optimizer.clone(), OptimizerSpec::wrapped)
    }

    /// The first technique that cannot go around the optimizer in a network of this layout; `None` also if the optimizer
    /// itself is refused.
    pub(crate) fn refused(
        &self,
        optimizer: &OptimizerSpec,
        course: Course,
        layout: &Layout,
    ) -> Option<RegularizeError> {
        let mut around = optimizer.clone();
        around.build::<f32>(layout).ok()?;
        self.chosen().iter().find_map(|chosen| {
            around = around.clone().wrapped(chosen.wrap(course)?);
            let why = around.build::<f32>(layout).err()?;
            Some(RegularizeError::Refused { technique: chosen.name(), why: Box::new(why) })
        })
    }

    /// When training stops, if a technique says so.
    pub fn stopping(&self) -> Option<StoppingSpec> {
        self.chosen().iter().find_map(|chosen| chosen.technique().stopping(chosen.values()))
    }
}

impl Chosen {
    /// Whether it can be used there.
    ///
    /// # Errors
    /// [`RegularizeError::DoesNotApply`], with the reason and what to use instead.
    pub fn applies(&self, site: &Site<'_>) -> Result<(), RegularizeError> {
        let wrong = |reason| RegularizeError::DoesNotApply { technique: self.name(), reason };
        self.technique().applies(self.values(), site).map_err(wrong)
    }

    fn wrap(&self, course: Course) -> Option<WrapSpec> {
        self.technique().wrap(self.values(), course)
    }
}
