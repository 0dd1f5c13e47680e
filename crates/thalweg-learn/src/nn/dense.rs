//! A fully connected layer.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::dispatch;
use thalweg_optim::kernel::matmul::{MatMul, Start};
use thalweg_optim::kernel::transpose::{Transpose, transpose};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::init::uniform;
use super::layer::{Backward, Forward, Layer, Piece};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site, too_large};
use crate::kernel::columns::ColumnSums;
use crate::kernel::math::Math;
use crate::kernel::sparse::{SparseMatMul, small_share};

/// The settings of a fully connected layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DenseSpec {
    /// Outputs.
    pub units: usize,
    /// Whether a bias is added.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub bias: bool,
}

pub(super) fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(super) fn is_yes(value: &bool) -> bool {
    *value
}

impl Kind for DenseSpec {
    const SUMMARY: &'static str = "fully connected: y = x·W + b";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let Shape::Flat(inputs) = site.input else {
            return Err(LayerError::new(
                site,
                "it wants plain numbers; put `flatten`, `global-avg-pool` or `global-max-pool` before it",
            ));
        };
        if inputs == 0 || self.units == 0 {
            return Err(LayerError::new(
                site,
                format!("{inputs} inputs and {} units; it needs at least 1 of each", self.units),
            ));
        }
        too_large(site, inputs.saturating_mul(self.units))?;
        let init_bound = site.init.bound(inputs, self.units, site.next);
        Ok(Box::new(Dense { inputs, outputs: self.units, bias: self.bias, init_bound }))
    }
}

/// Y = X·W + b, with W stored `[inputs, outputs]` (the transpose of PyTorch's `Linear.weight`).
///
/// Gradients: dW = Xᵀ·dY, db = Σ_rows dY, dX = dY·Wᵀ.
#[derive(Debug, Clone)]
pub struct Dense {
    /// The width of an input row.
    pub inputs: usize,
    /// The width of an output row.
    pub outputs: usize,
    /// Whether b is added.
    pub bias: bool,
    /// The half-width of the weights' uniform start: see [`Init::bound`](super::Init::bound).
    pub init_bound: f64,
}

impl Dense {
    fn weights(&self) -> usize {
        self.inputs * self.outputs
    }

    /// Numbers that are lent for the weights' gradient: also enough for any smaller batch.
    fn turned_len(&self, batch: usize) -> usize {
        let Self { inputs, outputs, .. } = *self;
        let rows = batch.min(MOST_TURNED);
        (rows * inputs).max(rows * outputs + BAND.min(outputs) * inputs)
    }

    /// dW ← Xᵀ·dY; without the zeros of X or dY where a rectifier, say, has left many.
    fn weight_gradient<T: Math>(&self, batch: usize, x: &[T], dy: &[T], dw: &mut [T], scratch: &mut [T]) {
        let Self { inputs, outputs, .. } = *self;
        let share = |values: &[T]| {
            if batch > MOST_TURNED { None } else { small_share(values, [batch, inputs, outputs]) }
        };
        match (share(x), share(dy)) {
            (None, None) => {}
            (Some(of_x), of_dy) if of_dy.is_none_or(|of_dy| of_x <= of_dy + TURNING_BACK) => {
                let a = &mut scratch[..batch * inputs];
                transpose(x, batch, inputs, a);
                let (m, n, k) = (inputs, outputs, batch);
                return dispatch(SparseMatMul { m, n, k, a, b: dy, bias: None, c: dw });
            }
            _ => {
                // (dYᵀ·X)ᵀ, by bands that stay in a near cache.
                let (turned, scratch) = scratch.split_at_mut(batch * outputs);
                transpose(dy, batch, outputs, turned);
                for first in (0..outputs).step_by(BAND) {
                    let rows = BAND.min(outputs - first);
                    let (a, band) = (&turned[first * batch..], &mut scratch[..rows * inputs]);
                    dispatch(SparseMatMul { m: rows, n: inputs, k: batch, a, b: x, bias: None, c: band });
                    let to = &mut dw[first..];
                    dispatch(Transpose { from: band, rows, columns: inputs, to, to_row: outputs });
                }
                return;
            }
        }
        dispatch(MatMul {
            m: inputs,
            n: outputs,
            k: batch,
            a: x,
            a_strides: (1, inputs),
            b: dy,
            start: Start::Zero,
            c: dw,
        });
    }
}

/// The rows of a batch up to which its zeros are looked for: the memory that this takes grows with them.
const MOST_TURNED: usize = 1024;
/// Outputs whose weights' gradients are made at once, before they are turned.
const BAND: usize = 64;
/// What turning the gradient costs, as a share of all multiplications.
const TURNING_BACK: f64 = 0.1;

impl<T: Math> Layer<T> for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn output(&self) -> Shape {
        Shape::Flat(self.outputs)
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        layout.push(format!("{prefix}.weight"), &[self.inputs, self.outputs], Role::Weight);
        if self.bias {
            layout.push(format!("{prefix}.bias"), &[self.outputs], Role::Bias);
        }
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        let (weight, bias) = w.split_at_mut(self.weights());
        uniform(weight, self.init_bound, random);
        bias.fill(T::ZERO);
    }

    fn scratch_len(&self, batch: usize) -> usize {
        // The transposed weights, for the input's gradient; and before, what the weights' gradient turns.
        self.weights().max(self.turned_len(batch))
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece: Piece { batch, .. }, w, x, y, .. } = pass;
        let (weight, bias) = w.split_at(self.weights());
        let bias = self.bias.then_some(bias);
        SparseMatMul { m: batch, n: self.outputs, k: self.inputs, a: x, b: weight, bias, c: y }.multiply();
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece: Piece { batch, .. }, w, x, dy, dw, dx, scratch, .. } = pass;
        let (weight, _) = w.split_at(self.weights());
        let (dweight, dbias) = dw.split_at_mut(self.weights());
        self.weight_gradient(batch, x, dy, dweight, scratch);
        if self.bias {
            dispatch(ColumnSums { rows: &dy[..batch * self.outputs], sums: dbias });
        }
        if let Some(dx) = dx {
            let transposed = &mut scratch[..self.weights()];
            transpose(weight, self.inputs, self.outputs, transposed);
            let (n, k) = (self.inputs, self.outputs);
            SparseMatMul { m: batch, n, k, a: dy, b: transposed, bias: None, c: dx }.multiply();
        }
    }
}
