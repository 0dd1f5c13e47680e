//! A network: layers over one flat slice, and the objective that it forms with a batch and a loss.

use thalweg_optim::random::stream;
use thalweg_optim::{Layout, Objective, Orientation};

use super::activation::Activation;
use super::architecture::{Architecture, with_head};
use super::init::Init;
use super::layer::{Backward, Forward, Layer, Mode, Piece};
use super::loss::{Loss, Targets};
use super::sequence::Sequence;
use super::shape::Shape;
use super::spec::{self, LayerError, LayerSpec};
use crate::kernel::line::Lines;
use crate::kernel::math::Math;

/// Layers in a row. It holds no numbers: its parameters are one flat slice, and what it keeps beside them without
/// training it (the running statistics of batch normalization) another; every call is given both.
#[derive(Debug)]
pub struct Network<T> {
    layers: Sequence<T>,
    layout: Layout,
    buffers: Layout,
    /// Rows that go through its layers together, where they go in pieces.
    at_once: usize,
}

/// Bytes of a layer's output that go through a network together: with input, output and both gradients they stay in a
/// cache of 1 MB. A fixed number, so that the bits do not depend on the machine.
const BYTES_AT_ONCE: usize = 256 << 10;

impl<T: Math> Network<T> {
    /// The layers in this order; without any, the output is the input.
    pub fn new(input: Shape, layers: Vec<Box<dyn Layer<T>>>) -> Self {
        let layers = Sequence::new(input, layers);
        let mut layout = Layout::default().with_orientation(Orientation::InOut);
        layers.layout("", &mut layout);
        let mut buffers = Layout::default();
        layers.buffer_layout("", &mut buffers);
        let row = layers.widest().max(1) * size_of::<T>();
        Self { at_once: (BYTES_AT_ONCE / row).max(1), layers, layout, buffers }
    }

    /// The layers of a list, for rows of a shape, with a dense layer of `outputs` behind them; an image is flattened
    /// for it.
    ///
    /// # Errors
    /// If a layer does not fit the one before it: which, and why.
    pub fn build(specs: &[LayerSpec], input: Shape, outputs: usize, init: Init) -> Result<Self, LayerError> {
        let body: Sequence<T> = spec::build(specs, input, init)?;
        let specs = with_head(specs.to_vec(), body.output(), outputs);
        Ok(Self::new(input, spec::build_each(&specs, input, init)?))
    }

    /// A multilayer perceptron: dense layers of the `hidden` widths, each followed by `activation`, then a dense output.
    ///
    /// # Panics
    /// If a width is 0.
    pub fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation, init: Init) -> Self {
        let specs = Architecture::Mlp.layers(hidden, activation);
        Self::build(&specs, Shape::Flat(inputs), outputs, init).expect("dense layers fit each other")
    }

    /// The shape of an input row.
    pub fn input(&self) -> Shape {
        self.layers.input()
    }

    /// The width of an input row.
    pub fn inputs(&self) -> usize {
        self.input().len()
    }

    /// The width of an output row.
    pub fn outputs(&self) -> usize {
        self.layers.output().len()
    }

    /// The layers, in order.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &dyn Layer<T>> {
        self.layers.layers()
    }

    /// The parameters' names, shapes and roles.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The names and shapes of what is not trained.
    pub fn buffers(&self) -> &Layout {
        &self.buffers
    }

    /// Start values: layer `i` draws from the stream (seed, "init", i).
    pub fn init(&self, seed: u64) -> Vec<T> {
        let mut w = vec![T::ZERO; self.layout.len()];
        self.layers.init_each(&mut w, |index| stream(seed, "init", index as u64));
        w
    }

    /// Start values of what is not trained.
    pub fn init_buffers(&self) -> Vec<T> {
        let mut buffers = vec![T::ZERO; self.buffers.len()];
        self.reset_buffers(&mut buffers);
        buffers
    }

    /// Puts the start values of what is not trained back in place.
    pub(crate) fn reset_buffers(&self, buffers: &mut [T]) {
        self.layers.init_buffers(buffers);
    }

    /// The memory that batches of at most `batch` rows need.
    pub fn workspace(&self, batch: usize) -> Workspace<T> {
        Workspace {
            outputs: vec![T::ZERO; batch * self.outputs()],
            gradient: vec![T::ZERO; batch * self.outputs()],
            saved: Lines::new(T::ZERO, self.layers.saved_len(batch)),
            scratch: Lines::new(T::ZERO, self.layers.scratch_len(batch)),
            batch: 0,
        }
    }

    /// The outputs (batch × outputs) for the rows `x` (batch × inputs); they stay in `workspace`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows, or more rows than the workspace was made for.
    pub fn forward<'a>(
        &self,
        w: &[T],
        buffers: &[T],
        x: &[T],
        mode: Mode,
        workspace: &'a mut Workspace<T>,
    ) -> &'a [T] {
        assert_eq!(w.len(), self.layout.len(), "the parameters do not fit the network");
        assert_eq!(buffers.len(), self.buffers.len(), "the buffers do not fit the network");
        let batch = x.len() / self.inputs().max(1);
        assert_eq!(x.len(), batch * self.inputs(), "the input is not a whole number of rows");
        workspace.batch = batch;
        let saved_len = self.layers.saved_len(batch);
        let outputs = batch * self.outputs();
        let Workspace { outputs: y, saved, scratch, .. } = workspace;
        let (piece, y, saved) = (Piece::whole(batch), &mut y[..outputs], &mut saved[..saved_len]);
        Forward { piece, w, buffers, x, y, saved, scratch, mode }.through(&self.layers, self.at_once);
        self.outputs_in(workspace)
    }

    /// What the last forward pass put out.
    pub(crate) fn outputs_in<'a>(&self, workspace: &'a Workspace<T>) -> &'a [T] {
        &workspace.outputs[..workspace.batch * self.outputs()]
    }

    /// Overwrites `grad` with the gradient of the loss whose derivative by the outputs lies in `workspace.gradient`.
    fn backward(
        &self,
        w: &[T],
        buffers: &[T],
        x: &[T],
        grad: &mut [T],
        mode: Mode,
        workspace: &mut Workspace<T>,
    ) {
        let batch = workspace.batch;
        let saved_len = self.layers.saved_len(batch);
        let outputs = batch * self.outputs();
        let Workspace { outputs: y, gradient, saved, scratch, .. } = workspace;
        let pass = Backward {
            piece: Piece::whole(batch),
            w,
            buffers,
            x,
            y: &y[..outputs],
            dy: &mut gradient[..outputs],
            dw: grad,
            dx: None,
            saved: &mut saved[..saved_len],
            scratch,
            mode,
        };
        pass.through(&self.layers, self.at_once);
    }

    /// Moves the buffers by what the last forward pass in training saw: once a step, after it.
    pub fn update_buffers(&self, buffers: &mut [T], workspace: &Workspace<T>) {
        let saved = &workspace.saved[..self.layers.saved_len(workspace.batch)];
        self.layers.update_buffers(buffers, saved, workspace.batch);
    }
}

/// The memory of a forward and a backward pass, lent again and again.
#[derive(Debug)]
pub struct Workspace<T> {
    outputs: Vec<T>,
    /// ∂loss/∂outputs.
    gradient: Vec<T>,
    /// What the layers keep from one pass to the other.
    saved: Lines<T>,
    scratch: Lines<T>,
    /// Rows of the last forward pass.
    batch: usize,
}

/// The mean loss of a network over a fixed batch, as a function of its parameters.
#[derive(Debug)]
pub struct BatchObjective<'a, T> {
    /// The network.
    pub network: &'a Network<T>,
    /// What it keeps beside its parameters.
    pub buffers: &'a [T],
    /// Its memory.
    pub workspace: &'a mut Workspace<T>,
    /// The loss.
    pub loss: Loss,
    /// The batch's rows.
    pub x: &'a [T],
    /// The batch's targets.
    pub targets: Targets<'a, T>,
    /// What is random is drawn from its key, so that the objective is a function of the parameters alone.
    pub mode: Mode,
}

impl<T: Math> BatchObjective<'_, T> {
    /// Runs the network and answers how many numbers it put out.
    fn forward(&mut self, w: &[T]) -> usize {
        let outputs = self.network.forward(w, self.buffers, self.x, self.mode, self.workspace).len();
        // Here, where the width is known: a loss alone would take other rows for other classes.
        let rows = self.targets.len();
        assert_eq!(outputs, rows * self.network.outputs(), "the batch has not a target for each row");
        outputs
    }
}

impl<T: Math> Objective<T> for BatchObjective<'_, T> {
    fn dim(&self) -> usize {
        self.network.layout.len()
    }

    fn value(&mut self, w: &[T]) -> T {
        let len = self.forward(w);
        let Workspace { outputs, gradient, .. } = &mut *self.workspace;
        self.loss.value(&outputs[..len], self.targets, &mut gradient[..len])
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        let len = self.forward(w);
        let Workspace { outputs, gradient, .. } = &mut *self.workspace;
        let value = self.loss.value_and_gradient(&outputs[..len], self.targets, &mut gradient[..len]);
        self.network.backward(w, self.buffers, self.x, grad, self.mode, self.workspace);
        value
    }
}
