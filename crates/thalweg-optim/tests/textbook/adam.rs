//! Adam and its kin: momentum divided by the size of past gradients.

use super::{DIM, compare, compare_at, gradient};
use thalweg_optim::{Dialect, Layout, OptimizerSpec};

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
