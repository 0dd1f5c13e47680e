//! Turned images.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::{Affine, Warp};

/// Turns each image about its middle by an angle from [−a, a), in degrees.
pub(crate) struct Rotation;

impl Technique for Rotation {
    fn info(&self) -> &Info {
        const ANGLE: Range = Range::between(0.0, 180.0);
        &Info {
            name: "rotation",
            family: Family::Augmentation,
            summary: "turns images by a random angle",
            formula: "an angle from [−a°, a°)",
            source: "Simard et al. 2003",
            settings: &[Setting { key: "degrees", symbol: "a", range: ANGLE, default: 10.0 }],
            strengths: &[5.0, 10.0, 20.0],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn warp(&self) -> Option<Warp> {
        Some(|values, draws| Affine::rotation(draws.between(-values[0], values[0])))
    }
}
