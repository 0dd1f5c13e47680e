//! Methods that go by the sign of the gradient.

use super::{DIM, compare, compare_at, gradient};
use thalweg_optim::{Dialect, Layout, OptimizerSpec};

#[test]
fn lion() {
    for (eta, beta1, beta2, lambda) in
        [(0.001, 0.9, 0.99, 0.0), (0.01, 0.8, 0.95, 0.1), (0.02, 0.0, 0.5, 0.5)]
    {
        let mut m = [0.0; DIM];
        let spec = OptimizerSpec::named("lion").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("weight_decay", lambda), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                let mixed: f64 = beta1 * m[i] + (1.0 - beta1) * g[i];
                m[i] = beta2 * m[i] + (1.0 - beta2) * g[i];
                w[i] -= eta * (mixed.signum() + lambda * w[i]);
            }
        });
    }
}

#[test]
fn sign_sgd() {
    for eta in [0.001, 0.01, 0.05] {
        compare(OptimizerSpec::named("sign-sgd"), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                w[i] -= eta * g[i].signum();
            }
        });
    }
}

#[test]
fn rprop_takes_the_last_move_back() {
    let (mut grown, mut turned) = (0, 0);
    let sets = [(0.1, 0.5, 1.2, 1e-6, 50.0), (0.02, 0.3, 1.5, 1e-3, 0.2), (0.3, 0.7, 1.1, 0.05, 1.0)];
    for (eta, minus, plus, low, high) in sets {
        let (mut size, mut last, mut moved) = ([eta; DIM], [0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("rprop").with("eta_minus", minus).with("eta_plus", plus);
        compare(spec.with("step_min", low).with("step_max", high), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                let product = g[i] * last[i];
                if product < 0.0 {
                    size[i] = f64::max(size[i] * minus, low);
                    w[i] -= moved[i];
                    last[i] = 0.0;
                    turned += 1;
                    continue;
                }
                if product > 0.0 {
                    size[i] = f64::min(size[i] * plus, high);
                    grown += 1;
                }
                moved[i] = -g[i].signum() * size[i];
                w[i] += moved[i];
                last[i] = g[i];
            }
        });
    }
    assert!(grown > 100 && turned > 100, "both sides must have been walked: {grown}, {turned}");
}

/// optax's form without the step that it lags behind: see the rule. Here W stays where the sign changed.
#[test]
fn rprop_as_optax_means_it() {
    let mut turned = 0;
    for (eta, low, high) in [(0.1, 1e-6, 50.0), (1e-4, 1e-3, 0.05)] {
        let (mut size, mut last) = ([eta; DIM], [0.0_f64; DIM]);
        let spec = OptimizerSpec::named("rprop").dialect(Dialect::Optax);
        compare_at(
            spec.with("step_min", low).with("step_max", high),
            |_| eta,
            |_, w| {
                let g = gradient(w);
                for i in 0..DIM {
                    let product = g[i] * last[i];
                    if product != 0.0 {
                        let factor = if product > 0.0 { 1.2 } else { 0.5 };
                        size[i] = (size[i] * factor).clamp(low, high);
                    }
                    last[i] = if product < 0.0 { 0.0 } else { size[i] * g[i].signum() };
                    w[i] -= last[i];
                    turned += usize::from(product < 0.0);
                }
            },
        );
    }
    assert!(turned > 50, "{turned}");
}

/// The first rate of a schedule is the first Δ, however small; later ones only stop W where they are zero.
#[test]
fn rprop_under_a_warm_up_grows_from_the_first_rate() {
    let moves = |dialect, step_min: f64, rates: &[f64]| -> Vec<f64> {
        let spec = OptimizerSpec::named("rprop").dialect(dialect).with("step_min", step_min);
        let mut optimizer = spec.build::<f64>(&Layout::vector(1)).expect("in range");
        let step = |&rate: &f64| {
            let mut w = [0.0];
            optimizer.step_with(&mut w, &[1.0], rate).expect("no look-ahead");
            -w[0]
        };
        rates.iter().map(step).collect()
    };
    let near = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let all = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs());
        assert!(all, "{found:?} instead of {expected:?}");
    };
    for dialect in Dialect::ALL {
        near(&moves(dialect, 1e-6, &[1e-4, 0.5, 1.0, 0.0, 1.0]), &[1e-4, 1.2e-4, 1.44e-4, 0.0, 1.728e-4]);
    }
    // From zero: PyTorch keeps Δ at its least at once, the others when it is first scaled.
    near(&moves(Dialect::Torch, 1e-6, &[0.0, 0.1, 0.2, 0.3]), &[0.0, 1e-6, 1.2e-6, 1.44e-6]);
    for dialect in [Dialect::Keras, Dialect::Optax, Dialect::Textbook] {
        near(&moves(dialect, 1e-6, &[0.0, 0.1, 0.2, 0.3]), &[0.0, 0.0, 1e-6, 1.2e-6]);
    }
    for dialect in Dialect::ALL {
        near(&moves(dialect, 0.0, &[0.0, 0.1, 0.2, 0.3]), &[0.0; 4]);
    }
}
