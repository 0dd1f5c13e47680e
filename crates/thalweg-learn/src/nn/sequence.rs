//! Layers in a row: what a network is made of, and a part of larger layers.

use std::ops::Range;

use thalweg_optim::Layout;
use thalweg_optim::random::Stream;

use super::layer::{Backward, Forward, Layer, Pace, Piece};
use super::shape::Shape;
use crate::kernel::math::Math;

/// Layers in a row.
///
/// A layer's first phase is one with its predecessor's last: what a piece of the batch leaves in the cache is there for the
/// next layer, until one must have seen the whole batch. A new phase begins only where a layer that wants pieces meets one
/// that wants all rows.
///
/// What it keeps for the way back: first the outputs of its layers, but for those that are the caller's `y`, and those that
/// the next layer alone reads, at once, and on the way back not or from a repeated phase; then room for the gradients that
/// outlive a phase; then what each layer keeps. A layer that works in place has the place of its input.
#[derive(Debug)]
pub struct Sequence<T> {
    input: Shape,
    steps: Vec<Step<T>>,
    /// Its phases, and the steps that take part in each.
    phases: Vec<Pace>,
    taking_part: Vec<Range<usize>>,
    /// Kept outputs, and kept gradients, in numbers per row.
    outputs: usize,
    gradients: usize,
    /// The widest input or output, in numbers per row.
    widest: usize,
}

/// A layer and where its numbers lie.
#[derive(Debug)]
struct Step<T> {
    layer: Box<dyn Layer<T>>,
    input: Shape,
    params: Range<usize>,
    buffers: Range<usize>,
    /// Whether its output takes the place of its input.
    in_place: bool,
    /// The sequence's phase that is its first one.
    start: usize,
    from: Place,
    to: Place,
    /// Where the gradient by its output lies.
    gradient: Place,
    /// The layer whose last phase is repeated on the way back, for its output, which this one reads, was not kept.
    repeats: Option<usize>,
}

impl<T: Math> Step<T> {
    /// The sequence's phase that is its last one.
    fn end(&self) -> usize {
        self.start + self.layer.phases().len() - 1
    }
}

/// Where numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// With the caller.
    Caller,
    /// Among the kept ones, behind this many numbers per row.
    Kept(usize),
    /// In scratch, for a piece and a phase.
    Scratch,
}

impl<T: Math> Sequence<T> {
    /// The layers in this order; without any, the output is the input.
    pub fn new(input: Shape, layers: Vec<Box<dyn Layer<T>>>) -> Self {
        // The first layer's input is the caller's; and what a layer behind the same place will read again must stay.
        let mut read_again = true;
        let shared: Vec<bool> = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let shared = index > 0 && layer.in_place() && (layer.keeps_numbers() || !read_again);
                read_again = layer.reads_output() || (shared && read_again);
                shared
            })
            .collect();
        let mut steps = Vec::<Step<T>>::with_capacity(layers.len());
        let (mut phases, mut taking_part) = (Vec::<Pace>::new(), Vec::<Range<usize>>::new());
        for (index, layer) in layers.into_iter().enumerate() {
            let count = |describe: &dyn Fn(&mut Layout)| {
                let mut layout = Layout::default();
                describe(&mut layout);
                layout.len()
            };
            let params = count(&|layout| layer.layout("", layout));
            let buffers = count(&|layout| layer.buffer_layout("", layout));
            let before = steps.last();
            let (first_param, first_buffer) =
                before.map_or((0, 0), |before| (before.params.end, before.buffers.end));
            let (first, rest) = layer.phases().split_first().expect("a layer has a phase");
            match phases.last_mut().and_then(|last| Some((last.with(*first)?, last))) {
                Some((together, last)) => *last = together,
                None => phases.push(*first),
            }
            let start = phases.len() - 1;
            phases.extend(rest);
            taking_part.resize(phases.len(), index..index);
            taking_part[start..].iter_mut().for_each(|steps| steps.end = index + 1);
            steps.push(Step {
                input: before.map_or(input, |before| before.layer.output()),
                params: first_param..first_param + params,
                buffers: first_buffer..first_buffer + buffers,
                in_place: shared[index],
                start,
                from: Place::Caller,
                to: Place::Caller,
                gradient: Place::Caller,
                repeats: None,
                layer,
            });
        }
        let widest = steps.iter().map(|step| step.input.len().max(step.layer.output().len())).max();
        let (outputs, gradients) = (place_outputs(&mut steps), place_gradients(&mut steps));
        if phases.is_empty() {
            phases.push(Pace::Either);
            taking_part.push(0..0);
        }
        Self { input, steps, phases, taking_part, outputs, gradients, widest: widest.unwrap_or(0) }
    }

    /// The shape of an input row.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The layers, in order.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &dyn Layer<T>> {
        self.steps.iter().map(|step| step.layer.as_ref())
    }

    /// Fills the parameters with start values: layer `i` draws from the stream that `random` gives for it.
    pub(super) fn init_each(&self, w: &mut [T], random: impl Fn(usize) -> Stream) {
        for (index, step) in self.steps.iter().enumerate() {
            step.layer.init(&mut w[step.params.clone()], &mut random(index));
        }
    }

    /// The widest input or output of a layer, in numbers.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    /// How many numbers some of the layers keep.
    fn saved_len_of(&self, steps: Range<usize>, batch: usize) -> usize {
        self.steps[steps].iter().map(|step| step.layer.saved_len(batch)).sum()
    }
}

/// Says where the layers' inputs and outputs lie, and answers how many numbers per row are kept.
fn place_outputs<T: Math>(steps: &mut [Step<T>]) -> usize {
    let mut kept = 0;
    for index in 0..steps.len() {
        let from = index.checked_sub(1).map_or(Place::Caller, |before| steps[before].to);
        let there = 1 + steps[index + 1..].iter().take_while(|step| step.in_place).count();
        let (head, behind) = steps[index..].split_at(there);
        let to = match behind.first() {
            _ if head[0].in_place => from,
            None => Place::Caller,
            Some(next) if is_passed_on(head, next, from) => Place::Scratch,
            Some(_) => {
                let start = kept;
                kept += head[0].layer.output().len();
                Place::Kept(start)
            }
        };
        let before = index.checked_sub(1);
        let reads = from == Place::Scratch && !steps[index].in_place && steps[index].layer.reads_input();
        let written = before.and_then(|before| (0..=before).rev().find(|&at| !steps[at].in_place));
        let step = &mut steps[index];
        (step.from, step.to, step.repeats) = (from, to, written.filter(|_| reads));
    }
    kept
}

/// Whether the output of a layer, and of those that work in its place, need not be kept for the next one: it is read in
/// the phase that writes it, and on the way back not at all, or repeated.
fn is_passed_on<T: Math>(place: &[Step<T>], next: &Step<T>, from: Place) -> bool {
    let (first, others) = place.split_first().expect("a place has a layer that writes it");
    let at_once = next.start == first.end() && next.layer.phases().len() == 1;
    let read_again = place.iter().any(|step| step.layer.reads_output());
    let stays = others.iter().all(|step| step.layer.keeps_numbers());
    let repeated = first.layer.is_repeated() && from != Place::Scratch && stays;
    let forgotten = first.layer.phases().len() == 1 && !next.layer.reads_input();
    at_once && !read_again && (repeated || forgotten)
}

/// Says where the gradients by the layers' outputs lie, and answers how many numbers per row are kept.
///
/// A gradient is written in the first phase of the next layer that has a place of its own, which on the way back is its
/// last one, and read until the first phase of the layer that wrote the output.
fn place_gradients<T: Math>(steps: &mut [Step<T>]) -> usize {
    let mut kept = 0;
    for index in 0..steps.len() {
        let next = steps[index + 1..].iter().find(|step| !step.in_place).map(|step| step.start);
        steps[index].gradient = match next {
            _ if steps[index].in_place => steps[index - 1].gradient,
            None => Place::Caller,
            Some(next) if next == steps[index].start => Place::Scratch,
            Some(_) => {
                let start = kept;
                kept += steps[index].layer.output().len();
                Place::Kept(start)
            }
        };
    }
    kept
}

impl<T: Math> Layer<T> for Sequence<T> {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn output(&self) -> Shape {
        self.steps.last().map_or(self.input, |step| step.layer.output())
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        for (index, step) in self.steps.iter().enumerate() {
            step.layer.layout(&format!("{prefix}{index}.{}", step.layer.name()), layout);
        }
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        for step in &self.steps {
            step.layer.init(&mut w[step.params.clone()], random);
        }
    }

    fn buffer_layout(&self, prefix: &str, layout: &mut Layout) {
        for (index, step) in self.steps.iter().enumerate() {
            step.layer.buffer_layout(&format!("{prefix}{index}.{}", step.layer.name()), layout);
        }
    }

    fn init_buffers(&self, buffers: &mut [T]) {
        for step in &self.steps {
            step.layer.init_buffers(&mut buffers[step.buffers.clone()]);
        }
    }

    fn saved_len(&self, batch: usize) -> usize {
        batch * (self.outputs + self.gradients) + self.saved_len_of(0..self.steps.len(), batch)
    }

    fn scratch_len(&self, batch: usize) -> usize {
        let layers = self.steps.iter().map(|step| step.layer.scratch_len(batch)).max().unwrap_or(0);
        // On the way back, the gradient by a layer's output, the one by its input, and the input, if it is repeated.
        layers + 3 * batch * self.widest
    }

    fn reads_output(&self) -> bool {
        let mut last = self.steps.iter().filter(|step| step.to == Place::Caller);
        last.any(|step| step.layer.reads_output())
    }

    fn spoils_gradient(&self) -> bool {
        // The caller's gradient is handed on through layers in place, up to the first that writes one of its own.
        let shared = self.steps.iter().rev().take_while(|step| step.in_place).count();
        self.steps.iter().rev().take(shared + 1).any(|step| step.layer.spoils_gradient())
    }

    fn phases(&self) -> &[Pace] {
        &self.phases
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece, w, buffers, x, y, saved, scratch, mode } = pass;
        if self.steps.is_empty() {
            return y.copy_from_slice(x);
        }
        let (outputs, own) = saved.split_at_mut(piece.batch * (self.outputs + self.gradients));
        let taking_part = self.taking_part[piece.phase].clone();
        let mut own = &mut own[self.saved_len_of(0..taking_part.start, piece.batch)..];
        // Where this layer's output is, and where the one's before, if they are not kept.
        let (mut near, rest) = scratch.split_at_mut(piece.rows * self.widest);
        let (mut far, scratch) = rest.split_at_mut(piece.rows * self.widest);
        for index in taking_part {
            let step = &self.steps[index];
            let saved;
            (saved, own) = own.split_at_mut(step.layer.saved_len(piece.batch));
            // Outputs are kept in the order of the layers: what is read lies before what is written.
            if !step.in_place {
                std::mem::swap(&mut near, &mut far);
            }
            let (before, output) = match step.to {
                Place::Scratch => (&mut *outputs, &mut near[..piece.rows * step.layer.output().len()]),
                kept => place(kept, piece, step.layer.output(), outputs, y),
            };
            let input: &[T] = match step.from {
                _ if step.in_place => &[],
                Place::Caller => x,
                Place::Kept(start) => &before[kept(start, piece, step.input)],
                Place::Scratch => &far[..piece.rows * step.input.len()],
            };
            step.layer.forward(Forward {
                piece: piece.in_phase(piece.phase - step.start),
                w: &w[step.params.clone()],
                buffers: &buffers[step.buffers.clone()],
                x: input,
                y: output,
                saved,
                scratch,
                mode: mode.within(index),
            });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, buffers, x, y, dy, dw, mut dx, saved, scratch, mode } = pass;
        if self.steps.is_empty() {
            return dx.into_iter().for_each(|dx| dx.copy_from_slice(dy));
        }
        let (outputs, rest) = saved.split_at_mut(piece.batch * self.outputs);
        let (gradients, own) = rest.split_at_mut(piece.batch * self.gradients);
        let taking_part = self.taking_part[piece.phase].clone();
        let first = taking_part.start;
        let mut own = &mut own[self.saved_len_of(0..first, piece.batch)..];
        own = &mut own[..self.saved_len_of(taking_part.clone(), piece.batch)];
        // The gradient at hand, room for the next one, and for an input that was not kept.
        let (mut near, rest) = scratch.split_at_mut(piece.rows * self.widest);
        let (mut far, rest) = rest.split_at_mut(piece.rows * self.widest);
        let (again, scratch) = rest.split_at_mut(piece.rows * self.widest);
        for index in taking_part.rev() {
            let step = &self.steps[index];
            let saved;
            (own, saved) = own.split_at_mut(own.len() - step.layer.saved_len(piece.batch));
            if let Some(index) = step.repeats {
                let from = &self.steps[index];
                let before = self.saved_len_of(first..index, piece.batch);
                let len = from.layer.saved_len(piece.batch);
                from.layer.forward(Forward {
                    piece: piece.in_phase(from.layer.phases().len() - 1),
                    w: &w[from.params.clone()],
                    buffers: &buffers[from.buffers.clone()],
                    x: read(from.from, piece, from.input, outputs, x),
                    y: &mut again[..piece.rows * step.input.len()],
                    saved: &mut own[before..][..len],
                    scratch: &mut *scratch,
                    mode: mode.within(index),
                });
            }
            let input: &[T] = match step.from {
                _ if step.in_place => &[],
                Place::Scratch if step.repeats.is_some() => &again[..piece.rows * step.input.len()],
                from => read(from, piece, step.input, outputs, x),
            };
            let output = read(step.to, piece, step.layer.output(), outputs, y);
            // Gradients, too, are kept in the order of the layers.
            let (before, incoming) = match step.gradient {
                Place::Scratch => (&mut *gradients, &mut near[..piece.rows * step.layer.output().len()]),
                kept => place(kept, piece, step.layer.output(), gradients, dy),
            };
            // The input's gradient comes in the first phase, the last on the way back.
            let comes = piece.phase == step.start;
            let to = index.checked_sub(1).map_or(Place::Caller, |before| self.steps[before].gradient);
            step.layer.backward(Backward {
                piece: piece.in_phase(piece.phase - step.start),
                w: &w[step.params.clone()],
                buffers: &buffers[step.buffers.clone()],
                x: input,
                y: output,
                dy: incoming,
                dw: &mut dw[step.params.clone()],
                dx: match to {
                    _ if step.in_place => Some(&mut []),
                    _ if !comes => None,
                    Place::Caller => dx.take(),
                    Place::Kept(start) => Some(&mut before[kept(start, piece, step.input)]),
                    Place::Scratch => Some(&mut far[..piece.rows * step.input.len()]),
                },
                saved,
                scratch,
                mode: mode.within(index),
            });
            if comes && !step.in_place && to == Place::Scratch {
                std::mem::swap(&mut near, &mut far);
            }
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        let mut own = &saved[batch * (self.outputs + self.gradients)..];
        for step in &self.steps {
            let saved;
            (saved, own) = own.split_at(step.layer.saved_len(batch));
            step.layer.update_buffers(&mut buffers[step.buffers.clone()], saved, batch);
        }
    }
}

/// Where a piece's rows of a shape lie among what is kept behind `start` numbers per row.
fn kept(start: usize, piece: Piece, shape: Shape) -> Range<usize> {
    let rows = piece.of(shape.len());
    piece.batch * start + rows.start..piece.batch * start + rows.end
}

/// The same rows, to be read; none if they were not kept.
fn read<'a, T>(place: Place, piece: Piece, shape: Shape, all: &'a [T], caller: &'a [T]) -> &'a [T] {
    match place {
        Place::Caller => caller,
        Place::Kept(start) => &all[kept(start, piece, shape)],
        Place::Scratch => &[],
    }
}

/// A piece's rows of a shape where they lie, kept or with the caller, and all that is kept before them.
fn place<'a, T>(
    place: Place,
    piece: Piece,
    shape: Shape,
    all: &'a mut [T],
    caller: &'a mut [T],
) -> (&'a mut [T], &'a mut [T]) {
    let Place::Kept(start) = place else { return (all, caller) };
    let rows = kept(start, piece, shape);
    let (before, from) = all.split_at_mut(rows.start);
    (before, &mut from[..rows.len()])
}
