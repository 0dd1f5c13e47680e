//! An optimizer that follows an elementwise rule: one pass over memory a step.

use crate::half::HalfPart;
use crate::hyper::{self, Dialect, OptimError};
use crate::kernel::dispatch;
use crate::kernel::step::{Pass, Ride, Step, Work};
use crate::kernel::sums::STRETCH;
use crate::method::dialect_of;
use crate::optimizer::{Optimizer, Outcome, Scratch};
use crate::packed::{PIECE, Packed, Precision};
use crate::params::Layout;
use crate::pieces::{self, State, Weights};
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
    dialect: Dialect,
    layout: Layout,
    steps: u64,
    scalars: Vec<f64>,
    memory: Memory<T>,
    threads: Threads,
    scratch: Scratch<T>,
    /// Empty between steps.
    works: Vec<Work<'static, R, T>>,
}

/// The state of all elements.
enum Memory<T> {
    /// Slot after slot, each as long as W.
    Full(Vec<T>),
    Packed(Packed),
}

/// How a step is cut into stretches.
struct Cut {
    threads: Threads,
    /// Elements of a stretch, at most.
    stretch: usize,
}

impl<R: Rule> Elementwise<R, f32> {
    /// The same with a state of fewer bits. To be called before the first step.
    ///
    /// # Panics
    /// If a step was done.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        assert_eq!(self.steps, 0, "the precision is chosen before the first step");
        let initial = self.rule.initial::<f32>();
        self.memory = match Packed::new(precision, &self.layout, initial.as_slice()) {
            Some(packed) => Memory::Packed(packed),
            None => Memory::Full(full(initial, self.layout.len())),
        };
        self
    }
}

impl<R: Rule, T: Real> Elementwise<R, T> {
    /// The rule must have been checked: see [`Rule::optimizer_of`].
    pub(crate) fn new(rule: R, layout: Layout) -> Self {
        let slots = <R::State<T> as Slots<T>>::COUNT;
        assert_eq!(slots, R::STATES.len(), "a rule must name each of its states");
        let mut scalars = vec![0.0; R::SCALARS.len()];
        rule.initial_scalars(&mut scalars);
        let memory = Memory::Full(full(rule.initial::<T>(), layout.len()));
        Self {
            dialect: dialect_of(&rule),
            rule,
            layout,
            steps: 0,
            scalars,
            memory,
            threads: Threads::default(),
            scratch: Scratch::default(),
            works: Vec::new(),
        }
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// The same, saying of its states that they are of this dialect. Without, it is the first that computes alike.
    pub fn of_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
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
        let mut unpacked;
        let state = match &mut self.memory {
            Memory::Full(state) => state,
            Memory::Packed(packed) => {
                unpacked = packed.unpack(&self.layout);
                &mut unpacked
            }
        };
        // Not dispatched per CPU level: a pass of a few operations is the memory's in any case, and each level of each rule
        // would be compiled.
        let slots = R::State::<T>::split(state, w.len());
        for (index, (point, &w)) in point.iter_mut().zip(w).enumerate() {
            *point = f(w, &R::State::<T>::load(&slots, index));
        }
    }

    /// One thread takes each span whole. More take stretches, several each, so that a slow one does not hold up all. A rule
    /// that measures does so in stretches of a fixed size, so that its sums do not depend on the threads.
    fn cut(&self) -> Cut {
        let (n, count) = (self.layout.len(), self.threads.count());
        let parallel = count > 1 && n >= PARALLEL_FROM;
        let stretch = match (R::MEASURES, parallel) {
            (true, _) => STRETCH,
            (false, true) => n.div_ceil(4 * count).next_multiple_of(PIECE),
            (false, false) => usize::MAX,
        };
        Cut { threads: if parallel { self.threads.clone() } else { Threads::default() }, stretch }
    }

    fn move_full(&mut self, spans: &mut [Span<'_, T>], coefficients: R::Coefficients<T>, riders: Ride<T>) {
        let Cut { threads, stretch } = self.cut();
        let Memory::Full(state) = &mut self.memory else { unreachable!("asked for by its caller") };
        let mut slots = R::State::<T>::split(state, self.layout.len());
        let mut works: Vec<Work<'_, R, T>> = recycle(std::mem::take(&mut self.works));
        for span in spans {
            span.check();
            let mut rest = span.len();
            let mut whole = Work::new(span.reborrow(), R::State::<T>::take_front(&mut slots, rest));
            while rest > stretch {
                works.push(whole.take_front(stretch));
                rest -= stretch;
            }
            works.push(whole);
        }
        passes::<R, T>(&self.rule, coefficients, &mut self.scalars, |coefficients, pass| {
            threads.run(&mut works, |work| dispatch(Step { coefficients, riders, pass, work }));
            works.iter().map(|work| work.sums).fold([0.0; 2], add)
        });
        self.works = recycle(works);
    }

    /// The pass where the state or W is kept in fewer bits.
    fn move_pieces<'a>(
        &'a mut self,
        weights: impl Iterator<Item = Weights<'a, T>>,
        coefficients: R::Coefficients<T>,
        riders: Ride<T>,
    ) {
        let (Cut { threads, stretch }, step) = (self.cut(), self.steps);
        let state = match &mut self.memory {
            Memory::Full(state) => State::Full(R::State::<T>::split(state, self.layout.len())),
            Memory::Packed(packed) => State::Packed(packed.cells()),
        };
        let mut works = pieces::works::<R, T>(weights, state, &self.layout, stretch);
        passes::<R, T>(&self.rule, coefficients, &mut self.scalars, |coefficients, pass| {
            threads.run(&mut works, |work| work.step(coefficients, riders, pass, step));
            works.iter().map(|work| work.sums).fold([0.0; 2], add)
        });
    }
}

/// The state of `n` elements before the first step, slot after slot.
fn full<T: Real, S: Slots<T>>(initial: S, n: usize) -> Vec<T> {
    let mut state = Vec::with_capacity(S::COUNT * n);
    for &value in initial.as_slice() {
        state.resize(state.len() + n, value);
    }
    state
}

/// Calls `run` for each pass that the rule needs; it returns the sums, added in order.
fn passes<R: Rule, T: Real>(
    rule: &R,
    coefficients: R::Coefficients<T>,
    scalars: &mut [f64],
    mut run: impl FnMut(R::Coefficients<T>, Pass) -> [f64; 2],
) {
    if !R::MEASURES {
        run(coefficients, Pass::Move);
    } else if rule.measures_first() {
        let sums = run(coefficients, Pass::Measure);
        run(rule.settle(coefficients, sums, scalars), Pass::Move);
    } else {
        let sums = run(coefficients, Pass::Both);
        rule.settle(coefficients, sums, scalars);
    }
}

fn add(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
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
        let coefficients = self.rule.coefficients::<T>(self.steps, learning_rate, &mut self.scalars);
        match self.memory {
            Memory::Full(_) => self.move_full(spans, coefficients, riders),
            Memory::Packed(_) => {
                spans.iter().for_each(Span::check);
                let weights = spans.iter_mut().map(|span| Weights::Full(span.reborrow()));
                self.move_pieces(weights, coefficients, riders);
            }
        }
        outcome
    }

    fn apply_half(&mut self, parts: &mut Vec<HalfPart<'_>>, learning_rate: f64) -> bool {
        self.steps += 1;
        let coefficients = self.rule.coefficients::<T>(self.steps, learning_rate, &mut self.scalars);
        let riders = Ride::new(Riders::default(), learning_rate);
        self.move_pieces(parts.drain(..).map(Weights::Half), coefficients, riders);
        true
    }

    fn save(&self) -> StateDict {
        let mut state = StateDict::of(R::INFO.name, self.dialect);
        state.insert_count("steps", self.steps);
        for (name, &value) in R::SCALARS.iter().zip(&self.scalars) {
            state.insert_scalar(*name, value);
        }
        match &self.memory {
            Memory::Full(slots) => {
                let n = self.layout.len();
                for (slot, name) in R::STATES.iter().enumerate() {
                    state.insert_slot(name, &self.layout, &slots[slot * n..(slot + 1) * n]);
                }
            }
            Memory::Packed(packed) => packed.save(R::STATES, &self.layout, &mut state),
        }
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.steps = state.count("steps");
        for (name, value) in R::SCALARS.iter().zip(&mut self.scalars) {
            *value = state.scalar(name);
        }
        match &mut self.memory {
            Memory::Full(slots) => {
                let n = self.layout.len();
                for (slot, name) in R::STATES.iter().enumerate() {
                    state.slot(name, &self.layout, &mut slots[slot * n..(slot + 1) * n]);
                }
            }
            Memory::Packed(packed) => packed.restore(R::STATES, &self.layout, state),
        }
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        hyper::values(&self.rule)
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let mut rule = self.rule;
        hyper::set(&mut rule, name, value)?;
        hyper::check_in::<T, _>(&rule)?;
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
