//! What is random: the share that is dropped, the expectation that is kept, and the step that it belongs to.

use thalweg_learn::nn::mixing::{Mixing, mixing};
use thalweg_learn::nn::{Layer, Mode, Shape};

use crate::conformance::EXAMPLES;
use crate::run::Run;

/// Whether `count` of `of` is within five standard deviations of a binomial share.
fn about(count: usize, of: usize, rate: f64) -> bool {
    let sigma = (of as f64 * rate * (1.0 - rate)).sqrt();
    (count as f64 - of as f64 * rate).abs() <= 5.0 * sigma
}

fn zeros(values: &[f64]) -> usize {
    values.iter().filter(|&&v| v == 0.0).count()
}

#[test]
fn dropout_drops_its_rate_and_keeps_the_expectation() {
    let (width, batch) = (250, 40);
    for rate in [0.1, 0.5, 0.9] {
        let json = format!(r#"[{{"layer":"dropout","rate":{rate}}}]"#);
        let mut run = Run::<f64>::json(&json, Shape::Flat(width), batch);
        let x = vec![1.0; width * batch];
        let y = run.forward(&x, Mode::step(1, 0)).to_vec();
        assert!(about(zeros(&y), y.len(), rate), "{rate}: {} of {}", zeros(&y), y.len());
        let kept = 1.0 / (1.0 - rate);
        assert!(y.iter().all(|&y| y == 0.0 || (y - kept).abs() < 1e-12));
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        assert!((mean - 1.0).abs() < 5.0 * kept * (rate * (1.0 - rate) / y.len() as f64).sqrt(), "{mean}");
        // The way back has the same mask.
        run.backward(&x, &x, Mode::step(1, 0));
        assert_eq!(run.dx, y);
    }
}

#[test]
fn masks_belong_to_a_step_and_a_layer() {
    for (json, input) in [
        (r#"["dropout"]"#, Shape::Flat(100)),
        (r#"["spatial-dropout"]"#, Shape::image(2, 2, 100)),
        (r#"[{"layer":"drop-connect","inner":{"layer":"dense","units":30}}]"#, Shape::Flat(20)),
        (r#"[{"layer":"drop-connect","inner":{"layer":"conv2d","filters":9}}]"#, Shape::image(2, 2, 8)),
    ] {
        let mut run = Run::<f64>::json(json, input, 3);
        let x = vec![1.0; 3 * input.len()];
        let first = run.forward(&x, Mode::step(1, 0)).to_vec();
        assert_eq!(run.forward(&x, Mode::step(1, 0)), first, "{json}: another mask in the same step");
        assert_ne!(run.forward(&x, Mode::step(1, 1)), first, "{json}: the same mask in the next step");
        assert_ne!(
            run.forward(&x, Mode::step(1, 0).within(1)),
            first,
            "{json}: the same mask in another layer"
        );
        let whole = run.forward(&x, Mode::Evaluate).to_vec();
        let plain = json.replace(r#"{"layer":"drop-connect","inner":"#, "").replace("}}]", "}]");
        let plain = if plain == json { "[]" } else { &plain };
        let mut without = Run::<f64>::json(plain, input, 3);
        assert_eq!(without.w, run.w, "{json}");
        assert_eq!(without.forward(&x, Mode::Evaluate), whole, "{json}: a mask in evaluation");
    }
    // Two layers in a row have masks of their own: with one, as many would stay as of one.
    let mut run = Run::<f64>::json(r#"["dropout","dropout"]"#, Shape::Flat(10_000), 1);
    let y = run.forward(&[1.0; 10_000], Mode::step(1, 0));
    assert!(about(zeros(y), y.len(), 0.75), "{}", zeros(y));
}

#[test]
fn a_rate_of_0_drops_nothing() {
    for json in [
        r#"[{"layer":"dropout","rate":0.0}]"#,
        r#"[{"layer":"drop-connect","rate":0.0,"inner":{"layer":"dense","units":3}}]"#,
    ] {
        let mut run = Run::<f64>::json(json, Shape::Flat(9), 2);
        let evaluated = run.forward(&[0.5; 18], Mode::Evaluate).to_vec();
        assert_eq!(run.forward(&[0.5; 18], Mode::step(1, 0)), evaluated, "{json}");
    }
}

#[test]
fn spatial_dropout_drops_whole_channels() {
    let (channels, batch, rate) = (64, 60, 0.3);
    let json = r#"[{"layer":"spatial-dropout","rate":0.3}]"#;
    let input = Shape::image(2, 3, channels);
    let mut run = Run::<f64>::json(json, input, batch);
    let y = run.forward(&vec![1.0; batch * input.len()], Mode::step(4, 2));
    let mut dropped = 0;
    for row in y.chunks(input.len()) {
        for channel in 0..channels {
            let first = row[channel];
            assert!(row.iter().skip(channel).step_by(channels).all(|&y| y == first), "a part of a channel");
            assert!(first == 0.0 || (first - 1.0 / (1.0 - rate)).abs() < 1e-12);
            dropped += usize::from(first == 0.0);
        }
    }
    assert!(about(dropped, batch * channels, rate), "{dropped}");
    assert_ne!(y[..channels], y[input.len()..][..channels], "rows with the same mask");
}

/// A body that is the identity: a row is x, where it is dropped, and x + x/(1 − p) where not.
#[test]
fn stochastic_depth_drops_whole_bodies_and_keeps_the_expectation() {
    let (rows, rate) = (4000, 0.25);
    let json = r#"[{"layer":"residual","stochastic-depth":0.25,"body":["relu"]}]"#;
    let mut run = Run::<f64>::json(json, Shape::Flat(3), rows);
    let x = vec![1.0; rows * 3];
    let y = run.forward(&x, Mode::step(1, 0)).to_vec();
    let dropped = y.chunks(3).filter(|row| row.iter().all(|&y| y == 1.0)).count();
    let kept = y.chunks(3).filter(|row| row.iter().all(|&y| (y - 1.0 - 1.0 / (1.0 - rate)).abs() < 1e-12));
    assert_eq!(dropped + kept.count(), rows);
    assert!(about(dropped, rows, rate), "{dropped} of {rows}");
    assert!(run.forward(&x, Mode::Evaluate).iter().all(|&y| y == 2.0));
}

#[test]
fn drop_connect_leaves_out_weights_but_no_biases() {
    // Rows of the identity show the weights.
    let (n, units, rate) = (60, 50, 0.2);
    let json = r#"[{"layer":"drop-connect","rate":0.2,"inner":{"layer":"dense","units":50}}]"#;
    let mut run = Run::<f64>::json(json, Shape::Flat(n), n);
    run.w = vec![1.0; n * units + units];
    run.w[n * units..].fill(10.0);
    let identity: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    let y = run.forward(&identity, Mode::step(1, 0)).to_vec();
    let weights: Vec<f64> = y.iter().map(|y| y - 10.0).collect();
    assert!(about(zeros(&weights), weights.len(), rate), "{}", zeros(&weights));
    assert!(weights.iter().all(|&w| w == 0.0 || (w - 1.25).abs() < 1e-12));
    run.backward(&identity, &vec![1.0; y.len()], Mode::step(1, 0));
    for (dw, w) in run.dw.iter().zip(&weights) {
        assert!((dw - w).abs() < 1e-12, "a weight's gradient is masked and scaled as the weight");
    }
    assert!(run.dw[n * units..].iter().all(|&db| db == n as f64));
}

#[test]
fn a_step_mixes_at_one_point_as_it_says() {
    let (batch, points) = (5, 3);
    let x: Vec<f64> = (0..batch * 2).map(|i| (i * i) as f64).collect();
    let mut active = [0; 3];
    for step in 0..30 {
        let mode = Mode::step(8, step);
        let Mode::Train { step, .. } = mode else { unreachable!() };
        let Mixing { share, shift, point } = mixing(step, 0.7, batch, points);
        for (here, active) in active.iter_mut().enumerate() {
            let json =
                format!(r#"["flatten",{{"layer":"mix-point","alpha":0.7,"point":{here},"points":3}}]"#);
            let mut run = Run::<f64>::json(&json, Shape::Flat(2), batch);
            let y = run.forward(&x, mode).to_vec();
            assert_eq!(run.forward(&x, Mode::Evaluate), x);
            *active += usize::from(here == point);
            for i in 0..x.len() {
                let other = x[(i + 2 * shift) % x.len()];
                let expected = if here == point { share * x[i] + (1.0 - share) * other } else { x[i] };
                assert!((y[i] - expected).abs() < 1e-12, "step {step}, point {here}, entry {i}");
            }
        }
    }
    assert!(active.iter().all(|&count| count > 0), "{active:?}");
}

#[test]
fn nan_in_a_row_stays_there() {
    let batch = 3;
    for example in EXAMPLES.iter().filter(|example| example.name != "embedding") {
        for mode in [Mode::Evaluate, Mode::step(2, 4)] {
            // Rows that are normalized or mixed together do see each other.
            let together = ["batch-norm", "mix-point"].contains(&example.name);
            if together && mode != Mode::Evaluate {
                continue;
            }
            let what = format!("{}, {mode:?}", example.name);
            let mut run = Run::<f64>::new(&[example.spec()], example.shape(), batch);
            let (n, m) = (example.shape().len(), run.layers.output().len());
            let mut x = example.rows(batch);
            let clean = run.forward(&x, mode).to_vec();
            run.backward(&x, &clean, mode);
            let clean_dx = run.dx.clone();
            x[n..2 * n].fill(f64::NAN);
            let y = run.forward(&x, mode).to_vec();
            let others = |values: &[f64], width: usize| [&values[..width], &values[2 * width..]].concat();
            assert_eq!(others(&y, m), others(&clean, m), "{what}");
            assert!(y[m..2 * m].iter().all(|y| y.is_nan() || *y == 0.0), "{what}: NaN is hidden");
            run.backward(&x, &clean, mode);
            assert_eq!(others(&run.dx, n), others(&clean_dx, n), "{what}: back");
        }
    }
}

#[test]
fn a_dropped_nan_is_0() {
    let mut run = Run::<f64>::json(r#"["dropout"]"#, Shape::Flat(1000), 1);
    let y = run.forward(&[f64::NAN; 1000], Mode::step(1, 0));
    assert!(about(zeros(y), 1000, 0.5) && y.iter().all(|y| *y == 0.0 || y.is_nan()));
}

#[test]
fn an_embedding_puts_vectors_behind_numbers() {
    let mut run = Run::<f64>::json(r#"[{"layer":"embedding","codes":[4,2],"width":2}]"#, Shape::Flat(3), 2);
    run.w = (0..12).map(f64::from).collect();
    let y = run.forward(&[0.5, 3.0, 1.0, -0.5, 0.0, 1.0], Mode::Evaluate);
    assert_eq!(y, [0.5, 6.0, 7.0, 10.0, 11.0, -0.5, 0.0, 1.0, 10.0, 11.0]);
    for bad in [4.0, -1.0, 0.5, f64::NAN] {
        let panic = std::panic::catch_unwind(move || {
            let json = r#"[{"layer":"embedding","codes":[4]}]"#;
            Run::<f64>::json(json, Shape::Flat(1), 1).forward(&[bad], Mode::Evaluate).to_vec()
        });
        let message = panic.expect_err("a code out of range").downcast::<String>().expect("a message");
        assert!(message.contains("column 0 of an embedding has the codes 0 to 3, not"), "{message}");
    }
}

#[test]
fn a_nan_is_the_largest_of_its_window() {
    let shape = Shape::image(4, 4, 2);
    // Pixels of the first window of each: its first, one within, its last.
    for (json, places) in [
        (r#"["global-max-pool"]"#, [0, 6, 15]),
        (r#"[{"layer":"max-pool2d","kernel":3,"stride":1}]"#, [0, 5, 10]),
    ] {
        for place in places {
            let mut run = Run::<f64>::json(json, shape, 1);
            let mut x: Vec<f64> = (0..shape.len()).map(|i| (i as f64 * 0.7).sin()).collect();
            x[2 * place + 1] = f64::NAN;
            let y = run.forward(&x, Mode::Evaluate);
            assert!(y[1].is_nan() && y[0].is_finite(), "{json}, pixel {place}: {y:?}");
        }
    }
}
