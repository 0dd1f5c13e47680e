//! Manifold mixup.

use thalweg_optim::Range;

use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::Partners;
use crate::nn::LayerSpec;
use crate::nn::mix_point::MixPointSpec;
use crate::nn::mixing::{Mixing, mixing};

/// Mixup of what goes on within the network: in each step at one of several places, the input and behind each layer of the
/// list that ends in an activation or is a residual block, each as often (Verma et al. 2019). The targets are mixed by the
/// same λ from Beta(α, α) as the rows. Where a batch is cut into shards, each part mixes its own rows.
pub(crate) struct ManifoldMixup;

/// Whether rows can be mixed behind this layer.
fn ends_a_stage(layer: &LayerSpec) -> bool {
    matches!(layer, LayerSpec::Activation(_) | LayerSpec::Residual(_))
}

impl Technique for ManifoldMixup {
    fn info(&self) -> &Info {
        &Info {
            name: "manifold-mixup",
            family: Family::Labels,
            summary: "mixes two rows at a random depth of the network, and their targets",
            formula: "h ← λh + (1 − λ)h′ at one of the places, y ← λy + (1 − λ)y′, λ from Beta(α, α)",
            source: "Verma et al. 2019",
            settings: &[Setting { key: "alpha", symbol: "α", range: Range::POSITIVE, default: 1.0 }],
            strengths: &[0.2, 1.0, 2.0],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if !site.layers.iter().any(ends_a_stage) {
            return Err("the network has no hidden layer to mix in: use mixup".to_owned());
        }
        site.want_two_rows("it mixes rows of a step")
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        let points = 1 + layers.iter().filter(|layer| ends_a_stage(layer)).count();
        let mut next = 0;
        let mut mix_point = || {
            next += 1;
            LayerSpec::MixPoint(MixPointSpec { alpha: values[0], point: next - 1, points })
        };
        let mut rewritten = vec![mix_point()];
        for layer in layers {
            let ends = ends_a_stage(&layer);
            rewritten.push(layer);
            if ends {
                rewritten.push(mix_point());
            }
        }
        rewritten
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let (alpha, shards) = (values[0], scene.shards);
        Some(Box::new(Targets { alpha, shards, values: vec![0.0; scene.batch] }))
    }
}

/// Mixes the targets as the network's mix points mix the rows.
#[derive(Debug)]
struct Targets {
    alpha: f64,
    shards: usize,
    values: Vec<f32>,
}

impl Alter for Targets {
    fn alter(&mut self, batch: &mut Batch<'_>, _key: u64) {
        let rows = batch.rows.len();
        for part in 0..self.shards {
            // As `ShardedObjective` cuts a batch.
            let part = rows * part / self.shards..rows * (part + 1) / self.shards;
            if part.len() >= 2 {
                let Mixing { share, shift, .. } = mixing(batch.step_key, self.alpha, part.len(), 1);
                Partners { share, shift }.mix_targets(batch, part, &mut self.values);
            }
        }
    }

    fn mixes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Architecture};

    #[test]
    fn places_are_the_input_and_the_ends_of_the_stages() {
        let layers = ManifoldMixup.layers(&[2.0], Architecture::Mlp.layers(&[4, 3], Activation::Relu));
        let names: Vec<_> = layers.iter().map(LayerSpec::name).collect();
        assert_eq!(names.join(" "), "mix-point dense activation mix-point dense activation mix-point");
        let points = layers.iter().filter_map(|layer| match layer {
            LayerSpec::MixPoint(spec) => Some((spec.point, spec.points)),
            _ => None,
        });
        assert_eq!(points.collect::<Vec<_>>(), [(0, 3), (1, 3), (2, 3)]);
    }
}
