//! When training stops, as a recipe and the command line hold it.

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_optim::suggest::did_you_mean;

/// A criterion of early stopping.
///
/// As text: `none`, `patience:10`, `patience:10:0.001`, `gl:5`, `pq:0.5:5`, `up:3:5`. In TOML and JSON that text, or a
/// table of one key: `{ patience = { epochs = 10, min-delta = 0.001 } }`, `{ pq = { alpha = 0.5, strip = 5 } }`.
///
/// Patience watches the validation cost (the metric, −accuracy say). GL, PQ and UP are about ratios and falls of an error
/// that cannot be negative, so they watch the validation **loss**; PQ the training loss, too. A loss of NaN counts as ∞. The
/// training loss is the one that training sees (its mean over the epoch's batches, with dropout and the like).
///
/// Source of GL, PQ and UP: Prechelt, *Early stopping — but when?* (1998), who finds slower criteria (larger α, larger s) a
/// little better and much more costly; he has strips of 5 epochs.
///
/// ```
/// use thalweg_learn::train::StoppingSpec;
/// assert_eq!("pq:0.5:5".parse(), Ok(StoppingSpec::Pq { alpha: 0.5, strip: 5 }));
/// let error = "patence:10".parse::<StoppingSpec>().unwrap_err().to_string();
/// assert!(error.starts_with("«patence:10»: there is no criterion «patence»; did you mean «patience»?"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum StoppingSpec {
    /// All epochs are done.
    #[default]
    None,
    /// Epochs that the validation cost does not fall.
    Patience {
        /// After so many in a row training stops; at least 1.
        epochs: u32,
        /// A fall counts if it is larger than this, in the units of the cost, measured from the last one that counted: so
        /// that many small ones add up. 0 counts every one. The best epoch's weights are kept in any case.
        min_delta: f64,
    },
    /// GL_α: the loss lies more than α per cent above its lowest, 100·(E/E_opt − 1) > α.
    Gl {
        /// α, in per cent; Prechelt has 1 to 5.
        alpha: f64,
    },
    /// PQ_α: at the end of a strip of k epochs, GL/P_k > α: the loss rose by more than training still makes up for.
    /// P_k = 1000·(Σ E_train/(k·min E_train) − 1) over the strip.
    Pq {
        /// α; Prechelt has 0.5 to 3.
        alpha: f64,
        /// k; at least 2, since one epoch shows no progress.
        strip: u32,
    },
    /// UP_s: the loss is higher than a strip before, at the ends of s strips of k epochs in a row.
    Up {
        /// s; at least 1.
        strips: u32,
        /// k; at least 1.
        strip: u32,
    },
}

/// Why a criterion cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("«{given}»: {what}")]
pub struct StoppingError {
    /// What was given.
    pub given: String,
    /// What is wrong with it, and what to write.
    pub what: String,
}

/// A name, how it is written with its settings, and how many of them there must be.
const FORMS: [(&str, &str, usize); 5] = [
    ("none", "none", 0),
    ("patience", "patience:EPOCHS or patience:EPOCHS:MIN-DELTA", 1),
    ("gl", "gl:ALPHA", 1),
    ("pq", "pq:ALPHA:STRIP", 2),
    ("up", "up:STRIPS:STRIP", 2),
];

impl StoppingSpec {
    /// Refuses a setting out of its range.
    ///
    /// # Errors
    /// [`StoppingError`], with the range.
    pub fn check(self) -> Result<(), StoppingError> {
        let at_least = |name: &str, value: u32, least: u32, why: &str| {
            (value < least)
                .then(|| format!("{name} = {value} is out of range: it must be at least {least}{why}"))
        };
        let positive = |name: &str, value: f64| {
            (!(value > 0.0 && value.is_finite()))
                .then(|| format!("{name} = {value} is out of range: it must lie in (0, ∞)"))
        };
        let wrong = match self {
            Self::None => None,
            Self::Patience { epochs, min_delta } => at_least("epochs", epochs, 1, "; «none» never stops")
                .or_else(|| {
                    (!(min_delta >= 0.0 && min_delta.is_finite()))
                        .then(|| format!("min-delta = {min_delta} is out of range: it must lie in [0, ∞)"))
                }),
            Self::Gl { alpha } => positive("alpha", alpha),
            Self::Pq { alpha, strip } => positive("alpha", alpha)
                .or_else(|| at_least("strip", strip, 2, ", since one epoch shows no progress")),
            Self::Up { strips, strip } => {
                at_least("strips", strips, 1, "").or_else(|| at_least("strip", strip, 1, ""))
            }
        };
        wrong.map_or(Ok(()), |what| Err(StoppingError { given: self.to_string(), what }))
    }
}

/// A patience in epochs; `None` and 0 never stop.
impl From<Option<u32>> for StoppingSpec {
    fn from(patience: Option<u32>) -> Self {
        let epochs = patience.filter(|&epochs| epochs > 0);
        epochs.map_or(Self::None, |epochs| Self::Patience { epochs, min_delta: 0.0 })
    }
}

impl fmt::Display for StoppingSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Patience { epochs, min_delta: 0.0 } => write!(f, "patience:{epochs}"),
            Self::Patience { epochs, min_delta } => write!(f, "patience:{epochs}:{min_delta}"),
            Self::Gl { alpha } => write!(f, "gl:{alpha}"),
            Self::Pq { alpha, strip } => write!(f, "pq:{alpha}:{strip}"),
            Self::Up { strips, strip } => write!(f, "up:{strips}:{strip}"),
        }
    }
}

impl FromStr for StoppingSpec {
    type Err = StoppingError;

    fn from_str(text: &str) -> Result<Self, StoppingError> {
        let wrong = |what: String| StoppingError { given: text.to_owned(), what };
        let mut parts = text.split(':').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let given: Vec<&str> = parts.collect();
        let Some((_, form, least)) = FORMS.iter().find(|(known, ..)| *known == name) else {
            let names = || FORMS.iter().map(|(known, ..)| *known);
            let (hint, known) = (did_you_mean(name, names()), names().collect::<Vec<_>>().join(", "));
            return Err(wrong(format!("there is no criterion «{name}»{hint} (known: {known})")));
        };
        let most = if name == "patience" { 2 } else { *least };
        if given.len() < *least || given.len() > most {
            let settings = if given.len() == 1 { "setting" } else { "settings" };
            return Err(wrong(format!("it has {} {settings}; write {form}", given.len())));
        }
        let number = |at: usize| -> Result<f64, StoppingError> {
            given[at].parse().map_err(|_| wrong(format!("«{}» is not a number; write {form}", given[at])))
        };
        let count = |at: usize| -> Result<u32, StoppingError> {
            let not = |_| wrong(format!("«{}» is not a whole number from 0 up; write {form}", given[at]));
            given[at].parse().map_err(not)
        };
        let spec = match name {
            "patience" => {
                let min_delta = if given.len() == 2 { number(1)? } else { 0.0 };
                Self::Patience { epochs: count(0)?, min_delta }
            }
            "gl" => Self::Gl { alpha: number(0)? },
            "pq" => Self::Pq { alpha: number(0)?, strip: count(1)? },
            "up" => Self::Up { strips: count(0)?, strip: count(1)? },
            _ => Self::None,
        };
        spec.check().map_err(|error| wrong(error.what))?;
        Ok(spec)
    }
}

impl Serialize for StoppingSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StoppingSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads the text, or a table of one key.
struct Written;

/// The form of the table.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
enum Table {
    Patience {
        epochs: u32,
        #[serde(default)]
        min_delta: f64,
    },
    Gl {
        alpha: f64,
    },
    Pq {
        alpha: f64,
        strip: u32,
    },
    Up {
        strips: u32,
        strip: u32,
    },
}

impl<'de> Visitor<'de> for Written {
    type Value = StoppingSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "when to stop, such as \"patience:10\" or { patience = { epochs = 10, min-delta = 0.001 } }",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StoppingSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<StoppingSpec, A::Error> {
        let spec = match Table::deserialize(MapAccessDeserializer::new(table))? {
            Table::Patience { epochs, min_delta } => StoppingSpec::Patience { epochs, min_delta },
            Table::Gl { alpha } => StoppingSpec::Gl { alpha },
            Table::Pq { alpha, strip } => StoppingSpec::Pq { alpha, strip },
            Table::Up { strips, strip } => StoppingSpec::Up { strips, strip },
        };
        spec.check().map_err(A::Error::custom)?;
        Ok(spec)
    }
}
