//! A wrapper as data, as a recipe and the command line hold it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::registry::find;
use crate::hyper::OptimError;
use crate::optimizer::Optimizer;
use crate::real::Real;

/// A wrapper's name and the settings that differ from its defaults.
///
/// In TOML and JSON it is a table of one key: `{ clip-norm = 1.0 }` sets the wrapper's first setting, `{ guard = true }`
/// takes its defaults, `{ lookahead = { steps = 5, alpha = 0.5 } }` names them. As text it is `clip-norm=1`, `guard`,
/// `lookahead=5:0.5`: the settings in their order.
///
/// ```
/// use thalweg_optim::WrapSpec;
/// let text: WrapSpec = "lookahead=5:0.8".parse()?;
/// assert_eq!(text, WrapSpec::named("lookahead").with("steps", 5.0).with("alpha", 0.8));
/// assert_eq!(text.to_string(), "lookahead=5:0.8");
/// let error = "clip-nrm=1".parse::<WrapSpec>().unwrap_err().to_string();
/// assert!(error.starts_with("there is no wrapper «clip-nrm»; did you mean «clip-norm»?"));
/// # Ok::<(), thalweg_optim::OptimError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WrapSpec {
    /// A name of [`WRAPPERS`](super::WRAPPERS).
    pub name: String,
    /// Settings by their key.
    pub settings: BTreeMap<String, f64>,
}

impl WrapSpec {
    /// A wrapper with its defaults.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), settings: BTreeMap::new() }
    }

    /// The same with a setting set.
    pub fn with(mut self, key: impl Into<String>, value: f64) -> Self {
        self.settings.insert(key.into(), value);
        self
    }

    /// The wrapper around `inner`.
    ///
    /// # Errors
    /// If there is no such wrapper or setting, a setting is out of range, or it cannot go around `inner`.
    pub fn put<T: Real>(&self, inner: Box<dyn Optimizer<T>>) -> Result<Box<dyn Optimizer<T>>, OptimError> {
        T::put(find(&self.name)?, self, inner)
    }

    /// Checks the name and all settings.
    ///
    /// # Errors
    /// As [`WrapSpec::put`], but for what is inside.
    pub fn check(&self) -> Result<(), OptimError> {
        (find(&self.name)?.check)(self)
    }

    /// The settings from the first to the last that is set, those between at their defaults; `None` if the name or a key
    /// is not known.
    fn in_order(&self) -> Option<Vec<f64>> {
        let rows = (find(&self.name).ok()?.settings)();
        if self.settings.keys().any(|key| rows.iter().all(|row| row.key != key)) {
            return None;
        }
        let last = rows.iter().rposition(|row| self.settings.contains_key(row.key));
        let named = rows.iter().take(last.map_or(0, |last| last + 1));
        Some(named.map(|row| self.settings.get(row.key).copied().unwrap_or(row.default)).collect())
    }
}

impl fmt::Display for WrapSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.in_order().unwrap_or_else(|| self.settings.values().copied().collect());
        let values: Vec<String> = values.iter().map(f64::to_string).collect();
        f.write_str(&self.name)?;
        if values.is_empty() { Ok(()) } else { write!(f, "={}", values.join(":")) }
    }
}

impl FromStr for WrapSpec {
    type Err = OptimError;

    fn from_str(text: &str) -> Result<Self, OptimError> {
        let (name, values) = text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)));
        let name = name.trim();
        let rows = (find(name)?.settings)();
        let keys = || rows.iter().map(|row| row.key).collect::<Vec<_>>().join(":");
        let wrong = |what| OptimError::WrapText { text: text.to_owned(), what };
        let mut spec = Self::named(name);
        for (index, value) in values.into_iter().flat_map(|values| values.split(':')).enumerate() {
            let row = rows.get(index).ok_or_else(|| {
                wrong(match rows.len() {
                    0 => format!("it has no settings; write {name}"),
                    count => format!("it has {count} settings; write {name}={}", keys()),
                })
            })?;
            let value = value
                .trim()
                .parse()
                .map_err(|_| wrong(format!("«{value}» is not a number; write {name}={}", keys())))?;
            spec = spec.with(row.key, value);
        }
        spec.check()?;
        Ok(spec)
    }
}

impl Serialize for WrapSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_map(Some(1))?;
        match self.in_order().as_deref() {
            Some([]) => table.serialize_entry(&self.name, &true)?,
            Some([value]) => table.serialize_entry(&self.name, value)?,
            _ => table.serialize_entry(&self.name, &self.settings)?,
        }
        table.end()
    }
}

impl<'de> Deserialize<'de> for WrapSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads a table of one key, or the text form.
struct Written;

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Number(f64),
    Settings(BTreeMap<String, Setting>),
}

/// Within a table a flag may be written as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    Flag(bool),
    Number(f64),
}

impl<'de> Visitor<'de> for Written {
    type Value = WrapSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a wrapper, such as { clip-norm = 1.0 } or \"clip-norm=1.0\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<WrapSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<WrapSpec, A::Error> {
        let Some(name) = table.next_key::<String>()? else {
            return Err(A::Error::custom("an empty table names no wrapper; write { clip-norm = 1.0 }"));
        };
        let entry = find(&name).map_err(A::Error::custom)?;
        let value = table
            .next_value::<Value>()
            .map_err(|_| A::Error::custom(format!("{name}: give a number, true, or a table of settings")))?;
        let mut spec = WrapSpec::named(&name);
        match value {
            Value::Flag(true) => {}
            Value::Flag(false) => {
                return Err(A::Error::custom(format!("{name} = false: leave it out instead")));
            }
            Value::Number(number) => match (entry.settings)().first() {
                Some(first) => spec = spec.with(first.key, number),
                None => return Err(A::Error::custom(format!("{name} has no settings; write {name} = true"))),
            },
            Value::Settings(settings) => {
                for (key, value) in settings {
                    let value = match value {
                        Setting::Flag(flag) => f64::from(u8::from(flag)),
                        Setting::Number(number) => number,
                    };
                    spec = spec.with(key, value);
                }
            }
        }
        if let Some(second) = table.next_key::<String>()? {
            return Err(A::Error::custom(format!(
                "«{name}» and «{second}» are two wrappers: give each a table of its own, inner to outer"
            )));
        }
        spec.check().map_err(A::Error::custom)?;
        Ok(spec)
    }
}
