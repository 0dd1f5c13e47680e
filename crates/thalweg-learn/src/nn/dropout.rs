//! Dropout.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::layer::{Backward, Forward, Layer, Mode, Pace};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::draw::Bits;
use crate::kernel::math::Math;

/// The settings of dropout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DropoutSpec {
    /// How often a number is dropped.
    pub rate: f64,
}

impl Default for DropoutSpec {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

/// Says what is wrong with a share of what is dropped, if something is.
pub(super) fn check_rate(rate: f64, site: &Site) -> Result<(), LayerError> {
    if (0.0..1.0).contains(&rate) {
        Ok(())
    } else {
        Err(LayerError::new(site, format!("rate = {rate}: it must be in [0, 1)")))
    }
}

impl Kind for DropoutSpec {
    const SUMMARY: &'static str = "training sets numbers to 0 at random and scales the others up";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        check_rate(self.rate, site)?;
        Ok(Box::new(Dropout { shape: site.input, rate: self.rate }))
    }
}

/// In training y = x·m/(1 − p), where m is 0 with probability p and else 1, for each number of each row; in evaluation
/// y = x (Srivastava et al. 2014, in the inverted form of PyTorch and Keras: the paper scales in evaluation instead).
///
/// The mask is a function of the pass's key and a number's place, so that it is the same in every pass of a step, and
/// nothing is kept for the way back. A dropped number is 0 whatever it was, even NaN.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    /// The shape of a row.
    pub shape: Shape,
    /// p, in [0, 1).
    pub rate: f64,
}

impl Dropout {
    /// The mask of a pass; `None` if nothing is dropped.
    fn mask<T: Math>(self, mode: Mode) -> Option<(Bits, T)> {
        let key = mode.key().filter(|_| self.rate > 0.0)?;
        Some((Bits::new(key, self.rate), T::from_f64(1.0 / (1.0 - self.rate))))
    }

    /// `to` ← the masked `from`; empty if it is in `to` already. The rows begin with the batch's `first`.
    fn apply<T: Math>(self, first: usize, from: &[T], to: &mut [T], mode: Mode) {
        if !from.is_empty() {
            to.copy_from_slice(from);
        }
        if let Some((bits, kept)) = self.mask(mode) {
            dispatch(Mask { bits, kept, first: first * self.shape.len(), values: to });
        }
    }
}

impl<T: Math> Layer<T> for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn in_place(&self) -> bool {
        true
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Either]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        self.apply(pass.piece.first, pass.x, pass.y, pass.mode);
    }

    fn backward(&self, pass: Backward<'_, T>) {
        match pass.dx {
            Some([]) => self.apply(pass.piece.first, &[], pass.dy, pass.mode),
            Some(dx) => self.apply(pass.piece.first, pass.dy, dx, pass.mode),
            None => {}
        }
    }
}

/// Sets what is dropped to 0 and multiplies the rest.
pub(super) struct Mask<'a, T> {
    pub(super) bits: Bits,
    /// 1/(1 − p).
    pub(super) kept: T,
    /// The place of the first value.
    pub(super) first: usize,
    pub(super) values: &'a mut [T],
}

impl<T: Math> Kernel for Mask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (index, value) in self.values.iter_mut().enumerate() {
            let scaled = *value * self.kept;
            *value = if self.bits.drops(self.first + index) { T::ZERO } else { scaled };
        }
    }
}
