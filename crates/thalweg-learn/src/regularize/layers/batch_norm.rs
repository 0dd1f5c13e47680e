//! Batch normalization where a network has none.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::walk::rewrite;
use crate::nn::LayerSpec;
use crate::nn::norm::batch::BatchNormSpec;

/// Puts batch normalization between each layer with weights and the activation right behind it (Ioffe & Szegedy 2015).
///
/// A network's own normalization stays as it is. The bias before it stays, too: it is taken away again by the
/// normalization, and weighs nothing. With ghost batches (Hoffer et al. 2017), parts of a batch of about so many rows are
/// normalized each by itself; 0 takes all rows together.
pub(crate) struct BatchNorm;

impl Technique for BatchNorm {
    fn info(&self) -> &Info {
        const NONE_OR_TWO: Range = Range::at_least(0.0).whole();
        &Info {
            name: "batch-norm",
            family: Family::Normalization,
            summary: "normalizes what goes into each hidden activation over the batch, or over ghost batches",
            formula: "γ·(x − μ)/√(σ² + ε) + β over each r rows of the batch (0: all)",
            source: "Ioffe & Szegedy 2015; Hoffer et al. 2017",
            settings: &[Setting { key: "ghost", symbol: "r", range: NONE_OR_TWO, default: 0.0 }],
            strengths: &[0.0, 16.0],
        }
    }

    fn applies(&self, values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if values[0] == 1.0 {
            return Err(
                "ghost = 1: one row has no variance; give 0 for the whole batch, or 2 and more".to_owned()
            );
        }
        site.want_two_rows("it normalizes over the rows of a step")?;
        if self.layers(values, site.layers.to_vec()) == site.layers {
            return Err(
                "no activation stands right behind weights: either there is no hidden layer, or each is normalized \
                 already"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        let ghost = Some(values[0] as usize).filter(|&rows| rows > 0);
        rewrite(layers, &mut |layer, place, out| {
            let weights =
                matches!(layer, LayerSpec::Dense(_) | LayerSpec::Conv2d(_) | LayerSpec::DropConnect(_));
            out.push(layer);
            if weights && place.before_activation {
                out.push(LayerSpec::BatchNorm(BatchNormSpec { ghost, ..BatchNormSpec::default() }));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Architecture};

    fn names(architecture: Architecture, ghost: f64) -> Vec<&'static str> {
        let layers = BatchNorm.layers(&[ghost], architecture.layers(&[4], Activation::Relu));
        layers.iter().map(LayerSpec::name).collect()
    }

    #[test]
    fn it_stands_between_weights_and_activation_where_none_is() {
        assert_eq!(names(Architecture::Mlp, 0.0), ["dense", "batch-norm", "activation"]);
        let resnet = Architecture::Resnet8.layers(&[], Activation::Relu);
        assert_eq!(BatchNorm.layers(&[0.0], resnet.clone()), resnet);
        let lenet = names(Architecture::Lenet, 0.0);
        assert_eq!(lenet.iter().filter(|name| **name == "batch-norm").count(), 3);
    }

    #[test]
    fn ghost_batches_are_handed_on() {
        let layers = BatchNorm.layers(&[8.0], Architecture::Mlp.layers(&[4], Activation::Relu));
        let ghost = BatchNormSpec { ghost: Some(8), ..BatchNormSpec::default() };
        assert_eq!(layers[1], LayerSpec::BatchNorm(ghost));
    }
}
