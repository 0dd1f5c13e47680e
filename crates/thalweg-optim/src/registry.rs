//! The registry of methods: one file and one row each. The row buys the conformance tests, the documentation's table, and
//! the names on the command line, in recipes and in Python.

use crate::hyper::{self, OptimError, Range};
use crate::method::{Info, Method};
use crate::optimizer::Optimizer;
use crate::packed::Precision;
use crate::params::Layout;
use crate::rule::Rule;
use crate::search::Search;
use crate::shaped::BlockRule;
use crate::spec::OptimizerSpec;
use crate::state::torch::{NONE_IN_TORCH, TorchStates};
use crate::suggest::did_you_mean;

/// Calls a macro with every elementwise rule's type, in the order in which tables show them: the registry makes a row of
/// each, the kernel's tests a twin. A new rule is one more name here.
#[doc(hidden)]
#[macro_export]
macro_rules! every_rule {
    ($with:ident) => {
        $with! {
            Sgd, Momentum, Nag, Adagrad, Adadelta, RmsProp, Adam,
            RmsPropMomentum, RmsPropCentered, AmsGrad, AdamW, Adamax, NAdam, RAdam, AdaBelief, Yogi, Adopt,
            Adan, Lion, SignSgd, Rprop, ScheduleFreeSgd, ScheduleFreeAdamW, Prodigy
        }
    };
}

macro_rules! registry {
    ($($rule:ident),*) => {
        /// Every method, in the order in which tables show them.
        pub static REGISTRY: &[Entry] = &[
            $(elementwise::<crate::rules::$rule>(),)*
            shaped::<crate::shaped::Lars>(),
            shaped::<crate::shaped::Lamb>(),
            shaped::<crate::shaped::Adafactor>(),
            shaped::<crate::shaped::Muon>(),
            shaped::<crate::shaped::Soap>(),
            search::<crate::search::GradientDescent>(),
            search::<crate::search::Lbfgs>(),
        ];
    };
}
every_rule!(registry);

type Resolved = Result<Vec<(&'static str, f64)>, OptimError>;
type Build<T> = fn(&OptimizerSpec, &Layout) -> Result<Box<dyn Optimizer<T>>, OptimError>;

/// What a method sees of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each number on its own: one pass over memory, whatever the shapes.
    Elementwise,
    /// Blocks with their shapes and roles.
    Shaped,
    /// The objective itself, more than once a step.
    Search,
}

/// A row of the registry.
pub struct Entry {
    /// What the tables show.
    pub info: &'static Info,
    /// What it sees of the parameters.
    pub kind: Kind,
    /// The name of each number that it keeps per parameter; for the others than elementwise methods, per block as they
    /// say.
    pub states: &'static [&'static str],
    /// Whether sums over all parameters take part in how each of them moves.
    pub couples: bool,
    /// How PyTorch calls the states of a block in its `state_dict`, or why none can come from there.
    pub torch_states: Result<TorchStates, &'static str>,
    /// Every hyperparameter's name, symbol and range.
    pub hyper: fn() -> Vec<(&'static str, &'static str, Range)>,
    /// See [`OptimizerSpec::resolved`].
    pub(crate) resolve: fn(&OptimizerSpec) -> Resolved,
    pub(crate) f32: Build<f32>,
    pub(crate) f64: Build<f64>,
}

const fn elementwise<R: Rule>() -> Entry {
    Entry {
        info: &R::INFO,
        kind: Kind::Elementwise,
        states: R::STATES,
        couples: R::MEASURES,
        torch_states: match R::TORCH_STATES {
            Some(_) => Ok(|_| R::TORCH_STATES.unwrap_or_default()),
            None => Err(NONE_IN_TORCH),
        },
        hyper: ranges::<R>,
        resolve: |spec| Ok(hyper::values(&configure::<R>(spec)?)),
        f32: |spec, layout| {
            let plain = wide_enough::<R>(spec)?.optimizer_of(layout)?.of_dialect(spec.dialect);
            Ok(Box::new(plain.with_precision(spec.precision)))
        },
        f64: |spec, layout| {
            let why = "its parameters have 64; leave the precision out, or use parameters of 32 bits";
            Ok(Box::new(full::<R>(spec, why)?.optimizer_of(layout)?.of_dialect(spec.dialect)))
        },
    }
}

const fn shaped<R: BlockRule>() -> Entry {
    Entry {
        info: &R::INFO,
        kind: Kind::Shaped,
        states: R::STATES,
        couples: false,
        torch_states: match R::TORCH_STATES {
            Some(states) => Ok(states),
            None => Err(NONE_IN_TORCH),
        },
        hyper: ranges::<R>,
        resolve: |spec| Ok(hyper::values(&configure::<R>(spec)?)),
        f32: |spec, layout| {
            Ok(Box::new(full::<R>(spec, OF_BLOCKS)?.optimizer_of(layout)?.of_dialect(spec.dialect)))
        },
        f64: |spec, layout| {
            Ok(Box::new(full::<R>(spec, OF_BLOCKS)?.optimizer_of(layout)?.of_dialect(spec.dialect)))
        },
    }
}

/// A rule whose state fits the bits that were asked for.
fn wide_enough<R: Rule>(spec: &OptimizerSpec) -> Result<R, OptimError> {
    let (shortest, why) = R::SHORTEST;
    if spec.precision > shortest {
        return Err(OptimError::TooFewBits { optimizer: R::INFO.name, why });
    }
    configure(spec)
}

/// Why a method that is not elementwise has no small state.
const OF_BLOCKS: &str =
    "it takes norms or products of whole blocks; leave the precision out, or choose an elementwise method";

/// A method that keeps its state in full precision only.
fn full<M: Method>(spec: &OptimizerSpec, why: &'static str) -> Result<M, OptimError> {
    let method = configure(spec)?;
    if spec.precision == Precision::Full {
        Ok(method)
    } else {
        Err(OptimError::TooFewBits { optimizer: M::INFO.name, why })
    }
}

const fn search<S: Search>() -> Entry {
    Entry {
        info: &S::INFO,
        kind: Kind::Search,
        states: S::STATES,
        couples: false,
        torch_states: Err(S::WHY_NOT_TORCH),
        hyper: ranges::<S>,
        resolve: |spec| Ok(hyper::values(&configure::<S>(spec)?)),
        f32: |spec, layout| {
            Ok(Box::new(full::<S>(spec, OF_BLOCKS)?.optimizer_of(layout)?.of_dialect(spec.dialect)))
        },
        f64: |spec, layout| {
            Ok(Box::new(full::<S>(spec, OF_BLOCKS)?.optimizer_of(layout)?.of_dialect(spec.dialect)))
        },
    }
}

fn ranges<M: Method>() -> Vec<(&'static str, &'static str, Range)> {
    M::HYPER.iter().map(|hyper| (hyper.name, hyper.symbol, hyper.range)).collect()
}

fn configure<M: Method>(spec: &OptimizerSpec) -> Result<M, OptimError> {
    let mut method = M::preset(spec.dialect);
    for (name, &value) in &spec.hyper {
        hyper::set(&mut method, name, value)?;
    }
    hyper::check(&method)?;
    Ok(method)
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
