//! The objective of a batch that is cut into parts, so that threads can share it.

use std::ops::Range;

use thalweg_optim::{Objective, Threads};

use super::layer::Mode;
use super::loss::{Loss, Targets};
use super::network::{BatchObjective, Network, Workspace};
use crate::kernel::line::Lines;
use crate::kernel::math::Math;

/// Numbers of the gradient that a thread adds up at once.
const PIECE: usize = 1 << 14;

/// The parts that batches are cut into: a fixed number of them, so that the bits of a training depend on it and not on the
/// threads.
///
/// Each part runs through the network by itself. So batch normalization sees the rows of its part only, as in PyTorch's
/// `DistributedDataParallel`; its running statistics take the parts' mean.
#[derive(Debug)]
pub struct Shards<T> {
    parts: Vec<Part<T>>,
    threads: Threads,
    /// The network's buffers before a step, and after it by one part's word.
    before: Vec<T>,
    moved: Vec<T>,
}

#[derive(Debug)]
struct Part<T> {
    workspace: Workspace<T>,
    /// Its gradient; empty if there is but one part, which has the caller's.
    gradient: Lines<T>,
    rows: Range<usize>,
    value: T,
}

impl<T: Math> Shards<T> {
    /// `count` parts for batches of at most `batch` rows.
    pub fn new(network: &Network<T>, batch: usize, count: usize, threads: Threads) -> Self {
        let count = count.clamp(1, batch.max(1));
        let (params, buffers) = (network.layout().len(), network.buffers().len());
        let part = |_| Part {
            workspace: network.workspace(batch.div_ceil(count)),
            gradient: Lines::new(T::ZERO, if count == 1 { 0 } else { params }),
            rows: 0..0,
            value: T::ZERO,
        };
        let parts = (0..count).map(part).collect();
        Self { parts, threads, before: vec![T::ZERO; buffers], moved: vec![T::ZERO; buffers] }
    }

    /// The parts that the last batch had rows for.
    fn used(&self) -> impl Iterator<Item = &Part<T>> {
        self.parts.iter().filter(|part| !part.rows.is_empty())
    }

    /// Moves the network's buffers to the mean of where each part of the last forward pass in training would.
    pub fn update_buffers(&mut self, network: &Network<T>, buffers: &mut [T]) {
        if buffers.is_empty() {
            return;
        }
        self.before.copy_from_slice(buffers);
        let share = T::ONE / T::from_f64(self.used().count().max(1) as f64);
        buffers.fill(T::ZERO);
        let mut moved = std::mem::take(&mut self.moved);
        for part in self.used() {
            moved.copy_from_slice(&self.before);
            network.update_buffers(&mut moved, &part.workspace);
            buffers.iter_mut().zip(&moved).for_each(|(sum, &moved)| *sum += moved * share);
        }
        self.moved = moved;
    }
}

/// The mean loss of a network over a fixed batch, as a function of its parameters.
#[derive(Debug)]
pub struct ShardedObjective<'a, T> {
    /// The network.
    pub network: &'a Network<T>,
    /// What it keeps beside its parameters.
    pub buffers: &'a [T],
    /// Its memory, once for each part.
    pub shards: &'a mut Shards<T>,
    /// The loss.
    pub loss: Loss,
    /// The batch's rows.
    pub x: &'a [T],
    /// The batch's targets.
    pub targets: Targets<'a, T>,
    /// As [`BatchObjective::mode`]; each part has a key of its own.
    pub mode: Mode,
}

impl<T: Math> ShardedObjective<'_, T> {
    /// The objective of the whole batch, if it is not cut.
    fn whole(&mut self) -> Option<BatchObjective<'_, T>> {
        let [part] = &mut self.shards.parts[..] else { return None };
        part.rows = 0..self.targets.len();
        Some(BatchObjective {
            network: self.network,
            buffers: self.buffers,
            workspace: &mut part.workspace,
            loss: self.loss,
            x: self.x,
            targets: self.targets,
            mode: self.mode,
        })
    }

    /// The mean over all rows of what `evaluate` gives for each part, which is the mean over the part's.
    fn each(&mut self, evaluate: impl Fn(&mut BatchObjective<'_, T>, &mut [T]) -> T + Send + Sync) -> T {
        let Self { network, buffers, shards, loss, x, targets, mode } = self;
        let (rows, width, count) = (targets.len(), network.inputs(), shards.parts.len());
        assert_eq!(x.len(), rows * width, "the batch has not a target for each row");
        for (index, part) in shards.parts.iter_mut().enumerate() {
            part.rows = rows * index / count..rows * (index + 1) / count;
        }
        let (network, buffers, loss, x, targets, mode) = (*network, *buffers, *loss, *x, *targets, *mode);
        shards.threads.share(&mut shards.parts, |part| {
            let Part { workspace, gradient, rows, value } = part;
            if rows.start == rows.end {
                return;
            }
            let x = &x[rows.start * width..rows.end * width];
            let (targets, mode) = (targets.part(rows.clone()), mode.within(rows.start));
            let mut part = BatchObjective { network, buffers, workspace, loss, x, targets, mode };
            *value = evaluate(&mut part, gradient);
        });
        shards.used().map(|part| part.value * share(part, rows)).sum()
    }

    /// `grad` ← the mean of the parts' gradients, in their order.
    fn gather(&mut self, grad: &mut [T]) {
        let (rows, shards) = (self.targets.len(), &*self.shards);
        if rows == 0 {
            return grad.fill(T::ZERO);
        }
        let add = |index: usize, piece: &mut [T]| {
            for (order, part) in shards.used().enumerate() {
                let (share, gradient): (T, _) = (share(part, rows), &part.gradient[index * PIECE..]);
                for (sum, &g) in piece.iter_mut().zip(gradient) {
                    *sum = if order == 0 { g * share } else { *sum + g * share };
                }
            }
        };
        if shards.threads.count() == 1 {
            return grad.chunks_mut(PIECE).enumerate().for_each(|(index, piece)| add(index, piece));
        }
        let mut pieces: Vec<_> = grad.chunks_mut(PIECE).enumerate().collect();
        shards.threads.share(&mut pieces, |(index, piece)| add(*index, piece));
    }
}

/// The share of a part's rows.
fn share<T: Math>(part: &Part<T>, rows: usize) -> T {
    T::from_f64(part.rows.len() as f64 / rows as f64)
}

impl<T: Math> Objective<T> for ShardedObjective<'_, T> {
    fn dim(&self) -> usize {
        self.network.layout().len()
    }

    fn value(&mut self, w: &[T]) -> T {
        match self.whole() {
            Some(mut whole) => whole.value(w),
            None => self.each(|part, _| part.value(w)),
        }
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        if let Some(mut whole) = self.whole() {
            return whole.value_and_grad(w, grad);
        }
        let value = self.each(|part, gradient| part.value_and_grad(w, gradient));
        self.gather(grad);
        value
    }
}
