//! A network: layers in a row over one flat slice, and the objective that it forms with a batch and a loss.

use std::ops::Range;

use thalweg_optim::random::stream;
use thalweg_optim::{Layout, Objective, Orientation};

use super::activation::Activation;
use super::dense::Dense;
use super::init::Init;
use super::layer::{Backward, Layer};
use super::loss::{Loss, Targets};
use crate::kernel::math::Math;

/// Layers in a row. It holds no parameters: those are the flat slice that every call is given.
#[derive(Debug)]
pub struct Network<T> {
    inputs: usize,
    layers: Vec<Placed<T>>,
    layout: Layout,
}

#[derive(Debug)]
struct Placed<T> {
    layer: Box<dyn Layer<T>>,
    inputs: usize,
    params: Range<usize>,
}

impl<T: Math> Network<T> {
    /// A network without layers: its output is its input.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, layers: Vec::new(), layout: Layout::default().with_orientation(Orientation::InOut) }
    }

    /// Appends a layer.
    pub fn push(&mut self, layer: Box<dyn Layer<T>>) {
        let (start, inputs) = (self.layout.len(), self.outputs());
        layer.layout(&format!("{}.{}", self.layers.len(), layer.name()), &mut self.layout);
        self.layers.push(Placed { layer, inputs, params: start..self.layout.len() });
    }

    /// A multilayer perceptron: dense layers of the `hidden` widths, each followed by `activation`, then a dense output.
    pub fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation, init: Init) -> Self {
        let mut network = Self::new(inputs);
        for &width in hidden {
            let inputs = network.outputs();
            let init_bound = init.bound(inputs, width, Some(activation));
            network.push(Box::new(Dense { inputs, outputs: width, init_bound }));
            network.push(activation.layer(width));
        }
        let inputs = network.outputs();
        network.push(Box::new(Dense { inputs, outputs, init_bound: init.bound(inputs, outputs, None) }));
        network
    }

    /// The width of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of an output row.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(self.inputs, |placed| placed.layer.outputs())
    }

    /// The parameters' names, shapes and roles.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Start values: layer `i` draws from the stream (seed, "init", i).
    pub fn init(&self, seed: u64) -> Vec<T> {
        let mut w = vec![T::ZERO; self.layout.len()];
        for (index, placed) in self.layers.iter().enumerate() {
            placed.layer.init(&mut w[placed.params.clone()], &mut stream(seed, "init", index as u64));
        }
        w
    }

    /// The memory that batches of at most `batch` rows need.
    pub fn workspace(&self, batch: usize) -> Workspace<T> {
        let widest = self.layers.iter().map(|placed| placed.inputs.max(placed.layer.outputs())).max();
        let scratch = self.layers.iter().map(|placed| placed.layer.scratch_len(batch)).max();
        Workspace {
            outputs: self.layers.iter().map(|placed| vec![T::ZERO; batch * placed.layer.outputs()]).collect(),
            gradient: vec![T::ZERO; batch * widest.unwrap_or(self.inputs)],
            next_gradient: vec![T::ZERO; batch * widest.unwrap_or(self.inputs)],
            scratch: vec![T::ZERO; scratch.unwrap_or(0)],
        }
    }

    /// The outputs (batch × outputs) for the rows `x` (batch × inputs); they stay in `workspace`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows, or more rows than the workspace was made for.
    pub fn forward<'a>(&self, w: &[T], x: &'a [T], workspace: &'a mut Workspace<T>) -> &'a [T] {
        assert_eq!(w.len(), self.layout.len(), "the parameters do not fit the network");
        let batch = x.len() / self.inputs.max(1);
        assert_eq!(x.len(), batch * self.inputs, "the input is not a whole number of rows");
        for (index, placed) in self.layers.iter().enumerate() {
            let (before, after) = workspace.outputs.split_at_mut(index);
            let input = before.last().map_or(x, |y| &y[..batch * placed.inputs]);
            let output = &mut after[0][..batch * placed.layer.outputs()];
            placed.layer.forward(&w[placed.params.clone()], input, output, &mut workspace.scratch, batch);
        }
        workspace.outputs.last().map_or(x, |y| &y[..batch * self.outputs()])
    }

    /// Overwrites `grad` with the gradient of the loss whose derivative by the outputs lies in `workspace.gradient`.
    fn backward(&self, w: &[T], x: &[T], grad: &mut [T], workspace: &mut Workspace<T>) {
        let batch = x.len() / self.inputs.max(1);
        for (index, placed) in self.layers.iter().enumerate().rev() {
            let input = if index == 0 { x } else { &workspace.outputs[index - 1][..batch * placed.inputs] };
            let outputs = batch * placed.layer.outputs();
            let dx = (index > 0).then_some(&mut workspace.next_gradient[..batch * placed.inputs]);
            placed.layer.backward(Backward {
                batch,
                w: &w[placed.params.clone()],
                x: input,
                y: &workspace.outputs[index][..outputs],
                dy: &workspace.gradient[..outputs],
                dw: &mut grad[placed.params.clone()],
                dx,
                scratch: &mut workspace.scratch,
            });
            std::mem::swap(&mut workspace.gradient, &mut workspace.next_gradient);
        }
    }
}

/// The memory of a forward and a backward pass, lent again and again.
#[derive(Debug)]
pub struct Workspace<T> {
    /// Each layer's output.
    outputs: Vec<Vec<T>>,
    /// ∂loss/∂(output of the layer at hand).
    gradient: Vec<T>,
    /// ∂loss/∂(its input).
    next_gradient: Vec<T>,
    scratch: Vec<T>,
}

/// The mean loss of a network over a fixed batch, as a function of its parameters.
#[derive(Debug)]
pub struct BatchObjective<'a, T> {
    /// The network.
    pub network: &'a Network<T>,
    /// Its memory.
    pub workspace: &'a mut Workspace<T>,
    /// The loss.
    pub loss: Loss,
    /// The batch's rows.
    pub x: &'a [T],
    /// The batch's targets.
    pub targets: Targets<'a, T>,
}

impl<T: Math> BatchObjective<'_, T> {
    /// Runs the network and answers how many numbers it put out.
    fn forward(&mut self, w: &[T]) -> usize {
        let outputs = self.network.forward(w, self.x, self.workspace).len();
        // Here, where the width is known: a loss alone would take other rows for other classes.
        let rows = match self.targets {
            Targets::Classes(codes) => codes.len(),
            Targets::Values(values) => values.len(),
        };
        assert_eq!(outputs, rows * self.network.outputs(), "the batch has not a target for each row");
        outputs
    }
}

impl<T: Math> Objective<T> for BatchObjective<'_, T> {
    fn dim(&self) -> usize {
        self.network.layout.len()
    }

    fn value(&mut self, w: &[T]) -> T {
        let outputs = self.forward(w);
        let Workspace { outputs: layers, gradient, .. } = &mut *self.workspace;
        let y = layers.last().map_or(self.x, |y| &y[..outputs]);
        self.loss.value(y, self.targets, &mut gradient[..outputs])
    }

    fn value_and_grad(&mut self, w: &[T], grad: &mut [T]) -> T {
        let outputs = self.forward(w);
        let Workspace { outputs: layers, gradient, .. } = &mut *self.workspace;
        let y = layers.last().map_or(self.x, |y| &y[..outputs]);
        let value = self.loss.value_and_gradient(y, self.targets, &mut gradient[..outputs]);
        self.network.backward(w, self.x, grad, self.workspace);
        value
    }
}
