//! Which network: a setting that `compare`, `find-lr` and `train` share.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thalweg_learn::nn::Architecture;
use thalweg_learn::train::NetworkSpec;
use thalweg_optim::suggest::did_you_mean;

/// An architecture by name; in TOML also a list of layers.
#[derive(Debug, Clone)]
pub(super) struct NetworkChoice(pub(super) NetworkSpec);

impl FromStr for NetworkChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Architecture::ALL.into_iter().find(|architecture| architecture.name() == name);
        found.map(|architecture| Self(NetworkSpec::Named(architecture))).ok_or_else(|| {
            let names = Architecture::ALL.map(Architecture::name);
            let hint = did_you_mean(name, names);
            let end = if hint.is_empty() { "." } else { "" };
            format!("there is no network «{name}»{hint}{end} There are: {}", names.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for NetworkChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = NetworkChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a network's name, or a list of layers")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<NetworkChoice, E> {
                name.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NetworkChoice, A::Error> {
                let mut layers = Vec::new();
                while let Some(layer) = items.next_element()? {
                    layers.push(layer);
                }
                Ok(NetworkChoice(NetworkSpec::Layers(layers)))
            }
        }

        deserializer.deserialize_any(Written)
    }
}
