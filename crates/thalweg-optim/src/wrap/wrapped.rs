//! An optimizer with a wrapper around it.

use super::{Setting, Wrapper};
use crate::half::HalfPart;
use crate::hyper::{OptimError, check_finite, check_value};
use crate::objective::Objective;
use crate::optimizer::{Factors, Optimizer, Outcome, Scratch, StepReport, with_one_gradient};
use crate::params::Layout;
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;
use crate::state::StateDict;
use crate::suggest::did_you_mean;
use crate::threads::Threads;

/// What a wrapper keeps between steps.
#[derive(Debug)]
pub struct Memory<T: 'static> {
    /// A number per parameter, if the wrapper names one.
    pub slot: Vec<T>,
    /// A count, if the wrapper names one.
    pub count: u64,
    /// Passes of the wrapper's own use these.
    pub threads: Threads,
    /// The parameters.
    pub(super) layout: Layout,
    /// A gradient or a point; nothing that the next step needs.
    pub(super) scratch: Vec<T>,
    /// Another.
    pub(super) spare: Vec<T>,
    /// Sums over parts of a block.
    pub(super) sums: Vec<[f64; 2]>,
    /// Empty between steps.
    pub(super) spans: Vec<Span<'static, T>>,
}

/// See [`Wrap`](super::Wrap), which makes it.
pub struct Wrapped<W, T: Real> {
    wrapper: W,
    memory: Memory<T>,
    inner: Box<dyn Optimizer<T>>,
}

impl<W: Wrapper, T: Real> Wrapped<W, T> {
    /// `wrapper` around `inner`.
    ///
    /// # Errors
    /// If a setting is out of its range, or the wrapper cannot go around `inner`.
    pub fn new(wrapper: W, inner: Box<dyn Optimizer<T>>) -> Result<Self, OptimError> {
        let mut copy = wrapper;
        for setting in W::SETTINGS {
            check_setting_around(setting, *(setting.field)(&mut copy), &*inner)?;
        }
        let refuse = |why| Err(OptimError::Wrap { wrapper: W::INFO.name, inner: tower(&*inner), why });
        if W::TAKES_GRADIENT && inner.drives() {
            return refuse(
                "what is inside asks the objective itself, and would not see the changed gradient; put this wrapper \
                 inside of sam or asam, and leave it out around a line search",
            );
        }
        if (W::SLOT.is_some() || W::COUNT.is_some()) && inner.wrappers().contains(&W::INFO.name) {
            return refuse(
                "it is there already, and the two would keep their state under one name; take one out",
            );
        }
        let dim = if W::SLOT.is_some() { inner.layout().len() } else { 0 };
        let memory = Memory {
            slot: vec![T::ZERO; dim],
            count: 0,
            threads: Threads::default(),
            layout: inner.layout().clone(),
            scratch: Vec::new(),
            spare: Vec::new(),
            sums: Vec::new(),
            spans: Vec::new(),
        };
        Ok(Self { wrapper, memory, inner })
    }

    /// The wrapper's settings.
    pub fn wrapper(&self) -> &W {
        &self.wrapper
    }

    /// The number that the wrapper counts (the steps that a guard refused, the points in an average), if it does.
    pub fn count(&self) -> u64 {
        self.memory.count
    }

    /// What is inside.
    pub fn inner(&self) -> &dyn Optimizer<T> {
        &*self.inner
    }

    /// What is inside; the wrapper and its memory are dropped.
    pub fn into_inner(self) -> Box<dyn Optimizer<T>> {
        self.inner
    }
}

/// Refuses settings out of their range.
pub(super) fn check<W: Wrapper>(wrapper: &W) -> Result<(), OptimError> {
    let mut copy = *wrapper;
    W::SETTINGS.iter().try_for_each(|setting| check_setting(setting, *(setting.field)(&mut copy)))
}

fn check_setting<W: Wrapper>(setting: &Setting<W>, value: f64) -> Result<(), OptimError> {
    let (optimizer, name, range) = (W::INFO.name, setting.key, setting.range);
    check_value(optimizer, name, value, range)
}

/// The same around `inner`, whose number type it must be finite in, also as its groups multiply it.
fn check_setting_around<W: Wrapper, T: Real>(
    setting: &Setting<W>,
    value: f64,
    inner: &dyn Optimizer<T>,
) -> Result<(), OptimError> {
    check_setting(setting, value)?;
    let decay = W::DECAYS && W::SETTINGS.first().is_some_and(|first| first.key == setting.key);
    let factor = if decay { inner.largest_factors().decay } else { 1.0 };
    check_finite::<T>(W::INFO.name, setting.key, value, factor, setting.range)
}

/// The names of an optimizer and the wrappers around it, as text.
pub(crate) fn tower<T: Real>(optimizer: &dyn Optimizer<T>) -> String {
    let names = std::iter::once(optimizer.name()).chain(optimizer.wrappers());
    names.collect::<Vec<_>>().join(" in ")
}

fn entry<W: Wrapper>(name: &str) -> String {
    format!("{}/{name}", W::INFO.name)
}

impl<W: Wrapper, T: Real> Optimizer<T> for Wrapped<W, T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn layout(&self) -> &Layout {
        self.inner.layout()
    }

    fn steps(&self) -> u64 {
        self.inner.steps()
    }

    fn apply(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, riders: Riders) -> Outcome {
        assert!(!W::DRIVES, "{} needs the objective: drive it with one", W::INFO.name);
        self.wrapper.apply(&mut *self.inner, &mut self.memory, spans, learning_rate, riders)
    }

    fn takes_halves(&self) -> bool {
        W::ONLY_RIDES && self.inner.takes_halves()
    }

    fn apply_half(&mut self, parts: &mut [HalfPart<'_>], learning_rate: f64, riders: Riders) -> Outcome {
        let outcome = self.inner.apply_half(parts, learning_rate, self.wrapper.ride(riders));
        self.memory.count += u64::from(W::COUNT.is_some() && outcome.skipped);
        outcome
    }

    fn save(&self) -> StateDict {
        let mut state = self.inner.save();
        if let Some(name) = W::COUNT {
            state.insert_count(entry::<W>(name), self.memory.count);
        }
        if let Some(name) = W::SLOT {
            state.insert_slot(&entry::<W>(name), self.layout(), &self.memory.slot);
        }
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.inner.restore(state);
        if let Some(name) = W::COUNT {
            self.memory.count = state.count(&entry::<W>(name));
        }
        if let Some(name) = W::SLOT {
            state.slot(&entry::<W>(name), self.inner.layout(), &mut self.memory.slot);
        }
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        let mut copy = self.wrapper;
        let own = W::SETTINGS.iter().map(|setting| (setting.name, *(setting.field)(&mut copy)));
        let mut all = self.inner.hyper();
        all.extend(own);
        all
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let Some(setting) = W::SETTINGS.iter().find(|setting| setting.name == name) else {
            return self.inner.set_hyper(name, value).map_err(|error| match error {
                OptimError::UnknownHyper { optimizer, name, .. } => {
                    let known: Vec<_> = self.hyper().into_iter().map(|(name, _)| name).collect();
                    let suggestion = did_you_mean(&name, known.iter().copied());
                    OptimError::UnknownHyper { optimizer, name, suggestion, known: known.join(", ") }
                }
                other => other,
            });
        };
        check_setting_around(setting, value, &*self.inner)?;
        *(setting.field)(&mut self.wrapper) = value;
        Ok(())
    }

    fn largest_factors(&self) -> Factors {
        self.inner.largest_factors()
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        self.inner.scratch()
    }

    fn needs_objective(&self) -> bool {
        W::DRIVES || self.inner.needs_objective()
    }

    fn drives(&self) -> bool {
        W::DRIVES || self.inner.drives()
    }

    fn wrappers(&self) -> Vec<&'static str> {
        let mut all = self.inner.wrappers();
        all.push(W::INFO.name);
        all
    }

    fn probe(&mut self, w: &[T], learning_rate: f64, point: &mut Vec<T>) -> bool {
        self.inner.probe(w, learning_rate, point)
    }

    fn average(&mut self, w: &[T], point: &mut Vec<T>) -> bool {
        self.wrapper.average(&mut *self.inner, &self.memory, w, point)
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.memory.threads = threads.clone();
        self.inner.set_threads(threads);
    }

    fn drive(
        &mut self,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        if W::TAKES_GRADIENT {
            return with_one_gradient(self, w, average, f, learning_rate, riders);
        }
        self.wrapper.drive(&mut *self.inner, &mut self.memory, w, average, f, learning_rate, riders)
    }
}
