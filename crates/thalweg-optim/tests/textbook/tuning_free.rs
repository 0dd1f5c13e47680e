//! Methods that spare a schedule or a learning rate.

use super::{DIM, compare, gradient, start, value_and_grad};
use thalweg_optim::{Dialect, Layout, OptimizerSpec, from_fn};

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
                optimizer.step(&mut w, &mut f, 0.05).expect("a step");
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
