//! Slanted images.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::{Affine, Warp};

/// Moves each row of pixels sideways by t times its distance from the middle, with t from [−s, s); and, if wanted, each
/// column up or down likewise.
pub(crate) struct Shear;

impl Technique for Shear {
    fn info(&self) -> &Info {
        // Two slants of 1 would leave a line.
        const SLANT: Range = Range::DECAY;
        &Info {
            name: "shear",
            family: Family::Augmentation,
            summary: "slants images sideways, and if wanted upwards, by a random amount",
            formula: "x ← x + t·y, t from [−s, s); y ← y + u·x, u from [−v, v)",
            source: "Simard et al. 2003",
            settings: &[
                Setting { key: "slant", symbol: "s", range: SLANT, default: 0.1 },
                Setting { key: "vertical", symbol: "v", range: SLANT, default: 0.0 },
            ],
            strengths: &[0.05, 0.1, 0.2],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn warp(&self) -> Option<Warp> {
        Some(|values, draws| {
            let (x, y) = (draws.between(-values[0], values[0]), draws.between(-values[1], values[1]));
            Affine::shear(y, x)
        })
    }
}
