//! An optimizer that follows an elementwise rule: one pass over memory a step.

use crate::hyper::{self, OptimError};
use crate::kernel::dispatch;
use crate::kernel::step::{BLOCK, Map, Ride, Step, Work};
use crate::kernel::sums::{Measure, STRETCH};
use crate::optimizer::{Optimizer, Outcome, Scratch};
use crate::params::Layout;
use crate::real::Real;
use crate::riders::Riders;
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::{Span, recycle};
use crate::state::StateDict;
use crate::threads::Threads;

/// Elements from which on a second thread pays for its waking.
const PARALLEL_FROM: usize = 1 << 15;

/// See the module.
pub struct Elementwise<R: Rule, T: Real> {
    rule: R,
    layout: Layout,
    steps: u64,
    scalars: Vec<f64>,
    state: Vec<T>,
    threads: Threads,
    scratch: Scratch<T>,
    /// Empty between steps.
    works: Vec<Work<'static, R, T>>,
}

impl<R: Rule, T: Real> Elementwise<R, T> {
    /// The rule must have been checked: see [`Rule::optimizer_of`].
    pub(crate) fn new(rule: R, layout: Layout) -> Self {
        let slots = <R::State<T> as Slots<T>>::COUNT;
        assert_eq!(slots, R::STATES.len(), "a rule must name each of its states");
        let mut scalars = vec![0.0; R::SCALARS.len()];
        rule.initial_scalars(&mut scalars);
        let mut state = Vec::with_capacity(slots * layout.len());
        for &value in rule.initial::<T>().as_slice() {
            state.resize(state.len() + layout.len(), value);
        }
        Self {
            rule,
            layout,
            steps: 0,
            scalars,
            state,
            threads: Threads::default(),
            scratch: Scratch::default(),
            works: Vec::new(),
        }
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// The numbers of one slot, in the order of the parameters.
    pub fn slot(&self, name: &str) -> Option<&[T]> {
        let n = self.layout.len();
        let slot = R::STATES.iter().position(|state| *state == name)?;
        Some(&self.state[slot * n..(slot + 1) * n])
    }

    fn coefficients(&self, learning_rate: f64) -> R::Coefficients<T> {
        // A look at the coming step: only the step itself moves the shared numbers on.
        let mut scalars = [0.0; 8];
        let scalars = &mut scalars[..self.scalars.len()];
        scalars.copy_from_slice(&self.scalars);
        self.rule.coefficients(self.steps + 1, learning_rate, scalars)
    }

    fn map(&mut self, w: &[T], point: &mut Vec<T>, f: impl Fn(T, &R::State<T>) -> T) {
        point.resize(w.len(), T::ZERO);
        let slots = R::State::<T>::split(&mut self.state, w.len());
        dispatch(Map::<R, T, _> { w, slots, out: point, f });
    }
}

/// The two sums of a rule that measures, stretch by stretch in order.
fn measure<R: Rule, T: Real>(
    coefficients: R::Coefficients<T>,
    riders: Ride<T>,
    works: &mut [Work<'_, R, T>],
    threads: &Threads,
) -> [f64; 2] {
    let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
    let mut parts: Vec<_> = works.iter_mut().map(|work| (work, [0.0; 2])).collect();
    threads.run(&mut parts, |(work, sums)| {
        *sums = dispatch(Measure { coefficients, riders, work });
    });
    parts.iter().fold([0.0; 2], |total, (_, sums)| add(total, *sums))
}

impl<R: Rule, T: Real> Optimizer<T> for Elementwise<R, T> {
    fn name(&self) -> &'static str {
        R::INFO.name
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn apply(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, riders: Riders) -> Outcome {
        let (riders, outcome) = riders.look(spans, &self.threads);
        let Some(riders) = riders else { return outcome };
        let riders = Ride::new(riders, learning_rate);
        self.steps += 1;
        let mut coefficients = self.rule.coefficients::<T>(self.steps, learning_rate, &mut self.scalars);
        let n = self.layout.len();
        let mut slots = R::State::<T>::split(&mut self.state, n);
        let mut works: Vec<Work<'_, R, T>> = recycle(std::mem::take(&mut self.works));
        // One thread takes each span whole. More take pieces, several each, so that a slow one does not hold up all.
        // A rule that measures does so in pieces of a fixed size, so that its sums do not depend on the threads.
        let parallel = self.threads.count() > 1 && n >= PARALLEL_FROM;
        let piece = match (R::MEASURES, parallel) {
            (true, _) => STRETCH,
            (false, true) => n.div_ceil(4 * self.threads.count()).next_multiple_of(BLOCK),
            (false, false) => usize::MAX,
        };
        for span in spans {
            span.check();
            let n = span.len();
            let mut whole = Work { span: span.reborrow(), slots: R::State::<T>::take_front(&mut slots, n) };
            let mut rest = n;
            while rest > piece {
                works.push(whole.take_front(piece));
                rest -= piece;
            }
            works.push(whole);
        }
        let threads = if parallel { self.threads.clone() } else { Threads::default() };
        if R::MEASURES {
            let sums = measure(coefficients, riders, &mut works, &threads);
            coefficients = self.rule.settle(coefficients, sums, &mut self.scalars);
        }
        threads.run(&mut works, |work| dispatch(Step { coefficients, riders, work }));
        self.works = recycle(works);
        outcome
    }

    fn save(&self) -> StateDict {
        let mut state = StateDict::default();
        state.insert_count("steps", self.steps);
        for (name, &value) in R::SCALARS.iter().zip(&self.scalars) {
            state.insert_scalar(*name, value);
        }
        for name in R::STATES {
            state.insert_slot(name, &self.layout, self.slot(name).unwrap_or_default());
        }
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.steps = state.count("steps");
        for (name, value) in R::SCALARS.iter().zip(&mut self.scalars) {
            *value = state.scalar(name);
        }
        let n = self.layout.len();
        for (slot, name) in R::STATES.iter().enumerate() {
            state.slot(name, &self.layout, &mut self.state[slot * n..(slot + 1) * n]);
        }
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        hyper::values(&self.rule)
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let mut rule = self.rule;
        hyper::set(&mut rule, name, value)?;
        hyper::check(&rule)?;
        self.rule = rule;
        Ok(())
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.scratch
    }

    fn needs_objective(&self) -> bool {
        self.rule.looks_ahead()
    }

    fn probe(&mut self, w: &[T], learning_rate: f64, point: &mut Vec<T>) -> bool {
        if !self.rule.looks_ahead() {
            return false;
        }
        let coefficients = self.coefficients(learning_rate);
        self.map(w, point, |w, state| R::probe(&coefficients, w, state));
        true
    }

    fn average(&mut self, w: &[T], point: &mut Vec<T>) -> bool {
        if !self.rule.averages() || self.steps == 0 {
            return false;
        }
        let rule = self.rule;
        self.map(w, point, |w, state| rule.average(w, state));
        true
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.threads = threads.clone();
    }
}
