//! Stochastic depth.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::walk::rewrite;
use crate::nn::LayerSpec;

/// Leaves the body of the l-th of L residual blocks out with probability p·l/L in training, for each row on its own, and
/// divides what stays by 1 − p·l/L: the linear decay of survival of Huang et al. 2016, who scale in evaluation instead.
/// Blocks that have a probability of their own keep it.
pub(crate) struct StochasticDepth;

fn is_block(layer: &LayerSpec) -> bool {
    matches!(layer, LayerSpec::Residual(_))
}

impl Technique for StochasticDepth {
    fn info(&self) -> &Info {
        &Info {
            name: "stochastic-depth",
            family: Family::Dropout,
            summary: "leaves whole residual blocks out at random, the deeper the more often",
            formula: "the l-th of L blocks is left out with probability p·l/L",
            source: "Huang et al. 2016",
            settings: &[Setting { key: "rate", symbol: "p", range: Range::DECAY, default: 0.2 }],
            strengths: &[0.1, 0.2, 0.5],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if site.layers.iter().any(is_block) {
            return Ok(());
        }
        let (what, which) = if site.has_images() {
            ("resnet8", "resnet20")
        } else {
            ("resmlp", "layers of your own with them")
        };
        Err(format!("the network has no residual blocks: use network = \"{what}\" or {which}, or dropout"))
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        let blocks = layers.iter().filter(|layer| is_block(layer)).count().max(1) as f64;
        let mut place = 0.0;
        rewrite(layers, &mut |mut layer, _, out| {
            if let LayerSpec::Residual(block) = &mut layer {
                place += 1.0;
                if block.stochastic_depth == 0.0 {
                    // Blocks within blocks have the probability of the deepest.
                    block.stochastic_depth = values[0] * f64::min(place / blocks, 1.0);
                }
            }
            out.push(layer);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Architecture};

    #[test]
    fn it_grows_with_depth() {
        let layers = Architecture::Resnet20.layers(&[], Activation::Relu);
        let rewritten = StochasticDepth.layers(&[0.45], layers);
        let drops = rewritten.iter().filter_map(|layer| match layer {
            LayerSpec::Residual(block) => Some(block.stochastic_depth),
            _ => None,
        });
        for (place, drop) in (1..=9).zip(drops) {
            assert!((drop - 0.05 * f64::from(place)).abs() < 1e-12, "{place}: {drop}");
        }
    }
}
