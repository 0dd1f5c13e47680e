//! A batch goes through layers in pieces: what comes out does not depend on how many.

use thalweg_learn::nn::{Layer, LayerSpec, Mode, Pace, Shape};

use crate::conformance::EXAMPLES;
use crate::run::{Run, wave};

/// All that a pass there and back computes.
fn results(specs: &[LayerSpec], input: Shape, x: &[f64], at_once: usize, mode: Mode) -> [Vec<f64>; 4] {
    let mut run = Run::<f64>::new(specs, input, x.len() / input.len());
    run.at_once = at_once;
    let y = run.forward(x, mode).to_vec();
    run.backward(x, &wave(y.len()), mode);
    if mode != Mode::Evaluate {
        run.update_buffers();
    }
    [y, run.dw, run.dx, run.buffers]
}

/// Pieces of 1 row to all, in training, measuring and evaluation. Sums over a batch are added in another order.
fn check(what: &str, specs: &[LayerSpec], input: Shape, x: &[f64]) {
    let normalizes = format!("{specs:?}").contains("BatchNorm");
    for mode in [Mode::step(3, 5), Mode::Measure, Mode::Evaluate] {
        let whole = results(specs, input, x, usize::MAX, mode);
        for at_once in 1..x.len() / input.len() {
            let pieces = results(specs, input, x, at_once, mode);
            if !normalizes {
                assert_eq!(pieces, whole, "{what}: {at_once} at once, {mode:?}");
            }
            for (here, there) in pieces.iter().flatten().zip(whole.iter().flatten()) {
                let close = (here - there).abs() <= 1e-10 * there.abs().max(1.0);
                assert!(close, "{what}: {here} for {there}, {at_once} at once, {mode:?}");
            }
        }
    }
}

#[test]
fn every_layer_gives_the_same_in_pieces() {
    for example in EXAMPLES {
        check(example.name, &[example.spec()], example.shape(), &example.rows(5));
    }
}

#[test]
fn every_network_gives_the_same_in_pieces() {
    let conv = r#"{"layer":"conv2d","filters":3}"#;
    let wide = r#"{"layer":"conv2d","filters":16}"#;
    let half = r#"{"layer":"conv2d","filters":3,"kernel":1,"stride":2,"bias":false}"#;
    let ghost = r#"{"layer":"batch-norm","ghost":2}"#;
    let dense = r#"{"layer":"dense","units":4}"#;
    let halves =
        format!(r#"[{{"layer":"conv2d","filters":3,"stride":2}},"batch-norm","relu",{conv},"batch-norm"]"#);
    for list in [
        // Maps that are not kept: pooled at once, or normalized again.
        format!(r#"[{conv},"relu","max-pool2d","flatten",{dense}]"#),
        format!(r#"[{conv},"max-pool2d","max-pool2d","tanh",{conv}]"#),
        // Whole registers of channels and filters: the weights' gradient is finished behind the last piece.
        format!(r#"[{wide},"relu",{wide},"max-pool2d",{wide},"flatten",{dense}]"#),
        format!(r#"[{conv},"batch-norm",{conv},"avg-pool2d",{conv}]"#),
        format!(r#"[{conv},"batch-norm","relu",{conv},"batch-norm","batch-norm","relu",{conv}]"#),
        format!(r#"["batch-norm",{conv},{ghost},"relu",{conv},"layer-norm","global-max-pool",{dense}]"#),
        // Phases of both kinds, in turn.
        format!(r#"[{conv},"mix-point","batch-norm",{conv},"dropout","gelu","spatial-dropout",{conv}]"#),
        format!(r#"[{conv},"relu","mix-point","relu","flatten",{dense},"batch-norm","relu",{dense}]"#),
        // Ways of as many phases, of fewer and of more than the other; with outputs that are read again, and gates.
        format!(r#"[{{"layer":"residual","body":{halves},"shortcut":[{half},"batch-norm"]}},"relu",{conv}]"#),
        format!(r#"[{{"layer":"residual","body":{halves},"shortcut":[{half}]}},"max-pool2d"]"#),
        format!(
            r#"[{{"layer":"residual","body":[{conv},"relu"],"shortcut":["batch-norm",{conv},"batch-norm","tanh"]}},"sigmoid"]"#
        ),
        format!(
            r#"[{conv},{{"layer":"residual","body":[{conv},"batch-norm","relu"],"stochastic-depth":0.5}},{conv}]"#
        ),
        format!(
            r#"[{conv},{{"layer":"residual","body":["mix-point"],"shortcut":[{conv},"relu","mix-point","relu"]}},"tanh"]"#
        ),
        format!(
            r#"[{{"layer":"residual","body":[{{"layer":"residual","body":[{conv},{ghost}],"shortcut":[{conv},"elu"]}}],"shortcut":[{conv}]}}]"#
        ),
    ] {
        let specs: Vec<LayerSpec> = serde_json::from_str(&list).expect("a list of layers");
        let input = Shape::image(6, 6, 2);
        check(&list, &specs, input, &wave(5 * input.len()));
    }
}

#[test]
fn layers_are_one_phase_until_a_sum_over_the_batch() {
    let phases = |list: &str| Run::<f64>::json(list, Shape::image(4, 4, 1), 1).layers.phases().to_vec();
    let conv = r#"{"layer":"conv2d","filters":2}"#;
    let dense = r#"{"layer":"dense","units":2}"#;
    let lenet = format!(r#"[{conv},"relu","max-pool2d","flatten",{dense},"relu",{dense}]"#);
    assert_eq!(phases(&lenet), [Pace::Pieces, Pace::Whole]);
    let block = format!(r#"{{"layer":"residual","body":[{conv},"batch-norm","relu",{conv},"batch-norm"]}}"#);
    let resnet =
        format!(r#"[{conv},"batch-norm","relu",{block},"relu",{block},"relu","global-avg-pool",{dense}]"#);
    assert_eq!(phases(&resnet), [[Pace::Pieces; 6].as_slice(), &[Pace::Whole]].concat());
    assert_eq!(phases("[]"), [Pace::Either]);
}
