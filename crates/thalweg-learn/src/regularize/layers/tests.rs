//! Where techniques put their layers.

use super::super::{RegularizeSpec, Site};
use crate::nn::{Activation, Architecture, Loss, Shape};

/// A word a layer, those of residual blocks in brackets.
fn rewritten(spec: &str, architecture: Architecture) -> String {
    let spec: RegularizeSpec = spec.parse().unwrap();
    names(&spec.layers(architecture.layers(&[4], Activation::Relu)))
}

fn names(layers: &[crate::nn::LayerSpec]) -> String {
    let name = |layer: &crate::nn::LayerSpec| match layer {
        crate::nn::LayerSpec::Residual(block) => format!("[{}]", names(&block.body)),
        layer => layer.name().to_owned(),
    };
    layers.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn dropout_follows_activated_numbers_and_channels_activated_images() {
    assert_eq!(rewritten("dropout", Architecture::Mlp), "dense activation dropout");
    assert_eq!(
        rewritten("dropout", Architecture::Resmlp),
        "dense [batch-norm dense activation dropout dense] batch-norm activation dropout"
    );
    assert_eq!(
        rewritten("dropout,spatial-dropout", Architecture::Lenet),
        "conv2d activation spatial-dropout max-pool2d conv2d activation spatial-dropout max-pool2d flatten dense \
         activation dropout"
    );
    let block = "[conv2d batch-norm activation spatial-dropout conv2d batch-norm] activation spatial-dropout";
    assert_eq!(
        rewritten("dropout,spatial-dropout", Architecture::Resnet8),
        format!(
            "conv2d batch-norm activation spatial-dropout {block} {block} {block} global-avg-pool dropout"
        )
    );
}

#[test]
fn weights_are_dropped_in_hidden_dense_layers() {
    assert_eq!(rewritten("drop-connect", Architecture::Mlp), "drop-connect activation");
    assert_eq!(
        rewritten("batch-norm,drop-connect,dropout", Architecture::Mlp),
        "drop-connect batch-norm activation dropout"
    );
    assert!(!rewritten("drop-connect", Architecture::Resnet8).contains("drop-connect"));
}

#[test]
fn a_network_without_a_place_for_them_is_told_what_else_there_is() {
    let refused = |spec: &str, architecture: Architecture, input| {
        let (layers, loss) = (architecture.layers(&[4], Activation::Relu), Loss::CrossEntropy);
        let spec: RegularizeSpec = spec.parse().unwrap();
        spec.check(&Site { input, loss, layers: &layers, batch: 8 }).err().map(|error| error.to_string())
    };
    let (table, image) = (Shape::Flat(5), Shape::image(8, 8, 1));
    assert!(
        refused("dropout", Architecture::Linear, table).is_some_and(|text| text.contains("feature-mask"))
    );
    assert!(
        refused("spatial-dropout", Architecture::Mlp, table).is_some_and(|text| text.contains("use dropout"))
    );
    assert!(
        refused("drop-connect", Architecture::Resnet8, image)
            .is_some_and(|text| text.contains("weight-noise"))
    );
    assert!(
        refused("stochastic-depth", Architecture::Lenet, image).is_some_and(|text| text.contains("resnet8"))
    );
    assert!(
        refused("manifold-mixup", Architecture::Linear, table).is_some_and(|text| text.contains("use mixup"))
    );
    for spec in ["dropout", "drop-connect", "batch-norm", "manifold-mixup"] {
        assert_eq!(refused(spec, Architecture::Mlp, table), None);
    }
    assert_eq!(refused("spatial-dropout", Architecture::Lenet, image), None);
}
