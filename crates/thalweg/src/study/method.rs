//! What a study compares: optimizers, or techniques of regularization under one optimizer.

use thalweg_learn::nn::{LayerSpec, Loss, Shape};
use thalweg_learn::regularize::{Chosen, Family, RegularizeError, RegularizeSpec, Site, TECHNIQUES};
use thalweg_learn::train::Recipe;

use super::spec::StudySpec;

/// The name of the method without any of the techniques that are compared.
pub const NONE: &str = "none";

/// Every technique that applies.
const ALL: &str = "all";

/// The technique that replaces training labels in all methods alike.
const LABEL_NOISE: &str = "label-noise";

/// One of the things that are compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Method {
    /// The optimizer's name, or in a study of regularization the technique's, or [`NONE`].
    pub(crate) name: String,
    pub(crate) optimizer: String,
    /// What this method has and [`NONE`] has not.
    technique: Option<Chosen>,
    /// Those of the technique that can be used there, weak to strong.
    strengths: Vec<f64>,
    /// Whether its epochs are chosen by the validation part. In a study of regularization that is a technique of its own.
    pub(crate) best_epoch: bool,
}

/// The methods, and what was asked for but does not apply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Methods {
    pub(crate) all: Vec<Method>,
    /// Techniques of «all» that do not apply, each with the reason.
    pub(crate) left_out: Vec<String>,
}

/// Where the techniques are to be used.
pub(crate) struct Place<'a> {
    pub(crate) input: Shape,
    pub(crate) loss: Loss,
    pub(crate) layers: &'a [LayerSpec],
    pub(crate) batch: usize,
}

impl Methods {
    /// The methods that a study names.
    ///
    /// # Errors
    /// If a technique that is named does not exist, does not apply there, or is a part of every method anyway.
    pub(crate) fn new(spec: &StudySpec, place: &Place<'_>) -> Result<Self, RegularizeError> {
        if spec.regularizers.is_empty() {
            let method = |name: &String| Method {
                name: name.clone(),
                optimizer: name.clone(),
                technique: None,
                strengths: Vec::new(),
                best_epoch: true,
            };
            return Ok(Self { all: spec.optimizers.iter().map(method).collect(), left_out: Vec::new() });
        }
        let optimizer = spec.optimizers[0].clone();
        let bare = Method {
            name: NONE.to_owned(),
            optimizer,
            technique: None,
            strengths: Vec::new(),
            best_epoch: false,
        };
        let mut methods = Self { all: vec![bare.clone()], left_out: Vec::new() };
        let site = Site { input: place.input, loss: place.loss, layers: place.layers, batch: place.batch };
        let with = |chosen: Chosen, one: bool| -> Result<Method, RegularizeError> {
            spec.together(&chosen)?.check(&site)?;
            // A square of 8 pixels may fit where one of 16 does not.
            let fits = |&&strength: &&f64| {
                let at = chosen.clone().strength(strength);
                at.is_ok_and(|chosen| chosen.applies(&site).is_ok())
            };
            let tried = if one { &[] } else { chosen.info().strengths };
            let mut strengths: Vec<f64> = tried.iter().filter(fits).copied().collect();
            if strengths.is_empty() {
                strengths.extend(chosen.values().first());
            }
            Ok(Method {
                name: chosen.name().to_owned(),
                best_epoch: chosen.info().family == Family::Stopping,
                technique: Some(chosen),
                strengths,
                ..bare.clone()
            })
        };
        let rates = spec.learning_rates.values().len();
        if spec.regularizers == [ALL] {
            // What is studied is no remedy, and what every method has cannot be told from none.
            let remedies = TECHNIQUES.iter().map(|&technique| Chosen::of(technique)).filter(|chosen| {
                chosen.info().family != Family::Study && spec.regularize.get(chosen.name()).is_none()
            });
            for chosen in remedies {
                match with(chosen, false) {
                    Ok(method) => methods.all.push(method),
                    Err(reason) => methods.left_out.push(reason.to_string()),
                }
            }
        } else {
            for name in spec.regularizers.iter().filter(|name| *name != NONE) {
                if name == ALL {
                    let what = "it means every technique that applies, and stands alone".to_owned();
                    return Err(RegularizeError::Text { text: name.clone(), what });
                }
                let chosen: Chosen = name.parse()?;
                if methods.all.iter().any(|method| method.name == chosen.name()) {
                    return Err(RegularizeError::Twice { technique: chosen.info().name });
                }
                // A strength that is named is the one that is tried.
                methods.all.push(with(chosen, name.contains('='))?);
            }
        }
        for method in methods.all.iter().filter(|method| method.strengths.len() > rates) {
            let left: Vec<String> = method.strengths[rates..].iter().map(f64::to_string).collect();
            let (name, left) = (&method.name, left.join(" and "));
            methods.left_out.push(format!("{name} at the strength {left}: give more --learning-rates"));
        }
        Ok(methods)
    }
}

impl StudySpec {
    /// What regularizes every method, with one technique more.
    fn together(&self, technique: &Chosen) -> Result<RegularizeSpec, RegularizeError> {
        self.every_method()?.and(technique.clone())
    }

    /// What every method has: the regularization that is not compared, and noise on the labels.
    pub(crate) fn every_method(&self) -> Result<RegularizeSpec, RegularizeError> {
        if self.label_noise == 0.0 {
            return Ok(self.regularize.clone());
        }
        self.regularize.clone().and(Chosen::named(LABEL_NOISE)?.strength(self.label_noise)?)
    }
}

impl Method {
    /// The strength of the `index`-th of its trials in a fold. Strengths take turns over the learning rates: so every
    /// method has as many trials as any other, however much there is to be tuned.
    pub(crate) fn strength(&self, index: usize) -> Option<f64> {
        let turn = index.checked_rem(self.strengths.len())?;
        Some(self.strengths[turn])
    }

    /// The recipe with this method's technique at a strength.
    pub(crate) fn apply(&self, recipe: Recipe, strength: Option<f64>, refit: bool) -> Recipe {
        let Some(technique) = &self.technique else { return recipe };
        // A refit has no validation part: it repeats the epochs that were chosen.
        if self.best_epoch && refit {
            return recipe;
        }
        let chosen = strength.and_then(|strength| technique.clone().strength(strength).ok());
        let both = chosen.and_then(|chosen| recipe.regularize.clone().and(chosen).ok());
        Recipe { regularize: both.expect("the plan has checked the technique"), ..recipe }
    }
}
