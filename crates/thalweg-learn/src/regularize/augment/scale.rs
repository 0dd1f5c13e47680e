//! Larger and smaller images.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::{Affine, Warp};

/// Makes each image (1 + s)ᵘ times as large, with u from [−1, 1): as often larger as smaller.
pub(crate) struct Scale;

impl Technique for Scale {
    fn info(&self) -> &Info {
        &Info {
            name: "scale",
            family: Family::Augmentation,
            summary: "makes images larger or smaller by a random factor",
            formula: "a factor of (1 + s)ᵘ, u from [−1, 1)",
            source: "Simard et al. 2003",
            settings: &[Setting { key: "share", symbol: "s", range: Range::NON_NEGATIVE, default: 0.1 }],
            strengths: &[0.05, 0.1, 0.25],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn warp(&self) -> Option<Warp> {
        Some(|values, draws| Affine::scale(libm::pow(1.0 + values[0], draws.between(-1.0, 1.0))))
    }
}
