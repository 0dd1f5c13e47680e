//! Layers in a row: what a network is made of, and a part of larger layers.

use std::ops::Range;

use thalweg_optim::Layout;
use thalweg_optim::random::Stream;

use super::layer::{Backward, Forward, Layer};
use super::shape::Shape;
use crate::kernel::math::Math;

/// Layers in a row.
///
/// What it keeps for the way back: first the outputs of its layers, but for those that are the caller's `y`, then what
/// each layer keeps. A layer that works in place has the place of its input.
#[derive(Debug)]
pub struct Sequence<T> {
    input: Shape,
    steps: Vec<Step<T>>,
    /// Kept outputs, numbers per row.
    kept: usize,
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
    from: Place,
    to: Place,
}

/// Where a layer's input or output lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the caller's `x` or `y`.
    Caller,
    /// Among the kept outputs, behind this many numbers per row.
    Kept(usize),
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
        let (mut steps, mut kept) = (Vec::<Step<T>>::with_capacity(layers.len()), 0);
        for (index, layer) in layers.into_iter().enumerate() {
            let count = |describe: &dyn Fn(&mut Layout)| {
                let mut layout = Layout::default();
                describe(&mut layout);
                layout.len()
            };
            let params = count(&|layout| layer.layout("", layout));
            let buffers = count(&|layout| layer.buffer_layout("", layout));
            let before = steps.last();
            let from = before.map_or(Place::Caller, |before| before.to);
            let (first_param, first_buffer) =
                before.map_or((0, 0), |before| (before.params.end, before.buffers.end));
            let to = if shared[index] {
                from
            } else if shared[index + 1..].iter().all(|&shared| shared) {
                Place::Caller
            } else {
                let start = kept;
                kept += layer.output().len();
                Place::Kept(start)
            };
            steps.push(Step {
                input: before.map_or(input, |before| before.layer.output()),
                params: first_param..first_param + params,
                buffers: first_buffer..first_buffer + buffers,
                in_place: shared[index],
                from,
                to,
                layer,
            });
        }
        Self { input, steps, kept }
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

    fn widest(&self) -> usize {
        self.steps.iter().map(|step| step.input.len().max(step.layer.output().len())).max().unwrap_or(0)
    }
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
        batch * self.kept + self.steps.iter().map(|step| step.layer.saved_len(batch)).sum::<usize>()
    }

    fn scratch_len(&self, batch: usize) -> usize {
        let layers = self.steps.iter().map(|step| step.layer.scratch_len(batch)).max().unwrap_or(0);
        // On the way back, the gradient by a layer's output and the one by its input.
        layers + 2 * batch * self.widest()
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

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { batch, w, buffers, x, y, saved, scratch, mode } = pass;
        if self.steps.is_empty() {
            return y.copy_from_slice(x);
        }
        let (kept, mut own) = saved.split_at_mut(batch * self.kept);
        for (index, step) in self.steps.iter().enumerate() {
            let saved;
            (saved, own) = own.split_at_mut(step.layer.saved_len(batch));
            let len = batch * step.layer.output().len();
            // Outputs are kept in the order of the layers: what is read lies before what is written.
            let (before, output) = match step.to {
                Place::Caller => (&mut *kept, &mut *y),
                Place::Kept(start) => {
                    let (before, rest) = kept.split_at_mut(batch * start);
                    (before, &mut rest[..len])
                }
            };
            let input: &[T] = match step.from {
                _ if step.in_place => &[],
                Place::Caller => x,
                Place::Kept(start) => &before[batch * start..][..batch * step.input.len()],
            };
            step.layer.forward(Forward {
                batch,
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
        let Backward { batch, w, buffers, x, y, dy, dw, mut dx, saved, scratch, mode } = pass;
        if self.steps.is_empty() {
            return dx.into_iter().for_each(|dx| dx.copy_from_slice(dy));
        }
        let (kept, mut own) = saved.split_at_mut(batch * self.kept);
        let width = batch * self.widest();
        let (mut free, rest) = scratch.split_at_mut(width);
        let (other, scratch) = rest.split_at_mut(width);
        let mut other = Some(other);
        // The gradient by the output of the step at hand.
        let mut incoming = dy;
        for (index, step) in self.steps.iter().enumerate().rev() {
            let saved;
            (own, saved) = own.split_at_mut(own.len() - step.layer.saved_len(batch));
            let outputs = batch * step.layer.output().len();
            let inputs = batch * step.input.len();
            let input: &[T] = match step.from {
                _ if step.in_place => &[],
                Place::Caller => x,
                Place::Kept(start) => &kept[batch * start..][..inputs],
            };
            let output: &[T] = match step.to {
                Place::Caller => y,
                Place::Kept(start) => &kept[batch * start..][..outputs],
            };
            let passes_on = index > 0 && !step.in_place;
            let target = if passes_on { std::mem::take(&mut free) } else { &mut [] };
            step.layer.backward(Backward {
                batch,
                w: &w[step.params.clone()],
                buffers: &buffers[step.buffers.clone()],
                x: input,
                y: output,
                dy: &mut incoming[..outputs],
                dw: &mut dw[step.params.clone()],
                dx: match index {
                    0 => dx.take(),
                    _ if step.in_place => Some(&mut []),
                    _ => Some(&mut target[..inputs]),
                },
                saved,
                scratch,
                mode: mode.within(index),
            });
            if passes_on {
                let old = std::mem::replace(&mut incoming, target);
                free = other.take().unwrap_or(old);
            }
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        let mut own = &saved[batch * self.kept..];
        for step in &self.steps {
            let saved;
            (saved, own) = own.split_at(step.layer.saved_len(batch));
            step.layer.update_buffers(&mut buffers[step.buffers.clone()], saved, batch);
        }
    }
}
