//! Every derivative against central finite differences in f64.
//!
//! The numeric derivative is (f(x + h) − f(x − h))/2h with h = 1e-5: its error is about h² + 1e-16/h ≈ 1e-10 of the
//! function's size. Points are chosen so that no rectifier or absolute value has its kink within h.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{Activation, Backward, BatchObjective, Dense, Init, Layer, Loss, Network, Targets};
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

/// A layer under the scalar Σ weights·outputs, whose gradient by the outputs is `weights`.
fn check_layer(what: &str, layer: &dyn Layer<f64>, inputs: usize, batch: usize) {
    let mut layout = Layout::default();
    layer.layout("", &mut layout);
    let (w, x) = (wave(layout.len(), 0.71, 1.0), wave(batch * inputs, 0.37, 2.5));
    let weights = wave(batch * layer.outputs(), 1.13, 1.0);
    let value = |w: &[f64], x: &[f64]| {
        let mut scratch = vec![f64::NAN; layer.scratch_len(batch)];
        let mut y = vec![f64::NAN; batch * layer.outputs()];
        layer.forward(w, x, &mut y, &mut scratch, batch);
        y.iter().zip(&weights).map(|(y, weight)| y * weight).sum::<f64>()
    };
    let mut scratch = vec![f64::NAN; layer.scratch_len(batch)];
    let mut y = vec![f64::NAN; batch * layer.outputs()];
    layer.forward(&w, &x, &mut y, &mut scratch, batch);
    // NaN where the layer has to overwrite.
    let (mut dw, mut dx) = (vec![f64::NAN; w.len()], vec![f64::NAN; x.len()]);
    let (dy, scratch) = (&weights, &mut scratch);
    layer.backward(Backward { batch, w: &w, x: &x, y: &y, dy, dw: &mut dw, dx: Some(&mut dx), scratch });
    check(&format!("{what}: parameters"), &w, &dw, |w| value(w, &x));
    check(&format!("{what}: inputs"), &x, &dx, |x| value(&w, x));
    let mut alone = vec![f64::NAN; w.len()];
    layer.backward(Backward { batch, w: &w, x: &x, y: &y, dy, dw: &mut alone, dx: None, scratch });
    assert_eq!(alone, dw, "{what}: the input's gradient must not change the parameters'");
}

#[test]
fn dense() {
    for (inputs, outputs, batch) in
        [(1, 1, 1), (1, 5, 3), (7, 1, 4), (3, 8, 1), (9, 17, 5), (16, 16, 16), (33, 13, 7), (20, 33, 2)]
    {
        let layer = Dense { inputs, outputs, init_bound: 1.0 };
        check_layer(&format!("dense {inputs}→{outputs}, batch {batch}"), &layer, inputs, batch);
    }
}

#[test]
fn every_activation() {
    for activation in Activation::ALL {
        for (width, batch) in [(1, 1), (5, 3), (17, 2), (16, 4)] {
            let layer = activation.layer::<f64>(width);
            check_layer(&format!("{}, width {width}", activation.name()), layer.as_ref(), width, batch);
        }
    }
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
        let mut objective =
            BatchObjective { network: &network, workspace, loss: Loss::CrossEntropy, x, targets };
        let mut gradient = vec![f64::NAN; w.len()];
        (objective.value_and_grad(&w, &mut gradient), gradient)
    };
    let mut large = network.workspace(4);
    let fresh = gradient_in(2, &mut network.workspace(2));
    gradient_in(4, &mut large);
    assert_eq!(gradient_in(2, &mut large), fresh);
}
