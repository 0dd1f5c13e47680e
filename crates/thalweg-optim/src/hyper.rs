//! Hyperparameters: their names, ranges and defaults, and the errors that name them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::method::Method;
use crate::suggest::did_you_mean;

/// Whose form of a rule: where packages differ (ε inside or outside the root, defaults), the dialect decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// As `torch.optim` computes it, with its defaults: a winner carries over with one changed line.
    #[default]
    Torch,
    /// As `keras.optimizers` computes it, with its defaults.
    Keras,
    /// As `optax` computes it, with its defaults.
    Optax,
    /// As the paper or textbook writes it.
    Textbook,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::Torch, Self::Keras, Self::Optax, Self::Textbook];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Keras => "keras",
            Self::Optax => "optax",
            Self::Textbook => "textbook",
        }
    }
}

/// A value for each dialect. Where a package does not have the method, its dialect is the textbook's.
#[derive(Debug, Clone, Copy)]
pub struct ByDialect<V> {
    /// PyTorch's.
    pub torch: V,
    /// Keras's.
    pub keras: V,
    /// optax's.
    pub optax: V,
    /// The textbook's.
    pub textbook: V,
}

impl<V: Copy> ByDialect<V> {
    /// The same value in every dialect.
    pub const fn same(value: V) -> Self {
        Self { torch: value, keras: value, optax: value, textbook: value }
    }

    /// The value for `dialect`.
    pub fn get(&self, dialect: Dialect) -> V {
        match dialect {
            Dialect::Torch => self.torch,
            Dialect::Keras => self.keras,
            Dialect::Optax => self.optax,
            Dialect::Textbook => self.textbook,
        }
    }
}

/// The numbers that a hyperparameter may take: from `low` (included) to `high` (included or not).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least value; allowed.
    pub low: f64,
    /// The upper end; infinite if there is none.
    pub high: f64,
    /// Whether `high` itself is allowed.
    pub closed: bool,
}

impl Range {
    /// `[0, 1)`: decay rates.
    pub const DECAY: Self = Self { low: 0.0, high: 1.0, closed: false };
    /// `[0, 1]`: shares.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0, closed: true };
    /// `[0, ∞)`: learning rates, ε.
    pub const NON_NEGATIVE: Self = Self { low: 0.0, high: f64::INFINITY, closed: false };

    /// Whether `value` lies in the range; NaN and ∞ never do.
    pub fn contains(self, value: f64) -> bool {
        value >= self.low && (value < self.high || (self.closed && value == self.high))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let high = if self.high.is_infinite() { "∞".to_owned() } else { self.high.to_string() };
        write!(f, "[{}, {high}{}", self.low, if self.closed { ']' } else { ')' })
    }
}

/// One hyperparameter of the rule `R`.
pub struct Hyper<R> {
    /// The name in recipes and in Python.
    pub name: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// What it may be.
    pub range: Range,
    /// Where it lives in the rule.
    pub field: fn(&mut R) -> &mut f64,
}

/// What can be wrong with an optimizer's settings or use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptimError {
    /// A hyperparameter is out of range.
    #[error("{optimizer}: {name} = {value} is out of range: it must lie in {range}")]
    OutOfRange {
        /// The rule's name.
        optimizer: &'static str,
        /// The hyperparameter's name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: Range,
    },
    /// There is no such hyperparameter.
    #[error("{optimizer} has no hyperparameter «{name}»{suggestion} (known: {known})")]
    UnknownHyper {
        /// The rule's name.
        optimizer: &'static str,
        /// What was given.
        name: String,
        /// A «did you mean», or nothing.
        suggestion: String,
        /// Those that exist.
        known: String,
    },
    /// There is no such optimizer.
    #[error("there is no optimizer «{name}»{suggestion} (known: {known})")]
    UnknownOptimizer {
        /// What was given.
        name: String,
        /// A «did you mean», or nothing.
        suggestion: String,
        /// Those that exist.
        known: String,
    },
    /// A method that asks the objective was given a gradient instead.
    #[error(
        "{optimizer} takes its gradient elsewhere than at W, or more than once a step, so it cannot step with a \
         gradient that was taken at W: give it the objective (look-ahead NAG: or use the re-parametrized form, \
         dialect torch)"
    )]
    NeedsObjective {
        /// The rule's name.
        optimizer: &'static str,
    },
    /// Fewer bits were asked for than the method can keep its state in.
    #[error(
        "{optimizer} takes norms or products of whole blocks, so it keeps its state in full precision only: leave the \
         precision out, or choose an elementwise method"
    )]
    FullPrecisionOnly {
        /// The method's name.
        optimizer: &'static str,
    },
    /// A hyperparameter that counts is not a whole number.
    #[error("{optimizer}: {name} = {value} is not a whole number: it must be one in {range}")]
    NotWhole {
        /// The rule's or wrapper's name.
        optimizer: &'static str,
        /// The hyperparameter's name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: Range,
    },
    /// There is no such wrapper.
    #[error("there is no wrapper «{name}»{suggestion} (known: {known})")]
    UnknownWrapper {
        /// What was given.
        name: String,
        /// A «did you mean», or nothing.
        suggestion: String,
        /// Those that exist.
        known: String,
    },
    /// A wrapper written as text cannot be read.
    #[error("the wrapper «{text}»: {what}")]
    WrapText {
        /// What was given.
        text: String,
        /// What is wrong, and what to write.
        what: String,
    },
    /// A wrapper cannot go around what it was to wrap.
    #[error("{wrapper} cannot go around {inner}: {why}")]
    Wrap {
        /// The wrapper's name.
        wrapper: &'static str,
        /// What it was to wrap.
        inner: String,
        /// Why, and what to do.
        why: &'static str,
    },
    /// Parameter groups do not fit the parameters.
    #[error("the parameter groups do not fit: {what}")]
    Groups {
        /// What is wrong, and what to do.
        what: String,
    },
    /// A hyperparameter that decides which states there are was to be changed when they were there.
    #[error(
        "{optimizer}: {name} decides which states are kept, so it cannot be changed later: build the optimizer with it"
    )]
    FixedOnceBuilt {
        /// The method's name.
        optimizer: &'static str,
        /// The hyperparameter's name.
        name: &'static str,
    },
    /// A saved state does not fit.
    #[error("the state does not fit: {what}; nothing was changed")]
    State {
        /// What was expected and what was found.
        what: String,
    },
}

/// Sets a hyperparameter by name.
pub(crate) fn set<R: Method>(rule: &mut R, name: &str, value: f64) -> Result<(), OptimError> {
    let Some(hyper) = R::HYPER.iter().find(|hyper| hyper.name == name) else {
        let names = || R::HYPER.iter().map(|hyper| hyper.name);
        let known = names().collect::<Vec<_>>().join(", ");
        return Err(OptimError::UnknownHyper {
            optimizer: R::INFO.name,
            name: name.to_owned(),
            suggestion: did_you_mean(name, names()),
            known: if known.is_empty() { "none but the learning rate".to_owned() } else { known },
        });
    };
    *(hyper.field)(rule) = value;
    Ok(())
}

/// The name and value of each hyperparameter.
pub(crate) fn values<R: Method>(rule: &R) -> Vec<(&'static str, f64)> {
    let mut copy = *rule;
    R::HYPER.iter().map(|hyper| (hyper.name, *(hyper.field)(&mut copy))).collect()
}

/// Refuses a rule with a hyperparameter out of range.
pub(crate) fn check<R: Method>(rule: &R) -> Result<(), OptimError> {
    for (hyper, (name, value)) in R::HYPER.iter().zip(values(rule)) {
        check_value(R::INFO.name, name, value, hyper.range)?;
    }
    Ok(())
}

/// Refuses a learning rate that is negative, infinite or NaN.
///
/// # Errors
/// [`OptimError::OutOfRange`].
pub fn check_learning_rate(optimizer: &'static str, value: f64) -> Result<(), OptimError> {
    check_value(optimizer, "learning_rate", value, Range::NON_NEGATIVE)
}

pub(crate) fn check_value(
    optimizer: &'static str,
    name: &'static str,
    value: f64,
    range: Range,
) -> Result<(), OptimError> {
    if range.contains(value) { Ok(()) } else { Err(OptimError::OutOfRange { optimizer, name, value, range }) }
}
