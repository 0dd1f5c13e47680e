//! Steps divided by the size of past gradients.

use super::{DIM, compare, compare_at, gradient};
use thalweg_optim::{Dialect, Layout, OptimizerSpec};

#[test]
fn adagrad() {
    for (eta, epsilon) in [(0.01, 1e-8), (0.3, 1e-3), (1.0, 0.5)] {
        let mut sum = [0.0; DIM];
        compare(OptimizerSpec::named("adagrad").with("epsilon", epsilon), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                sum[i] += g[i] * g[i];
                w[i] -= eta / (sum[i] + epsilon).sqrt() * g[i];
            }
        });
    }
}

#[test]
fn adadelta() {
    // η multiplies the step only: 1 is the textbook.
    for (eta, gamma, epsilon) in [(1.0, 0.95, 1e-6), (1.0, 0.9, 1e-3), (1.0, 0.5, 1e-2), (0.3, 0.95, 1e-4)] {
        let (mut gg, mut hh) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("adadelta").with("rho", gamma).with("epsilon", epsilon);
        compare(spec, eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                gg[i] = gamma * gg[i] + (1.0 - gamma) * g[i] * g[i];
                let delta = f64::sqrt(hh[i] + epsilon) / f64::sqrt(gg[i] + epsilon) * g[i];
                w[i] -= eta * delta;
                hh[i] = gamma * hh[i] + (1.0 - gamma) * delta * delta;
            }
        });
    }
}

#[test]
fn rmsprop() {
    for (eta, gamma, epsilon) in [(0.001, 0.9, 1e-8), (0.01, 0.99, 1e-3), (0.03, 0.5, 0.1)] {
        let mut gg = [0.0; DIM];
        let spec = OptimizerSpec::named("rmsprop").with("alpha", gamma).with("epsilon", epsilon);
        compare(spec, eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                gg[i] = gamma * gg[i] + (1.0 - gamma) * g[i] * g[i];
                w[i] -= eta / f64::sqrt(gg[i] + epsilon) * g[i];
            }
        });
    }
}

#[test]
fn rmsprop_with_momentum() {
    let sets = [(0.001, 0.9, 1e-8, 0.9), (0.01, 0.99, 1e-3, 0.5), (0.03, 0.5, 0.1, 0.0)];
    for (eta, gamma, epsilon, beta) in sets {
        let (mut gg, mut b) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("rmsprop-momentum").with("alpha", gamma).with("momentum", beta);
        compare(spec.with("epsilon", epsilon), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                gg[i] = gamma * gg[i] + (1.0 - gamma) * g[i] * g[i];
                b[i] = beta * b[i] + eta / f64::sqrt(gg[i] + epsilon) * g[i];
                w[i] -= b[i];
            }
        });
    }
}

#[test]
fn rmsprop_centered() {
    let sets = [(0.0001, 0.95, 1e-4, 0.9), (0.01, 0.99, 1e-3, 0.5), (0.03, 0.5, 0.1, 0.0)];
    for (eta, gamma, epsilon, beta) in sets {
        let (mut n, mut mean, mut b) = ([0.0; DIM], [0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("rmsprop-centered").with("alpha", gamma).with("momentum", beta);
        compare(spec.with("epsilon", epsilon), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                n[i] = gamma * n[i] + (1.0 - gamma) * g[i] * g[i];
                mean[i] = gamma * mean[i] + (1.0 - gamma) * g[i];
                b[i] = beta * b[i] - eta * g[i] / f64::sqrt(n[i] - mean[i] * mean[i] + epsilon);
                w[i] += b[i];
            }
        });
    }
}

/// At a constant rate it makes no difference whether the velocity holds it: so this rate changes.
#[test]
fn the_velocity_of_rmsprop_holds_the_learning_rate_but_in_torch() {
    let eta = |t: i32| if t % 20 < 10 { 0.02 } else { 0.002 };
    for dialect in Dialect::ALL {
        let (mut gg, mut b) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("rmsprop-momentum").with("alpha", 0.9).with("epsilon", 0.01);
        compare_at(spec.dialect(dialect), eta, |t, w| {
            let g = gradient(w);
            for i in 0..DIM {
                gg[i] = 0.9 * gg[i] + 0.1 * g[i] * g[i];
                if dialect == Dialect::Torch {
                    b[i] = 0.9 * b[i] + g[i] / (f64::sqrt(gg[i]) + 0.01);
                    w[i] -= eta(t) * b[i];
                } else {
                    b[i] = 0.9 * b[i] + eta(t) * g[i] / f64::sqrt(gg[i] + 0.01);
                    w[i] -= b[i];
                }
            }
        });
    }
}

#[test]
fn a_gradient_that_does_not_change_stays_within_the_bound_of_centered_rmsprop() {
    for dialect in Dialect::ALL {
        for gradient in [0.3, 1.0, 7e5] {
            let spec = OptimizerSpec::named("rmsprop-centered").dialect(dialect).with("epsilon", 0.0);
            let spec = spec.with("momentum", 0.0).with("alpha", 0.5);
            let mut rule = spec.build::<f32>(&Layout::vector(1)).expect("in range");
            let (mut w, mut longest) = ([0.0_f32], 0.0_f32);
            for _ in 0..200 {
                w[0] = 0.0;
                rule.step_with(&mut w, &[gradient], 1.0).expect("no look-ahead");
                longest = longest.max(w[0].abs());
                assert!(w[0].is_finite(), "{dialect:?}, {gradient}");
            }
            // Long enough that the variance has gone below the last digit.
            assert!(
                longest > 2e3 && longest <= 1.01 / f32::EPSILON.sqrt(),
                "{dialect:?}, {gradient}: {longest}"
            );
        }
    }
}
