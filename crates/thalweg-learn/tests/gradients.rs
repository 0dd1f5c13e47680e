//! Every derivative against central finite differences in f64.
//!
//! The numeric derivative is (f(x + h) − f(x − h))/2h with h = 1e-5: its error is about h² + 1e-16/h ≈ 1e-10 of the
//! function's size. Points are chosen so that no rectifier or absolute value has its kink within h.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::embedding::Embedding;
use thalweg_learn::nn::spec::build;
use thalweg_learn::nn::{
    Activation, Backward, BatchObjective, Dense, Forward, Init, Layer, LayerSpec, Loss, Mode, Network, Piece,
    Sequence, Shape, Targets,
};
use thalweg_optim::{Layout, Objective};

const H: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// Numbers within ±`size`, none nearer to 0 than a thousandth of it.
fn wave(len: usize, step: f64, size: f64) -> Vec<f64> {
    let waves = (0..len).map(|i| (i as f64 * step + 0.4).sin() * size);
    waves.map(|v| if v.abs() < 1e-3 * size { 1e-3 * size } else { v }).collect()
}

/// Compares a gradient with differences of `f`, relative to the larger of the derivative and a hundredth of the
/// gradient's largest entry (a derivative that cancels to nothing has no relative digits).
fn check(what: &str, at: &[f64], gradient: &[f64], mut f: impl FnMut(&[f64]) -> f64) {
    assert_eq!(at.len(), gradient.len(), "{what}");
    let floor = 1e-2 * gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs())) + 1e-9;
    let mut point = at.to_vec();
    for i in 0..at.len() {
        let mut shifted = |h: f64| {
            point[i] = at[i] + h;
            let value = f(&point);
            point[i] = at[i];
            value
        };
        let numeric = (shifted(H) - shifted(-H)) / (2.0 * H);
        let error = (numeric - gradient[i]).abs() / gradient[i].abs().max(floor);
        assert!(error <= TOLERANCE, "{what}, entry {i}: {} but numerically {numeric}", gradient[i]);
    }
}

/// Rows of a piece: so few that batches have several, and an odd last one.
const AT_ONCE: usize = 2;

/// Masks are the same in each pass.
const MODE: Mode = Mode::Train { key: 5, step: 5 };

/// A layer under the scalar Σ weights·outputs, whose gradient by the outputs is `weights`.
fn check_layer(what: &str, layer: &dyn Layer<f64>, input: Shape, batch: usize, mode: Mode) {
    check_layer_on(what, layer, wave(batch * input.len(), 0.37, 2.5), batch, mode, &|_| {});
}

/// The same on given rows; `settle` undoes what may not move.
fn check_layer_on(
    what: &str,
    layer: &dyn Layer<f64>,
    x: Vec<f64>,
    batch: usize,
    mode: Mode,
    settle: &dyn Fn(&mut [f64]),
) {
    let (mut layout, mut kept) = (Layout::default(), Layout::default());
    layer.layout("", &mut layout);
    layer.buffer_layout("", &mut kept);
    let w = wave(layout.len(), 0.71, 1.0);
    let buffers: Vec<f64> = wave(kept.len(), 0.31, 0.8).iter().map(|v| v.abs() + 0.2).collect();
    let weights = wave(batch * layer.output().len(), 1.13, 1.0);
    let memory = || (vec![f64::NAN; layer.saved_len(batch)], vec![f64::NAN; layer.scratch_len(batch)]);
    let outputs = || vec![f64::NAN; batch * layer.output().len()];
    let forward = |w: &[f64], x: &[f64], y: &mut [f64], saved: &mut [f64], scratch: &mut [f64]| {
        let (piece, buffers) = (Piece::whole(batch), &buffers);
        Forward { piece, w, buffers, x, y, saved, scratch, mode }.through(layer, AT_ONCE);
    };
    let value = |w: &[f64], x: &[f64]| {
        let ((mut saved, mut scratch), mut y) = (memory(), outputs());
        forward(w, x, &mut y, &mut saved, &mut scratch);
        y.iter().zip(&weights).map(|(y, weight)| y * weight).sum::<f64>()
    };
    let ((mut saved, mut scratch), mut y) = (memory(), outputs());
    forward(&w, &x, &mut y, &mut saved, &mut scratch);
    let mut backward = |dw: &mut [f64], dx: Option<&mut [f64]>| {
        let mut dy = weights.clone();
        let (saved, scratch) = (&mut saved, &mut scratch);
        let (w, x, y, buffers) = (&w, &x, &y, &buffers);
        let (piece, dy) = (Piece::whole(batch), &mut dy);
        Backward { piece, w, buffers, x, y, dy, dw, dx, saved, scratch, mode }.through(layer, AT_ONCE);
    };
    // NaN where the layer has to overwrite.
    let (mut dw, mut dx) = (vec![f64::NAN; w.len()], vec![f64::NAN; x.len()]);
    backward(&mut dw, Some(&mut dx));
    check(&format!("{what}: parameters"), &w, &dw, |w| value(w, &x));
    check(&format!("{what}: inputs"), &x, &dx, |x| {
        let mut x = x.to_vec();
        settle(&mut x);
        value(&w, &x)
    });
    let mut alone = vec![f64::NAN; w.len()];
    backward(&mut alone, None);
    assert_eq!(alone, dw, "{what}: the input's gradient must not change the parameters'");
    if layer.in_place() {
        let (mut there, mut dy) = (x.clone(), weights.clone());
        forward(&w, &[], &mut there, &mut saved, &mut scratch);
        assert_eq!(there, y, "{what}: in place");
        let (saved, scratch, dx_here) = (&mut saved[..], &mut scratch[..], Some(&mut [][..]));
        let before = dw;
        let (w, y, buffers, dw) = (&w, &y, &buffers, &mut alone);
        let pass = Backward {
            piece: Piece::whole(batch),
            w,
            buffers,
            x: &[],
            y,
            dy: &mut dy,
            dw,
            dx: dx_here,
            saved,
            scratch,
            mode,
        };
        pass.through(layer, AT_ONCE);
        assert_eq!((&dy, &alone), (&dx, &before), "{what}: in place, back");
    }
}

/// The layers that a list describes, checked one by one and together.
fn check_specs(json: &str, input: Shape, batches: &[usize]) {
    let specs: Vec<LayerSpec> = serde_json::from_str(json).expect("a list of layers");
    for &batch in batches {
        for mode in [MODE, Mode::Evaluate] {
            let layers: Sequence<f64> = build(&specs, input, Init::Auto).expect("layers that fit");
            let what = format!("{json} on {input}, {batch} rows, {mode:?}");
            check_layer(&what, &layers, input, batch, mode);
        }
    }
}

#[test]
fn convolutions() {
    let shape = Shape::image;
    for (settings, input) in [
        ("", shape(5, 4, 1)),
        ("", shape(3, 3, 17)),
        (r#","padding":0"#, shape(5, 6, 2)),
        (r#","kernel":1"#, shape(3, 2, 3)),
        (r#","kernel":2,"padding":1"#, shape(3, 4, 2)),
        (r#","stride":2"#, shape(5, 6, 2)),
        (r#","stride":2,"kernel":1"#, shape(5, 4, 3)),
        (r#","stride":3,"padding":0,"kernel":2"#, shape(8, 7, 2)),
        (r#","dilation":2"#, shape(6, 5, 2)),
        (r#","dilation":2,"stride":2,"padding":1"#, shape(7, 8, 2)),
        (r#","groups":2"#, shape(4, 3, 4)),
        (r#","groups":2,"stride":2,"bias":false"#, shape(4, 5, 2)),
    ] {
        for filters in [2, 18] {
            check_specs(&format!(r#"[{{"layer":"conv2d","filters":{filters}{settings}}}]"#), input, &[1, 3]);
        }
    }
    check_specs(r#"[{"layer":"conv2d","filters":6,"groups":6}]"#, shape(4, 4, 6), &[2]);
    check_specs(r#"[{"layer":"conv2d","filters":70}]"#, shape(3, 3, 2), &[2]);
    // Whole registers of channels and filters.
    for (settings, input) in [
        ("", shape(4, 5, 16)),
        (r#","padding":0,"bias":false"#, shape(6, 5, 16)),
        (r#","padding":2"#, shape(1, 2, 32)),
    ] {
        check_specs(&format!(r#"[{{"layer":"conv2d","filters":16{settings}}}]"#), input, &[2]);
    }
}

#[test]
fn pooling() {
    for (settings, input) in [
        ("", Shape::image(4, 6, 3)),
        ("", Shape::image(5, 3, 17)),
        (r#","kernel":3,"stride":2,"padding":1"#, Shape::image(5, 6, 2)),
        (r#","kernel":3,"stride":1"#, Shape::image(4, 4, 1)),
    ] {
        for kind in ["max-pool2d", "avg-pool2d"] {
            check_specs(&format!(r#"[{{"layer":"{kind}"{settings}}}]"#), input, &[1, 3]);
        }
    }
    for kind in ["global-avg-pool", "global-max-pool"] {
        check_specs(&format!(r#"["{kind}"]"#), Shape::image(3, 4, 5), &[1, 3]);
        // What is behind it reads its output, what is before it gets its gradient.
        check_specs(
            &format!(r#"["tanh","{kind}",{{"layer":"dense","units":2}}]"#),
            Shape::image(2, 3, 2),
            &[3],
        );
    }
}

#[test]
fn norms() {
    check_specs(r#"["batch-norm"]"#, Shape::Flat(5), &[4, 9]);
    check_specs(r#"["batch-norm"]"#, Shape::image(3, 4, 3), &[1, 4]);
    // With a rectifier behind it, it is one layer with it; and one of more rows than a strip.
    check_specs(r#"["batch-norm","relu"]"#, Shape::image(3, 4, 3), &[1, 4]);
    check_specs(r#"[{"layer":"batch-norm","ghost":5},"relu","tanh"]"#, Shape::Flat(5), &[11]);
    check_specs(r#"["batch-norm"]"#, Shape::image(9, 8, 1), &[2]);
    check_specs(r#"[{"layer":"batch-norm","ghost":3,"epsilon":0.01}]"#, Shape::Flat(4), &[3, 7, 12]);
    for input in [Shape::Flat(6), Shape::Flat(37), Shape::image(2, 3, 6)] {
        check_specs(r#"["layer-norm"]"#, input, &[1, 3]);
    }
    for (groups, input) in [(1, Shape::Flat(6)), (2, Shape::Flat(6)), (3, Shape::image(2, 3, 6))] {
        let json = format!(r#"[{{"layer":"group-norm","groups":{groups},"epsilon":0.01}}]"#);
        check_specs(&json, input, &[1, 3]);
    }
    check_specs(r#"["group-norm"]"#, Shape::image(2, 2, 38), &[2]);
}

#[test]
fn masks_and_mixtures() {
    let image = Shape::image(3, 2, 5);
    for input in [Shape::Flat(7), image] {
        check_specs(r#"["tanh","dropout"]"#, input, &[1, 4]);
        check_specs(r#"[{"layer":"mix-point","alpha":0.5}]"#, input, &[1, 2, 5]);
        check_specs(r#"["tanh",{"layer":"mix-point"},"tanh"]"#, input, &[3]);
    }
    check_specs(r#"["spatial-dropout"]"#, image, &[1, 4]);
    check_specs(
        r#"[{"layer":"drop-connect","inner":{"layer":"dense","units":5}},"gelu"]"#,
        Shape::Flat(7),
        &[1, 4],
    );
    check_specs(
        r#"[{"layer":"drop-connect","rate":0.2,"inner":{"layer":"conv2d","filters":5}}]"#,
        image,
        &[1, 4],
    );
    // What a convolution keeps of its masked weights.
    let wide = r#"[{"layer":"drop-connect","inner":{"layer":"conv2d","filters":16}}]"#;
    check_specs(wide, Shape::image(3, 4, 16), &[2]);
}

#[test]
fn depthwise() {
    let shape = Shape::image;
    for (settings, input) in [
        ("", shape(4, 5, 3)),
        ("", shape(3, 3, 17)),
        (r#","kernel":1"#, shape(3, 2, 3)),
        (r#","kernel":2,"stride":3,"padding":0"#, shape(8, 7, 2)),
        (r#","stride":2,"bias":false"#, shape(5, 6, 3)),
        (r#","kernel":5,"dilation":2,"stride":2,"padding":3"#, shape(7, 6, 2)),
    ] {
        for multiplier in [1, 3] {
            let channels = input.channels();
            let filters = multiplier * channels;
            let json = format!(r#"[{{"layer":"conv2d","groups":{channels},"filters":{filters}{settings}}}]"#);
            check_specs(&json, input, &[1, 3]);
        }
    }
}

#[test]
fn embedding() {
    let columns = 4;
    for batch in [1, 7] {
        let mut x = wave(batch * columns, 0.37, 2.5);
        for (row, x) in x.chunks_mut(columns).enumerate() {
            x[2] = (row * 2 % 3) as f64;
            x[3] = (row % 2) as f64;
        }
        let layer = Embedding::new(2, &[3, 2], Some(3));
        check_layer_on("embedding", &layer, x, batch, MODE, &|x| {
            for x in x.chunks_mut(columns) {
                x[2..].iter_mut().for_each(|code| *code = code.round());
            }
        });
    }
}

#[test]
fn blocks() {
    check_specs(
        r#"[{"layer":"residual","body":[{"layer":"dense","units":4},"tanh"]}]"#,
        Shape::Flat(4),
        &[1, 3],
    );
    check_specs(
        r#"["tanh",{"layer":"residual","stochastic-depth":0.5,"body":[{"layer":"dense","units":3},"gelu","batch-norm"],
            "shortcut":[{"layer":"dense","units":3}]},"sigmoid"]"#,
        Shape::Flat(4),
        &[5],
    );
    check_specs(
        r#"[{"layer":"conv2d","filters":3},"relu","max-pool2d",
            {"layer":"residual","body":["batch-norm","relu",{"layer":"conv2d","filters":3}]},"tanh",
            "flatten","tanh",{"layer":"dense","units":2}]"#,
        Shape::image(4, 4, 2),
        &[3],
    );
}

#[test]
fn dense() {
    for (inputs, outputs, batch) in
        [(1, 1, 1), (1, 5, 3), (7, 1, 4), (3, 8, 1), (9, 17, 5), (16, 16, 16), (33, 13, 7), (20, 33, 2)]
    {
        for bias in [true, false] {
            let layer = Dense { inputs, outputs, bias, init_bound: 1.0 };
            let what = format!("dense {inputs}→{outputs}, batch {batch}");
            check_layer(&what, &layer, Shape::Flat(inputs), batch, MODE);
        }
    }
}

#[test]
fn every_activation() {
    for activation in Activation::ALL {
        for (width, batch) in [(1, 1), (5, 3), (17, 2), (16, 4)] {
            let layer = activation.layer::<f64>(Shape::Flat(width));
            let what = format!("{}, width {width}", activation.name());
            check_layer(&what, layer.as_ref(), Shape::Flat(width), batch, MODE);
        }
    }
}

/// The layer behind an activation does not read what that put out: so nobody keeps it.
#[test]
fn every_activation_before_what_forgets_it() {
    for activation in Activation::ALL.map(Activation::name) {
        for pool in ["max-pool2d", "avg-pool2d", "global-avg-pool", "global-max-pool", "dropout"] {
            let json = format!(r#"[{{"layer":"conv2d","filters":2}},"{activation}","{pool}"]"#);
            check_specs(&json, Shape::image(4, 4, 2), &[3]);
            let block =
                format!(r#"{{"layer":"residual","body":[{{"layer":"conv2d","filters":2}},"{activation}"]}}"#);
            check_specs(&format!(r#"[{block},"{pool}"]"#), Shape::image(4, 4, 2), &[3]);
        }
        let json = format!(
            r#"[{{"layer":"dense","units":3}},"{activation}","mix-point",{{"layer":"dense","units":2}}]"#
        );
        check_specs(&json, Shape::Flat(4), &[3]);
    }
    check_specs(r#"[{"layer":"conv2d","filters":2},"dropout","max-pool2d"]"#, Shape::image(4, 4, 2), &[3]);
}

/// Targets that fit a loss, and how many outputs a row wants.
fn targets(loss: Loss, rows: usize) -> (Vec<u32>, Vec<f64>, usize) {
    let codes = |classes: usize| (0..rows).map(|i| ((i * 7 + 1) % classes) as u32).collect();
    match loss {
        Loss::CrossEntropy => (codes(4), vec![], 4),
        Loss::Binary => (codes(2), vec![], 1),
        Loss::SquaredError | Loss::AbsoluteError => (vec![], wave(rows, 0.9, 2.0), 1),
    }
}

fn view<'a, T: Math>(loss: Loss, codes: &'a [u32], values: &'a [T]) -> Targets<'a, T> {
    match loss {
        Loss::CrossEntropy | Loss::Binary => Targets::Classes(codes),
        Loss::SquaredError | Loss::AbsoluteError => Targets::Values(values),
    }
}

#[test]
fn every_loss() {
    for loss in Loss::ALL {
        for rows in [1, 2, 7, 33] {
            let (codes, values, width) = targets(loss, rows);
            let targets = view(loss, &codes, &values);
            let outputs = wave(rows * width, 0.53, 3.0);
            let mut gradient = vec![f64::NAN; outputs.len()];
            let mean = loss.value_and_gradient(&outputs, targets, &mut gradient);
            let mut scratch = vec![f64::NAN; outputs.len()];
            assert_eq!(loss.value(&outputs, targets, &mut scratch).to_bits(), mean.to_bits());
            check(&format!("{}, {rows} rows", loss.name()), &outputs, &gradient, |z| {
                loss.value(z, targets, &mut scratch)
            });
        }
    }
}

#[test]
fn whole_networks() {
    for activation in Activation::ALL {
        for loss in Loss::ALL {
            for (inputs, hidden, rows) in
                [(3, &[] as &[usize], 5), (1, &[4], 1), (6, &[17], 9), (5, &[7, 3], 4), (4, &[5, 9, 6], 3)]
            {
                let (codes, values, outputs) = targets(loss, rows);
                let network = Network::<f64>::mlp(inputs, hidden, outputs, activation, Init::Auto);
                let x = wave(rows * inputs, 0.37, 1.5);
                // Biases start at 0, where an error of theirs would go unseen.
                let w: Vec<f64> = network
                    .init(5)
                    .iter()
                    .zip(wave(network.layout().len(), 0.81, 0.2))
                    .map(|(w, v)| w + v)
                    .collect();
                let mut workspace = network.workspace(rows);
                let mut objective = BatchObjective {
                    network: &network,
                    buffers: &[],
                    mode: MODE,
                    workspace: &mut workspace,
                    loss,
                    x: &x,
                    targets: view(loss, &codes, &values),
                };
                assert_eq!(objective.dim(), w.len());
                let mut gradient = vec![f64::NAN; w.len()];
                let value = objective.value_and_grad(&w, &mut gradient);
                assert_eq!(value.to_bits(), objective.value(&w).to_bits());
                let what = format!("{} {} {inputs}-{hidden:?}, {rows} rows", activation.name(), loss.name());
                check(&what, &w, &gradient, |w| objective.value(w));
                let mut again = vec![0.0; w.len()];
                objective.value_and_grad(&w, &mut again);
                assert_eq!(gradient, again, "{what}: an objective is pure");
            }
        }
    }
}

#[test]
fn a_workspace_for_many_rows_serves_few() {
    let network = Network::<f64>::mlp(3, &[5], 2, Activation::Tanh, Init::Auto);
    let (w, x, codes) = (network.init(1), wave(12, 0.3, 1.0), [0, 1, 1, 0]);
    let gradient_in = |rows: usize, workspace: &mut _| {
        let (x, targets) = (&x[..rows * 3], Targets::Classes(&codes[..rows]));
        let mut objective = BatchObjective {
            network: &network,
            buffers: &[],
            workspace,
            loss: Loss::CrossEntropy,
            x,
            targets,
            mode: MODE,
        };
        let mut gradient = vec![f64::NAN; w.len()];
        (objective.value_and_grad(&w, &mut gradient), gradient)
    };
    let mut large = network.workspace(4);
    let fresh = gradient_in(2, &mut network.workspace(2));
    gradient_in(4, &mut large);
    assert_eq!(gradient_in(2, &mut large), fresh);
}
