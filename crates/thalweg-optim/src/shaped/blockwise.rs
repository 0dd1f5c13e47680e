//! An optimizer that follows a method block by block.
//!
//! ```text
//! for every block:  g ← riders(g);  W ← (1 − η·decay)·W;  the method;  W ← soft(W);  average ← …;  gradient ← 0, if it is to be cleared
//! ```
//! Small blocks are shared out among the threads; large ones are taken one after another, each by all threads.

use std::sync::{Mutex, PoisonError};

use super::block_rule::{At, BlockRule, Memory, Slot, Work};
use super::pass::{PARALLEL_FROM, pass};
use crate::hyper::{self, Dialect, OptimError};
use crate::kernel::step::{Ride, Rides};
use crate::method::dialect_of;
use crate::optimizer::{Optimizer, Outcome, Scratch};
use crate::params::{Block, Layout};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Grad, Span, recycle};
use crate::state::StateDict;
use crate::threads::Threads;

/// See the module.
pub struct Blockwise<R: BlockRule, T: Real> {
    rule: R,
    dialect: Dialect,
    layout: Layout,
    steps: u64,
    states: Vec<State<T>>,
    threads: Threads,
    scratch: Scratch<T>,
    /// As many as threads have worked at once, and as large as they needed.
    memories: Mutex<Vec<Memories<T>>>,
    /// Empty between steps.
    moves: Vec<Move<'static, T>>,
}

/// What is kept of a block between steps.
struct State<T> {
    slots: Vec<Slot>,
    values: Vec<Vec<T>>,
}

/// What a thread works in.
#[derive(Debug, Default)]
struct Memories<T> {
    /// The gradient as the riders want it to be seen.
    grad: Vec<T>,
    own: Memory<T>,
}

/// A block that is to be moved.
struct Move<'a, T> {
    block: &'a Block,
    span: Span<'a, T>,
    state: &'a mut [Vec<T>],
}

impl<R: BlockRule, T: Real> Blockwise<R, T> {
    /// The rule must have been checked: see [`BlockRule::optimizer_of`].
    pub(crate) fn new(rule: R, layout: Layout) -> Self {
        let states = layout.blocks().iter().map(|block| {
            let slots = rule.slots(block);
            let fill = |slot: &Slot| vec![T::from_f64(slot.initial); slot.shape.iter().product()];
            State { values: slots.iter().map(fill).collect(), slots }
        });
        Self {
            dialect: dialect_of(&rule),
            rule,
            steps: 0,
            states: states.collect(),
            layout,
            threads: Threads::default(),
            scratch: Scratch::default(),
            memories: Mutex::default(),
            moves: Vec::new(),
        }
    }

    /// The same, saying of its states that they are of this dialect. Without, it is the first that computes alike.
    pub fn of_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The method.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// The numbers that it keeps under a name of the block of this index.
    pub fn slot(&self, name: &str, block: usize) -> Option<&[T]> {
        let state = self.states.get(block)?;
        let slot = state.slots.iter().position(|slot| slot.name == name)?;
        Some(&state.values[slot])
    }
}

/// Cuts the spans into the blocks of the layout.
fn cut<'a, T: Real>(
    spans: &'a mut [Span<'_, T>],
    layout: &'a Layout,
    states: &'a mut [State<T>],
    moves: &mut Vec<Move<'a, T>>,
) {
    let one_per_block = spans.len() == layout.blocks().len();
    let mut spans = spans.iter_mut().map(Span::reborrow);
    let mut flat = if one_per_block { None } else { spans.next() };
    for (block, state) in layout.blocks().iter().zip(states) {
        let span = match &mut flat {
            Some(flat) => flat.take_front(block.range.len()),
            None => spans.next().expect("the spans were checked"),
        };
        span.check();
        moves.push(Move { block, span, state: &mut state.values });
    }
}

impl<T: Real> Move<'_, T> {
    fn is_large(&self) -> bool {
        self.span.len() >= PARALLEL_FROM
    }

    /// Moves the block, with all that rides along.
    fn run<R: BlockRule>(
        &mut self,
        rule: &R,
        at: At,
        ride: Ride<T>,
        memories: &mut Memories<T>,
        threads: &Threads,
    ) {
        if self.span.is_empty() {
            return;
        }
        let Memories { grad: seen, own } = memories;
        let w = &mut *self.span.w;
        let mut grad = self.span.grad.values();
        if ride.before {
            if seen.len() < grad.len() {
                seen.resize(grad.len(), T::ZERO);
            }
            let seen = &mut seen[..grad.len()];
            pass(threads, [w, grad], [seen], |[w, g], [seen]| {
                *seen = ride.gradient(w, g) + ride.subgradient(w);
                []
            });
            grad = seen;
        }
        if ride.shrinks {
            pass(threads, [], [w], |[], [w]| {
                *w *= ride.shrink;
                []
            });
        }
        rule.step(at, Work { block: self.block, w, grad, state: self.state, memory: own, threads });
        if ride.softens {
            pass(threads, [], [&mut *self.span.w], |[], [w]| {
                *w = ride.soften(*w);
                []
            });
        }
        let w = &*self.span.w;
        if let Some(average) = &mut self.span.average {
            pass(threads, [w], [average], |[w], [average]| {
                *average += ride.weight * (w - *average);
                []
            });
        }
        if let Grad::Clear(grad) = &mut self.span.grad {
            grad.fill(T::ZERO);
        }
    }
}

impl<R: BlockRule, T: Real> Optimizer<T> for Blockwise<R, T> {
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
        let rides = Rides::new(riders, learning_rate);
        self.steps += 1;
        let at = At { step: self.steps, learning_rate };
        let (rule, memories) = (&self.rule, &self.memories);
        let lock = || memories.lock().unwrap_or_else(PoisonError::into_inner);
        let run = |work: &mut Move<'_, T>, threads: &Threads| {
            let mut own = lock().pop().unwrap_or_default();
            work.run(rule, at, rides.of(work.block.role), &mut own, threads);
            lock().push(own);
        };
        let mut moves = recycle(std::mem::take(&mut self.moves));
        cut(spans, &self.layout, &mut self.states, &mut moves);
        self.threads.run(&mut moves, |work| {
            if !work.is_large() {
                run(work, &Threads::default());
            }
        });
        for work in moves.iter_mut().filter(|work| work.is_large()) {
            run(work, &self.threads);
        }
        self.moves = recycle(moves);
        outcome
    }

    fn save(&self) -> StateDict {
        let mut state = StateDict::of(R::INFO.name, self.dialect);
        state.insert_count("steps", self.steps);
        for (block, own) in self.layout.blocks().iter().zip(&self.states) {
            for (slot, values) in own.slots.iter().zip(&own.values) {
                state.insert(format!("{}/{}", slot.name, block.name), &slot.shape, T::values(values.clone()));
            }
        }
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.steps = state.count("steps");
        for (block, own) in self.layout.blocks().iter().zip(&mut self.states) {
            for (slot, values) in own.slots.iter().zip(&mut own.values) {
                let tensor = state.entries().get(&format!("{}/{}", slot.name, block.name));
                let given = tensor.and_then(|tensor| T::from_values(&tensor.values));
                values.copy_from_slice(given.expect("the form of the state was checked"));
            }
        }
    }

    fn hyper(&self) -> Vec<(&'static str, f64)> {
        hyper::values(&self.rule)
    }

    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let mut rule = self.rule;
        hyper::set(&mut rule, name, value)?;
        hyper::check_in::<T, _>(&rule)?;
        let kept = |(block, state): (&Block, &State<T>)| rule.slots(block) == state.slots;
        if !self.layout.blocks().iter().zip(&self.states).all(kept) {
            let own = R::HYPER.iter().find(|hyper| hyper.name == name).map_or("", |hyper| hyper.name);
            return Err(OptimError::FixedOnceBuilt { optimizer: R::INFO.name, name: own });
        }
        self.rule = rule;
        Ok(())
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.scratch
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.threads = threads.clone();
    }
}
