//! Dropout of whole channels where images are activated.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::walk::rewrite;
use crate::nn::LayerSpec;
use crate::nn::spatial_dropout::SpatialDropoutSpec;

/// Puts spatial dropout behind each activation of an image, those within residual blocks included (Tompson et al. 2015).
pub(crate) struct SpatialDropout;

impl Technique for SpatialDropout {
    fn info(&self) -> &Info {
        &Info {
            name: "spatial-dropout",
            family: Family::Dropout,
            summary: "leaves whole channels of hidden images out at random and scales the others up",
            formula: "as dropout, one m for each row and channel, behind each activation of an image",
            source: "Tompson et al. 2015",
            settings: &[Setting { key: "rate", symbol: "p", range: Range::DECAY, default: 0.1 }],
            strengths: &[0.05, 0.1, 0.2],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if self.layers(values, site.layers.to_vec()) != site.layers {
            return Ok(());
        }
        Err("the network has no hidden images: use dropout, or a network of convolutions such as \"lenet\""
            .to_owned())
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        rewrite(layers, &mut |layer, place, out| {
            let activated = matches!(layer, LayerSpec::Activation(_));
            out.push(layer);
            if activated && place.image {
                out.push(LayerSpec::SpatialDropout(SpatialDropoutSpec { rate: values[0] }));
            }
        })
    }
}
