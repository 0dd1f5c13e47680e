//! Learning-rate schedules: pure functions of the step.
//!
//! A [`Schedule`] is settings, the same from TOML, JSON, flags and Rust. Laid over a training of known length
//! ([`Schedule::resolve`]) it is a [`Curve`], whose [`factor`](Curve::factor) at step t (the first is 0) multiplies the
//! learning rate. It holds no state, so a training that goes on at step t goes on with the same rate. The one schedule
//! that depends on what it saw, [`ReduceOnPlateau`], has its state beside it, in a [`Plateau`].
//!
//! ```
//! use thalweg_optim::schedule::{Cosine, Horizon, Schedule, WarmUp, Length};
//!
//! let cosine = Cosine { last: 0.1, ..Cosine::default() }; // over the whole training
//! let schedule = Schedule::from(WarmUp { steps: Length::Steps(10), times: Box::new(cosine.into()), start: 0.0 });
//! let curve = schedule.resolve(Horizon { steps: 100, steps_per_epoch: 20 })?;
//! assert_eq!(curve.factor(0), 0.0);
//! assert!((curve.factor(50) - 0.55).abs() < 1e-12);
//! assert_eq!(curve.factor(100), 0.1);
//! # Ok::<(), thalweg_optim::schedule::ScheduleError>(())
//! ```
//!
//! Each schedule is one file and one row below; a test runs over all rows.

mod anneal;
mod constant;
mod cosine;
mod error;
mod exponential;
mod inverse_square_root;
mod length;
mod multi_step;
mod one_cycle;
mod plateau;
mod polynomial;
mod sequence;
mod settings;
mod shape;
mod step;
mod value;
mod warm_restarts;
mod warm_up;
mod warm_up_stable_decay;

pub use anneal::Anneal;
pub use constant::Constant;
pub use cosine::Cosine;
pub use error::ScheduleError;
pub use exponential::Exponential;
pub use inverse_square_root::InverseSquareRoot;
pub use length::{Horizon, Length};
pub use multi_step::MultiStep;
pub use one_cycle::OneCycle;
pub use plateau::{Plateau, ReduceOnPlateau, Threshold};
pub use polynomial::Polynomial;
pub use sequence::{Part, Sequence};
pub use settings::Setting;
pub use shape::{Field, Info, Shape, Slot, Word};
pub use step::Step;
pub use warm_restarts::WarmRestarts;
pub use warm_up::WarmUp;
pub use warm_up_stable_decay::WarmUpStableDecay;

use crate::hyper::Range;
use crate::suggest::did_you_mean;

/// `[0, 1]`: shares, and factors that only go down.
const FRACTION: Range = Range::SHARE;

/// Declares the schedules: the enum, the registry, and the way from one to its shape.
macro_rules! registry {
    ($($(#[$meta:meta])* $file:ident: $name:ident,)*) => {
        /// A learning-rate schedule's settings.
        ///
        /// In TOML and JSON: a name, or a table with a name and the settings that differ from their defaults.
        ///
        /// ```
        /// use thalweg_optim::schedule::{Cosine, Schedule, Length};
        /// let read = |json: &str| serde_json::from_str::<Schedule>(json);
        /// assert_eq!(read(r#""cosine""#).unwrap(), Cosine::default().into());
        /// let tenth = Cosine { steps: Length::Epochs(5.0), last: 0.1, power: 1.0 };
        /// assert_eq!(read(r#"{ "name": "cosine", "steps": "5 epochs", "final": 0.1 }"#).unwrap(), tenth.into());
        /// let error = read(r#"{ "name": "cosine", "finl": 0.1 }"#).unwrap_err().to_string();
        /// assert!(error.contains("cosine has no setting «finl»; did you mean «final»? (known: steps, final, power)"));
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        pub enum Schedule {
            $($(#[$meta])* $name($name),)*
        }

        /// Every schedule, in the order in which tables show them.
        pub static REGISTRY: &[Entry] = &[
            $(Entry { info: &$file::INFO, default: || Schedule::$name($name::default()) },)*
        ];

        impl Schedule {
            pub(crate) fn shape(&self) -> &dyn Shape {
                match self {
                    $(Self::$name(shape) => shape,)*
                }
            }

            pub(crate) fn shape_mut(&mut self) -> &mut dyn Shape {
                match self {
                    $(Self::$name(shape) => shape,)*
                }
            }
        }

        $(impl From<$name> for Schedule {
            fn from(shape: $name) -> Self {
                Self::$name(shape)
            }
        })*
    };
}

registry! {
    /// The same rate in every step.
    constant: Constant,
    /// Down by a factor at equal distances.
    step: Step,
    /// Down by a factor at chosen points.
    multi_step: MultiStep,
    /// Down by a factor over any n steps.
    exponential: Exponential,
    /// Down to a last factor; linear with power 1.
    polynomial: Polynomial,
    /// Down to a last factor along half a cosine.
    cosine: Cosine,
    /// Cosine, again and again from the top.
    warm_restarts: WarmRestarts,
    /// Up, then down below the start.
    one_cycle: OneCycle,
    /// Up, a long constant stretch, down.
    warm_up_stable_decay: WarmUpStableDecay,
    /// Up, then down with the root of the steps.
    inverse_square_root: InverseSquareRoot,
    /// Down when the loss stops getting better.
    plateau: ReduceOnPlateau,
    /// A linear rise times another schedule.
    warm_up: WarmUp,
    /// One after the other.
    sequence: Sequence,
}

/// A row of the registry.
pub struct Entry {
    /// What the tables show.
    pub info: &'static Info,
    /// The schedule with its default settings.
    pub default: fn() -> Schedule,
}

/// The row with this name.
///
/// # Errors
/// [`ScheduleError::Unknown`], with the nearest name.
pub fn find(name: &str) -> Result<&'static Entry, ScheduleError> {
    let names = || REGISTRY.iter().map(|entry| entry.info.name);
    REGISTRY.iter().find(|entry| entry.info.name == name).ok_or_else(|| ScheduleError::Unknown {
        name: name.to_owned(),
        suggestion: did_you_mean(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

impl Default for Schedule {
    /// The same rate in every step.
    fn default() -> Self {
        Constant::default().into()
    }
}

impl Schedule {
    /// The schedule `name` with its default settings.
    ///
    /// # Errors
    /// [`ScheduleError::Unknown`], with the nearest name.
    pub fn named(name: &str) -> Result<Self, ScheduleError> {
        find(name).map(|entry| (entry.default)())
    }

    /// What the tables show.
    pub fn info(&self) -> &'static Info {
        self.shape().info()
    }

    /// Whether it is the default: no schedule at all.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The schedule over a training of this length.
    ///
    /// # Errors
    /// As [`Schedule::check`].
    pub fn resolve(&self, horizon: Horizon) -> Result<Curve, ScheduleError> {
        self.check()?;
        let mut resolved = self.clone();
        resolved.lay_over(horizon);
        Ok(Curve(resolved))
    }

    /// The part that depends on what was seen.
    pub(crate) fn plateau(&self) -> Option<&ReduceOnPlateau> {
        match self {
            Self::ReduceOnPlateau(plateau) => Some(plateau),
            Self::WarmUp(warm_up) => warm_up.times.plateau(),
            _ => None,
        }
    }
}

/// A schedule over a training of known length: checked, all lengths in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Schedule);

impl Curve {
    /// What the learning rate is multiplied by in step `step` (the first is 0): finite and not negative.
    ///
    /// A [`ReduceOnPlateau`] is 1 here: what it adds is [`Plateau::factor`].
    pub fn factor(&self, step: u64) -> f64 {
        self.0.shape().factor(step)
    }

    /// The state after an epoch of cost `cost` (less is better, such as the validation loss): changed only by a
    /// schedule that reduces on a plateau.
    pub fn observe(&self, state: Plateau, cost: f64) -> Plateau {
        self.0.plateau().map_or(state, |rule| rule.observe(state, cost))
    }

    /// The schedule with all lengths in steps.
    pub fn schedule(&self) -> &Schedule {
        &self.0
    }
}
