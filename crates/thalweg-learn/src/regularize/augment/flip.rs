//! Mirror images.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_TABLES;
use super::affine::{Affine, Warp};

/// Swaps left and right with probability p, top and bottom with probability v. Not for what a mirror changes, such as
/// digits and letters.
pub(crate) struct Flip;

impl Technique for Flip {
    fn info(&self) -> &Info {
        &Info {
            name: "flip",
            family: Family::Augmentation,
            summary: "mirrors images, horizontally and if wanted vertically; not for digits and letters",
            formula: "left ↔ right with probability p, top ↔ bottom with probability v",
            source: "Krizhevsky et al. 2012",
            settings: &[
                Setting { key: "chance", symbol: "p", range: Range::SHARE, default: 0.5 },
                Setting { key: "vertical", symbol: "v", range: Range::SHARE, default: 0.0 },
            ],
            strengths: &[0.5],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_images(FOR_TABLES)
    }

    fn warp(&self) -> Option<Warp> {
        Some(|values, draws| {
            let (mirror, vertical) = (draws.chance(values[0]), draws.chance(values[1]));
            let sideways = if mirror { Affine::mirror() } else { Affine::IDENTITY };
            if vertical { sideways.then(Affine::upside_down()) } else { sideways }
        })
    }
}
