//! The `textbook` dialect against a direct transcription of the textbook's formulas, in plain scalar code.

use thalweg_optim::registry::{Kind, REGISTRY};
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
        optimizer.step(&mut w, &mut f, eta);
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

#[test]
fn amsgrad() {
    for (eta, beta1, beta2, epsilon) in
        [(0.001, 0.9, 0.999, 1e-8), (0.01, 0.8, 0.9, 1e-3), (0.05, 0.0, 0.5, 0.1)]
    {
        let (mut m, mut v, mut largest) = ([0.0; DIM], [0.0; DIM], [0.0_f64; DIM]);
        let spec = OptimizerSpec::named("amsgrad").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                largest[i] = largest[i].max(v[i]);
                w[i] -= eta / f64::sqrt(largest[i] + epsilon) * m[i];
            }
        });
    }
}

/// The two sides of the running maximum must both have been walked: v grows, and then v falls and v̂ stays.
#[test]
fn the_divisor_of_amsgrad_does_not_shrink() {
    let spec =
        OptimizerSpec::named("amsgrad").dialect(Dialect::Textbook).with("beta2", 0.5).with("beta1", 0.0);
    let mut rule = spec.build::<f64>(&Layout::vector(1)).expect("in range");
    let mut step = |g: f64| {
        let mut w = [0.0];
        rule.step_with(&mut w, &[g], 1.0).expect("no look-ahead");
        -w[0]
    };
    // v: ½, ½·½ + ½·9 = 4¾, then ever less.
    assert!((step(1.0) - 1.0 / 0.5_f64.sqrt()).abs() < 1e-7);
    assert!((step(3.0) - 3.0 / 4.75_f64.sqrt()).abs() < 1e-7);
    assert!((0..5).all(|_| (step(0.1) - 0.1 / 4.75_f64.sqrt()).abs() < 1e-8));
}

#[test]
fn adamw() {
    for (eta, beta1, beta2, epsilon, lambda) in
        [(0.001, 0.9, 0.999, 1e-8, 0.01), (0.03, 0.8, 0.99, 1e-3, 0.3), (0.03, 0.5, 0.9, 0.1, 0.0)]
    {
        let (mut m, mut v) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("adamw").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon).with("weight_decay", lambda), eta, |t, w| {
            let g = gradient(w);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                let (m, v) = (m[i] / (1.0 - f64::powi(beta1, t)), v[i] / (1.0 - f64::powi(beta2, t)));
                w[i] -= eta * (m / (v.sqrt() + epsilon) + lambda * w[i]);
            }
        });
    }
}

#[test]
fn adamax() {
    // The paper has no ε.
    for (eta, beta1, beta2, epsilon) in
        [(0.002, 0.9, 0.999, 0.0), (0.03, 0.8, 0.9, 0.0), (0.1, 0.5, 0.5, 0.1)]
    {
        let (mut m, mut u) = ([0.0; DIM], [0.0_f64; DIM]);
        let spec = OptimizerSpec::named("adamax").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon), eta, |t, w| {
            let g = gradient(w);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                u[i] = (beta2 * u[i]).max(g[i].abs());
                w[i] -= eta / (1.0 - f64::powi(beta1, t)) * m[i] / (u[i] + epsilon);
            }
        });
    }
}

#[test]
fn nadam() {
    for (eta, beta1, beta2, epsilon, psi) in
        [(0.002, 0.9, 0.999, 1e-8, 0.004), (0.03, 0.8, 0.99, 1e-3, 1.0), (0.05, 0.5, 0.9, 0.1, 0.0)]
    {
        let (mut m, mut v) = ([0.0; DIM], [0.0; DIM]);
        let mu = |t: i32| beta1 * (1.0 - 0.5 * f64::powf(0.96, f64::from(t) * psi));
        let product = |t: i32| (1..=t).map(mu).product::<f64>();
        let spec = OptimizerSpec::named("nadam").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon).with("momentum_decay", psi), eta, |t, w| {
            let g = gradient(w);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                let ahead =
                    (1.0 - mu(t)) * g[i] / (1.0 - product(t)) + mu(t + 1) * m[i] / (1.0 - product(t + 1));
                w[i] -= eta * ahead / ((v[i] / (1.0 - f64::powi(beta2, t))).sqrt() + epsilon);
            }
        });
    }
}

#[test]
fn radam() {
    // With β₂ = 0.5, ρ∞ = 3: v is never trusted.
    for (eta, beta1, beta2, epsilon) in
        [(0.001, 0.9, 0.999, 1e-8), (0.01, 0.8, 0.99, 1e-3), (0.01, 0.9, 0.9, 0.1), (0.01, 0.9, 0.5, 0.1)]
    {
        let (mut m, mut v) = ([0.0; DIM], [0.0; DIM]);
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let mut trusted = Vec::new();
        let spec = OptimizerSpec::named("radam").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon), eta, |t, w| {
            let g = gradient(w);
            let power = f64::powi(beta2, t);
            let rho = longest - 2.0 * f64::from(t) * power / (1.0 - power);
            let r = ((rho - 4.0) * (rho - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * rho)).sqrt();
            trusted.push(rho > 4.0);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                let mean = m[i] / (1.0 - f64::powi(beta1, t));
                let adapted = r * (1.0 - power).sqrt() / (v[i].sqrt() + epsilon);
                w[i] -= eta * mean * if rho > 4.0 { adapted } else { 1.0 };
            }
        });
        assert!(!trusted[0] && trusted[99] == (longest > 4.0), "both ways must have been walked");
    }
}

#[test]
fn adabelief() {
    for (eta, beta1, beta2, epsilon) in
        [(0.001, 0.9, 0.999, 1e-8), (0.01, 0.8, 0.99, 1e-3), (0.05, 0.5, 0.9, 0.1)]
    {
        let (mut m, mut s) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("adabelief").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon).with("epsilon_root", epsilon), eta, |t, w| {
            let g = gradient(w);
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                s[i] = beta2 * s[i] + (1.0 - beta2) * (g[i] - m[i]).powi(2) + epsilon;
                let (m, s) = (m[i] / (1.0 - f64::powi(beta1, t)), s[i] / (1.0 - f64::powi(beta2, t)));
                w[i] -= eta * m / (s.sqrt() + epsilon);
            }
        });
    }
}

#[test]
fn yogi() {
    for (eta, beta1, beta2, epsilon, start) in
        [(0.01, 0.9, 0.999, 1e-3, 1e-6), (0.03, 0.8, 0.99, 1e-2, 0.1), (0.01, 0.0, 0.9, 0.1, 0.0)]
    {
        let (mut m, mut v) = ([0.0; DIM], [start; DIM]);
        let (mut grew, mut shrank) = (false, false);
        let spec = OptimizerSpec::named("yogi").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon).with("initial_accumulator", start), eta, |_, w| {
            let g = gradient(w);
            for i in 0..DIM {
                let (square, before) = (g[i] * g[i], v[i]);
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] -= (1.0 - beta2) * (v[i] - square).signum() * square;
                w[i] -= eta * m[i] / (f64::sqrt(v[i]) + epsilon);
                (grew, shrank) = (grew || v[i] > before, shrank || v[i] < before);
            }
        });
        assert!(grew, "v must have grown");
        assert!(shrank || beta2 > 0.9, "v must have shrunk");
    }
}

#[test]
fn adopt() {
    for (eta, beta1, beta2, epsilon) in
        [(0.001, 0.9, 0.9999, 1e-6), (0.01, 0.8, 0.9, 1e-3), (0.03, 0.5, 0.5, 0.5)]
    {
        let (mut m, mut v) = ([0.0; DIM], [0.0; DIM]);
        let spec = OptimizerSpec::named("adopt").with("beta1", beta1).with("beta2", beta2);
        compare(spec.with("epsilon", epsilon), eta, |t, w| {
            let g = gradient(w);
            if t == 1 {
                v.iter_mut().zip(&g).for_each(|(v, g)| *v = g * g);
                return;
            }
            // The paper's t starts behind the gradient that v starts with.
            let limit = f64::from(t - 1).powf(0.25);
            for i in 0..DIM {
                let normalized = g[i] / f64::max(f64::sqrt(v[i]), epsilon);
                m[i] = beta1 * m[i] + (1.0 - beta1) * normalized.clamp(-limit, limit);
                w[i] -= eta * m[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            }
        });
    }
}

#[test]
fn adan() {
    let sets = [
        (0.001, [0.98, 0.92, 0.99], 1e-8, 0.0),
        (0.02, [0.9, 0.8, 0.95], 1e-3, 0.3),
        (0.05, [0.5, 0.0, 0.9], 0.1, 0.02),
    ];
    for (eta, [beta1, beta2, beta3], epsilon, lambda) in sets {
        let (mut m, mut v, mut n, mut last) = ([0.0; DIM], [0.0; DIM], [0.0; DIM], None::<Vec<f64>>);
        let spec =
            OptimizerSpec::named("adan").with("beta1", beta1).with("beta2", beta2).with("beta3", beta3);
        compare(spec.with("epsilon", epsilon).with("weight_decay", lambda), eta, |t, w| {
            let g = gradient(w);
            let before = last.replace(g.clone()).unwrap_or_else(|| g.clone());
            for i in 0..DIM {
                let change = g[i] - before[i];
                m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * change;
                n[i] = beta3 * n[i] + (1.0 - beta3) * (g[i] + beta2 * change).powi(2);
                let corrected = |x: f64, beta: f64| x / (1.0 - f64::powi(beta, t));
                let look_ahead = corrected(m[i], beta1) + beta2 * corrected(v[i], beta2);
                let moved = w[i] - eta * look_ahead / (corrected(n[i], beta3).sqrt() + epsilon);
                w[i] = moved / (1.0 + lambda * eta);
            }
        });
    }
}

/// optax's form with the weight that the paper gives to the change of the gradient: see the rule.
#[test]
fn adan_as_optax_means_it() {
    for (beta2, root, lambda) in [(0.92, 1e-8, 0.0), (0.5, 1e-3, 0.1)] {
        let (mut m, mut v, mut n, mut last) = ([0.0; DIM], [0.0; DIM], [0.0; DIM], None::<Vec<f64>>);
        let spec = OptimizerSpec::named("adan").dialect(Dialect::Optax).with("beta2", beta2);
        compare_at(
            spec.with("epsilon_root", root).with("weight_decay", lambda),
            |_| 0.01,
            |t, w| {
                let g = gradient(w);
                let before = last.replace(g.clone()).unwrap_or_else(|| g.clone());
                let corrected = |x: f64, beta: f64| x / (1.0 - f64::powi(beta, t));
                for i in 0..DIM {
                    let change = g[i] - before[i];
                    m[i] = 0.98 * m[i] + 0.02 * g[i];
                    v[i] = beta2 * v[i] + (1.0 - beta2) * change;
                    n[i] = 0.99 * n[i] + 0.01 * (g[i] + beta2 * change).powi(2);
                    let look_ahead = corrected(m[i], 0.98) + beta2 * corrected(v[i], beta2);
                    let direction = look_ahead / ((corrected(n[i], 0.99) + root).sqrt() + 1e-8);
                    w[i] -= 0.01 * (direction + lambda * w[i]);
                }
            },
        );
    }
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

#[test]
fn schedule_free_sgd() {
    for (eta, beta, lambda, warmup) in [(0.1, 0.9, 0.0, 0.0), (0.05, 0.5, 0.05, 0.0), (0.1, 0.95, 0.01, 20.0)]
    {
        let (mut z, mut x) = (start(), start());
        let spec = OptimizerSpec::named("schedule-free-sgd").with("beta", beta).with("weight_decay", lambda);
        compare(spec.with("warmup_steps", warmup), eta, |t, y| {
            let g = gradient(y);
            let t = f64::from(t);
            let eta = if warmup > 0.0 { eta * f64::min(1.0, t / warmup) } else { eta };
            let share = 1.0 / (t + 1.0);
            for i in 0..DIM {
                z[i] -= eta * (g[i] + lambda * y[i]);
                x[i] = (1.0 - share) * x[i] + share * z[i];
                y[i] = (1.0 - beta) * z[i] + beta * x[i];
            }
        });
    }
}

#[test]
fn schedule_free_adamw() {
    let sets = [
        (0.01, 0.9, 0.999, 1e-8, 0.0, 0.0),
        (0.05, 0.5, 0.99, 1e-3, 0.1, 0.0),
        (0.1, 0.95, 0.9, 0.01, 0.02, 20.0),
    ];
    for (eta, beta1, beta2, epsilon, lambda, warmup) in sets {
        let (mut z, mut x, mut v, mut sum) = (start(), start(), [0.0; DIM], 0.0);
        let spec = OptimizerSpec::named("schedule-free-adamw").with("beta1", beta1).with("beta2", beta2);
        let spec = spec.with("epsilon", epsilon).with("weight_decay", lambda).with("warmup_steps", warmup);
        compare(spec, eta, |t, y| {
            let g = gradient(y);
            let warm = if warmup > 0.0 { f64::min(1.0, f64::from(t) / warmup) } else { 1.0 };
            let eta = eta * (1.0 - f64::powi(beta2, t)).sqrt() * warm;
            sum += eta * eta;
            let share = eta * eta / sum;
            for i in 0..DIM {
                v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
                z[i] -= eta * (g[i] / (f64::sqrt(v[i]) + epsilon) + lambda * y[i]);
                x[i] = (1.0 - share) * x[i] + share * z[i];
                y[i] = (1.0 - beta1) * z[i] + beta1 * x[i];
            }
        });
    }
}

#[test]
fn a_schedule_free_model_is_judged_at_the_average() {
    for dialect in Dialect::ALL {
        for (name, beta) in [("schedule-free-sgd", "beta"), ("schedule-free-adamw", "beta1")] {
            let spec = OptimizerSpec::named(name).dialect(dialect).with(beta, 0.8);
            let mut optimizer = spec.build::<f64>(&Layout::vector(DIM)).expect("in range");
            let (mut f, mut w, mut point) = (from_fn(DIM, value_and_grad), start(), Vec::new());
            assert!(!optimizer.average(&w, &mut point), "{spec:?}: nothing to average yet");
            for _ in 0..30 {
                optimizer.step(&mut w, &mut f, 0.05);
            }
            assert!(optimizer.average(&w, &mut point));
            // y = (1−β)z + βx.
            let mut z = [0.0; DIM];
            optimizer.save().slot("stepping_point", &Layout::vector(DIM), &mut z);
            for i in 0..DIM {
                assert!((0.2 * z[i] + 0.8 * point[i] - w[i]).abs() < 1e-14, "{spec:?}");
            }
            assert_ne!(point, w, "{spec:?}");
        }
    }
}

#[test]
fn prodigy() {
    let sets = [
        (1.0, [0.9, 0.999, 0.9995], 1e-8, 0.01, 1.0, 0.0),
        (0.5, [0.8, 0.99, 0.95], 1e-3, 0.05, 0.5, 0.05),
        (0.2, [0.5, 0.9, 0.9], 0.1, 0.1, 1.5, 0.01),
    ];
    for (eta, [beta1, beta2, beta3], epsilon, d0, k, lambda) in sets {
        let (mut m, mut v, mut s, mut r, mut d) = ([0.0; DIM], [0.0; DIM], [0.0; DIM], 0.0, d0);
        let spec =
            OptimizerSpec::named("prodigy").with("beta1", beta1).with("beta2", beta2).with("beta3", beta3);
        let spec =
            spec.with("epsilon", epsilon).with("d0", d0).with("d_coef", k).with("weight_decay", lambda);
        compare(spec, eta, |_, w| {
            let g = gradient(w);
            let (weight, from) = ((1.0 - beta3) * eta * d * d, start());
            r = beta3 * r + weight * (0..DIM).map(|i| g[i] * (from[i] - w[i])).sum::<f64>();
            for i in 0..DIM {
                m[i] = beta1 * m[i] + (1.0 - beta1) * d * g[i];
                v[i] = beta2 * v[i] + (1.0 - beta2) * d * d * g[i] * g[i];
                s[i] = beta3 * s[i] + weight * g[i];
                w[i] -= eta * d * (m[i] / (f64::sqrt(v[i]) + d * epsilon) + lambda * w[i]);
            }
            d = f64::max(d, k * r / s.iter().map(|s| s.abs()).sum::<f64>());
        });
        assert!(d > 1.5 * d0, "the estimate must have grown: {d}");
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
    // Zeiler's MNIST runs; Hinton's lecture; Kingma & Ba's algorithms 1 and 2; Graves's handwriting runs; Dozat's report;
    // Zhuang's, Zaheer's and Taniguchi's algorithms; the customary 0.9 and 1e-8 elsewhere.
    let expected: [(&str, f64, Hyper); 24] = [
        ("sgd", 1e-2, &[]),
        ("momentum", 1e-2, &[("momentum", 0.9), ("dampening", 0.0)]),
        ("nag", 1e-2, &[("momentum", 0.9)]),
        ("adagrad", 1e-2, &[("epsilon", 1e-8), ("initial_accumulator", 0.0), ("lr_decay", 0.0)]),
        ("adadelta", 1.0, &[("rho", 0.95), ("epsilon", 1e-6)]),
        ("rmsprop", 1e-3, &[("alpha", 0.9), ("epsilon", 1e-8)]),
        ("adam", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
        ("rmsprop-momentum", 1e-3, &[("alpha", 0.9), ("epsilon", 1e-8), ("momentum", 0.9)]),
        ("rmsprop-centered", 1e-4, &[("alpha", 0.95), ("epsilon", 1e-4), ("momentum", 0.9)]),
        ("amsgrad", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
        ("adamw", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("weight_decay", 0.01)]),
        ("adamax", 2e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 0.0)]),
        ("nadam", 2e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("momentum_decay", 0.004)]),
        ("radam", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("threshold", 4.0)]),
        ("adabelief", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("epsilon_root", 1e-8)]),
        ("yogi", 1e-2, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-3), ("initial_accumulator", 1e-6)]),
        ("adopt", 1e-3, &[("beta1", 0.9), ("beta2", 0.9999), ("epsilon", 1e-6)]),
        (
            "adan",
            1e-3,
            &[
                ("beta1", 0.98),
                ("beta2", 0.92),
                ("beta3", 0.99),
                ("epsilon", 1e-8),
                ("epsilon_root", 0.0),
                ("weight_decay", 0.0),
            ],
        ),
        ("lion", 1e-4, &[("beta1", 0.9), ("beta2", 0.99), ("weight_decay", 0.0)]),
        ("sign-sgd", 1e-3, &[]),
        ("rprop", 0.1, &[("eta_minus", 0.5), ("eta_plus", 1.2), ("step_min", 1e-6), ("step_max", 50.0)]),
        ("schedule-free-sgd", 1.0, &[("beta", 0.9), ("weight_decay", 0.0), ("warmup_steps", 0.0)]),
        (
            "schedule-free-adamw",
            2.5e-3,
            &[
                ("beta1", 0.9),
                ("beta2", 0.999),
                ("epsilon", 1e-8),
                ("weight_decay", 0.0),
                ("warmup_steps", 0.0),
            ],
        ),
        (
            "prodigy",
            1.0,
            &[
                ("beta1", 0.9),
                ("beta2", 0.999),
                ("beta3", 0.999499874937461),
                ("epsilon", 1e-8),
                ("d0", 1e-6),
                ("d_coef", 1.0),
                ("weight_decay", 0.0),
            ],
        ),
    ];
    let rules = REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise).count();
    assert_eq!(expected.len(), rules, "a new rule wants a row here");
    for (name, rate, hyper) in expected {
        let spec = OptimizerSpec::named(name).dialect(Dialect::Textbook);
        assert_eq!(spec.resolved().expect("a row of the registry"), hyper, "{name}");
        let entry = thalweg_optim::registry::find(name).expect("a row of the registry");
        assert_eq!(entry.info.learning_rate.textbook, rate, "{name}");
    }
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
