//! What holds of each method whatever the numbers are.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use thalweg_optim::{Dialect, Layout, OptimizerSpec, Real, Role};

use crate::{bits, close, every, layout, mixed, times, turned, wave};

/// W after steps of a fixed gradient whose block `index` is multiplied by `scale`.
fn scaled(spec: &OptimizerSpec, layout: &Layout, index: usize, scale: f64) -> Vec<f64> {
    let n = layout.len();
    let (mut w, mut optimizer) = (wave(n, 0.9), spec.build::<f64>(layout).expect("in range"));
    for step in 0..8 {
        let mut g = wave(n, 0.31 + f64::from(step));
        g[layout.blocks()[index].range.clone()].iter_mut().for_each(|g| *g *= scale);
        optimizer.step_with(&mut w, &g, 0.01).expect("no look-ahead");
    }
    w
}

/// A power of two scales without rounding: even the bits agree.
#[test]
fn the_scale_of_one_block_s_gradient_is_not_seen() {
    let layout = layout(&[("a", &[4, 3], Role::Weight), ("b", &[3, 5], Role::Weight)]);
    for spec in every() {
        let mut spec = spec;
        for (name, _) in spec.resolved().expect("in range") {
            if name.contains("epsilon") && name != "epsilon2" || name.ends_with("weight_decay") {
                spec = spec.with(name, 0.0);
            }
        }
        if spec.name == "adafactor" && spec.dialect == Dialect::Torch {
            continue; // its ε₁ has no 0
        }
        let plain = scaled(&spec, &layout, 1, 1.0);
        assert_ne!(plain, wave(27, 0.9), "{spec:?}");
        for scale in [1024.0, 1.0 / 4096.0] {
            let found = scaled(&spec, &layout, 1, scale);
            if spec.name == "soap" {
                close(&found, &plain, 1e-9, &format!("{spec:?}"));
            } else {
                assert_eq!(bits(&found), bits(&plain), "{spec:?} with {scale}");
            }
        }
    }
}

/// For each matrix, the step's singular values: the square roots of the eigenvalues of O·Oᵀ lie in the band exactly if
/// both O·Oᵀ − 0.68² and 1.21² − O·Oᵀ have no negative direction, which Cholesky's factors tell.
fn singular_values_within(o: &[f64], (rows, columns): (usize, usize), low: f64, high: f64) -> bool {
    let (rows, columns, o) =
        if rows > columns { (columns, rows, turned(o, rows, columns)) } else { (rows, columns, o.to_vec()) };
    let square = times(&o, &turned(&o, rows, columns), (rows, columns, rows));
    let definite = |sign: f64, shift: f64| {
        let mut a: Vec<f64> = square.iter().map(|x| sign * x).collect();
        a.iter_mut().step_by(rows + 1).for_each(|x| *x -= sign * shift);
        for k in 0..rows {
            if a[k * rows + k] < 0.0 {
                return false;
            }
            for i in k + 1..rows {
                let factor = a[i * rows + k] / a[k * rows + k];
                for j in k..rows {
                    a[i * rows + j] -= factor * a[k * rows + j];
                }
            }
        }
        true
    };
    definite(1.0, low * low) && definite(-1.0, high * high)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(64) })]
    #[test]
    fn every_singular_value_of_muon_s_step_is_near_one(
        rows in 1_usize..24,
        columns in 1_usize..24,
        seed in 0.1_f64..3.0,
        scale in -10.0_f64..10.0,
    ) {
        // Not too near to singular: the band holds for what starts above about 0.003 of the norm.
        let n = rows * columns;
        let mut g = wave(n, seed * 7.31);
        for i in 0..rows.min(columns) {
            g[i * columns + i] += 4.0;
        }
        g.iter_mut().for_each(|g| *g *= 10_f64.powf(scale));
        let layout = layout(&[("w", &[rows, columns], Role::Weight)]);
        let spec = OptimizerSpec::named("muon").dialect(Dialect::Keras).with("rms_rate", 0.0).with("weight_decay", 0.0);
        let spec = spec.with("epsilon", 0.0);
        let (mut w, mut optimizer) = (vec![0.0; n], spec.build::<f64>(&layout).expect("in range"));
        optimizer.step_with(&mut w, &g, 1.0).expect("no look-ahead");
        prop_assert!(singular_values_within(&w, (rows, columns), 0.68, 1.21), "{rows} × {columns}");
    }
}

#[test]
fn muon_takes_matrices_of_the_role_weight_and_leaves_the_rest_to_adamw() {
    let layout = mixed();
    for dialect in Dialect::ALL {
        let muon = OptimizerSpec::named("muon").dialect(dialect).build::<f64>(&layout).expect("in range");
        let state = muon.save();
        let moved: Vec<&str> =
            state.entries().keys().filter_map(|name| name.strip_prefix("velocity/")).collect();
        let expected: &[&str] = match dialect {
            Dialect::Torch | Dialect::Textbook => &["conv", "empty", "high", "wide"],
            Dialect::Keras | Dialect::Optax => &["empty", "high", "wide"],
        };
        assert_eq!(moved, expected, "{dialect:?}");
        // A vector follows the dialect's own AdamW, to the bit (optax: NAdam without decay).
        let name = if dialect == Dialect::Optax { "nadam" } else { "adamw" };
        let mut spec = OptimizerSpec::named(name).dialect(dialect);
        let mut ratio = 0.0;
        for (name, value) in muon.hyper() {
            if name == "adam_lr_ratio" {
                ratio = value;
            }
            let name = name.strip_prefix("adam_").unwrap_or("");
            if ["beta1", "beta2", "epsilon", "weight_decay"].contains(&name)
                && !(spec.name == "nadam" && name == "weight_decay")
            {
                spec = spec.with(name, value);
            }
        }
        let vector = Layout::vector(70);
        let mut other = spec.build::<f64>(&vector).expect("in range");
        let mut muon = OptimizerSpec::named("muon").dialect(dialect).build::<f64>(&vector).expect("in range");
        let (mut w, mut expected) = (wave(70, 0.9), wave(70, 0.9));
        for step in 0..9 {
            let g = wave(70, 0.4 + f64::from(step));
            muon.step_with(&mut w, &g, 0.01).expect("no look-ahead");
            other.step_with(&mut expected, &g, 0.01 * ratio).expect("no look-ahead");
        }
        close(&w, &expected, 1e-13, &format!("{dialect:?}"));
    }
}

#[test]
fn muon_flattens_a_convolution_behind_its_first_axis() {
    let walk = |shape: &[usize]| {
        let layout = layout(&[("w", shape, Role::Weight)]);
        scaled(&OptimizerSpec::named("muon"), &layout, 0, 1.0)
    };
    assert_eq!(bits(&walk(&[4, 3, 2, 2])), bits(&walk(&[4, 12])));
    assert_ne!(bits(&walk(&[4, 3, 2, 2])), bits(&walk(&[12, 4])));
}

/// Of more than two axes, each index of the others is a matrix of its own; the RMS are taken over the whole block.
#[test]
fn adafactor_factors_the_last_two_axes_or_the_two_largest() {
    let shapes = |dialect: Dialect| {
        let layout = layout(&[("w", &[5, 2, 6, 3], Role::Weight)]);
        let spec = OptimizerSpec::named("adafactor").dialect(dialect).with("min_dim_size_to_factor", 2.0);
        let state = spec.build::<f64>(&layout).expect("in range").save();
        let shape = |name: &str| state.entries()[name].shape.clone();
        (shape("row_average/w"), shape("column_average/w"))
    };
    assert_eq!(shapes(Dialect::Textbook), (vec![5, 2, 6], vec![5, 2, 3]));
    assert_eq!(shapes(Dialect::Optax), (vec![5, 2, 3], vec![2, 6, 3]));

    // With inner and middle axes of 1, the two largest axes are the matrix itself.
    let spec = OptimizerSpec::named("adafactor").dialect(Dialect::Optax).with("min_dim_size_to_factor", 2.0);
    let plain = scaled(&spec, &layout(&[("w", &[5, 6], Role::Weight)]), 0, 1.0);
    for shape in [&[5, 1, 6, 1][..], &[1, 5, 6], &[5, 6, 1, 1]] {
        let found = scaled(&spec, &layout(&[("w", shape, Role::Weight)]), 0, 1.0);
        assert_eq!(bits(&found), bits(&plain), "{shape:?}");
    }
    // Inner axes are matrices of their own: two equal ones, woven into each other, move alike.
    let woven = layout(&[("w", &[5, 6, 2], Role::Weight)]);
    let (mut w, mut optimizer) = (vec![0.0; 60], spec.build::<f64>(&woven).expect("in range"));
    let (mut single, mut one) =
        (vec![0.0; 30], spec.build::<f64>(&layout(&[("w", &[5, 6], Role::Weight)])).expect("in range"));
    for step in 0..8 {
        let g = wave(30, 0.31 + f64::from(step));
        let twice: Vec<f64> = g.iter().flat_map(|&g| [g, g]).collect();
        optimizer.step_with(&mut w, &twice, 0.01).expect("no look-ahead");
        one.step_with(&mut single, &g, 0.01).expect("no look-ahead");
    }
    let expected: Vec<f64> = single.iter().flat_map(|&w| [w, w]).collect();
    close(&w, &expected, 1e-14, "woven");
}

#[test]
fn soap_s_first_step_measures_and_its_second_moves() {
    let spec = OptimizerSpec::named("soap").with("weight_decay", 0.0);
    let layout = mixed();
    let n = layout.len();
    let (mut w, mut optimizer) = (wave(n, 0.9), spec.build::<f64>(&layout).expect("in range"));
    optimizer.step_with(&mut w, &wave(n, 0.3), 0.1).expect("no look-ahead");
    assert_eq!(w, wave(n, 0.9));
    let state = optimizer.save();
    for (name, side) in [("left", 7), ("right", 3)] {
        let basis =
            f64::from_values(&state.entries()[&format!("{name}_basis/high")].values).expect("f64").to_vec();
        let one = times(&turned(&basis, side, side), &basis, (side, side, side));
        for (k, x) in one.iter().enumerate() {
            assert!((x - f64::from(u8::from(k / side == k % side))).abs() < 1e-14, "{name}: {x}");
        }
    }
    optimizer.step_with(&mut w, &wave(n, 0.3), 0.1).expect("no look-ahead");
    for block in layout.blocks().iter().filter(|block| !block.range.is_empty()) {
        assert_ne!(w[block.range.clone()], wave(n, 0.9)[block.range.clone()], "{}", block.name);
    }
}

/// In the basis of its gradients a matrix is diagonal, and Adam's first step there is a sign: turned back, it is the
/// orthogonal factor of the gradient.
#[test]
fn soap_with_a_constant_gradient_steps_along_its_orthogonal_factor() {
    let (rows, columns) = (4, 4);
    let mut g = wave(16, 2.31);
    (0..4).for_each(|i| g[i * 5] += 3.0);
    // Off the diagonal, G' is rounding noise over rounding noise, which Adam would make ±1 of: ε keeps it nothing.
    let spec = OptimizerSpec::named("soap").with("weight_decay", 0.0).with("epsilon", 1e-6);
    let layout = layout(&[("w", &[rows, columns], Role::Weight)]);
    let (mut w, mut optimizer) = (vec![0.0; 16], spec.build::<f64>(&layout).expect("in range"));
    for _ in 0..2 {
        optimizer.step_with(&mut w, &g, 1.0).expect("no look-ahead");
    }
    assert!(singular_values_within(&w, (rows, columns), 1.0 - 1e-4, 1.0 + 1e-4), "{w:?}");
}
