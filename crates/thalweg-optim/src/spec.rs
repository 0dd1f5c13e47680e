//! An optimizer as data: its name, dialect and hyperparameters, as a recipe holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::groups::{GroupSpec, Groups, Preset};
use crate::hyper::{Dialect, OptimError};
use crate::optimizer::Optimizer;
use crate::packed::Precision;
use crate::params::Layout;
use crate::real::Real;
use crate::registry;
use crate::wrap::WrapSpec;

/// An optimizer's settings; what is not named has the dialect's default.
///
/// ```
/// use thalweg_optim::{Layout, OptimizerSpec, Optimizer};
/// let spec = OptimizerSpec::named("adam").with("beta1", 0.8);
/// let mut adam = spec.build::<f32>(&Layout::vector(2))?;
/// let mut w = [1.0, -1.0];
/// adam.step_with(&mut w, &[0.5, -0.5], 0.1)?;
/// assert!((w[0] - 0.9).abs() < 1e-6);
///
/// let error = OptimizerSpec::named("adam").with("beta1", 1.5).build::<f32>(&Layout::vector(2)).err().unwrap();
/// assert_eq!(error.to_string(), "adam: beta1 = 1.5 is out of range: it must lie in [0, 1)");
/// # Ok::<(), thalweg_optim::OptimError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OptimizerSpec {
    /// A name of the registry.
    pub name: String,
    /// Whose form.
    #[serde(default)]
    pub dialect: Dialect,
    /// Hyperparameters that differ from the dialect's defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hyper: BTreeMap<String, f64>,
    /// In how many bits the state is kept; elementwise methods only.
    #[serde(default, skip_serializing_if = "is_full")]
    pub precision: Precision,
    /// What goes around it, inner to outer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrap: Vec<WrapSpec>,
    /// Blocks that differ, in the order in which they are tried; every block must fit one. If there are none, all blocks
    /// are moved alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSpec>,
    /// Customary differences between blocks, on top of the groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
}

fn is_full(precision: &Precision) -> bool {
    *precision == Precision::Full
}

impl OptimizerSpec {
    /// The optimizer `name` with PyTorch's defaults.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dialect: Dialect::default(),
            hyper: BTreeMap::new(),
            precision: Precision::Full,
            wrap: Vec::new(),
            groups: Vec::new(),
            presets: Vec::new(),
        }
    }

    /// The same in another dialect.
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The same with a hyperparameter set.
    pub fn with(mut self, hyper: impl Into<String>, value: f64) -> Self {
        self.hyper.insert(hyper.into(), value);
        self
    }

    /// The same with a state of fewer bits.
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same with a wrapper around all there is.
    pub fn wrapped(mut self, wrapper: WrapSpec) -> Self {
        self.wrap.push(wrapper);
        self
    }

    /// The same with one more group.
    pub fn group(mut self, group: GroupSpec) -> Self {
        self.groups.push(group);
        self
    }

    /// The same with one more preset.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.presets.push(preset);
        self
    }

    /// An optimizer of these parameters ([`Layout::vector`] where they have no names and shapes).
    ///
    /// # Errors
    /// If there is no such optimizer, wrapper or hyperparameter, or one is out of range; or if the groups do not fit the
    /// parameters.
    pub fn build<T: Real>(&self, layout: &Layout) -> Result<Box<dyn Optimizer<T>>, OptimError> {
        let inner: Box<dyn Optimizer<T>> = if self.groups.is_empty() && self.presets.is_empty() {
            T::build(registry::find(&self.name)?, self, layout)?
        } else {
            // The recipe's own hyperparameters are checked even where every group has a rule of its own.
            self.resolved()?;
            Box::new(Groups::new(self, layout)?)
        };
        self.wrap.iter().try_fold(inner, |inner, wrapper| wrapper.put(inner))
    }

    /// Every hyperparameter with its value, those at their defaults included.
    ///
    /// # Errors
    /// As [`OptimizerSpec::build`].
    pub fn resolved(&self) -> Result<Vec<(&'static str, f64)>, OptimError> {
        self.wrap.iter().try_for_each(WrapSpec::check)?;
        (registry::find(&self.name)?.resolve)(self)
    }
}
