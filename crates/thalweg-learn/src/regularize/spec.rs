//! Which techniques a recipe uses, and how strong: as data.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_optim::suggest::did_you_mean;

use super::{Info, RegularizeError, TECHNIQUES, Technique, find, place};

/// The regularization of a recipe; empty by default.
///
/// In TOML and JSON it is a table with a key for each technique: `{ dropout = 0.3, smote = { share = 0.5, neighbours = 3 },
/// flip = true }`; a bare number is the technique's first setting, `true` its defaults. As text it is
/// `dropout=0.3,smote=0.5:3,flip`: the settings in their order. Whatever the order in which techniques are named, they are
/// kept and applied in that of [`TECHNIQUES`].
///
/// ```
/// use thalweg_learn::regularize::{Chosen, RegularizeSpec};
/// let text: RegularizeSpec = "mixup=0.2,label-smoothing=0.1".parse()?;
/// let table = r#"{ "label-smoothing": 0.1, "mixup": { "alpha": 0.2 } }"#;
/// assert_eq!(serde_json::from_str::<RegularizeSpec>(table).unwrap(), text);
/// assert_eq!(text, RegularizeSpec::of(Chosen::named("mixup")?).and(Chosen::named("label-smoothing")?)?);
/// let error = "mixp=0.2".parse::<RegularizeSpec>().unwrap_err().to_string();
/// assert!(error.starts_with("there is no regularization technique «mixp»; did you mean «mixup»?"));
/// # Ok::<(), thalweg_learn::regularize::RegularizeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegularizeSpec {
    /// In the order of the registry.
    chosen: Vec<Chosen>,
}

/// A technique with its settings.
#[derive(Clone)]
pub struct Chosen {
    technique: &'static dyn Technique,
    values: Vec<f64>,
}

impl Chosen {
    /// A technique with its defaults.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn named(name: &str) -> Result<Self, RegularizeError> {
        find(name).map(Self::of)
    }

    /// A technique with its defaults.
    pub fn of(technique: &'static dyn Technique) -> Self {
        Self { technique, values: technique.info().settings.iter().map(|setting| setting.default).collect() }
    }

    /// The same with a strength: its first setting.
    ///
    /// # Errors
    /// If it is out of range.
    pub fn strength(self, value: f64) -> Result<Self, RegularizeError> {
        let first = self.info().settings[0].key;
        self.with(first, value)
    }

    /// The same with a setting set.
    ///
    /// # Errors
    /// If it has no such setting, or the value is out of its range.
    pub fn with(mut self, key: &str, value: f64) -> Result<Self, RegularizeError> {
        let info = self.info();
        let Some(at) = info.settings.iter().position(|setting| setting.key == key) else {
            let keys = || info.settings.iter().map(|setting| setting.key);
            return Err(RegularizeError::UnknownSetting {
                technique: info.name,
                key: key.to_owned(),
                suggestion: did_you_mean(key, keys()),
                known: keys().collect::<Vec<_>>().join(", "),
            });
        };
        let range = info.settings[at].range;
        if !range.contains(value) {
            let key = info.settings[at].key;
            return Err(RegularizeError::OutOfRange { technique: info.name, key, value, range });
        }
        self.values[at] = value;
        Ok(self)
    }

    /// The technique.
    pub fn technique(&self) -> &'static dyn Technique {
        self.technique
    }

    /// What the tables show of it.
    pub fn info(&self) -> &'static Info {
        self.technique.info()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.info().name
    }

    /// The values of its settings, in their order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How a table writes it: the settings with their names.
    fn by_key(&self) -> BTreeMap<&'static str, f64> {
        self.info().settings.iter().map(|setting| setting.key).zip(self.values.iter().copied()).collect()
    }
}

impl PartialEq for Chosen {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.values == other.values
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name(), self.values)
    }
}

/// `dropout=0.3`, `smote=0.5:3`: the settings up to the last one that is not at its default, at least the first.
impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.info().settings;
        let last = self.values.iter().zip(settings).rposition(|(value, setting)| *value != setting.default);
        let values: Vec<String> =
            self.values[..=last.unwrap_or(0)].iter().map(|value| value.to_string()).collect();
        write!(f, "{}={}", self.name(), values.join(":"))
    }
}

impl FromStr for Chosen {
    type Err = RegularizeError;

    fn from_str(text: &str) -> Result<Self, RegularizeError> {
        let text = text.trim();
        let (name, values) = text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)));
        let mut chosen = Self::named(name.trim())?;
        let settings = chosen.info().settings;
        let form = || {
            let keys: Vec<_> = settings.iter().map(|setting| setting.key.to_uppercase()).collect();
            format!("write {}={}", chosen.name(), keys.join(":"))
        };
        let wrong = |what: String| RegularizeError::Text { text: text.to_owned(), what };
        let given: Vec<&str> = values.into_iter().flat_map(|values| values.split(':')).collect();
        if given.len() > settings.len() {
            let plural = if settings.len() == 1 { "" } else { "s" };
            return Err(wrong(format!("it has {} setting{plural}; {}", settings.len(), form())));
        }
        let mut numbers = Vec::with_capacity(given.len());
        for value in given {
            let number: Result<f64, _> = value.trim().parse();
            numbers.push(number.map_err(|_| wrong(format!("«{value}» is not a number; {}", form())))?);
        }
        for (setting, number) in settings.iter().zip(numbers) {
            chosen = chosen.with(setting.key, number)?;
        }
        Ok(chosen)
    }
}

impl RegularizeSpec {
    /// One technique.
    pub fn of(chosen: Chosen) -> Self {
        Self { chosen: vec![chosen] }
    }

    /// The same with one more.
    ///
    /// # Errors
    /// If it is there already.
    pub fn and(mut self, chosen: Chosen) -> Result<Self, RegularizeError> {
        let before = place(chosen.name());
        if self.get(chosen.name()).is_some() {
            return Err(RegularizeError::Twice { technique: chosen.name() });
        }
        let at = self.chosen.partition_point(|other| place(other.name()) < before);
        self.chosen.insert(at, chosen);
        Ok(self)
    }

    /// The techniques, in the order of the registry.
    pub fn chosen(&self) -> &[Chosen] {
        &self.chosen
    }

    /// The technique of this name, if it is used.
    pub fn get(&self, name: &str) -> Option<&Chosen> {
        self.chosen.iter().find(|chosen| chosen.name() == name)
    }

    /// Whether nothing is regularized.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Each technique of the registry alone, with its defaults.
    pub fn each() -> impl Iterator<Item = Self> {
        TECHNIQUES.iter().map(|&technique| Self::of(Chosen::of(technique)))
    }
}

impl fmt::Display for RegularizeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let words: Vec<String> = self.chosen.iter().map(Chosen::to_string).collect();
        f.write_str(&words.join(","))
    }
}

impl FromStr for RegularizeSpec {
    type Err = RegularizeError;

    fn from_str(text: &str) -> Result<Self, RegularizeError> {
        match text.trim() {
            "" | "none" => Ok(Self::default()),
            text => text.split(',').try_fold(Self::default(), |spec, word| spec.and(word.parse()?)),
        }
    }
}

impl Serialize for RegularizeSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_map(Some(self.chosen.len()))?;
        for chosen in &self.chosen {
            // Defaults are written out: a stored trial says what it was, whatever the defaults become.
            match chosen.values.as_slice() {
                [value] => table.serialize_entry(chosen.name(), value)?,
                _ => table.serialize_entry(chosen.name(), &chosen.by_key())?,
            }
        }
        table.end()
    }
}

impl<'de> Deserialize<'de> for RegularizeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads a table of techniques, or the text form.
struct Written;

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Number(f64),
    Settings(BTreeMap<String, Given>),
}

/// Within a table a flag may be written as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Flag(bool),
    Number(f64),
}

impl<'de> Visitor<'de> for Written {
    type Value = RegularizeSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of techniques, such as { dropout = 0.3 }, or \"dropout=0.3\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RegularizeSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<RegularizeSpec, A::Error> {
        let mut spec = RegularizeSpec::default();
        while let Some(name) = table.next_key::<String>()? {
            let chosen = Chosen::named(&name).map_err(A::Error::custom)?;
            let value = table.next_value::<Value>().map_err(|_| {
                A::Error::custom(format!("{name}: give a number, true, or a table of settings"))
            })?;
            let chosen = match value {
                Value::Flag(true) => Ok(chosen),
                Value::Flag(false) => {
                    return Err(A::Error::custom(format!("{name} = false: leave it out instead")));
                }
                Value::Number(number) => chosen.strength(number),
                Value::Settings(settings) => settings.into_iter().try_fold(chosen, |chosen, (key, value)| {
                    let value = match value {
                        Given::Flag(flag) => f64::from(u8::from(flag)),
                        Given::Number(number) => number,
                    };
                    chosen.with(&key, value)
                }),
            };
            spec = chosen.and_then(|chosen| spec.and(chosen)).map_err(A::Error::custom)?;
        }
        Ok(spec)
    }
}
