//! Hyperparameters: their names, ranges and defaults, and the errors that name them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::method::Method;
use crate::real::Real;
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

/// Which numbers between the ends of a [`Range`] are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// All of them.
    Real,
    /// Whole ones: it counts something.
    Whole,
    /// 0 for no and 1 for yes.
    Switch,
}

/// The numbers that a hyperparameter may take: from `low` to `high`, each allowed itself or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// Whether `low` itself is left out.
    pub open: bool,
    /// The upper end; infinite if there is none.
    pub high: f64,
    /// Whether `high` itself is allowed.
    pub closed: bool,
    /// Which numbers between them.
    pub kind: NumberKind,
}

impl Range {
    /// `[0, 1)`: decay rates.
    pub const DECAY: Self = Self { closed: false, ..Self::between(0.0, 1.0) };
    /// `[0, 1]`: shares.
    pub const SHARE: Self = Self::between(0.0, 1.0);
    /// `(0, 1)`: factors that shrink, but not to nothing.
    pub const INSIDE: Self = Self { open: true, ..Self::DECAY };
    /// `[0, ∞)`: learning rates, ε.
    pub const NON_NEGATIVE: Self = Self::at_least(0.0);
    /// `(0, ∞)`: scales and bounds that would leave nothing over if they were 0.
    pub const POSITIVE: Self = Self { open: true, ..Self::NON_NEGATIVE };
    /// `{1, 2, …}`: counts.
    pub const COUNT: Self = Self { kind: NumberKind::Whole, ..Self::at_least(1.0) };
    /// `{0, 1}`: no or yes.
    pub const SWITCH: Self = Self { kind: NumberKind::Switch, ..Self::SHARE };

    /// `[low, ∞)`.
    pub const fn at_least(low: f64) -> Self {
        Self { low, open: false, high: f64::INFINITY, closed: false, kind: NumberKind::Real }
    }

    /// `[low, high]`.
    pub const fn between(low: f64, high: f64) -> Self {
        Self { high, closed: true, ..Self::at_least(low) }
    }

    /// The whole numbers of it.
    pub const fn whole(self) -> Self {
        Self { kind: NumberKind::Whole, ..self }
    }

    /// Whether `value` is one of them; NaN and ∞ never are.
    pub fn contains(self, value: f64) -> bool {
        self.spans(value) && (self.kind == NumberKind::Real || value.fract() == 0.0)
    }

    /// Whether `value` lies between the ends.
    fn spans(self, value: f64) -> bool {
        let above = value > self.low || (!self.open && value == self.low);
        above && (value < self.high || (self.closed && value == self.high))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, .. } = self;
        match self.kind {
            NumberKind::Switch => f.write_str("{0, 1}"),
            NumberKind::Whole if high.is_infinite() => write!(f, "{{{low}, {}, …}}", low + 1.0),
            NumberKind::Whole => write!(f, "{{{low}, {}, …, {high}}}", low + 1.0),
            NumberKind::Real => {
                let (from, to) = (if self.open { '(' } else { '[' }, if self.closed { ']' } else { ')' });
                let high = if high.is_infinite() { "∞".to_owned() } else { high.to_string() };
                write!(f, "{from}{low}, {high}{to}")
            }
        }
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
    /// A learning rate or hyperparameter is infinite in the number type of the parameters.
    #[error(
        "{optimizer}: {name} = {value:e}{times} is infinite in {number}, the number type of the parameters: {name} must \
         lie in {range} and be at most {largest:.7e}"
    )]
    TooLarge {
        /// The rule's or wrapper's name.
        optimizer: &'static str,
        /// The hyperparameter's name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What it is multiplied by, in words, or nothing.
        times: String,
        /// The number type.
        number: &'static str,
        /// What is allowed in any number type.
        range: Range,
        /// Its largest finite number.
        largest: f64,
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
    #[error("{optimizer} cannot keep its state in so few bits: {why}")]
    TooFewBits {
        /// The method's name.
        optimizer: &'static str,
        /// What stands against it, and what to do.
        why: &'static str,
    },
    /// A hyperparameter that counts is not a whole number.
    #[error("{optimizer}: {name} = {value} is not a whole number: it must be one of {range}")]
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
    /// Two hyperparameters that are each in range do not go together.
    #[error(
        "{optimizer}: {lesser} = {lesser_value} and {greater} = {greater_value} contradict each other: {lesser} must be \
         {relation} {greater}; change one of them"
    )]
    Contradiction {
        /// The method's name.
        optimizer: &'static str,
        /// The name of the one that must be the lesser.
        lesser: &'static str,
        /// Its value.
        lesser_value: f64,
        /// The name of the other.
        greater: &'static str,
        /// Its value.
        greater_value: f64,
        /// What the lesser must be: «less than» the other, or «at most», where they may be equal.
        relation: &'static str,
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

/// Refuses a rule with a hyperparameter out of range, or with two that do not go together.
pub(crate) fn check<R: Method>(rule: &R) -> Result<(), OptimError> {
    for (hyper, (name, value)) in R::HYPER.iter().zip(values(rule)) {
        check_value(R::INFO.name, name, value, hyper.range)?;
    }
    rule.check()
}

/// The same for parameters of the type `T`, which also refuses what is infinite in it.
pub(crate) fn check_in<T: Real, R: Method>(rule: &R) -> Result<(), OptimError> {
    check(rule)?;
    for (hyper, (name, value)) in R::HYPER.iter().zip(values(rule)) {
        check_finite::<T>(R::INFO.name, name, value, 1.0, hyper.range)?;
    }
    Ok(())
}

/// For a [`Method::check`]: refuses a `lesser` that is not less than `greater` (nor equal, where `equal` says so).
pub(crate) fn check_order<R: Method>(
    (lesser, lesser_value): (&'static str, f64),
    (greater, greater_value): (&'static str, f64),
    equal: bool,
) -> Result<(), OptimError> {
    if lesser_value < greater_value || (equal && lesser_value == greater_value) {
        return Ok(());
    }
    let (optimizer, relation) = (R::INFO.name, if equal { "at most" } else { "less than" });
    Err(OptimError::Contradiction { optimizer, lesser, lesser_value, greater, greater_value, relation })
}

/// See [`Optimizer::check_learning_rate`](crate::Optimizer::check_learning_rate), which knows the factor of the largest group:
/// for settings that enter before there is an optimizer.
///
/// # Errors
/// As there.
pub fn check_learning_rate<T: Real>(
    optimizer: &'static str,
    value: f64,
    factor: f64,
) -> Result<(), OptimError> {
    check_value(optimizer, "learning_rate", value, Range::NON_NEGATIVE)?;
    check_finite::<T>(optimizer, "learning_rate", value, factor, Range::NON_NEGATIVE)
}

/// Refuses a value that is infinite in `T`, itself or times `factor`: with a gradient of zero, it would make NaN.
pub(crate) fn check_finite<T: Real>(
    optimizer: &'static str,
    name: &'static str,
    value: f64,
    factor: f64,
    range: Range,
) -> Result<(), OptimError> {
    let finite = |value: f64| T::from_f64(value).is_finite();
    if finite(value) && finite(value * factor) {
        return Ok(());
    }
    let largest = T::MAX.to_f64() / factor.max(1.0);
    let times = if factor > 1.0 { format!(" times a group's factor of {factor}") } else { String::new() };
    Err(OptimError::TooLarge { optimizer, name, value, times, number: T::NAME, range, largest })
}

pub(crate) fn check_value(
    optimizer: &'static str,
    name: &'static str,
    value: f64,
    range: Range,
) -> Result<(), OptimError> {
    if range.contains(value) {
        Ok(())
    } else if range.kind == NumberKind::Whole && range.spans(value) {
        Err(OptimError::NotWhole { optimizer, name, value, range })
    } else {
        Err(OptimError::OutOfRange { optimizer, name, value, range })
    }
}
