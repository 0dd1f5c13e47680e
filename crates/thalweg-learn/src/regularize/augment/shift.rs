//! Moved images.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::{Affine, Warp};

/// Moves each image by a distance from [−d, d) pixels down and another to the right; parts of pixels are interpolated. For
/// whole pixels see [`Crop`](super::crop::Crop).
pub(crate) struct Shift;

impl Technique for Shift {
    fn info(&self) -> &Info {
        &Info {
            name: "shift",
            family: Family::Augmentation,
            summary: "moves images by a random part of some pixels",
            formula: "y, x from [−d, d) pixels",
            source: "LeCun et al. 1998",
            settings: &[Setting { key: "pixels", symbol: "d", range: Range::NON_NEGATIVE, default: 1.0 }],
            strengths: &[0.5, 1.0, 2.0],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)?;
        super::fits(values[0], "pixels", site)
    }

    fn warp(&self) -> Option<Warp> {
        Some(|values, draws| {
            let reach = values[0];
            let (y, x) = (draws.between(-reach, reach), draws.between(-reach, reach));
            Affine::shift(y, x)
        })
    }
}
