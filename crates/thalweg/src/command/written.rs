//! Single settings, as flags and as TOML write them.

use std::fmt;
use std::str::FromStr;

use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::{OptimError, Schedule, WrapSpec};

use super::Failure;
use crate::study::LearningRates;

/// A word that serde knows as a unit variant.
pub(super) fn word<V: DeserializeOwned>(text: &str) -> Result<V, String> {
    let words: StrDeserializer<'_, WordError> = text.into_deserializer();
    V::deserialize(words).map_err(|error| plain(&error.to_string()))
}

/// A schedule's name, or a TOML table in braces.
pub(super) fn schedule(text: &str) -> Result<Schedule, String> {
    if !text.trim_start().starts_with('{') {
        return word(text);
    }
    #[derive(Deserialize)]
    struct Line {
        schedule: Schedule,
    }
    let line: Line = toml::from_str(&format!("schedule = {text}")).map_err(|error| plain(error.message()))?;
    Ok(line.schedule)
}

/// A whole number that `N` can hold.
pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    let most = u64::MAX >> (64 - 8 * size_of::<N>());
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {most}"))
}

/// What serde says of a value, without the names of Rust's types.
pub(super) fn plain(message: &str) -> String {
    let types = [
        ("usize", "a whole number"),
        ("u32", "a whole number"),
        ("u64", "a whole number"),
        ("f64", "a number"),
    ];
    let message =
        message.replacen("unknown variant ", "there is no ", 1).replacen(", expected", "; expected", 1);
    types.iter().fold(message, |message, (name, words)| {
        match message.strip_suffix(&format!("expected {name}")) {
            Some(head) => format!("{head}expected {words} from 0 up"),
            None => message,
        }
    })
}

/// What TOML may hold where the command line has one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Whole(i64),
    Number(f64),
    Many(Vec<Written>),
}

impl Written {
    fn texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Whole(number) => vec![number.to_string()],
            Self::Number(number) => vec![number.to_string()],
            Self::Many(items) => items.into_iter().flat_map(Self::texts).collect(),
        }
    }
}

/// The word for no hidden layer.
const NO_WIDTHS: &str = "none";

/// Items separated by commas, or a TOML array.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed(pub(super) Vec<String>);

impl Listed {
    fn split(text: &str) -> impl Iterator<Item = String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned)
    }

    pub(super) fn optimizers(self) -> Vec<String> {
        if self.0 == ["all"] {
            return REGISTRY.iter().map(|entry| entry.info.name.to_owned()).collect();
        }
        self.0
    }

    pub(super) fn widths(&self) -> Result<Vec<usize>, Failure> {
        if self.0 == [NO_WIDTHS] {
            return Ok(Vec::new());
        }
        if self.0.is_empty() {
            return Err(Failure::usage(
                "--hidden: name the widths, such as 64 or 64,32, or none for a linear model",
            ));
        }
        self.0
            .iter()
            .map(|width| {
                width.parse().map_err(|_| {
                    Failure::usage(format!(
                        "--hidden {width}: it must be a whole number from 1 to 65536, several separated by commas, or \
                         none"
                    ))
                })
            })
            .collect()
    }
}

impl FromStr for Listed {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Self::split(text).collect()))
    }
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Written::deserialize(deserializer)?.texts();
        Ok(Self(texts.iter().flat_map(|text| Self::split(text)).collect()))
    }
}

/// One text or several: never split at commas, for a column's name may hold one.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Written::deserialize(deserializer).map(|written| Some(written.texts()))
}

/// The widths of hidden layers: an empty TOML array, as recipes have it, is a linear model's.
pub(super) fn widths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Listed>, D::Error> {
    let written = Written::deserialize(deserializer)?;
    if matches!(&written, Written::Many(items) if items.is_empty()) {
        return Ok(Some(Listed(vec![NO_WIDTHS.to_owned()])));
    }
    Ok(Some(Listed(written.texts().iter().flat_map(|text| Listed::split(text)).collect())))
}

/// Wrappers as text, or as a TOML array of tables or texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Wraps(pub(super) Vec<WrapSpec>);

impl FromStr for Wraps {
    type Err = OptimError;

    fn from_str(text: &str) -> Result<Self, OptimError> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Wraps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrapsWritten)
    }
}

/// Reads what [`Wraps`] may be, and keeps what a wrapper says of an error.
struct WrapsWritten;

impl<'de> Visitor<'de> for WrapsWritten {
    type Value = Wraps;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrappers, such as \"clip-norm=1,ema=0.999\" or [{ clip-norm = 1.0 }, { ema = 0.999 }]")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Wraps, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Wraps, A::Error> {
        let mut all = Wraps::default();
        while let Some(item) = items.next_element()? {
            all.0.push(item);
        }
        Ok(all)
    }
}

/// Learning rates as text, or as a TOML array.
#[derive(Debug, Clone)]
pub(super) struct Rates(pub(super) LearningRates);

impl FromStr for Rates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer)?.texts().join(",").parse().map_err(serde::de::Error::custom)
    }
}
