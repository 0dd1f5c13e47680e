//! Schedules: what every row of the registry promises, closed forms, and what may be written as settings.

use std::f64::consts::PI;

use proptest::prelude::*;
use proptest::sample::select;
use thalweg_optim::schedule::{
    Anneal, Constant, Cosine, Exponential, InverseSquareRoot, Length, MultiStep, OneCycle, Part, Plateau,
    Polynomial, REGISTRY, ReduceOnPlateau, ScheduleError, Sequence, Step, Threshold, WarmRestarts, WarmUp,
    WarmUpStableDecay,
};
use thalweg_optim::{Curve, Horizon, Schedule};

fn over(schedule: impl Into<Schedule>, steps: u64) -> Curve {
    schedule.into().resolve(Horizon { steps, steps_per_epoch: 10 }).expect("valid settings")
}

fn read(json: &str) -> Result<Schedule, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// Steps that are early, in the middle, at borders and beyond every end.
fn steps_of_interest(total: u64) -> impl Iterator<Item = u64> {
    let far = [1 << 40, (1 << 53) + 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    (0..total.min(2000) + 50).chain([total.saturating_sub(1), total, total.saturating_add(1)]).chain(far)
}

#[test]
fn every_row_is_found_by_its_name_and_says_what_it_is() {
    for entry in REGISTRY {
        let schedule = Schedule::named(entry.info.name).expect("a row");
        assert_eq!(schedule, (entry.default)());
        assert_eq!(schedule.info().name, entry.info.name);
        assert_eq!(schedule.to_string(), entry.info.name, "defaults are not written");
        for text in [entry.info.title, entry.info.summary, entry.info.formula, entry.info.source] {
            assert!(!text.is_empty());
        }
        let names: Vec<_> = schedule.settings().iter().map(|setting| setting.name).collect();
        assert!(!names.is_empty() && names.iter().all(|name| *name != "name"));
    }
    let mut names: Vec<_> = REGISTRY.iter().map(|entry| entry.info.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), REGISTRY.len());
    assert_eq!(REGISTRY.len(), 13);
}

#[test]
fn every_default_is_finite_and_not_negative_in_every_step_of_every_training() {
    for entry in REGISTRY {
        for total in [0, 1, 2, 3, 7, 10, 100, 1234, u64::MAX] {
            let curve = over((entry.default)(), total);
            for step in steps_of_interest(total) {
                let factor = curve.factor(step);
                assert!((0.0..=1.0).contains(&factor), "{} at {step} of {total}: {factor}", entry.info.name);
            }
        }
    }
}

#[test]
fn all_settings_survive_a_round_trip_through_json_and_toml() {
    for entry in REGISTRY {
        let schedule = (entry.default)();
        let json = serde_json::to_string(&schedule).expect("it can be written");
        assert_eq!(read(&json).as_ref(), Ok(&schedule), "{json}");
        for setting in schedule.settings() {
            assert!(json.contains(&format!("\"{}\":", setting.name)), "all settings are written: {json}");
        }
        let inline = format!("schedule = {json}").replace("\":", "\" =");
        let table: toml::Table = toml::from_str(&inline).expect("JSON with = is TOML");
        assert_eq!(table["schedule"].clone().try_into::<Schedule>().as_ref(), Ok(&schedule));
        assert_eq!(read(&format!("\"{}\"", entry.info.name)), Ok(schedule));
    }
}

// Closed forms.

#[test]
fn constant_and_steps() {
    assert_eq!(over(Constant { factor: 0.3 }, 10).factor(7), 0.3);
    let step = over(Step { every: Length::Steps(3), gamma: 0.5 }, 10);
    let seen: Vec<f64> = (0..10).map(|t| step.factor(t)).collect();
    assert_eq!(seen, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
    let milestones = vec![Length::Steps(4), Length::Percent(20.0), Length::Epochs(0.4)];
    let multi = over(MultiStep { milestones, gamma: 0.5 }, 10);
    let seen: Vec<f64> = (0..6).map(|t| multi.factor(t)).collect();
    assert_eq!(seen, [1.0, 1.0, 0.5, 0.5, 0.125, 0.125]);
}

#[test]
fn decays() {
    let exponential = over(Exponential { steps: Length::Steps(100), gamma: 0.01, minimum: 0.0 }, 10);
    assert!((exponential.factor(50) - 0.1).abs() < 1e-15 && (exponential.factor(200) - 1e-4).abs() < 1e-15);
    let line = over(Polynomial { steps: Length::Steps(4), power: 1.0, last: 0.2 }, 10);
    for (t, expected) in [(0, 1.0), (1, 0.8), (2, 0.6), (3, 0.4), (4, 0.2), (5, 0.2)] {
        assert!((line.factor(t) - expected).abs() < 1e-15);
    }
    let square = over(Polynomial { steps: Length::Steps(4), power: 2.0, last: 0.0 }, 10);
    assert_eq!((square.factor(2), square.factor(4)), (0.25, 0.0));
    let cosine = over(Cosine { steps: Length::Steps(6), last: 0.1, power: 1.0 }, 10);
    for (t, cos) in [(0, 1.0), (2, 0.5), (3, 0.0), (4, -0.5), (6, -1.0), (60, -1.0)] {
        assert!((cosine.factor(t) - (0.1 + 0.9 * (1.0 + cos) / 2.0)).abs() < 1e-15, "{t}");
    }
    let root = over(InverseSquareRoot { warm_up: Length::Steps(4) }, 10);
    assert_eq!([0, 1, 2, 3, 15, 63].map(|t| root.factor(t)), [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]);
    // The paper's own form, with its d = 512 and w = 4000, over its peak.
    let root = over(InverseSquareRoot { warm_up: Length::Steps(4000) }, 100_000);
    let paper = |s: f64| 512_f64.powf(-0.5) * s.powf(-0.5).min(s * 4000_f64.powf(-1.5));
    for t in [0, 1, 1000, 3999, 4000, 50_000] {
        let expected = paper(t as f64 + 1.0) / paper(4000.0);
        assert!((root.factor(t) / expected - 1.0).abs() < 1e-12, "{t}");
    }
}

#[test]
fn cycles() {
    let even = over(WarmRestarts { steps: Length::Steps(4), multiplier: 1, last: 0.0 }, 10);
    let double = over(WarmRestarts { steps: Length::Steps(4), multiplier: 2, last: 0.0 }, 10);
    let cosine = |u: f64, n: f64| (1.0 + (PI * u / n).cos()) / 2.0;
    for (t, u) in [(0, 0.0), (3, 3.0), (4, 0.0), (9, 1.0), (4_000_000_003, 3.0)] {
        assert!((even.factor(t) - cosine(u, 4.0)).abs() < 1e-15);
    }
    // Cycles begin at 0, 4, 12, 28, …, 4·(2ⁱ − 1).
    for (t, u, n) in [(3, 3.0, 4.0), (4, 0.0, 8.0), (11, 7.0, 8.0), (12, 0.0, 16.0), (28, 0.0, 32.0)] {
        assert!((double.factor(t) - cosine(u, n)).abs() < 1e-15, "{t}");
    }
    for cycle in 1..60 {
        let start = 4 * ((1_u64 << cycle) - 1);
        assert_eq!(double.factor(start), 1.0, "the top of cycle {cycle}");
        assert!(double.factor(start - 1) < 0.15);
    }
}

#[test]
fn one_cycle_peaks_where_torch_s_does() {
    let cycle = OneCycle { steps: Length::Steps(10), anneal: Anneal::Linear, ..OneCycle::default() };
    let two = over(cycle.clone(), 10);
    assert_eq!([0, 2, 9, 10].map(|t| two.factor(t)), [0.04, 1.0, 4e-6, 4e-6]);
    assert!((two.factor(1) - 0.52).abs() < 1e-15);
    let three = over(OneCycle { phases: 3, ..cycle.clone() }, 10);
    // Peak at 0.3·10 − 1 = 2, valley at 4, end at 9.
    assert_eq!([0, 2, 4, 9].map(|t| three.factor(t)), [0.04, 1.0, 0.04, 4e-6]);
    assert!((three.factor(3) - 0.52).abs() < 1e-15);
    let late = Schedule::from(OneCycle { phases: 3, rise: 0.6, ..cycle });
    assert!(late.check().expect_err("too late").to_string().contains("rise = 0.6: it must be at most 0.5"));
}

#[test]
fn warm_up_stable_decay_has_three_phases() {
    let shape = WarmUpStableDecay {
        steps: Length::Steps(20),
        warm_up: Length::Steps(4),
        decay: Length::Steps(8),
        start: 0.0,
        last: 0.0,
        anneal: Anneal::SquareRoot,
    };
    let curve = over(shape.clone(), 0);
    assert_eq!(
        [0, 1, 4, 11, 12, 14, 20, 99].map(|t| curve.factor(t)),
        [0.0, 0.25, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
    );
    // Too long for the whole: the warm-up stays, the decay gives way.
    let tight = over(WarmUpStableDecay { steps: Length::Steps(6), anneal: Anneal::Linear, ..shape }, 0);
    assert_eq!([3, 4, 5, 6].map(|t| tight.factor(t)), [0.75, 1.0, 0.5, 0.0]);
}

#[test]
fn a_warm_up_multiplies_and_a_sequence_follows() {
    let decay = Polynomial { steps: Length::ALL, ..Polynomial::default() };
    let product =
        over(WarmUp { steps: Length::Percent(50.0), start: 0.0, times: Box::new(decay.clone().into()) }, 10);
    assert!((product.factor(2) - 2.0 / 5.0 * 0.8).abs() < 1e-15 && product.factor(5) == 0.5);
    let rise = WarmUp { steps: Length::ALL, ..WarmUp::default() };
    let part = |span, schedule: &Schedule| Part { length: span, schedule: schedule.clone() };
    let parts = vec![part(Some(Length::Steps(4)), &rise.into()), part(None, &decay.into())];
    let sequence = over(Sequence { parts }, 12);
    let seen: Vec<f64> = (0..14).map(|t| sequence.factor(t)).collect();
    let expected = [0.0, 0.25, 0.5, 0.75, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0, 0.0];
    assert_eq!(seen, expected);
}

#[test]
fn phases_of_no_steps_are_over() {
    let none = Length::Steps(0);
    assert_eq!(over(Polynomial { steps: none, power: 0.5, last: 0.3 }, 9).factor(0), 0.3);
    assert_eq!(over(Cosine { steps: none, last: 0.3, power: 1.0 }, 9).factor(0), 0.3);
    assert_eq!(over(WarmUp { steps: none, ..WarmUp::default() }, 9).factor(0), 1.0);
    assert_eq!(over(OneCycle { steps: none, ..OneCycle::default() }, 9).factor(0), 4e-6);
    assert_eq!(over(OneCycle { rise: 0.0, ..OneCycle::default() }, 1000).factor(0), {
        // The peak is one step before the first, as in torch.
        4e-6 + (1.0 - 4e-6) / 2.0 * (1.0 + (PI / 1000.0).cos())
    });
    assert_eq!(over(InverseSquareRoot { warm_up: none }, 9).factor(3), 0.5);
    let all = WarmUpStableDecay { steps: none, warm_up: none, decay: none, ..WarmUpStableDecay::default() };
    assert_eq!(over(all, 9).factor(0), 0.0);
    let skipped = Part { length: Some(none), schedule: Constant { factor: 0.1 }.into() };
    let rest = Part { length: None, schedule: Constant { factor: 0.2 }.into() };
    assert_eq!(over(Sequence { parts: vec![skipped, rest] }, 9).factor(0), 0.2);
    // A share of a short training may be no step at all; what is divided by is one.
    assert_eq!(over(Step { every: Length::Percent(1.0), gamma: 0.5 }, 9).factor(2), 0.25);
}

#[test]
fn lengths_are_laid_over_a_training() {
    let horizon = Horizon { steps: 1000, steps_per_epoch: 40 };
    for (text, steps) in [
        ("7", 7),
        ("7 steps", 7),
        (" 1 step ", 1),
        ("2.5 epochs", 100),
        ("1 epoch", 40),
        ("10%", 100),
        ("0.04 %", 0),
        ("150%", 1500),
        ("1e30 epochs", u64::MAX),
    ] {
        let span: Length = text.parse().expect("a length");
        assert_eq!(span.resolve(horizon), steps, "{text}");
        assert_eq!(span.to_string().parse(), Ok(span));
    }
    let longest = Horizon { steps: u64::MAX, steps_per_epoch: 1 };
    assert_eq!(Length::ALL.resolve(longest), u64::MAX);
    for bad in ["", "x", "-1", "1.5", "1.5 steps", "-1%", "nan%", "inf epochs", "3 days", "%", "epochs"] {
        assert!(bad.parse::<Length>().expect_err("no length").contains("\"2.5 epochs\""), "{bad}");
    }
}

// The plateau.

#[test]
fn a_plateau_reduces_after_its_patience_and_keeps_its_state_outside() {
    let rule = ReduceOnPlateau { gamma: 0.5, patience: 1, cooldown: 1, minimum: 0.2, ..Default::default() };
    let curve = over(rule.clone(), 9);
    let costs = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0, 0.9, f64::INFINITY, 0.9, 0.9, 0.9];
    let mut state = Plateau::default();
    let mut factors = Vec::new();
    for cost in costs {
        state = curve.observe(state, cost);
        // Stored and read back in every epoch: the state is all there is.
        let json = serde_json::to_string(&state).expect("it can be written");
        state = serde_json::from_str(&json).expect("it can be read");
        factors.push(state.factor);
    }
    assert_eq!(factors, [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]);
    assert_eq!(curve.factor(1_000_000), 1.0);
    let exact = ReduceOnPlateau { threshold: 0.5, unit: Threshold::Absolute, ..rule };
    let seen = exact.observe(exact.observe(Plateau::default(), 1.0), 0.6);
    assert_eq!((seen.best, seen.bad), (Some(1.0), 1));
    let better = exact.observe(seen, 0.4);
    assert_eq!((better.best, better.bad), (Some(0.4), 0));
    // Other schedules take no notice.
    let other = over(Cosine::default(), 9);
    assert_eq!(other.observe(Plateau::default(), 3.0), Plateau::default());
    // Behind a warm-up it is seen, too.
    let warm = over(WarmUp { times: Box::new(ReduceOnPlateau::default().into()), ..WarmUp::default() }, 9);
    assert_eq!(warm.observe(Plateau::default(), 3.0).best, Some(3.0));
}

// What is refused.

#[test]
fn what_is_wrong_is_named_with_its_range() {
    for (json, words) in [
        (r#""cosin""#, &["«cosin»", "did you mean «cosine»?", "one-cycle"][..]),
        (r#""zigzag""#, &["«zigzag»", "(known: constant, step"]),
        ("3", &["3 is not a schedule", "\"cosine\""]),
        ("[]", &["[] is not a schedule"]),
        ("{}", &["is not a schedule", "name = \"cosine\""]),
        (r#"{"nam":"cosine"}"#, &["is not a schedule"]),
        (r#"{"name":3}"#, &["name = 3", "is not a schedule"]),
        (r#"{"name":"cosine","final":-1}"#, &["cosine: final = -1.0", "[0, ∞)"]),
        (r#"{"name":"cosine","final":"low"}"#, &["final = \"low\"", "a number in [0, ∞)"]),
        (r#"{"name":"cosine","steps":-3}"#, &["steps = -3.0", "a whole number of steps"]),
        (r#"{"name":"cosine","steps":"ten"}"#, &["steps = \"ten\"", "\"2.5 epochs\""]),
        (r#"{"name":"cosine","stepps":3}"#, &["«stepps»", "did you mean «steps»?"]),
        (r#"{"name":"cosine","steps":3,"steps":4}"#, &["«steps» is given twice"]),
        (r#"{"name":"step","every":0}"#, &["every = 0", "above 0"]),
        (r#"{"name":"step","every":"0%"}"#, &["every = \"0%\"", "above 0"]),
        (r#"{"name":"step","gamma":1.5}"#, &["gamma = 1.5", "[0, 1]"]),
        (r#"{"name":"multi-step","milestones":5}"#, &["milestones = 5", "a list"]),
        (r#"{"name":"multi-step","milestones":["x"]}"#, &["milestones = [\"x\"]"]),
        (r#"{"name":"warm-restarts","multiplier":0}"#, &["multiplier = 0", "from 1 to 1000"]),
        (r#"{"name":"warm-restarts","multiplier":1.5}"#, &["multiplier = 1.5", "whole number"]),
        (r#"{"name":"one-cycle","anneal":"cos"}"#, &["anneal = \"cos\"", "linear or cosine or square-root"]),
        (r#"{"name":"one-cycle","anneal":true}"#, &["anneal = true"]),
        (r#"{"name":"one-cycle","phases":4}"#, &["phases = 4", "from 2 to 3"]),
        (r#"{"name":"warm-up","times":"cosin"}"#, &["«cosin»", "«cosine»?"]),
        (r#"{"name":"warm-up","times":{"name":"step","gamma":2}}"#, &["step: gamma = 2.0"]),
        (r#"{"name":"reduce-on-plateau","gamma":1}"#, &["gamma = 1.0", "[0, 1)"]),
        (r#"{"name":"sequence","parts":[]}"#, &["parts = []", "at least one part"]),
        (r#"{"name":"sequence","parts":["cosine","step"]}"#, &["cosine", "only the last may leave it out"]),
        (r#"{"name":"sequence","parts":[{"for":3}]}"#, &["{ for = 3 } is not a schedule"]),
        (r#"{"name":"sequence","parts":[{"for":"x","schedule":"step"}]}"#, &["for = \"x\""]),
        (r#"{"name":"sequence","parts":[{"four":3,"schedule":"step"}]}"#, &["«four»", "«for»?"]),
        (r#"{"name":"sequence","parts":["reduce-on-plateau"]}"#, &["without reduce-on-plateau"]),
    ] {
        let error = read(json).expect_err(json);
        for word in words {
            assert!(error.contains(word), "{json}: no «{word}» in: {error}");
        }
    }
    let wild = Schedule::from(Cosine { last: f64::NAN, ..Cosine::default() });
    let horizon = Horizon { steps: 10, steps_per_epoch: 1 };
    assert!(matches!(wild.resolve(horizon), Err(ScheduleError::Setting { name: "final", .. })));
    let endless = Schedule::from(Cosine { steps: Length::Epochs(f64::INFINITY), ..Cosine::default() });
    assert!(endless.check().is_err());
}

#[test]
fn a_schedule_is_shown_as_toml() {
    let text = r#"{ name = "warm-up", steps = 50, times = { name = "cosine", final = 0.1 } }"#;
    let table: toml::Table = toml::from_str(&format!("schedule = {text}")).expect("TOML");
    let schedule: Schedule = table["schedule"].clone().try_into().expect("a schedule");
    assert_eq!(schedule.to_string(), text);
    let setting = Schedule::from(Cosine::default()).settings();
    assert_eq!((setting[0].value.as_str(), setting[1].range.as_str()), ("\"100%\"", "in [0, ∞)"));
}

// Properties over random settings.

fn span() -> impl Strategy<Value = Length> {
    prop_oneof![
        (0_u64..300).prop_map(Length::Steps),
        (0.0..30.0).prop_map(Length::Epochs),
        (0.0..150.0).prop_map(Length::Percent),
        Just(Length::Steps(u64::MAX)),
    ]
}

fn period() -> impl Strategy<Value = Length> {
    span().prop_filter("a period is not 0", |span| {
        !matches!(span, Length::Steps(0)) && *span != Length::Percent(0.0)
    })
}

fn unit() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..1.0]
}

fn anneal() -> impl Strategy<Value = Anneal> {
    select(vec![Anneal::Linear, Anneal::Cosine, Anneal::SquareRoot])
}

fn leaf() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        unit().prop_map(|factor| Constant { factor }.into()),
        (period(), unit()).prop_map(|(every, gamma)| Step { every, gamma }.into()),
        (prop::collection::vec(span(), 0..5), unit()).prop_map(|(milestones, gamma)| MultiStep {
            milestones,
            gamma
        }
        .into()),
        (period(), unit(), unit())
            .prop_map(|(steps, gamma, minimum)| Exponential { steps, gamma, minimum }.into()),
        (span(), 0.0..4.0, unit()).prop_map(|(steps, power, last)| Polynomial { steps, power, last }.into()),
        (span(), unit(), 0.0..4.0).prop_map(|(steps, last, power)| Cosine { steps, last, power }.into()),
        (period(), 1_u64..5, unit()).prop_map(|(steps, multiplier, last)| WarmRestarts {
            steps,
            multiplier,
            last
        }
        .into()),
        (span(), unit(), unit(), unit(), anneal()).prop_map(|(steps, rise, start, last, anneal)| {
            OneCycle { steps, rise, start, last, phases: if rise > 0.5 { 2 } else { 3 }, anneal }.into()
        }),
        ([span(), span(), span()], unit(), unit(), anneal()).prop_map(
            |([steps, warm_up, decay], start, last, anneal)| {
                WarmUpStableDecay { steps, warm_up, decay, start, last, anneal }.into()
            }
        ),
        span().prop_map(|warm_up| InverseSquareRoot { warm_up }.into()),
    ]
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let part = |inner: BoxedStrategy<Schedule>| {
        (span(), inner).prop_map(|(span, schedule)| Part { length: Some(span), schedule })
    };
    leaf().prop_recursive(3, 12, 4, move |inner| {
        let inner = inner.boxed();
        prop_oneof![
            (span(), unit(), inner.clone()).prop_map(|(steps, start, times)| WarmUp {
                steps,
                start,
                times: Box::new(times)
            }
            .into()),
            (prop::collection::vec(part(inner.clone()), 0..4), inner).prop_map(|(mut parts, last)| {
                parts.push(Part { length: None, schedule: last });
                Sequence { parts }.into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_factor_is_finite_and_between_0_and_1(schedule in any_schedule(), total in 0_u64..500) {
        let curve = over(schedule, total);
        for step in steps_of_interest(total) {
            let factor = curve.factor(step);
            prop_assert!((0.0..=1.0).contains(&factor), "{factor} at {step}");
        }
    }

    #[test]
    fn any_settings_survive_a_round_trip_and_resolving_twice(schedule in any_schedule(), total in 0_u64..500) {
        let json = serde_json::to_string(&schedule).unwrap();
        let again = read(&json).unwrap();
        prop_assert_eq!(&again, &schedule);
        // A training that goes on later reads its settings again: the same bits at every step.
        let (first, later) = (over(schedule, total), over(again, total));
        for step in steps_of_interest(total) {
            prop_assert_eq!(first.factor(step).to_bits(), later.factor(step).to_bits());
        }
        // What is resolved stays what it is under another horizon.
        prop_assert_eq!(over(first.schedule().clone(), 7), first);
    }

    #[test]
    fn a_display_is_read_back(schedule in any_schedule()) {
        let text = schedule.to_string();
        let quoted = if text.starts_with('{') { text } else { format!("\"{text}\"") };
        // TOML's whole numbers end at i64::MAX.
        prop_assume!(!quoted.contains(&u64::MAX.to_string()));
        let table: toml::Table = toml::from_str(&format!("s = {quoted}")).unwrap();
        prop_assert_eq!(table["s"].clone().try_into::<Schedule>().unwrap(), schedule);
    }

    #[test]
    fn decays_only_fall(total in 1_u64..300, steps in 1_u64..300, gamma in unit(), power in 0.1..4.0) {
        let steps = Length::Steps(steps);
        for schedule in [
            Schedule::from(Step { every: steps, gamma }),
            MultiStep { milestones: vec![steps, Length::Percent(10.0)], gamma }.into(),
            Exponential { steps, gamma, minimum: 0.3 }.into(),
            Polynomial { steps, power, last: gamma }.into(),
            Cosine { steps, last: gamma, power }.into(),
            WarmUpStableDecay { steps, warm_up: Length::Steps(0), last: gamma, ..Default::default() }.into(),
        ] {
            let curve = over(schedule, total);
            for step in 0..400 {
                prop_assert!(curve.factor(step + 1) <= curve.factor(step), "{:?} at {step}", curve.schedule());
            }
        }
    }

    #[test]
    fn a_rise_has_no_jump(steps in 1_u64..300, start in unit()) {
        // Continuous: a step never changes the factor by more than the slope, also where the warm-up ends.
        let rises = [
            Schedule::from(WarmUp { steps: Length::Steps(steps), start, times: Box::default() }),
            WarmUpStableDecay {
                steps: Length::Steps(1000),
                warm_up: Length::Steps(steps),
                decay: Length::Steps(0),
                start,
                ..Default::default()
            }.into(),
        ];
        for schedule in rises {
            let curve = over(schedule, 1000);
            prop_assert_eq!(curve.factor(0), start);
            prop_assert_eq!(curve.factor(steps), 1.0);
            for step in 0..steps + 10 {
                let change = curve.factor(step + 1) - curve.factor(step);
                prop_assert!((0.0..=(1.0 - start) / steps as f64 + 1e-15).contains(&change));
            }
        }
        let root = over(InverseSquareRoot { warm_up: Length::Steps(steps) }, 1000);
        for step in 0..2 * steps {
            prop_assert!((root.factor(step + 1) - root.factor(step)).abs() <= 1.0 / steps as f64 + 1e-15);
        }
    }
}
