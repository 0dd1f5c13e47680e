//! The dense layer beside plain sums, where it leaves zeros out.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::{Dense, Layer, Mode, Sequence, Shape};

use crate::run::{Run, wave};

/// Row-major A·B, for A of k columns.
fn product(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
    let n = b.len() / k;
    let sum = |row: &[f64], j: usize| row.iter().zip(b.chunks(n)).map(|(a, b)| a * b[j]).sum();
    a.chunks(k).flat_map(|row| (0..n).map(|j| sum(row, j)).collect::<Vec<_>>()).collect()
}

fn turned(a: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| a.chunks(columns).map(move |row| row[j])).collect()
}

/// Numbers of which the ones at `keeps` stay.
fn thinned<T: Math>(len: usize, keeps: impl Fn(usize) -> bool) -> Vec<T> {
    let mut values = wave(len);
    values.iter_mut().enumerate().for_each(|(i, value)| *value = if keeps(i) { *value } else { T::ZERO });
    values
}

fn close<T: Math>(what: &str, found: &[T], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1.0_f64, |size, v| size.max(v.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found.to_f64() - expected).abs() <= tolerance * size,
            "{what} at {at}: {found}, not {expected}"
        );
    }
}

fn check<T: Math>(tolerance: f64) {
    let plain = |values: &[T]| values.iter().map(|v| v.to_f64()).collect::<Vec<_>>();
    // Bands of outputs with an odd one behind, an odd batch, and a batch that is too large to be turned.
    for (batch, inputs, outputs) in [(64, 80, 70), (67, 49, 131), (1030, 17, 16)] {
        for (every_x, every_dy) in [(1, 1), (3, 1), (1, 3), (3, 7), (7, 3)] {
            let layer = Box::new(Dense { inputs, outputs, bias: true, init_bound: 1.0 });
            let mut run = Run::<T>::of(Sequence::new(Shape::Flat(inputs), vec![layer]), batch);
            run.w = wave(run.w.len());
            let x = thinned(batch * inputs, |i| (i * i / 5).is_multiple_of(every_x));
            let dy = thinned(batch * outputs, |i| (i * i / 3).is_multiple_of(every_dy));
            run.forward(&x, Mode::Evaluate);
            run.backward(&x, &dy, Mode::Evaluate);
            let (w, x, dy) = (plain(&run.w), plain(&x), plain(&dy));
            let (weight, bias) = w.split_at(inputs * outputs);
            let mut y = product(&x, weight, inputs);
            y.iter_mut().zip(bias.iter().cycle()).for_each(|(y, bias)| *y += bias);
            let mut dw = product(&turned(&x, inputs), &dy, batch);
            dw.extend(product(&vec![1.0; batch], &dy, batch));
            let dx = product(&dy, &turned(weight, outputs), outputs);
            let what = format!("{batch} rows, {inputs}→{outputs}, each {every_x}th of x, {every_dy}th of dy");
            close(&format!("{what}: y"), &run.y, &y, tolerance);
            close(&format!("{what}: dw"), &run.dw, &dw, tolerance);
            close(&format!("{what}: dx"), &run.dx, &dx, tolerance);
        }
    }
}

#[test]
fn leaving_zeros_out_changes_nothing() {
    check::<f64>(1e-13);
    check::<f32>(1e-5);
}

/// The last batch of a pass over the rows may be smaller than those that the memory was lent for.
#[test]
fn what_serves_many_rows_serves_few() {
    for (inputs, outputs) in [(100, 16), (16, 100)] {
        let layer: &dyn Layer<f32> = &Dense { inputs, outputs, bias: true, init_bound: 1.0 };
        let lens = [1, 64, 1000, 1024, 1025, 5000].map(|batch| layer.scratch_len(batch));
        assert!(lens.is_sorted(), "{lens:?}");
    }
}
