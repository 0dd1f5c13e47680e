//! A fully connected layer.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::dispatch;
use thalweg_optim::kernel::matmul::{MatMul, Start, transpose};
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::init::uniform;
use super::layer::{Backward, Forward, Layer, Piece};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site, too_large};
use crate::kernel::columns::ColumnSums;
use crate::kernel::math::Math;

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
}

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

    fn scratch_len(&self, _batch: usize) -> usize {
        // The transposed weights, for the input's gradient.
        self.weights()
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece: Piece { batch, .. }, w, x, y, .. } = pass;
        let (weight, bias) = w.split_at(self.weights());
        dispatch(MatMul {
            m: batch,
            n: self.outputs,
            k: self.inputs,
            a: x,
            a_strides: (self.inputs, 1),
            b: weight,
            start: if self.bias { Start::Bias(bias) } else { Start::Zero },
            c: y,
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece: Piece { batch, .. }, w, x, dy, dw, dx, scratch, .. } = pass;
        let (weight, _) = w.split_at(self.weights());
        let (dweight, dbias) = dw.split_at_mut(self.weights());
        dispatch(MatMul {
            m: self.inputs,
            n: self.outputs,
            k: batch,
            a: x,
            a_strides: (1, self.inputs),
            b: dy,
            start: Start::Zero,
            c: dweight,
        });
        if self.bias {
            dispatch(ColumnSums { rows: &dy[..batch * self.outputs], sums: dbias });
        }
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
                start: Start::Zero,
                c: dx,
            });
        }
    }
}
