//! The registry of update rules: one file and one row each.

mod adadelta;
mod adagrad;
mod adam;
mod epsilon;
mod momentum;
mod nag;
mod rmsprop;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use epsilon::Place;
pub use momentum::Momentum;
pub use nag::{Nag, NagForm};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use crate::hyper::{self, OptimError, Range};
use crate::optimizer::Optimizer;
use crate::rule::{Info, Rule};
use crate::spec::OptimizerSpec;
use crate::suggest::did_you_mean;

/// Every rule, in the order in which tables show them.
pub static REGISTRY: &[Entry] = &[
    entry::<Sgd>(),
    entry::<Momentum>(),
    entry::<Nag>(),
    entry::<Adagrad>(),
    entry::<Adadelta>(),
    entry::<RmsProp>(),
    entry::<Adam>(),
];

type Resolved = Result<Vec<(&'static str, f64)>, OptimError>;
type Build<T> = fn(&OptimizerSpec, usize) -> Result<Box<dyn Optimizer<T>>, OptimError>;

/// A row of the registry.
pub struct Entry {
    /// What the tables show.
    pub info: &'static Info,
    /// The name of each state slot.
    pub states: &'static [&'static str],
    /// Every hyperparameter's name, symbol and range.
    pub hyper: fn() -> Vec<(&'static str, &'static str, Range)>,
    /// See [`OptimizerSpec::resolved`].
    pub(crate) resolve: fn(&OptimizerSpec) -> Resolved,
    pub(crate) f32: Build<f32>,
    pub(crate) f64: Build<f64>,
}

const fn entry<R: Rule>() -> Entry {
    Entry {
        info: &R::INFO,
        states: R::STATES,
        hyper: || R::HYPER.iter().map(|hyper| (hyper.name, hyper.symbol, hyper.range)).collect(),
        resolve: |spec| Ok(hyper::values(&configure::<R>(spec)?)),
        f32: |spec, dim| Ok(Box::new(configure::<R>(spec)?.optimizer(dim)?)),
        f64: |spec, dim| Ok(Box::new(configure::<R>(spec)?.optimizer(dim)?)),
    }
}

fn configure<R: Rule>(spec: &OptimizerSpec) -> Result<R, OptimError> {
    let mut rule = R::preset(spec.dialect);
    for (name, &value) in &spec.hyper {
        hyper::set(&mut rule, name, value)?;
    }
    hyper::check(&rule)?;
    Ok(rule)
}

/// The row with this name.
///
/// # Errors
/// [`OptimError::UnknownOptimizer`], with the nearest name.
pub fn find(name: &str) -> Result<&'static Entry, OptimError> {
    let names = || REGISTRY.iter().map(|entry| entry.info.name);
    REGISTRY.iter().find(|entry| entry.info.name == name).ok_or_else(|| OptimError::UnknownOptimizer {
        name: name.to_owned(),
        suggestion: did_you_mean(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}
