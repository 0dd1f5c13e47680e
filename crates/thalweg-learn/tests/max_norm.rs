//! The max-norm constraint on layers: which weights lead to a unit.

use thalweg_learn::nn::{Init, LayerSpec, Network, Shape};
use thalweg_optim::{Block, OptimizerSpec, Role};

/// The network's blocks and W after a step that moves nothing, from 2·sin(0.37 i + 0.3), under a ball of 1.5.
fn bounded(layers: &str, input: Shape, outputs: usize) -> (Vec<Block>, Vec<f32>, Vec<f32>) {
    let specs: Vec<LayerSpec> = serde_json::from_str(layers).expect("layers");
    let network = Network::<f32>::build(&specs, input, outputs, Init::Auto).expect("layers that fit");
    let wrapper = "max-norm=1.5".parse().expect("a wrapper");
    let spec = OptimizerSpec::named("sgd").wrapped(wrapper);
    let mut optimizer = spec.build::<f32>(network.layout()).expect("valid");
    let start: Vec<f32> =
        (0..network.layout().len()).map(|i| (2.0 * (0.37 * i as f64 + 0.3).sin()) as f32).collect();
    let mut w = start.clone();
    optimizer.step_with(&mut w, &vec![0.0; start.len()], 1.0).expect("given gradients");
    (network.layout().blocks().to_vec(), start, w)
}

/// Each unit by itself: place i of a block belongs to unit `unit(i)`.
fn by_hand(w: &[f32], unit: impl Fn(usize) -> usize) -> Vec<f64> {
    let length = |of: usize| {
        let own = w.iter().enumerate().filter(|(i, _)| unit(*i) == of);
        own.map(|(_, &w)| f64::from(w).powi(2)).sum::<f64>().sqrt()
    };
    w.iter().enumerate().map(|(i, &w)| f64::from(w) * (1.5 / length(unit(i))).min(1.0)).collect()
}

fn close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let far = found.iter().zip(expected).map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
    assert!(far < tolerance, "{what}: {found:?} for {expected:?}");
}

#[test]
fn a_unit_is_a_column_a_filter_or_a_code() {
    let image = r#"[{"layer":"conv2d","filters":6,"kernel":3},{"layer":"conv2d","filters":4,"kernel":2,"groups":2},
        {"layer":"conv2d","filters":8,"groups":4},{"layer":"batch-norm"},"relu",
        {"layer":"drop-connect","inner":{"layer":"conv2d","filters":3,"kernel":1}},
        {"layer":"residual","body":[{"layer":"conv2d","filters":3}]},"flatten","layer-norm",{"layer":"dense","units":5}]"#;
    let flat = r#"[{"layer":"embedding","codes":[4,3],"width":3},{"layer":"dense","units":5},"relu"]"#;
    let (mut shrunk, mut tables) = (0, 0);
    for (layers, input) in [(image, Shape::image(5, 4, 2)), (flat, Shape::Flat(4))] {
        let (blocks, start, w) = bounded(layers, input, 3);
        for block in blocks {
            let (before, after) = (&start[block.range.clone()], &w[block.range.clone()]);
            if block.role != Role::Weight {
                assert_eq!(before, after, "{}", block.name);
                continue;
            }
            // Everywhere the last axis is what a weight leads to; but a code's vector is a row.
            let units = *block.shape.last().expect("an axis");
            let table = block.name.contains("embedding");
            let unit = |i: usize| if table { i / units } else { i % units };
            close(&block.name, after, &by_hand(before, unit), 1e-6);
            shrunk += usize::from(before != after);
            tables += usize::from(table);
        }
    }
    assert!(shrunk >= 9 && tables == 2, "{shrunk} blocks were shrunk, {tables} tables");
}

#[test]
fn it_is_keras_s_with_the_axes_of_the_inputs() {
    // Keras 3, `MaxNorm(1.5, axis)` on the same numbers: of a convolution [2, 2, 1, 2] with axis [0, 1, 2], of an
    // embedding [2, 3] with axis 1, of the dense weight [3, 2] behind it with axis 0.
    let (_, _, w) = bounded(
        r#"[{"layer":"conv2d","filters":2,"kernel":2,"bias":false},"flatten"]"#,
        Shape::image(2, 2, 1),
        1,
    );
    let filters = [0.30394, 0.63939, 0.88698, 1.01635, 1.00607, 0.8617, 0.59892, 0.25632];
    close("convolution", &w[..8], &filters, 2e-5);
    let (_, _, w) = bounded(r#"[{"layer":"embedding","codes":[2],"width":3}]"#, Shape::Flat(1), 2);
    close("embedding", &w[..6], &[0.40187, 0.84447, 1.17276, 0.91272, 0.90449, 0.77384], 2e-5);
    close("dense", &w[6..12], &[0.90782, 0.34531, -0.18416, -0.65085, -1.17981, -1.30658], 2e-5);
}
