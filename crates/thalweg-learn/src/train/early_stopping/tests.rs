//! Each criterion on sequences computed by hand, and what holds for all sequences.

use proptest::prelude::*;

use super::{EarlyStopping, Scores, StoppingSpec};

fn spec(text: &str) -> StoppingSpec {
    text.parse().expect("a criterion")
}

/// The first epoch after which it stops, if any.
fn stops(spec: StoppingSpec, epochs: &[Scores]) -> Option<usize> {
    let mut stopping = EarlyStopping::new(spec);
    (1..=epochs.len()).find(|&epoch| stopping.observe(epoch as u32, epochs[epoch - 1]).stop)
}

fn by_cost(costs: &[f64]) -> Vec<Scores> {
    costs.iter().map(|&cost| Scores { cost, loss: 1.0, train_loss: 1.0 }).collect()
}

/// The cost is an accuracy that grows all the while: the criteria of losses must not look at it.
fn by_loss(losses: &[f64], train: &[f64]) -> Vec<Scores> {
    let scores = losses.iter().zip(train).enumerate();
    scores.map(|(i, (&loss, &train_loss))| Scores { cost: -(i as f64), loss, train_loss }).collect()
}

/// Of constant training loss.
fn losses(losses: &[f64]) -> Vec<Scores> {
    by_loss(losses, &vec![1.0; losses.len()])
}

#[test]
fn patience_waits_and_the_best_is_kept() {
    let mut stopping = EarlyStopping::new(Some(2).into());
    let mut see = |epoch, cost, loss| {
        let progress = stopping.observe(epoch, Scores { cost, loss, train_loss: 1.0 });
        (progress.improved, progress.stop)
    };
    assert_eq!(see(1, 0.5, 1.0), (true, false));
    assert_eq!(see(2, 0.3, 0.9), (true, false));
    assert_eq!(see(3, 0.3, 0.8), (true, false), "a tie that the loss decides counts");
    assert_eq!(see(4, 0.4, 0.1), (false, false));
    assert_eq!(see(5, f64::NAN, 0.0), (false, true));
    assert_eq!(stopping.best().map(|best| best.epoch), Some(3));
}

#[test]
fn nan_is_never_best() {
    let mut stopping = EarlyStopping::new(StoppingSpec::None);
    let mut see = |epoch, cost, loss| {
        let progress = stopping.observe(epoch, Scores { cost, loss, train_loss: 1.0 });
        assert!(!progress.stop);
        (progress.improved, stopping.best().map(|best| best.epoch))
    };
    assert_eq!(see(1, f64::NAN, 0.1), (false, None));
    assert_eq!(see(2, f64::INFINITY, 0.1), (true, Some(2)));
    assert_eq!(see(3, 1.0, f64::NAN), (true, Some(3)));
    assert_eq!(see(4, 1.0, f64::NAN), (false, Some(3)));
    assert_eq!(see(5, 1.0, 0.7), (true, Some(5)));
}

#[test]
fn small_falls_do_not_count_until_they_add_up() {
    // Falls of 0.04 from −0.5: 0.04 and 0.08 are not more than 0.1, 0.12 is.
    let falling = by_cost(&[-0.5, -0.54, -0.58, -0.62, -0.66, -0.70, -0.71]);
    assert_eq!(stops(spec("patience:3:0.1"), &falling), Some(7), "0.04, 0.08 and 0.09 below −0.62");
    assert_eq!(stops(spec("patience:4:0.1"), &falling), None);
    assert_eq!(stops(spec("patience:2:0.1"), &falling), Some(3));
    assert_eq!(stops(spec("patience:1"), &falling), None);
    // Exactly the threshold is not more than it.
    assert_eq!(stops(spec("patience:1:0.25"), &by_cost(&[1.0, 0.75])), Some(2));
    assert_eq!(stops(spec("patience:1:0.25"), &by_cost(&[1.0, 0.5])), None);
    // What does not count is kept all the same: the last epoch is both the best and the end.
    let mut stopping = EarlyStopping::new(spec("patience:1:0.25"));
    for (epoch, scores) in (1..).zip(by_cost(&[1.0, 0.9])) {
        let progress = stopping.observe(epoch, scores);
        assert_eq!((progress.improved, progress.stop), (true, epoch == 2));
    }
    assert_eq!(stopping.best().map(|best| best.epoch), Some(2));
    // A first epoch without a cost starts nothing.
    assert_eq!(stops(spec("patience:2:0.1"), &by_cost(&[f64::NAN, 5.0, 5.0, 5.0])), Some(4));
}

#[test]
fn generalization_loss_is_a_percentage_of_the_lowest() {
    // Above the lowest, 0.5: 0 %, 4 %, 0 %; above 0.4: 0 %, 5 %, 7.5 %.
    let seen = losses(&[0.6, 0.5, 0.52, 0.5, 0.4, 0.42, 0.43]);
    assert_eq!(stops(spec("gl:3.9"), &seen), Some(3));
    assert_eq!(stops(spec("gl:4.5"), &seen), Some(6));
    assert_eq!(stops(spec("gl:7"), &seen), Some(7));
    assert_eq!(stops(spec("gl:8"), &seen), None);
    // Exactly α is not more than it.
    assert_eq!(stops(spec("gl:50"), &losses(&[1.0, 1.5])), None);
}

#[test]
fn a_loss_that_is_no_number_is_the_worst() {
    assert_eq!(stops(spec("gl:1000"), &losses(&[f64::NAN, 2.0, 1.0, f64::NAN])), Some(4));
    assert_eq!(stops(spec("gl:1000"), &losses(&[f64::NAN, f64::INFINITY, f64::NAN])), None);
    assert_eq!(stops(spec("up:1:1"), &losses(&[2.0, f64::NAN])), Some(2));
    assert_eq!(stops(spec("up:1:1"), &losses(&[f64::NAN, f64::INFINITY, f64::NAN, 2.0, 1.0])), None);
    assert_eq!(stops(spec("pq:9:2"), &by_loss(&[1.0, f64::NAN], &[f64::NAN, f64::NAN])), Some(2));
    // A perfect epoch cannot be a little worse again.
    assert_eq!(stops(spec("gl:1000"), &losses(&[1.0, 0.0, 0.0, 1e-9])), Some(4));
}

#[test]
fn progress_outweighs_a_generalization_loss() {
    // Strips of 2. The second: GL = 100·(0.55/0.5 − 1) = 10; P₂ = 1000·((0.3 + 0.2)/(2·0.2) − 1) = 250; quotient 0.04.
    // The third: GL = 20; P₂ = 1000·((0.2 + 0.19)/(2·0.19) − 1) = 26.32; quotient 0.76.
    let seen = by_loss(&[0.6, 0.5, 0.7, 0.55, 0.5, 0.6], &[0.5, 0.4, 0.3, 0.2, 0.2, 0.19]);
    assert_eq!(stops(spec("pq:0.039:2"), &seen), Some(4), "and not within the strip, where GL is 40");
    assert_eq!(stops(spec("pq:0.041:2"), &seen), Some(6));
    assert_eq!(stops(spec("pq:0.75:2"), &seen), Some(6));
    assert_eq!(stops(spec("pq:0.77:2"), &seen), None);
    // A strip of 3 ends with 3 and 6 alone: GL = 40 and 20; P₃ = 1000·(1.2/0.9 − 1) = 333 and 1000·(0.59/0.57 − 1) = 35.1.
    assert_eq!(stops(spec("pq:0.11:3"), &seen), Some(3));
    assert_eq!(stops(spec("pq:0.13:3"), &seen), Some(6));
    assert_eq!(stops(spec("pq:0.58:3"), &seen), None);
    // A training at rest makes up for nothing, and one without a rise needs not.
    assert_eq!(stops(spec("pq:1000:2"), &losses(&[0.5, 0.5, 0.5, 0.51])), Some(4));
    assert_eq!(stops(spec("pq:0.001:2"), &losses(&[0.5, 0.5, 0.5, 0.5])), None);
    // A training loss of 0 at a strip's end is endless progress.
    assert_eq!(stops(spec("pq:1000:2"), &by_loss(&[0.5, 0.6], &[1.0, 0.0])), None);
}

#[test]
fn up_counts_strips_that_end_higher_in_a_row() {
    // The ends of strips of 2: 0.5, 0.6, 0.7, 0.65, 0.66, 0.67, 0.68; between them anything.
    let seen = losses(&[9.0, 0.5, 9.0, 0.6, 0.1, 0.7, 0.1, 0.65, 9.0, 0.66, 9.0, 0.67, 9.0, 0.68]);
    assert_eq!(stops(spec("up:1:2"), &seen), Some(4));
    assert_eq!(stops(spec("up:2:2"), &seen), Some(6));
    assert_eq!(stops(spec("up:3:2"), &seen), Some(14), "0.65 began anew");
    assert_eq!(stops(spec("up:4:2"), &seen), None);
    assert_eq!(stops(spec("up:2:1"), &losses(&[0.5, 0.6, 0.6, 0.7, 0.8])), Some(5), "equal is not higher");
}

#[test]
fn text_and_tables_are_read_and_text_is_written() {
    let read = |json: &str| serde_json::from_str::<StoppingSpec>(json);
    for (text, table) in [
        ("patience:10", r#"{"patience":{"epochs":10}}"#),
        ("patience:10:0.001", r#"{"patience":{"epochs":10,"min-delta":0.001}}"#),
        ("gl:5", r#"{"gl":{"alpha":5}}"#),
        ("pq:0.5:5", r#"{"pq":{"alpha":0.5,"strip":5}}"#),
        ("up:3:5", r#"{"up":{"strips":3,"strip":5}}"#),
    ] {
        let spec = spec(text);
        assert_eq!(read(table).expect(table), spec);
        let json = serde_json::to_string(&spec).expect("it is written");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(read(&json).expect("its own text"), spec);
    }
    assert_eq!(spec(" none"), StoppingSpec::default());
    assert_eq!(StoppingSpec::from(None), spec("none"));
    assert_eq!(StoppingSpec::from(Some(7)), spec("patience : 7"));
}

#[test]
fn each_mistake_has_its_error() {
    for (text, says) in [
        ("patence:3", "there is no criterion «patence»; did you mean «patience»?"),
        ("", "there is no criterion «» (known: none, patience, gl, pq, up)"),
        ("patience", "it has 0 settings; write patience:EPOCHS or patience:EPOCHS:MIN-DELTA"),
        ("patience:1:2:3", "it has 3 settings"),
        ("none:1", "it has 1 setting; write none"),
        ("pq:0.5", "it has 1 setting; write pq:ALPHA:STRIP"),
        ("gl:five", "«five» is not a number; write gl:ALPHA"),
        ("up:1.5:5", "«1.5» is not a whole number from 0 up; write up:STRIPS:STRIP"),
        ("patience:-1", "«-1» is not a whole number"),
        ("patience:0", "epochs = 0 is out of range: it must be at least 1; «none» never stops"),
        ("patience:3:-0.1", "min-delta = -0.1 is out of range: it must lie in [0, ∞)"),
        ("patience:3:NaN", "min-delta = NaN is out of range"),
        ("gl:0", "alpha = 0 is out of range: it must lie in (0, ∞)"),
        ("gl:inf", "alpha = inf is out of range"),
        ("pq:0.5:1", "strip = 1 is out of range: it must be at least 2, since one epoch shows no progress"),
        ("pq:-1:5", "alpha = -1 is out of range"),
        ("up:0:5", "strips = 0 is out of range: it must be at least 1"),
        ("up:1:0", "strip = 0 is out of range: it must be at least 1"),
    ] {
        let error = text.parse::<StoppingSpec>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("«{text}»: {says}")), "{error}");
        let read = serde_json::from_str::<StoppingSpec>(&format!("\"{text}\"")).expect_err(text).to_string();
        assert!(read.starts_with(&error), "{read}");
    }
    for (json, says) in [
        (r#"{"gl":{"alpha":5,"strip":5}}"#, "unknown field `strip`, expected `alpha`"),
        (r#"{"gl":{}}"#, "missing field `alpha`"),
        (r#"{"gl":{"alpha":-5}}"#, "«gl:-5»: alpha = -5 is out of range"),
        (r#"{"patience":{"epochs":2,"min_delta":1}}"#, "unknown field `min_delta`"),
        (r#"{"patient":{"epochs":2}}"#, "unknown variant `patient`"),
        ("7", "when to stop, such as \"patience:10\""),
    ] {
        let error = serde_json::from_str::<StoppingSpec>(json).expect_err(json).to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Any course of a training, NaN and ∞ included.
fn course() -> impl Strategy<Value = Vec<Scores>> {
    let loss =
        || prop_oneof![20 => 0.0..2.0_f64, 1 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    let scores = (-1.0..1.0_f64, loss(), loss()).prop_map(|(cost, loss, train_loss)| Scores {
        cost,
        loss,
        train_loss,
    });
    proptest::collection::vec(scores, 1..60)
}

/// `None` is later than any epoch.
fn at(stop: Option<usize>) -> usize {
    stop.unwrap_or(usize::MAX)
}

proptest! {
    #[test]
    fn nothing_stops_before_it_can_know(seen in course(), alpha in 0.01..50.0_f64, s in 1..4_u32, k in 2..6_u32) {
        prop_assert!(at(stops(StoppingSpec::Patience { epochs: s, min_delta: alpha }, &seen)) >= s as usize, "patience");
        prop_assert!(at(stops(StoppingSpec::Gl { alpha }, &seen)) >= 2, "GL");
        let ends = |stop: Option<usize>| stop.is_none_or(|epoch| epoch % k as usize == 0);
        let quotient = stops(StoppingSpec::Pq { alpha, strip: k }, &seen);
        prop_assert!(at(quotient) >= k as usize && ends(quotient));
        let up = stops(StoppingSpec::Up { strips: s, strip: k }, &seen);
        prop_assert!(at(up) >= ((s + 1) * k) as usize && ends(up));
        prop_assert_eq!(stops(StoppingSpec::None, &seen), None);
    }

    #[test]
    fn a_larger_setting_stops_later(seen in course(), alpha in 0.01..50.0_f64, more in 0.0..50.0_f64, k in 2..6_u32) {
        let order = |less: StoppingSpec, greater: StoppingSpec| at(stops(less, &seen)) <= at(stops(greater, &seen));
        let larger = alpha + more;
        prop_assert!(order(StoppingSpec::Gl { alpha }, StoppingSpec::Gl { alpha: larger }), "GL");
        prop_assert!(order(StoppingSpec::Pq { alpha, strip: k }, StoppingSpec::Pq { alpha: larger, strip: k }), "PQ");
        prop_assert!(order(StoppingSpec::Up { strips: k - 1, strip: k }, StoppingSpec::Up { strips: k, strip: k }), "UP");
        prop_assert!(order(Some(k).into(), Some(k + 1).into()));
        // A larger threshold has fewer falls to count: it stops earlier.
        let threshold = |min_delta| StoppingSpec::Patience { epochs: k, min_delta };
        prop_assert!(order(threshold(larger), threshold(0.0)));
    }

    #[test]
    fn the_best_epoch_is_that_of_no_criterion_and_ratios_have_no_unit(seen in course(), alpha in 0.01..50.0_f64) {
        for spec in [Some(3).into(), StoppingSpec::Gl { alpha }, StoppingSpec::Pq { alpha, strip: 2 }] {
            let (mut watched, mut plain) = (EarlyStopping::new(spec), EarlyStopping::new(StoppingSpec::None));
            for (epoch, &scores) in (1..).zip(&seen) {
                prop_assert_eq!(watched.observe(epoch, scores).improved, plain.observe(epoch, scores).improved);
            }
            let epoch = |stopping: &EarlyStopping| stopping.best().map(|best| best.epoch);
            prop_assert_eq!(epoch(&watched), epoch(&plain));
        }
        // Powers of two scale without a rounding.
        let scaled: Vec<Scores> = seen
            .iter()
            .map(|scores| Scores { loss: 4.0 * scores.loss, train_loss: 0.25 * scores.train_loss, ..*scores })
            .collect();
        for spec in [StoppingSpec::Gl { alpha }, StoppingSpec::Pq { alpha, strip: 3 }] {
            prop_assert_eq!(stops(spec, &seen), stops(spec, &scaled));
        }
    }

    #[test]
    fn text_survives_a_round_trip(alpha in 1e-6..1e6_f64, s in 1..100_u32, k in 2..100_u32) {
        for spec in [
            StoppingSpec::Patience { epochs: s, min_delta: alpha },
            StoppingSpec::Gl { alpha },
            StoppingSpec::Pq { alpha, strip: k },
            StoppingSpec::Up { strips: s, strip: k },
        ] {
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }
    }
}
