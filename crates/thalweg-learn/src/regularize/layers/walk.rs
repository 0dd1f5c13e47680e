//! Going through a list of layers, those within residual blocks included.

use crate::nn::LayerSpec;

/// What is known where a layer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Whether the layer's output is an image.
    pub(super) image: bool,
    /// Whether an activation follows directly.
    pub(super) before_activation: bool,
}

/// The layers with what `visit` makes of each: itself, and what is to stand around it.
///
/// A list does not say what rows it is for. That it begins with images is seen by its layers: only convolutions, pooling
/// and flattening want them.
pub(super) fn rewrite(
    layers: Vec<LayerSpec>,
    visit: &mut dyn FnMut(LayerSpec, Place, &mut Vec<LayerSpec>),
) -> Vec<LayerSpec> {
    let mut image = wants_images(&layers);
    rewrite_from(layers, &mut image, visit)
}

fn rewrite_from(
    layers: Vec<LayerSpec>,
    image: &mut bool,
    visit: &mut dyn FnMut(LayerSpec, Place, &mut Vec<LayerSpec>),
) -> Vec<LayerSpec> {
    let mut rewritten = Vec::with_capacity(layers.len());
    let mut layers = layers.into_iter().peekable();
    while let Some(mut layer) = layers.next() {
        match &mut layer {
            LayerSpec::Residual(block) => {
                let mut within = *image;
                block.body = rewrite_from(std::mem::take(&mut block.body), &mut within, visit);
                // The shortcut stays as it is: the way on which the signal passes unchanged.
                *image = within;
            }
            LayerSpec::Flatten(_) | LayerSpec::GlobalAvgPool(_) | LayerSpec::GlobalMaxPool(_) => {
                *image = false
            }
            _ => {}
        }
        let before_activation = matches!(layers.peek(), Some(LayerSpec::Activation(_)));
        visit(layer, Place { image: *image, before_activation }, &mut rewritten);
    }
    rewritten
}

fn wants_images(layers: &[LayerSpec]) -> bool {
    layers.iter().any(|layer| match layer {
        LayerSpec::Conv2d(_)
        | LayerSpec::MaxPool2d(_)
        | LayerSpec::AvgPool2d(_)
        | LayerSpec::GlobalAvgPool(_)
        | LayerSpec::GlobalMaxPool(_)
        | LayerSpec::Flatten(_) => true,
        LayerSpec::Residual(block) => wants_images(&block.body),
        LayerSpec::DropConnect(around) => wants_images(std::slice::from_ref(&around.inner)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Architecture};

    /// A letter a layer: capital if its output is an image.
    fn seen(architecture: Architecture) -> String {
        let mut seen = String::new();
        rewrite(architecture.layers(&[4], Activation::Relu), &mut |layer, place, out| {
            let letter = layer.name().chars().next().unwrap_or('?');
            seen.extend(if place.image { letter.to_uppercase().collect() } else { vec![letter] });
            if place.before_activation {
                seen.push('·');
            }
            out.push(layer);
        });
        seen
    }

    #[test]
    fn images_end_where_they_are_flattened_or_averaged() {
        assert_eq!(seen(Architecture::Mlp), "d·a");
        assert_eq!(seen(Architecture::Lenet), "C·AMC·AMfd·a");
        assert_eq!(seen(Architecture::Resmlp), "dbd·adrb·a");
        // The body comes before its block.
        assert_eq!(seen(Architecture::Resnet8), "CB·ACB·ACBR·ACB·ACBR·ACB·ACBR·Ag");
    }
}
