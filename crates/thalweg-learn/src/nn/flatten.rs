//! From an image to plain numbers.

use serde::{Deserialize, Serialize};

use super::layer::{Backward, Forward, Layer};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// The settings of `flatten`: there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenSpec {}

impl Kind for FlattenSpec {
    const SUMMARY: &'static str = "an image's numbers in a row, as they lie: rows, columns, channels";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        Ok(Box::new(Flatten { len: site.input.len() }))
    }
}

/// The numbers stay where they are: `[height, width, channels]`, row-major (Keras's order; PyTorch flattens
/// `[channels, height, width]`, so the weights of the dense layer behind it lie in another order there).
#[derive(Debug, Clone, Copy)]
pub struct Flatten {
    /// Numbers in a sample.
    pub len: usize,
}

impl<T: Math> Layer<T> for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn output(&self) -> Shape {
        Shape::Flat(self.len)
    }

    fn in_place(&self) -> bool {
        true
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn spoils_gradient(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_, T>) {
        if !pass.x.is_empty() {
            pass.y.copy_from_slice(pass.x);
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        if let Some(dx) = pass.dx.filter(|dx| !dx.is_empty()) {
            dx.copy_from_slice(pass.dy);
        }
    }
}
