//! A fully connected layer.

use thalweg_optim::kernel::matmul::{MatMul, transpose};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::init::uniform;
use super::layer::{Backward, Layer};
use crate::kernel::math::Math;

/// Y = X·W + b, with W stored `[inputs, outputs]` (the transpose of PyTorch's `Linear.weight`).
///
/// Gradients: dW = Xᵀ·dY, db = Σ_rows dY, dX = dY·Wᵀ.
#[derive(Debug, Clone)]
pub struct Dense {
    /// The width of an input row.
    pub inputs: usize,
    /// The width of an output row.
    pub outputs: usize,
    /// The half-width of the weights' uniform start: see [`Init::bound`](super::Init::bound).
    pub init_bound: f64,
}

impl Dense {
    fn weights(&self) -> usize {
        self.inputs * self.outputs
    }
}

impl<T: Math> Layer<T> for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        layout.push(format!("{prefix}.weight"), &[self.inputs, self.outputs], Role::Weight);
        layout.push(format!("{prefix}.bias"), &[self.outputs], Role::Bias);
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        let (weight, bias) = w.split_at_mut(self.weights());
        uniform(weight, self.init_bound, random);
        bias.fill(T::ZERO);
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        // The transposed weights, for the input's gradient.
        self.weights()
    }

    fn forward(&self, w: &[T], x: &[T], y: &mut [T], _scratch: &mut [T], batch: usize) {
        let (weight, bias) = w.split_at(self.weights());
        dispatch(MatMul {
            m: batch,
            n: self.outputs,
            k: self.inputs,
            a: x,
            a_strides: (self.inputs, 1),
            b: weight,
            bias: Some(bias),
            c: y,
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { batch, w, x, dy, dw, dx, scratch, .. } = pass;
        let (weight, _) = w.split_at(self.weights());
        let (dweight, dbias) = dw.split_at_mut(self.weights());
        dispatch(MatMul {
            m: self.inputs,
            n: self.outputs,
            k: batch,
            a: x,
            a_strides: (1, self.inputs),
            b: dy,
            bias: None,
            c: dweight,
        });
        dispatch(ColumnSums { rows: &dy[..batch * self.outputs], sums: dbias });
        if let Some(dx) = dx {
            let transposed = &mut scratch[..self.weights()];
            transpose(weight, self.inputs, self.outputs, transposed);
            dispatch(MatMul {
                m: batch,
                n: self.inputs,
                k: self.outputs,
                a: dy,
                a_strides: (self.outputs, 1),
                b: transposed,
                bias: None,
                c: dx,
            });
        }
    }
}

/// `sums[j]` ← Σᵢ `rows[i][j]`.
struct ColumnSums<'a, T> {
    rows: &'a [T],
    sums: &'a mut [T],
}

impl<T: Math> Kernel for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.sums.fill(T::ZERO);
        for row in self.rows.chunks_exact(self.sums.len().max(1)) {
            for (sum, &value) in self.sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}
