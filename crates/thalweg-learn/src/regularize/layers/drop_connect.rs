//! DropConnect in the hidden dense layers.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::walk::rewrite;
use crate::nn::LayerSpec;
use crate::nn::drop_connect::DropConnectSpec;

/// Leaves weights of each hidden dense layer out at random, one mask a step (Wan et al. 2013). The output keeps its own,
/// convolutions, too.
pub(crate) struct DropConnect;

impl Technique for DropConnect {
    fn info(&self) -> &Info {
        &Info {
            name: "drop-connect",
            family: Family::Dropout,
            summary: "leaves weights of the hidden dense layers out at random and scales the others up",
            formula: "W ← W∘M/(1 − p) within a step, Mᵢⱼ = 0 with probability p",
            source: "Wan et al. 2013",
            settings: &[Setting { key: "rate", symbol: "p", range: Range::DECAY, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.5],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if self.layers(values, site.layers.to_vec()) != site.layers {
            return Ok(());
        }
        Err("the network has no hidden dense layer: give it one, or use dropout or weight-noise".to_owned())
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        rewrite(layers, &mut |layer, _, out| {
            out.push(match layer {
                LayerSpec::Dense(_) => {
                    LayerSpec::DropConnect(DropConnectSpec { rate: values[0], inner: Box::new(layer) })
                }
                layer => layer,
            });
        })
    }
}
