//! From an image to plain numbers, which stay where they are.

use serde::{Deserialize, Serialize};

use super::layer::{Backward, Forward, Layer, Pace};
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
        Ok(Unchanged::boxed("flatten", Shape::Flat(site.input.len())))
    }
}

/// The numbers stay where they are; only what they mean may be another.
///
/// Flattened, an image is `[height, width, channels]`, row-major (Keras's order; PyTorch flattens
/// `[channels, height, width]`, so the weights of the dense layer behind it lie in another order there).
#[derive(Debug, Clone, Copy)]
pub struct Unchanged {
    name: &'static str,
    output: Shape,
}

impl Unchanged {
    pub(super) fn boxed<T: Math>(name: &'static str, output: Shape) -> Box<dyn Layer<T>> {
        Box::new(Self { name, output })
    }
}

impl<T: Math> Layer<T> for Unchanged {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self) -> Shape {
        self.output
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

    fn reads_input(&self) -> bool {
        false
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Either]
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
