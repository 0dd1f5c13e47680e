//! The registry of wrappers: the row buys the tests, the table and the names in recipes and on the command line.

use super::spec::WrapSpec;
use super::wrapped::check;
use super::{
    Accumulate, Asam, ClipAdaptive, ClipNorm, ClipValue, DecoupledDecay, ElasticNet, Ema, GradientNoise,
    Guard, L1, LassoProx, Lookahead, MaxNorm, Sam, Swa, WeightDecay, Wrapped, Wrapper, WrapperInfo,
};
use crate::hyper::{OptimError, Range};
use crate::optimizer::Optimizer;
use crate::real::Real;
use crate::suggest::did_you_mean;

/// Every wrapper, in the order in which tables show them.
pub static WRAPPERS: &[WrapperEntry] = &[
    row::<ClipNorm>(),
    row::<ClipValue>(),
    row::<ClipAdaptive>(),
    row::<Guard>(),
    row::<WeightDecay>(),
    row::<DecoupledDecay>(),
    row::<L1>(),
    row::<LassoProx>(),
    row::<ElasticNet>(),
    row::<MaxNorm>(),
    row::<GradientNoise>(),
    row::<Accumulate>(),
    row::<Lookahead>(),
    row::<Ema>(),
    row::<Swa>(),
    row::<Sam>(),
    row::<Asam>(),
];

type Put<T> = fn(&WrapSpec, Box<dyn Optimizer<T>>) -> Result<Box<dyn Optimizer<T>>, OptimError>;

/// A row of the registry of wrappers.
pub struct WrapperEntry {
    /// What the tables show.
    pub info: &'static WrapperInfo,
    /// Every setting.
    pub settings: fn() -> Vec<SettingRow>,
    /// The name of the number that it keeps per parameter, if it does.
    pub slot: Option<&'static str>,
    /// The name of what it counts, if it does.
    pub count: Option<&'static str>,
    /// Whether its first setting is a weight decay, which parameter groups multiply.
    pub decays: bool,
    /// Whether it asks the objective more than once a step, so that it cannot step with given gradients.
    pub drives: bool,
    pub(super) check: fn(&WrapSpec) -> Result<(), OptimError>,
    pub(crate) f32: Put<f32>,
    pub(crate) f64: Put<f64>,
}

/// A setting as the tables show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingRow {
    /// The name within the wrapper.
    pub key: &'static str,
    /// The name among all hyperparameters of a tower.
    pub name: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// What it may be.
    pub range: Range,
    /// What it is if nothing is said.
    pub default: f64,
}

const fn row<W: Wrapper>() -> WrapperEntry {
    WrapperEntry {
        info: &W::INFO,
        settings: settings::<W>,
        slot: W::SLOT,
        count: W::COUNT,
        decays: W::DECAYS,
        drives: W::DRIVES,
        check: |spec| configure::<W>(spec).map(drop),
        f32: put::<W, f32>,
        f64: put::<W, f64>,
    }
}

fn settings<W: Wrapper>() -> Vec<SettingRow> {
    let mut default = W::default();
    let rows = W::SETTINGS.iter().map(|setting| SettingRow {
        key: setting.key,
        name: setting.name,
        symbol: setting.symbol,
        range: setting.range,
        default: *(setting.field)(&mut default),
    });
    rows.collect()
}

fn configure<W: Wrapper>(spec: &WrapSpec) -> Result<W, OptimError> {
    let mut wrapper = W::default();
    for (key, &value) in &spec.settings {
        let Some(setting) = W::SETTINGS.iter().find(|setting| setting.key == key) else {
            let keys: Vec<_> = W::SETTINGS.iter().map(|setting| setting.key).collect();
            return Err(OptimError::UnknownHyper {
                optimizer: W::INFO.name,
                name: key.clone(),
                suggestion: did_you_mean(key, keys.iter().copied()),
                known: if keys.is_empty() { "none".to_owned() } else { keys.join(", ") },
            });
        };
        *(setting.field)(&mut wrapper) = value;
    }
    check(&wrapper)?;
    Ok(wrapper)
}

fn put<W: Wrapper, T: Real>(
    spec: &WrapSpec,
    inner: Box<dyn Optimizer<T>>,
) -> Result<Box<dyn Optimizer<T>>, OptimError> {
    Ok(Box::new(Wrapped::new(configure::<W>(spec)?, inner)?))
}

/// The row with this name.
///
/// # Errors
/// [`OptimError::UnknownWrapper`], with the nearest name.
pub fn find(name: &str) -> Result<&'static WrapperEntry, OptimError> {
    let names = || WRAPPERS.iter().map(|entry| entry.info.name);
    WRAPPERS.iter().find(|entry| entry.info.name == name).ok_or_else(|| OptimError::UnknownWrapper {
        name: name.to_owned(),
        suggestion: did_you_mean(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}
