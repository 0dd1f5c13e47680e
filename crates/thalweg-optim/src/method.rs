//! What every method of the registry says of itself: names, sources, hyperparameters.

use std::fmt::Debug;

use crate::hyper::{ByDialect, Dialect, Hyper, OptimError};

/// What a table of optimizers shows.
#[derive(Debug)]
pub struct Info {
    /// The name in the registry, on the command line and in a recipe.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// The formula in each dialect.
    pub formula: ByDialect<&'static str>,
    /// The learning rate that the dialect's documentation gives as default.
    pub learning_rate: ByDialect<f64>,
    /// The one line that makes it in each package, `{lr}` standing for the learning rate; `None` where the package does
    /// not have it, and in the textbook.
    pub calls: ByDialect<Option<&'static str>>,
}

/// A method with its hyperparameters.
pub trait Method: Clone + Copy + Debug + PartialEq + Send + Sync + 'static {
    /// What the tables show.
    const INFO: Info;
    /// The hyperparameters, each with its range and a way to reach it.
    const HYPER: &'static [Hyper<Self>];

    /// The method with a dialect's default hyperparameters.
    fn preset(dialect: Dialect) -> Self;

    /// Whether hyperparameters that are each in range go together.
    ///
    /// # Errors
    /// [`OptimError::Contradiction`], which names two that do not.
    fn check(&self) -> Result<(), OptimError> {
        Ok(())
    }
}

/// The dialect of a method that was not built by name: the first whose preset it is, else the first whose formula it has.
pub(crate) fn dialect_of<M: Method>(method: &M) -> Dialect {
    let with_own_numbers = |dialect| {
        let mut preset = M::preset(dialect);
        let mut copy = *method;
        for hyper in M::HYPER {
            *(hyper.field)(&mut preset) = *(hyper.field)(&mut copy);
        }
        preset
    };
    let all = || Dialect::ALL.into_iter();
    let whole = all().find(|&dialect| M::preset(dialect) == *method);
    whole.or_else(|| all().find(|&dialect| with_own_numbers(dialect) == *method)).unwrap_or_default()
}
