//! An optimizer that follows an elementwise rule: one pass over memory a step.

use crate::half::HalfPart;
use crate::hyper::{self, Dialect, OptimError};
use crate::kernel::dispatch;
use crate::kernel::step::{BLOCK, Pass, Rides, Step, Work};
use crate::kernel::sums::STRETCH;
use crate::method::dialect_of;
use crate::optimizer::{Optimizer, Outcome, Scratch};
use crate::packed::{Packed, Precision};
use crate::params::{Layout, Role};
use crate::pieces::{self, PieceStep, PieceWork, State, Weights, step_key};
use crate::real::Real;
use crate::riders::Riders;
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::{Span, recycle};
use crate::state::StateDict;
use crate::threads::Threads;

/// Elements from which on a step's memory is not in the caches: with Adam's state, 7 MB.
const FAR_FROM: usize = 1 << 18;
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
    /// Empty between steps, as are the pieces.
    works: Vec<(Work<'static, R, T>, Role)>,
    pieces: Vec<PieceWork<'static, R>>,
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
    /// See [`Step::far`].
    far: bool,
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
            pieces: Vec::new(),
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
        // Not dispatched per CPU level: a pass of a few operations is the memory's in any case, and each level of each rule
        // would be compiled.
        let apply = |point: &mut [T], w: &[T], slots: &<R::State<T> as Slots<T>>::Slices<'_>| {
            for (index, (point, &w)) in point.iter_mut().zip(w).enumerate() {
                *point = f(w, &R::State::<T>::load(slots, index));
            }
        };
        match &mut self.memory {
            Memory::Full(state) => apply(point, w, &R::State::<T>::split(state, w.len())),
            Memory::Packed(packed) => {
                let mut block = R::State::<T>::blank::<BLOCK>();
                packed.for_each_block(&self.layout, |range, values| {
                    let own = R::State::<T>::flat(&mut block).iter_mut().zip(values);
                    own.for_each(|(to, &x)| *to = T::from_f64(f64::from(x)));
                    apply(&mut point[range.clone()], &w[range], &R::State::<T>::slices(&mut block));
                });
            }
        }
    }

    /// One thread takes each span whole. More take stretches, several each, so that a slow one does not hold up all. A rule
    /// that measures does so in stretches of a fixed size, so that its sums do not depend on the threads.
    fn cut(&self) -> Cut {
        let (n, count) = (self.layout.len(), self.threads.count());
        let parallel = count > 1 && n >= PARALLEL_FROM;
        let stretch = match (R::MEASURES, parallel) {
            (true, _) => STRETCH,
            (false, true) => n.div_ceil(4 * count).next_multiple_of(BLOCK),
            (false, false) => usize::MAX,
        };
        Cut {
            threads: if parallel { self.threads.clone() } else { Threads::default() },
            stretch,
            far: n >= FAR_FROM,
        }
    }

    fn move_full(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, rides: Rides<T>) {
        let coefficients = self.rule.coefficients::<T>(self.steps, learning_rate, &mut self.scalars);
        let Cut { threads, stretch, far } = self.cut();
        let Memory::Full(state) = &mut self.memory else { unreachable!("asked for by its caller") };
        let mut slots = R::State::<T>::split(state, self.layout.len());
        let mut works: Vec<(Work<'_, R, T>, Role)> = recycle(std::mem::take(&mut self.works));
        let (one_per_block, mut blocks) =
            (spans.len() == self.layout.blocks().len(), self.layout.blocks().iter());
        for span in spans {
            span.check();
            let mut span = span.reborrow();
            if !rides.differ {
                cut_up::<R, T>(span, Role::Weight, &mut slots, stretch, &mut works);
                continue;
            }
            for block in blocks.by_ref().take(if one_per_block { 1 } else { usize::MAX }) {
                let own = span.take_front(block.range.len());
                cut_up::<R, T>(own, block.role, &mut slots, stretch, &mut works);
            }
        }
        passes::<R, T>(&self.rule, coefficients, &mut self.scalars, |coefficients, pass| {
            threads.share(&mut works, |(work, role)| {
                dispatch(Step { coefficients, riders: rides.of(*role), pass, far, work });
            });
            works.iter().map(|(work, _)| work.sums).fold([0.0; 2], add)
        });
        self.works = recycle(works);
    }

    /// The pass where the state or W is kept in fewer bits.
    fn move_pieces<'a>(
        &mut self,
        weights: impl Iterator<Item = Weights<'a>>,
        learning_rate: f64,
        rides: Rides<f32>,
    ) {
        let coefficients = self.rule.coefficients::<f32>(self.steps, learning_rate, &mut self.scalars);
        let (Cut { threads, stretch, far }, key) = (self.cut(), step_key(&self.layout, self.steps));
        let state = match &mut self.memory {
            Memory::Full(state) => {
                let state = T::singles(state).expect("W of 16 bits has a state of single precision");
                State::Full(R::State::<f32>::split(state, self.layout.len()))
            }
            Memory::Packed(packed) => State::Packed(packed.cells()),
        };
        let mut works: Vec<PieceWork<'_, R>> = recycle(std::mem::take(&mut self.pieces));
        pieces::works(weights, state, &self.layout, stretch, &mut works);
        passes::<R, f32>(&self.rule, coefficients, &mut self.scalars, |coefficients, pass| {
            threads.share(&mut works, |work| {
                dispatch(PieceStep { coefficients, riders: rides.of(work.role), pass, key, far, work });
            });
            works.iter().map(|work| work.sums).fold([0.0; 2], add)
        });
        self.pieces = recycle(works);
    }
}

/// The state of `n` elements before the first step, slot after slot.
fn full<T: Real, S: Slots<T>>(initial: S, n: usize) -> Vec<T> {
    // Zeros that nobody touched take no memory: a state of fewer bits takes its place.
    let mut state = vec![T::ZERO; S::COUNT * n];
    for (slot, &value) in state.chunks_mut(n.max(1)).zip(initial.as_slice()) {
        if value != T::ZERO {
            slot.fill(value);
        }
    }
    state
}

/// Adds stretches of parameters of one role with their state, the front of `slots`.
fn cut_up<'a, R: Rule, T: Real>(
    span: Span<'a, T>,
    role: Role,
    slots: &mut <R::State<T> as Slots<T>>::Slices<'a>,
    stretch: usize,
    works: &mut Vec<(Work<'a, R, T>, Role)>,
) {
    let mut rest = span.len();
    let mut whole = Work::new(span, R::State::<T>::take_front(slots, rest));
    while rest > stretch {
        works.push((whole.take_front(stretch), role));
        rest -= stretch;
    }
    works.push((whole, role));
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
        self.steps += 1;
        match self.memory {
            Memory::Full(_) => self.move_full(spans, learning_rate, Rides::new(riders, learning_rate)),
            Memory::Packed(_) => {
                spans.iter().for_each(Span::check);
                let spans = T::single_spans(spans).expect("packed states are of single precision");
                let weights = spans.iter_mut().map(|span| Weights::Full(span.reborrow()));
                self.move_pieces(weights, learning_rate, Rides::new(riders, learning_rate));
            }
        }
        outcome
    }

    fn takes_halves(&self) -> bool {
        size_of::<T>() == size_of::<f32>()
    }

    fn apply_half(&mut self, parts: &mut [HalfPart<'_>], learning_rate: f64, riders: Riders) -> Outcome {
        let (riders, outcome) = riders.look_at_halves(parts, &self.threads);
        let Some(riders) = riders else { return outcome };
        self.steps += 1;
        let weights = parts.iter_mut().map(|part| Weights::Half(part.reborrow()));
        self.move_pieces(weights, learning_rate, Rides::new(riders, learning_rate));
        outcome
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
