//! The `textbook` dialect against a direct transcription of the textbook's formulas, in plain scalar code.

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
fn compare(spec: OptimizerSpec, eta: f64, mut step: impl FnMut(i32, &mut Vec<f64>)) {
    let spec = spec.dialect(Dialect::Textbook);
    let mut optimizer = spec.build::<f64>(&Layout::vector(DIM)).expect("in range");
    let mut f = from_fn(DIM, value_and_grad);
    let (mut w, mut expected) = (start(), start());
    for t in 1..=STEPS {
        optimizer.step(&mut w, &mut f, eta);
        step(t as i32, &mut expected);
        let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
        for (i, (w, e)) in w.iter().zip(&expected).enumerate() {
            let error = (w - e).abs() / size;
            assert!(error <= TOLERANCE, "{spec:?}, η = {eta}, step {t}, element {i}: {error:e}");
        }
    }
    assert!(
        f.value(&w) < f.value(&start()),
        "{spec:?}, η = {eta}: a path that does not descend proves little"
    );
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
fn adam() {
    let sets =
        [(0.001, 0.9, 0.999, 1e-8), (0.03, 0.8, 0.99, 1e-3), (0.1, 0.5, 0.9, 0.1), (0.01, 0.0, 0.9999, 1e-6)];
    for (eta, beta1, beta2, epsilon) in sets {
        let (mut m, mut v) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("adam").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon), eta, |t, w| {
            let g = gradient(w);
            let correction = (1.0 - f64::powi(beta2, t)).sqrt() / (1.0 - f64::powi(beta1, t));
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                w[i] -= eta / f64::sqrt(v[i] + epsilon) * correction * m[i];
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
        let report = nag.step(&mut w, &mut f, eta);
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

/// The name and value of each hyperparameter.
type Hyper = &'static [(&'static str, f64)];

#[test]
fn the_textbook_defaults_are_those_of_the_papers() {
    // Zeiler's MNIST runs; Hinton's lecture; Kingma & Ba's algorithm 1; the customary 0.9 and 1e-8 elsewhere.
    let expected: [(&str, f64, Hyper); 7] = [
        ("sgd", 1e-2, &[]),
        ("momentum", 1e-2, &[("momentum", 0.9), ("dampening", 0.0)]),
        ("nag", 1e-2, &[("momentum", 0.9)]),
        ("adagrad", 1e-2, &[("epsilon", 1e-8), ("initial_accumulator", 0.0)]),
        ("adadelta", 1.0, &[("rho", 0.95), ("epsilon", 1e-6)]),
        ("rmsprop", 1e-3, &[("alpha", 0.9), ("epsilon", 1e-8)]),
        ("adam", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
    ];
    assert_eq!(expected.len(), thalweg_optim::registry::REGISTRY.len(), "a new rule wants a row here");
    for (name, rate, hyper) in expected {
        let spec = OptimizerSpec::named(name).dialect(Dialect::Textbook);
        assert_eq!(spec.resolved().expect("a row of the registry"), hyper, "{name}");
        let entry = thalweg_optim::registry::find(name).expect("a row of the registry");
        assert_eq!(entry.info.learning_rate.textbook, rate, "{name}");
    }
}
