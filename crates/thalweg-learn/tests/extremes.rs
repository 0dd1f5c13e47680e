//! Losses far from comfort: huge outputs stay right, NaN is seen, wrong shapes assert.

use std::panic::{AssertUnwindSafe, catch_unwind};

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{Activation, BatchObjective, Init, Loss, Mode, Network, Targets};
use thalweg_optim::Objective;

fn evaluate<T: Math>(loss: Loss, outputs: &[f64], targets: Targets<'_, T>) -> (f64, Vec<f64>) {
    let outputs: Vec<T> = outputs.iter().map(|&z| T::from_f64(z)).collect();
    let mut gradient = vec![T::ZERO; outputs.len()];
    let value = loss.value_and_gradient(&outputs, targets, &mut gradient);
    (value.to_f64(), gradient.iter().map(|g| g.to_f64()).collect())
}

fn huge_outputs<T: Math>() {
    // Two rows: one sure and right, one sure and wrong.
    for z in [50.0, 1e4, 1e30] {
        let (value, gradient) =
            evaluate::<T>(Loss::CrossEntropy, &[z, -z, -z, z, -z, -z], Targets::Classes(&[0, 1]));
        assert!((value / z - 1.0).abs() < 1e-6, "{value}");
        let expected = [0.0, 0.0, 0.0, 0.5, -0.5, 0.0];
        assert!(gradient.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-6), "{gradient:?}");
        let (value, gradient) = evaluate::<T>(Loss::Binary, &[z, z], Targets::Classes(&[1, 0]));
        assert!((value / z - 0.5).abs() < 1e-6, "{value}");
        assert!(gradient[0].abs() < 1e-6 && (gradient[1] - 0.5).abs() < 1e-6, "{gradient:?}");
    }
}

#[test]
fn huge_outputs_neither_overflow_nor_lose_the_loss() {
    huge_outputs::<f32>();
    huge_outputs::<f64>();
}

#[test]
fn a_nan_output_makes_the_loss_nan_and_leaves_other_rows_gradients() {
    for loss in Loss::ALL {
        let width = if loss == Loss::CrossEntropy { 3 } else { 1 };
        let (codes, values) = ([0, 1, 1, 0], [0.3_f32, -1.0, 2.0, 0.0]);
        let targets = match loss {
            Loss::CrossEntropy | Loss::Binary => Targets::Classes(&codes),
            Loss::SquaredError | Loss::AbsoluteError => Targets::Values(&values),
        };
        let clean: Vec<f64> = (0..4 * width).map(|i| f64::from(i as u32).sin()).collect();
        let (_, expected) = evaluate::<f32>(loss, &clean, targets);
        for at in 0..width {
            let mut outputs = clean.clone();
            outputs[2 * width + at] = f64::NAN;
            let (value, gradient) = evaluate::<f32>(loss, &outputs, targets);
            assert!(value.is_nan(), "{}: a NaN in output {at} is hidden", loss.name());
            for row in [0, 1, 3] {
                let row = row * width..(row + 1) * width;
                assert_eq!(gradient[row.clone()], expected[row], "{}", loss.name());
            }
            assert!(gradient[2 * width + at].is_nan(), "{}", loss.name());
        }
    }
}

#[test]
fn infinite_weights_never_give_a_finite_loss_that_hides_them() {
    let network = Network::<f32>::mlp(2, &[], 1, Activation::Relu, Init::Auto);
    let (x, y, mut workspace) = ([1.0, 2.0], [0.5], network.workspace(1));
    let (loss, targets) = (Loss::SquaredError, Targets::Values(&y[..]));
    let mut objective = BatchObjective {
        network: &network,
        buffers: &[],
        workspace: &mut workspace,
        loss,
        x: &x,
        targets,
        mode: Mode::Evaluate,
    };
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(!objective.value(&[bad, 0.0, 0.0]).is_finite());
    }
}

#[test]
fn shapes_that_do_not_fit_are_bugs() {
    let network = Network::<f32>::mlp(2, &[3], 4, Activation::Relu, Init::Auto);
    let (w, x) = (network.init(0), [0.5_f32; 6]);
    let panics = |w: &[f32], x: &[f32], codes: &[u32]| {
        let mut workspace = network.workspace(3);
        let (network, workspace, targets) = (&network, &mut workspace, Targets::Classes(codes));
        let mut objective = BatchObjective {
            network,
            buffers: &[],
            workspace,
            loss: Loss::CrossEntropy,
            x,
            targets,
            mode: Mode::Evaluate,
        };
        catch_unwind(AssertUnwindSafe(|| objective.value(w))).is_err()
    };
    assert!(!panics(&w, &x, &[0, 1, 3]));
    assert!(panics(&w[1..], &x, &[0, 1, 3]), "too few parameters");
    assert!(panics(&w, &x[1..], &[0, 1, 3]), "half a row");
    assert!(panics(&w, &x, &[0, 1]), "2 targets for 3 rows: 12 outputs would pass for 6 classes");
    assert!(panics(&w, &x, &[0, 1, 4]), "a class that is none");
    let mut gradient = [0.0; 2];
    let mut binary = |codes: &[u32]| {
        let value = || Loss::Binary.value_and_gradient(&[0.1, 0.2], Targets::Classes(codes), &mut gradient);
        catch_unwind(AssertUnwindSafe(value)).is_err()
    };
    assert!(!binary(&[0, 1]) && binary(&[0, 2]) && binary(&[0]));
}
