//! What a study compares: optimizers, or techniques of regularization under one optimizer.

use thalweg_learn::nn::{LayerSpec, Shape};
use thalweg_learn::regularize::{Chosen, Family, RegularizeError, RegularizeSpec, Site, TECHNIQUES};
use thalweg_learn::train::{Recipe, RecipeError};
use thalweg_optim::{Layout, OptimizerSpec};

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
    /// What a row is.
    pub(crate) input: Shape,
    /// Of every method, as far as it does not depend on it.
    pub(crate) recipe: &'a Recipe,
    /// The recipe's layers before the output, without regularization.
    pub(crate) layers: &'a [LayerSpec],
    /// The fewest rows that a trial is fitted on.
    pub(crate) rows: usize,
}

impl Place<'_> {
    fn site(&self) -> Site<'_> {
        let Recipe { loss, batch_size, .. } = *self.recipe;
        Site { input: self.input, loss, layers: self.layers, batch: batch_size.resolve(self.rows) }
    }

    /// Refuses regularization that does not apply there, or that this optimizer does not let around it.
    fn check(&self, regularize: RegularizeSpec, optimizer: OptimizerSpec) -> Result<(), RegularizeError> {
        regularize.check(&self.site())?;
        let recipe = Recipe { regularize, optimizer, ..self.recipe.clone() };
        // What does not depend on the layout; the plan builds everything for its own. The optimizer alone was checked before.
        match recipe.build_optimizer(&Layout::vector(1), self.rows, 0) {
            Err(RecipeError::Regularize(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

impl Methods {
    /// The methods that a study names.
    ///
    /// # Errors
    /// If a technique that is named does not exist, does not apply there, or is a part of every method anyway.
    pub(crate) fn new(spec: &StudySpec, place: &Place<'_>) -> Result<Self, RegularizeError> {
        if spec.regularizers.is_empty() {
            let all = spec.optimizers.iter().map(|name| Method::of_optimizer(name)).collect();
            return Ok(Self { all, left_out: Vec::new() });
        }
        let mut methods = Self { all: vec![Method::none(&spec.optimizers[0])], left_out: Vec::new() };
        if spec.regularizers == [ALL] {
            methods.add_all(spec, place);
        } else {
            methods.add_named(spec, place)?;
        }
        // Early stopping that every method has is every method's way to choose its epochs.
        let stops = spec.every_method()?.stopping().is_some();
        methods.all.iter_mut().for_each(|method| method.best_epoch |= stops);
        methods.note_untried(spec.learning_rates.values().len());
        Ok(methods)
    }

    /// Every technique that applies; of the others the reason is kept.
    fn add_all(&mut self, spec: &StudySpec, place: &Place<'_>) {
        // What is studied is no remedy, and what every method has cannot be told from none.
        let remedies = TECHNIQUES.iter().map(|&technique| Chosen::of(technique)).filter(|chosen| {
            chosen.info().family != Family::Study && spec.regularize.get(chosen.name()).is_none()
        });
        for chosen in remedies {
            let strengths = chosen.info().strengths;
            match Method::with(chosen, strengths, spec, place) {
                Ok(method) => self.all.push(method),
                Err(reason) => self.left_out.push(reason.to_string()),
            }
        }
    }

    fn add_named(&mut self, spec: &StudySpec, place: &Place<'_>) -> Result<(), RegularizeError> {
        for name in spec.regularizers.iter().filter(|name| *name != NONE) {
            if name == ALL {
                let what = "it means every technique that applies, and stands alone".to_owned();
                return Err(RegularizeError::Text { text: name.clone(), what });
            }
            let chosen: Chosen = name.parse()?;
            if self.all.iter().any(|method| method.name == chosen.name()) {
                return Err(RegularizeError::Twice { technique: chosen.info().name });
            }
            // A strength that is named is the one that is tried.
            let strengths = if name.contains('=') { &[] } else { chosen.info().strengths };
            self.all.push(Method::with(chosen, strengths, spec, place)?);
        }
        Ok(())
    }

    /// Notes the strengths for which there are too few learning rates, over which they take turns.
    fn note_untried(&mut self, rates: usize) {
        for method in self.all.iter().filter(|method| method.strengths.len() > rates) {
            let left: Vec<String> = method.strengths[rates..].iter().map(f64::to_string).collect();
            let (name, left) = (&method.name, left.join(" and "));
            self.left_out.push(format!("{name} at the strength {left}: give more --learning-rates"));
        }
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
    fn of_optimizer(name: &str) -> Self {
        Self { name: name.to_owned(), best_epoch: true, ..Self::none(name) }
    }

    /// The optimizer with nothing of what is compared.
    fn none(optimizer: &str) -> Self {
        Self {
            name: NONE.to_owned(),
            optimizer: optimizer.to_owned(),
            technique: None,
            strengths: Vec::new(),
            best_epoch: false,
        }
    }

    /// A technique at those strengths that can be used there; at its own if there are none.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn with(
        chosen: Chosen,
        strengths: &[f64],
        spec: &StudySpec,
        place: &Place<'_>,
    ) -> Result<Self, RegularizeError> {
        let optimizer = &spec.optimizers[0];
        place.check(spec.together(&chosen)?, spec.optimizer(optimizer))?;
        let site = place.site();
        // A square of 8 pixels may fit where one of 16 does not.
        let fits = |&&strength: &&f64| {
            let at = chosen.clone().strength(strength);
            at.is_ok_and(|chosen| chosen.applies(&site).is_ok())
        };
        let mut strengths: Vec<f64> = strengths.iter().filter(fits).copied().collect();
        if strengths.is_empty() {
            strengths.extend(chosen.values().first());
        }
        Ok(Self {
            name: chosen.name().to_owned(),
            best_epoch: chosen.info().family == Family::Stopping,
            technique: Some(chosen),
            strengths,
            ..Self::none(optimizer)
        })
    }

    /// Whether it is a technique that is compared.
    pub(crate) fn is_technique(&self) -> bool {
        self.technique.is_some()
    }

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
        if refit && technique.info().family == Family::Stopping {
            return recipe;
        }
        let chosen = strength.and_then(|strength| technique.clone().strength(strength).ok());
        let both = chosen.and_then(|chosen| recipe.regularize.clone().and(chosen).ok());
        Recipe { regularize: both.expect("the plan has checked the technique"), ..recipe }
    }
}
