//! The `textbook` dialect against a direct transcription of the textbook's formulas, in plain scalar code.

mod adam;
mod defaults;
mod momentum;
mod scaled;
mod signs;
mod tuning_free;

use thalweg_optim::{Dialect, Layout, Objective, OptimizerSpec, from_fn};

const DIM: usize = 9;
const STEPS: u32 = 100;
/// Relative to the largest |w| of the step: both sides round differently, some 1e-16 a step.
const TOLERANCE: f64 = 1e-12;

/// Σᵢ sᵢ ln cosh(wᵢ − cᵢ) + wᵢ⁴/50 + ¼ sin²(Σ w): far from quadratic, and coupled.
fn value_and_grad(w: &[f64], grad: &mut [f64]) -> f64 {
    let sum: f64 = w.iter().sum();
    let mut value = 0.25 * sum.sin().powi(2);
    for (i, (g, &w)) in grad.iter_mut().zip(w).enumerate() {
        let (scale, centre) = (0.5 + 0.4 * i as f64, (1.7 * i as f64).sin());
        value += scale * (w - centre).cosh().ln() + w.powi(4) / 50.0;
        *g = scale * (w - centre).tanh() + 4.0 * w.powi(3) / 50.0 + 0.25 * (2.0 * sum).sin();
    }
    value
}

fn gradient(w: &[f64]) -> Vec<f64> {
    let mut grad = vec![0.0; w.len()];
    value_and_grad(w, &mut grad);
    grad
}

fn start() -> Vec<f64> {
    (0..DIM).map(|i| 1.5 * (2.3 * i as f64 + 0.4).cos()).collect()
}

/// Walks the textbook dialect beside `step`, which is given (t, W) and moves W.
fn compare(spec: OptimizerSpec, eta: f64, step: impl FnMut(i32, &mut Vec<f64>)) {
    compare_at(spec.dialect(Dialect::Textbook), |_| eta, step);
}

/// The same in the dialect of `spec`, with a learning rate that is a function of t.
fn compare_at(spec: OptimizerSpec, eta: impl Fn(i32) -> f64, mut step: impl FnMut(i32, &mut Vec<f64>)) {
    let mut optimizer = spec.build::<f64>(&Layout::vector(DIM)).expect("in range");
    let mut f = from_fn(DIM, value_and_grad);
    let (mut w, mut expected) = (start(), start());
    for t in 1..=STEPS as i32 {
        let eta = eta(t);
        optimizer.step(&mut w, &mut f, eta).expect("a step");
        step(t, &mut expected);
        let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
        for (i, (w, e)) in w.iter().zip(&expected).enumerate() {
            let error = (w - e).abs() / size;
            assert!(error <= TOLERANCE, "{spec:?}, η = {eta}, step {t}, element {i}: {error:e}");
        }
    }
    assert!(f.value(&w) < f.value(&start()), "{spec:?}: a path that does not descend proves little");
}

#[test]
fn the_gradient_of_the_test_objective_is_right() {
    let w = start();
    let exact = gradient(&w);
    let mut scratch = vec![0.0; DIM];
    for i in 0..DIM {
        let mut at = |shift: f64| {
            let mut w = w.clone();
            w[i] += shift;
            value_and_grad(&w, &mut scratch)
        };
        let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((numeric - exact[i]).abs() < 1e-8);
    }
}
