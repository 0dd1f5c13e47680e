//! The laws of mixed rows.

use super::super::plan::{Alter, Batch, Scene};
use super::super::{Finds, Technique, find};
use crate::nn::{Shape, Targets};
use crate::train::Samples;

const ROWS: usize = 6;
const SHAPE: Shape = Shape::Image { height: 5, width: 4, channels: 2 };

/// What a step made of rows whose every number is the row's index, and whose class and value are, too.
struct Mixed {
    x: Vec<f32>,
    classes: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
    values: Vec<f32>,
}

fn mixed(name: &str, alpha: f64, step: u64) -> Mixed {
    let x: Vec<f32> = (0..ROWS).flat_map(|row| vec![row as f32; SHAPE.len()]).collect();
    let codes: Vec<u32> = (0..ROWS as u32).collect();
    let train = Samples { shape: SHAPE, x: &x, targets: Targets::Classes(&codes) };
    let technique: &dyn Technique = find(name).unwrap();
    let mut alter: Box<dyn Alter> = technique
        .alter(
            &[alpha],
            &Scene { train, batch: ROWS, shards: 1, layers: &[], key: 1, finds: &Finds::default() },
        )
        .unwrap();
    assert!(alter.mixes());
    let mut mixed = Mixed {
        x: x.clone(),
        classes: codes.clone(),
        second: codes.clone(),
        share: vec![1.0; ROWS],
        values: codes.iter().map(|&code| code as f32).collect(),
    };
    let Mixed { x, classes, second, share, values } = &mut mixed;
    alter.alter(&mut Batch { train, rows: &codes, x, classes, values, second, share, step_key: step }, step);
    mixed
}

#[test]
fn mixup_mixes_rows_and_targets_by_one_share() {
    let mut shares = Vec::new();
    for step in 0..4000 {
        let Mixed { x, classes, second, share, values } = mixed("mixup", 0.4, step);
        for (row, x) in x.chunks_exact(SHAPE.len()).enumerate() {
            let (first, other) = (classes[row] as f32, second[row] as f32);
            assert_ne!(first, other, "a row has another as its partner");
            let expected = share[row] * first + (1.0 - share[row]) * other;
            assert!(x.iter().all(|x| (x - expected).abs() < 1e-5));
            assert!((values[row] - expected).abs() < 1e-5);
        }
        assert!(share.iter().all(|&one| one == share[0]), "one share a step");
        shares.push(f64::from(share[0]));
    }
    // Beta(α, α): mean ½, variance 1/(4(2α + 1)).
    let mean = shares.iter().sum::<f64>() / 4000.0;
    let variance = shares.iter().map(|share| (share - 0.5).powi(2)).sum::<f64>() / 4000.0;
    let expected = 1.0 / (4.0 * 1.8);
    assert!((mean - 0.5).abs() < 5.0 * (expected / 4000.0_f64).sqrt(), "{mean}");
    assert!((variance / expected - 1.0).abs() < 0.1, "{variance}");
}

#[test]
fn cutmix_weighs_targets_by_the_clipped_box() {
    let mut partial = 0;
    for step in 0..500 {
        let Mixed { x, classes, second, share, values } = mixed("cutmix", 1.0, step);
        for (row, x) in x.chunks_exact(SHAPE.len()).enumerate() {
            let (first, other) = (classes[row] as f32, second[row] as f32);
            let from_other = x.iter().filter(|&&x| x == other).count();
            let from_first = x.iter().filter(|&&x| x == first).count();
            assert_eq!(from_first + from_other, SHAPE.len(), "pixels are copied, not mixed");
            let expected = from_first as f32 / SHAPE.len() as f32;
            assert!((share[row] - expected).abs() < 1e-6, "{} for {expected}", share[row]);
            assert!((values[row] - (expected * first + (1.0 - expected) * other)).abs() < 1e-5);
        }
        partial += usize::from(share[0] > 0.0 && share[0] < 1.0);
    }
    assert!(partial > 200, "{partial}");
}
