//! The depthwise convolution beside the general one.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::depthwise::Depthwise;
use thalweg_learn::nn::{Conv2d, Layer, Mode, Sequence, Shape, Window};

use crate::run::{Run, wave};

fn close<T: Math>(what: &str, found: &[T], expected: &[T], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(f64::MIN_POSITIVE, |size, v| size.max(v.to_f64().abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found.to_f64() - expected.to_f64()).abs() <= tolerance * size,
            "{what}: {found}, not {expected}"
        );
    }
}

fn check<T: Math>(tolerance: f64) {
    let plain = Window::square(3, 1, 1);
    for (window, input, multiplier) in [
        (plain, Shape::image(5, 4, 2), 1),
        (plain, Shape::image(3, 6, 17), 1),
        (plain, Shape::image(4, 4, 16), 2),
        (plain, Shape::image(4, 3, 5), 7),
        (Window { kernel: (1, 4), padding: (0, 2), ..plain }, Shape::image(5, 4, 3), 1),
        (Window { stride: (2, 3), ..plain }, Shape::image(6, 8, 3), 2),
        (Window { kernel: (5, 2), dilation: (1, 3), padding: (2, 0), ..plain }, Shape::image(5, 6, 33), 1),
    ] {
        let (channels, batch) = (input.channels(), 3);
        for bias in [true, false] {
            let filters = channels * multiplier;
            let fast = Depthwise::new(input, filters, window, bias, 1.0).expect("it fits");
            let general = Conv2d::new(input, filters, window, channels, bias, 1.0).expect("it fits");
            let run = |layer: Box<dyn Layer<T>>| {
                let mut run = Run::of(Sequence::new(input, vec![layer]), batch);
                let (start, x) = (run.w.clone(), wave(batch * input.len()));
                run.w = wave(run.w.len());
                let y = run.forward(&x, Mode::Evaluate).to_vec();
                run.backward(&x, &wave(y.len()), Mode::Evaluate);
                (start, y, run.dw, run.dx)
            };
            let (found, expected) = (run(Box::new(fast)), run(Box::new(general)));
            let what = format!("{window:?} on {input}, {filters} filters");
            assert_eq!(found.0, expected.0, "{what}: start values");
            close(&what, &found.1, &expected.1, tolerance);
            close(&format!("{what}: dw"), &found.2, &expected.2, tolerance);
            close(&format!("{what}: dx"), &found.3, &expected.3, tolerance);
        }
    }
}

#[test]
fn it_is_the_general_one_with_a_group_for_each_channel() {
    check::<f64>(1e-13);
    check::<f32>(1e-5);
}

#[test]
fn what_does_not_fit_is_none() {
    let (input, window) = (Shape::image(4, 4, 2), Window::square(3, 1, 1));
    assert!(Depthwise::new(Shape::Flat(4), 4, window, true, 1.0).is_none());
    assert!(Depthwise::new(input, 3, window, true, 1.0).is_none());
    assert!(Depthwise::new(input, 0, window, true, 1.0).is_none());
    assert!(Depthwise::new(input, 2, Window::square(5, 1, 0), true, 1.0).is_none());
}
