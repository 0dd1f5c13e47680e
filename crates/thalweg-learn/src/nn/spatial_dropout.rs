//! Dropout of whole channels.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::dropout::check_rate;
use super::layer::{Backward, Forward, Layer, Mode, Pace};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::draw::Bits;
use crate::kernel::math::Math;

/// The settings of spatial dropout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SpatialDropoutSpec {
    /// How often a channel is dropped.
    pub rate: f64,
}

impl Default for SpatialDropoutSpec {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

impl Kind for SpatialDropoutSpec {
    const SUMMARY: &'static str =
        "training sets whole channels of an image to 0 at random and scales the others up";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        check_rate(self.rate, site)?;
        if matches!(site.input, Shape::Flat(_)) {
            return Err(LayerError::new(site, "it wants an image; plain numbers are dropped by `dropout`"));
        }
        Ok(Box::new(SpatialDropout { shape: site.input, rate: self.rate }))
    }
}

/// [`Dropout`](super::dropout::Dropout) with one draw for each row and channel: neighbouring pixels are too alike for a
/// dropped one to be missed (Tompson et al. 2015; PyTorch's `Dropout2d`, Keras's `SpatialDropout2D`).
#[derive(Debug, Clone, Copy)]
pub struct SpatialDropout {
    /// The shape of a row.
    pub shape: Shape,
    /// How often a channel is dropped, in [0, 1).
    pub rate: f64,
}

impl SpatialDropout {
    /// `to` ← the masked `from`; empty if it is in `to` already. The rows begin with the batch's `first`.
    fn apply<T: Math>(self, first: usize, from: &[T], to: &mut [T], gates: &mut [T], mode: Mode) {
        if !from.is_empty() {
            to.copy_from_slice(from);
        }
        let Some(key) = mode.key().filter(|_| self.rate > 0.0) else { return };
        let (bits, channels) = (Bits::new(key, self.rate), self.shape.channels());
        let gates = &mut gates[..channels];
        let kept = T::from_f64(1.0 / (1.0 - self.rate));
        for (row, values) in (first..).zip(to.chunks_exact_mut(self.shape.len())) {
            for (channel, gate) in gates.iter_mut().enumerate() {
                *gate = if bits.drops(row * channels + channel) { T::ZERO } else { kept };
            }
            dispatch(Gate { gates, values });
        }
    }
}

impl<T: Math> Layer<T> for SpatialDropout {
    fn name(&self) -> &'static str {
        "spatial-dropout"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn in_place(&self) -> bool {
        true
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        self.shape.channels()
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Either]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        self.apply(pass.piece.first, pass.x, pass.y, pass.scratch, pass.mode);
    }

    fn backward(&self, pass: Backward<'_, T>) {
        match pass.dx {
            Some([]) => self.apply(pass.piece.first, &[], pass.dy, pass.scratch, pass.mode),
            Some(dx) => self.apply(pass.piece.first, pass.dy, dx, pass.scratch, pass.mode),
            None => {}
        }
    }
}

/// Multiplies each channel by its gate; a closed one gives 0 whatever came, even NaN.
struct Gate<'a, T> {
    gates: &'a [T],
    values: &'a mut [T],
}

impl<T: Math> Kernel for Gate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for pixel in self.values.chunks_exact_mut(self.gates.len()) {
            for (value, &gate) in pixel.iter_mut().zip(self.gates) {
                let scaled = *value * gate;
                *value = if gate == T::ZERO { T::ZERO } else { scaled };
            }
        }
    }
}
