//! The methods' papers, in plain code over whole vectors.

use thalweg_optim::{Dialect, Layout, OptimizerSpec, Role};

use crate::{close, layout, norm, times, turned, wave};

/// Walks `steps` steps of made-up gradients, and the same with `plain`, which gets (t, w, g).
fn follows(
    spec: &OptimizerSpec,
    layout: &Layout,
    rate: f64,
    tolerance: f64,
    mut plain: impl FnMut(i32, &mut [f64], &[f64]),
) {
    let n = layout.len();
    let (mut w, mut expected) = (wave(n, 0.9), wave(n, 0.9));
    let mut optimizer = spec.build::<f64>(layout).expect("the settings are in range");
    for t in 1..=12 {
        let g: Vec<f64> =
            wave(n, 0.31 + 0.17 * f64::from(t)).iter().map(|g| g * f64::from(1 + t % 3)).collect();
        optimizer.step_with(&mut w, &g, rate).expect("no look-ahead");
        plain(t, &mut expected, &g);
        close(&w, &expected, tolerance, &format!("{spec:?} in step {t}"));
    }
}

#[test]
fn lars_is_its_paper_s() {
    let (momentum, decay, trust, rate) = (0.9, 5e-4, 1e-3, 0.4);
    let spec = OptimizerSpec::named("lars").dialect(Dialect::Textbook);
    let mut velocity = [0.0; 6];
    follows(&spec, &layout(&[("w", &[3, 2], Role::Weight)]), rate, 1e-14, |_, w, g| {
        let local = trust * norm(w) / (norm(g) + decay * norm(w));
        for i in 0..6 {
            velocity[i] = momentum * velocity[i] + rate * local * (g[i] + decay * w[i]);
            w[i] -= velocity[i];
        }
    });
}

#[test]
fn lamb_is_its_paper_s() {
    let (beta1, beta2, epsilon, decay, rate) = (0.9_f64, 0.999_f64, 1e-6, 0.01, 0.02);
    let spec = OptimizerSpec::named("lamb").dialect(Dialect::Textbook);
    let (mut m, mut v) = ([0.0; 6], [0.0; 6]);
    follows(&spec, &layout(&[("w", &[2, 3], Role::Weight)]), rate, 1e-14, |t, w, g| {
        let mut r = [0.0; 6];
        for i in 0..6 {
            m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            let (m, v) = (m[i] / (1.0 - beta1.powi(t)), v[i] / (1.0 - beta2.powi(t)));
            r[i] = m / (v.sqrt() + epsilon) + decay * w[i];
        }
        let share = rate * norm(w) / norm(&r);
        w.iter_mut().zip(r).for_each(|(w, r)| *w -= share * r);
    });
}

/// Algorithm 5 of the paper, sums and all.
#[test]
fn adafactor_is_its_paper_s() {
    let (rows, columns, rate) = (3, 4, 1e-2_f64);
    let spec = OptimizerSpec::named("adafactor").dialect(Dialect::Textbook);
    let (mut r, mut c) = ([0.0; 3], [0.0; 4]);
    follows(&spec, &layout(&[("w", &[3, 4], Role::Weight)]), rate, 1e-13, |t, w, g| {
        let t = f64::from(t);
        let beta = 1.0 - t.powf(-0.8);
        let rms = |x: &[f64]| norm(x) / (x.len() as f64).sqrt();
        let square = |i: usize, j: usize| g[i * columns + j].powi(2) + 1e-30;
        for (i, r) in r.iter_mut().enumerate() {
            *r = beta * *r + (1.0 - beta) * (0..columns).map(|j| square(i, j)).sum::<f64>();
        }
        for (j, c) in c.iter_mut().enumerate() {
            *c = beta * *c + (1.0 - beta) * (0..rows).map(|i| square(i, j)).sum::<f64>();
        }
        let total: f64 = r.iter().sum();
        let u: Vec<f64> = (0..12).map(|k| g[k] / (r[k / columns] * c[k % columns] / total).sqrt()).collect();
        let step = rms(w).max(1e-3) * rate.min(1.0 / t.sqrt()) / rms(&u).max(1.0);
        w.iter_mut().zip(u).for_each(|(w, u)| *w -= step * u);
    });
}

/// The author's code, for a matrix that is wider than high.
#[test]
fn muon_is_its_author_s() {
    let (rows, columns, rate) = (3, 5, 0.02);
    let spec = OptimizerSpec::named("muon").dialect(Dialect::Textbook);
    let mut b = [0.0; 15];
    follows(&spec, &layout(&[("w", &[3, 5], Role::Weight)]), rate, 1e-12, |_, w, g| {
        b.iter_mut().zip(g).for_each(|(b, g)| *b = 0.95 * *b + g);
        let mut x: Vec<f64> = b.iter().zip(g).map(|(b, g)| g + 0.95 * b).collect();
        let length = norm(&x) + 1e-7;
        x.iter_mut().for_each(|x| *x /= length);
        for _ in 0..5 {
            let a = times(&x, &turned(&x, rows, columns), (rows, columns, rows));
            let aa = times(&a, &a, (rows, rows, rows));
            let poly: Vec<f64> = a.iter().zip(&aa).map(|(a, aa)| -4.7750 * a + 2.0315 * aa).collect();
            let moved = times(&poly, &x, (rows, rows, columns));
            x.iter_mut().zip(moved).for_each(|(x, moved)| *x = 3.4445 * *x + moved);
        }
        w.iter_mut().zip(x).for_each(|(w, x)| *w -= rate * x);
    });
}

/// What is no matrix, in the author's code: AdamW at 3e-4 where Muon's rate is 0.02, whatever the ratio rounds to.
#[test]
fn muon_s_rest_is_its_author_s() {
    let (beta1, beta2, epsilon, rate) = (0.9_f64, 0.95_f64, 1e-10, 3e-4);
    let spec = OptimizerSpec::named("muon").dialect(Dialect::Textbook);
    let (mut m, mut v) = ([0.0; 5], [0.0; 5]);
    follows(&spec, &layout(&[("b", &[5], Role::Bias)]), 0.02, 1e-14, |t, w, g| {
        for i in 0..5 {
            m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            let (m, v) = (m[i] / (1.0 - beta1.powi(t)), v[i] / (1.0 - beta2.powi(t)));
            w[i] -= rate * m / (v.sqrt() + epsilon);
        }
    });
    // Too small for a step to show.
    let settings = spec.resolved().expect("a row of the registry");
    for known in [("adam_epsilon", 1e-10), ("adam_weight_decay", 0.0), ("weight_decay", 0.0)] {
        assert!(settings.contains(&known), "{known:?}: {settings:?}");
    }
}
