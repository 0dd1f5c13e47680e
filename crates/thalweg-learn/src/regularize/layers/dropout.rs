//! Dropout where plain numbers are activated.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::walk::rewrite;
use crate::nn::LayerSpec;
use crate::nn::dropout::DropoutSpec;

/// Puts dropout behind each hidden activation of plain numbers, the one before the output included (Srivastava et al.
/// 2014); and, since convolutions share their weights and pixels their neighbours' news, not behind those of images: there
/// it stands once, behind the global average before the output (as in EfficientNet, Tan & Le 2019), and
/// [`SpatialDropout`](super::spatial_dropout::SpatialDropout) does the rest. It never follows the output.
pub(crate) struct Dropout;

impl Technique for Dropout {
    fn info(&self) -> &Info {
        &Info {
            name: "dropout",
            family: Family::Dropout,
            summary: "leaves hidden numbers out at random and scales the others up",
            formula: "y = x·m/(1 − p), m = 0 with probability p, behind each hidden activation",
            source: "Srivastava et al. 2014",
            settings: &[Setting { key: "rate", symbol: "p", range: Range::DECAY, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.5],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if self.layers(values, site.layers.to_vec()) != site.layers {
            return Ok(());
        }
        Err("the network has no hidden activation of plain numbers: give it hidden layers, or use feature-mask for a \
             table and spatial-dropout for images"
            .to_owned())
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        rewrite(layers, &mut |layer, place, out| {
            let activated = matches!(layer, LayerSpec::Activation(_)) && !place.image;
            let drops =
                activated || matches!(layer, LayerSpec::GlobalAvgPool(_) | LayerSpec::GlobalMaxPool(_));
            out.push(layer);
            if drops {
                out.push(LayerSpec::Dropout(DropoutSpec { rate: values[0] }));
            }
        })
    }
}
