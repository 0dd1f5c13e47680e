//! Steps along the gradient, with and without momentum.

use super::{DIM, STEPS, TOLERANCE, compare, gradient, start, value_and_grad};
use thalweg_optim::{Dialect, Layout, OptimizerSpec, from_fn};

#[test]
fn sgd() {
    for eta in [0.003, 0.03, 0.2] {
        compare(OptimizerSpec::named("sgd"), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                w[i] -= eta * g[i];
            }
        });
    }
}

#[test]
fn momentum() {
    for (eta, beta) in [(0.003, 0.9), (0.05, 0.5), (0.01, 0.99), (0.05, 0.0)] {
        let mut a = [0.0; DIM];
        compare(OptimizerSpec::named("momentum").with("momentum", beta), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                a[i] = beta * a[i] + g[i];
                w[i] -= eta * a[i];
            }
        });
    }
}

#[test]
fn nag_with_the_true_look_ahead() {
    for (eta, beta) in [(0.003, 0.9), (0.05, 0.5), (0.01, 0.99), (0.05, 0.0)] {
        let mut a = [0.0; DIM];
        compare(OptimizerSpec::named("nag").with("momentum", beta), eta, |_, w| {
            let ahead: Vec<f64> = (0..DIM).map(|i| w[i] - eta * beta * a[i]).collect();
            let g = gradient(&ahead);
            for i in 0..DIM {
                a[i] = beta * a[i] + g[i];
                w[i] -= eta * a[i];
            }
        });
    }
}

/// Where a NAG of `dialect` takes its gradients.
fn nag_asks(dialect: Dialect, eta: f64, beta: f64) -> Vec<Vec<f64>> {
    let mut asked = Vec::new();
    let mut f = from_fn(DIM, |w: &[f64], grad: &mut [f64]| {
        asked.push(w.to_vec());
        value_and_grad(w, grad)
    });
    let spec = OptimizerSpec::named("nag").dialect(dialect).with("momentum", beta);
    let mut nag = spec.build::<f64>(&Layout::vector(DIM)).expect("in range");
    let mut w = start();
    for _ in 0..STEPS {
        let report = nag.step(&mut w, &mut f, eta).expect("a step");
        assert_eq!(report.evaluations, 1);
    }
    asked
}

#[test]
fn the_look_ahead_points_of_nag_are_the_re_parametrized_form_s_iterates() {
    for (eta, beta) in [(0.003, 0.9), (0.05, 0.5), (0.01, 0.99)] {
        // The re-parametrized form asks at its iterates W′, the true form at W − ηβa.
        let (ahead, iterates) = (nag_asks(Dialect::Textbook, eta, beta), nag_asks(Dialect::Torch, eta, beta));
        for (step, (ahead, iterate)) in ahead.iter().zip(&iterates).enumerate() {
            let size = iterate.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
            for (a, b) in ahead.iter().zip(iterate) {
                assert!((a - b).abs() <= TOLERANCE * size, "η = {eta}, β = {beta}, step {}", step + 1);
            }
        }
        assert_ne!(ahead[1], start());
    }
}
