//! The laws of what is done to batches: how often, how much, and to what.

use super::finds::Finds;
use super::plan::BatchPlan;
use crate::nn::{Loss, Shape, Targets};
use crate::train::{BatchSize, Recipe, Samples};

const ROWS: usize = 400;
const IMAGE: Shape = Shape::Image { height: 8, width: 6, channels: 1 };

/// A batch of all rows, in their order, after a step.
struct Step {
    x: Vec<f32>,
    classes: Vec<u32>,
    values: Vec<f32>,
    plan: BatchPlan,
}

fn step(spec: &str, shape: Shape, x: &[f32], targets: Targets<'_, f32>, number: u64) -> Step {
    let loss = match targets {
        Targets::Values(_) => Loss::SquaredError,
        _ => Loss::CrossEntropy,
    };
    let regularize = spec.parse().unwrap();
    let recipe = Recipe { loss, batch_size: BatchSize::Full, regularize, ..Recipe::default() };
    let train = Samples { shape, x, targets };
    let finds = Finds::default();
    let mut plan = BatchPlan::new(&recipe, train, 3, 9, &finds);
    assert!(plan.survey(train, &finds, &|| true));
    let rows: Vec<u32> = (0..train.rows() as u32).collect();
    let (mut x, mut classes, mut values) = (x.to_vec(), Vec::new(), Vec::new());
    match targets {
        Targets::Values(numbers) => values = numbers.to_vec(),
        Targets::Classes(codes) => classes = codes.to_vec(),
        Targets::Soft(_) => panic!("data have one class a row"),
    }
    plan.alter(train, &rows, &mut x, &mut classes, &mut values, number, number);
    Step { x, classes, values, plan }
}

/// Images that all are alike: the number of the pixel, from 1.
fn altered(spec: &str, number: u64) -> (Vec<f32>, Vec<f32>) {
    let image: Vec<f32> = (1..=IMAGE.len()).map(|pixel| pixel as f32).collect();
    let x = image.repeat(ROWS);
    let codes = vec![0; ROWS];
    let after = step(spec, IMAGE, &x, Targets::Classes(&codes), number).x;
    (image, after)
}

/// A table with columns of deviation 1, 2 and 0.
fn table() -> Vec<f32> {
    (0..ROWS).flat_map(|row| if row % 2 == 0 { [1.0, 7.0, 3.0] } else { [-1.0, 3.0, 3.0] }).collect()
}

fn moments(numbers: impl Iterator<Item = f32>) -> (f64, f64) {
    let numbers: Vec<f64> = numbers.map(f64::from).collect();
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
    (mean, variance.sqrt())
}

#[test]
fn cutout_blanks_one_square_as_far_as_it_lies_within() {
    let (image, after) = altered("cutout=4", 0);
    let mut sizes = std::collections::BTreeSet::new();
    for after in after.chunks_exact(image.len()) {
        let blank: Vec<usize> = (0..image.len()).filter(|&pixel| after[pixel] == 0.0).collect();
        assert!((0..image.len()).all(|pixel| after[pixel] == 0.0 || after[pixel] == image[pixel]));
        let span = |of: fn(usize) -> usize| {
            let places: Vec<_> = blank.iter().map(|&pixel| of(pixel)).collect();
            places.iter().max().unwrap() - places.iter().min().unwrap() + 1
        };
        let (tall, wide) = (span(|pixel| pixel / 6), span(|pixel| pixel % 6));
        assert_eq!(blank.len(), tall * wide, "a rectangle without holes");
        assert!((2..=4).contains(&tall) && (2..=4).contains(&wide));
        sizes.insert((tall, wide));
    }
    assert!(sizes.contains(&(4, 4)) && sizes.contains(&(2, 2)), "{sizes:?}");
}

#[test]
fn erasing_takes_its_share_of_images_and_pixels() {
    let (image, after) = altered("random-erasing=0.5:0.25", 1);
    let changed = |after: &[f32]| after.iter().zip(&image).filter(|(a, b)| a != b).count();
    let counts: Vec<usize> =
        after.chunks_exact(image.len()).map(changed).filter(|&count| count > 0).collect();
    assert!((counts.len() as f64 / ROWS as f64 - 0.5).abs() < 0.125, "{}", counts.len());
    // A quarter of 48 pixels, and what rounding of the sides adds.
    assert!(counts.iter().all(|&count| count <= 18) && counts.iter().any(|&count| count >= 9));
}

#[test]
fn a_flip_mirrors_its_share_of_the_images() {
    let (image, after) = altered("flip=0.3", 2);
    let mirror: Vec<f32> = image.chunks_exact(6).flat_map(|row| row.iter().rev().copied()).collect();
    let mirrored = after.chunks_exact(image.len()).filter(|after| **after == mirror[..]).count();
    let plain = after.chunks_exact(image.len()).filter(|after| **after == image[..]).count();
    assert_eq!(mirrored + plain, ROWS);
    assert!((mirrored as f64 / ROWS as f64 - 0.3).abs() < 0.115, "{mirrored}");
}

#[test]
fn crops_lie_at_every_place() {
    let (image, after) = altered("crop=1", 3);
    // The pixel that is shown at (3, 3) says where the crop lies.
    let mut seen = std::collections::BTreeMap::new();
    after
        .chunks_exact(image.len())
        .for_each(|after| *seen.entry(after[3 * 6 + 3] as usize - 1).or_insert(0) += 1);
    let places: Vec<usize> = (2..=4).flat_map(|y| (2..=4).map(move |x| y * 6 + x)).collect();
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), places);
    assert!(seen.values().all(|&count| count > 15), "{seen:?}");
}

#[test]
fn light_is_even_and_within_reach() {
    let (image, after) = altered("brightness=0.5", 4);
    let (_, deviation) = moments(image.iter().copied());
    let mut most = 0.0_f64;
    for after in after.chunks_exact(image.len()) {
        let light = after[0] - image[0];
        assert!(after.iter().zip(&image).all(|(a, b)| (a - b - light).abs() < 1e-4));
        most = most.max(f64::from(light.abs()));
    }
    assert!(most <= 0.5 * deviation + 1e-6 && most > 0.45 * deviation, "{most}");
}

#[test]
fn contrast_keeps_the_mean() {
    let (image, after) = altered("contrast=0.5", 5);
    let (mean, deviation) = moments(image.iter().copied());
    for after in after.chunks_exact(image.len()) {
        let (new_mean, new_deviation) = moments(after.iter().copied());
        assert!((new_mean - mean).abs() < 1e-4);
        assert!((1.0 / 1.5 - 1e-4..1.5 + 1e-4).contains(&(new_deviation / deviation)));
    }
}

#[test]
fn jitter_is_in_the_measure_of_each_column() {
    let (x, codes) = (table(), vec![0; ROWS]);
    let after = step("jitter=0.1:0.5", Shape::Flat(3), &x, Targets::Classes(&codes), 6).x;
    let noise: Vec<f32> = after.iter().zip(&x).map(|(after, x)| after - x).collect();
    let of = |column: usize| noise.iter().skip(column).step_by(3).copied().filter(|&noise| noise != 0.0);
    let disturbed = of(0).count();
    assert!((disturbed as f64 / ROWS as f64 - 0.5).abs() < 0.125, "{disturbed}");
    let ((mean, first), (_, second)) = (moments(of(0)), moments(of(1)));
    assert!(mean.abs() < 0.036 && (first - 0.1).abs() < 0.025 && (second - 0.2).abs() < 0.05);
    assert_eq!(of(2).count(), 0, "a constant column has no measure");
}

#[test]
fn a_mask_puts_the_columns_mean_in_its_share_of_places() {
    let (x, codes) = (table(), vec![0; ROWS]);
    let after = step("feature-mask=0.25", Shape::Flat(3), &x, Targets::Classes(&codes), 7).x;
    let mut masked = [0; 2];
    for (after, x) in after.chunks_exact(3).zip(x.chunks_exact(3)) {
        for (column, mean) in [0.0, 5.0].into_iter().enumerate() {
            assert!(after[column] == x[column] || after[column] == mean);
            masked[column] += usize::from(after[column] == mean);
        }
    }
    assert!(masked.iter().all(|&count| (count as f64 / ROWS as f64 - 0.25).abs() < 0.11), "{masked:?}");
}

#[test]
fn input_noise_has_its_deviation_and_shape() {
    let (x, codes) = (table(), vec![0; ROWS]);
    for (uniform, reach) in [(0, f64::INFINITY), (1, 0.2 * 3.0_f64.sqrt())] {
        let spec = format!("input-noise=0.2:{uniform}");
        let after = step(&spec, Shape::Flat(3), &x, Targets::Classes(&codes), 8).x;
        let noise: Vec<f32> = after.iter().zip(&x).map(|(after, x)| after - x).collect();
        let (mean, deviation) = moments(noise.iter().copied());
        assert!(mean.abs() < 0.03 && (deviation - 0.2).abs() < 0.02, "{spec}: {mean} {deviation}");
        let most = noise.iter().fold(0.0_f64, |most, noise| most.max(f64::from(noise.abs())));
        assert!(most <= reach + 1e-6 && most > 0.33, "{spec}: {most}");
    }
}

#[test]
fn smoothing_is_the_formula() {
    let codes = [2, 0];
    let Step { classes, plan, .. } =
        step("label-smoothing=0.3", Shape::Flat(1), &[0.0, 0.0], Targets::Classes(&codes), 0);
    let z = [0.5_f32, -1.0, 2.0, 0.1, 0.2, 0.3];
    let loss = Loss::CrossEntropy.value(&z, plan.targets(Targets::Classes(&classes)), &mut [0.0; 6]);
    let expected: f64 = z
        .chunks_exact(3)
        .zip(codes)
        .map(|(z, code)| {
            let sum: f64 = z.iter().map(|&z| f64::from(z).exp()).sum();
            let p = |class: usize| 0.1 + if class == code as usize { 0.7 } else { 0.0 };
            (0..3).map(|class| -p(class) * (f64::from(z[class]) - sum.ln())).sum::<f64>() / 2.0
        })
        .sum();
    assert!((f64::from(loss) - expected).abs() < 1e-6, "{loss} for {expected}");
}

#[test]
fn wrong_labels_stay_the_same_wrong_ones() {
    let (x, codes) = (vec![0.0; ROWS], vec![1; ROWS]);
    let at = |number| step("label-noise=0.4", Shape::Flat(1), &x, Targets::Classes(&codes), number);
    let (first, second) = (at(0), at(9));
    assert_eq!(first.classes, second.classes);
    let wrong = first.classes.iter().filter(|&&code| code != 1).count();
    assert!((wrong as f64 / ROWS as f64 - 0.4).abs() < 0.123, "{wrong}");
    // They are hard labels: nothing makes them soft.
    assert!(matches!(first.plan.targets(Targets::Classes(&first.classes)), Targets::Classes(_)));
}

#[test]
fn numbers_are_mixed_as_their_rows_are() {
    let x: Vec<f32> = (0..ROWS).map(|row| row as f32).collect();
    let after = step("mixup=1", Shape::Flat(1), &x, Targets::Values(&x), 3);
    assert!(after.x.iter().zip(&after.values).all(|(x, y)| (x - y).abs() < 1e-3));
    assert_ne!(after.values, x);
}

#[test]
fn steps_differ_and_repeat_by_their_number() {
    for spec in ["rotation", "crop", "randaugment", "input-noise", "random-erasing"] {
        // No `assert_eq`: nobody wants to read the images.
        assert!(altered(spec, 5) == altered(spec, 5), "{spec}");
        assert!(altered(spec, 5) != altered(spec, 6), "{spec}");
    }
}
