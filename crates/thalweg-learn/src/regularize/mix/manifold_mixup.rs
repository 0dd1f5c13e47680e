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

/// Where rows can be mixed: the input is one of the places.
fn places(layers: &[LayerSpec]) -> usize {
    1 + layers.iter().filter(|layer| ends_a_stage(layer)).count()
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
        site.want_no_codes()?;
        site.want_two_rows("it mixes rows of a step")
    }

    fn layers(&self, values: &[f64], layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
        let points = places(&layers);
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
        let (alpha, shards, points) = (values[0], scene.shards, places(scene.layers));
        Some(Box::new(Targets { alpha, shards, points, values: vec![0.0; scene.batch] }))
    }
}

/// Mixes the targets as the network's mix points mix the rows.
#[derive(Debug)]
struct Targets {
    alpha: f64,
    shards: usize,
    points: usize,
    values: Vec<f32>,
}

impl Alter for Targets {
    fn alter(&mut self, batch: &mut Batch<'_>, _key: u64) {
        let rows = batch.rows.len();
        for part in 0..self.shards {
            // As `ShardedObjective` cuts a batch.
            let part = rows * part / self.shards..rows * (part + 1) / self.shards;
            if part.len() >= 2 {
                let Mixing { share, shift, .. } = mixing(batch.step_key, self.alpha, part.len(), self.points);
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
    use super::super::super::finds::Finds;
    use super::*;
    use crate::nn::{Activation, Architecture, Shape, Targets};
    use crate::train::Samples;

    #[test]
    fn targets_are_mixed_as_the_layers_mix_rows() {
        let layers = Architecture::Mlp.layers(&[4, 3], Activation::Relu);
        let codes: Vec<u32> = (0..7).collect();
        let (numbers, x) = ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0; 7]);
        for (shards, ends) in [(1, &[0, 7][..]), (2, &[0, 3, 7])] {
            let train = Samples { shape: Shape::Flat(1), x: &x, targets: Targets::Classes(&codes) };
            let scene = Scene { train, batch: 7, shards, layers: &layers, key: 1, finds: &Finds::default() };
            let mut alter = ManifoldMixup.alter(&[0.7], &scene).unwrap();
            for step_key in 0..30 {
                let (mut classes, mut second, mut values) = (codes.clone(), codes.clone(), numbers);
                let mut batch = Batch {
                    train,
                    rows: &codes,
                    x: &mut x.clone(),
                    classes: &mut classes,
                    values: &mut values,
                    second: &mut second,
                    share: &mut [1.0; 7],
                    step_key,
                };
                alter.alter(&mut batch, 0);
                for part in ends.windows(2).map(|ends| ends[0]..ends[1]) {
                    let Mixing { share, shift, .. } = mixing(step_key, 0.7, part.len(), 3);
                    for row in part.clone() {
                        let other = part.start + (row - part.start + shift) % part.len();
                        assert_eq!(batch.second[row], codes[other]);
                        assert_eq!(batch.share[row], share as f32);
                        let mixed = share * row as f64 + (1.0 - share) * other as f64;
                        assert!((f64::from(batch.values[row]) - mixed).abs() < 1e-5);
                    }
                }
            }
        }
    }

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
