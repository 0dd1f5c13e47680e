//! Every metric against scikit-learn and its own contract.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../goldens/metrics.json")).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Compares every score of a golden case; returns how many were compared.
fn check_scores(case: &Value, truth: Truth<'_>, predictions: Predictions<'_>) -> usize {
    let scores = case["scores"].as_object().unwrap();
    for (name, expected) in scores {
        let ours = Metric::parse(name).unwrap().score(truth, predictions);
        match (ours, expected.as_f64()) {
            (None, None) => {}
            (Some(ours), Some(expected)) => {
                assert!(
                    (ours - expected).abs() <= 1e-12 * expected.abs().max(1e-3),
                    "{name}: {ours} is not {expected}"
                );
            }
            _ => panic!("{name}: {ours:?} is not {expected}"),
        }
    }
    scores.len()
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let golden = golden();
    let mut compared = 0;
    for case in golden["classification"].as_array().unwrap() {
        let (truth, values): (Vec<u32>, Vec<f32>) = (read(&case["truth"]), read(&case["probabilities"]));
        let classes = read(&case["classes"]);
        compared += check_scores(
            case,
            Truth::Classes(&truth),
            Predictions::Probabilities { values: &values, classes },
        );
    }
    for case in golden["regression"].as_array().unwrap() {
        let (truth, values): (Vec<f64>, Vec<f64>) = (read(&case["truth"]), read(&case["predictions"]));
        compared += check_scores(case, Truth::Values(&truth), Predictions::Values(&values));
    }
    assert_eq!(compared, 20 * 5 + 27 * 3);
}

fn classes(metric: Metric, truth: &[u32], values: &[f32], classes: usize) -> Option<f64> {
    metric.score(Truth::Classes(truth), Predictions::Probabilities { values, classes })
}

fn values(metric: Metric, truth: &[f64], values: &[f64]) -> Option<f64> {
    metric.score(Truth::Values(truth), Predictions::Values(values))
}

#[test]
fn the_table_is_in_the_order_of_the_enum_and_its_names_are_unique() {
    let mut names = Vec::new();
    for (index, row) in METRICS.iter().enumerate() {
        assert_eq!(row.metric as usize, index);
        assert_eq!(serde_json::to_value(row.metric).unwrap(), row.name);
        assert_eq!(serde_json::from_value::<Metric>(row.name.into()).unwrap(), row.metric);
        for name in std::iter::once(&row.name).chain(row.aliases) {
            assert_eq!(Metric::parse(&name.to_uppercase().replace('-', "_")), Ok(row.metric));
            names.push(*name);
        }
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn an_unknown_or_unfit_metric_is_refused_with_a_remedy() {
    let error = Metric::parse("acuracy").unwrap_err().to_string();
    assert!(error.contains("did you mean «accuracy»?") && error.contains("known: accuracy, "), "{error}");
    let error = Metric::Accuracy.check(Task::Regression).unwrap_err().to_string();
    assert!(error.contains("use one of rmse, mae, r2"), "{error}");
    for task in [Task::Classification, Task::Regression] {
        assert_eq!(Metric::default_for(task).check(task), Ok(()));
    }
}

#[test]
fn what_is_not_defined_is_none() {
    for row in METRICS {
        let empty = match row.metric.task() {
            Task::Classification => classes(row.metric, &[], &[], 3),
            Task::Regression => values(row.metric, &[], &[]),
        };
        assert_eq!(empty, None, "{}", row.name);
    }
    assert_eq!(classes(Metric::Auc, &[1, 1], &[0.5, 0.5, 0.1, 0.9], 2), None);
    assert_eq!(values(Metric::R2, &[3.0], &[3.0]), None);
    // 0.1 three times has a mean whose rounding is not 0.1: still constant.
    assert_eq!(values(Metric::R2, &[0.1, 0.1, 0.1], &[0.1, 0.2, 0.3]), None);
}

#[test]
fn a_nan_prediction_gives_nan_and_ranks_last() {
    for row in METRICS {
        let score = match row.metric.task() {
            Task::Classification => classes(row.metric, &[0, 1], &[0.2, 0.8, f32::NAN, 0.5], 2),
            Task::Regression => values(row.metric, &[0.0, 1.0], &[0.0, f64::NAN]),
        };
        assert!(score.is_some_and(f64::is_nan), "{}: {score:?}", row.name);
        for other in [f64::NEG_INFINITY, -1.0, 0.0, f64::INFINITY] {
            assert_eq!(row.metric.better(f64::NAN, other), Ordering::Less);
            assert_eq!(row.metric.better(other, f64::NAN), Ordering::Greater);
        }
        assert_eq!(row.metric.better(f64::NAN, f64::NAN), Ordering::Equal);
        let more = if row.higher_is_better { Ordering::Greater } else { Ordering::Less };
        assert_eq!(row.metric.better(0.9, 0.1), more);
    }
}

#[test]
fn ties_go_to_the_lowest_class_and_certainty_is_clipped() {
    assert_eq!(classes(Metric::Accuracy, &[0, 2], &[0.4, 0.4, 0.2, 0.1, 0.45, 0.45], 3), Some(0.5));
    let wrong = classes(Metric::LogLoss, &[0], &[0.0, 1.0], 2).unwrap();
    assert!((wrong - 23.0 * 2.0_f64.ln()).abs() < 1e-14, "{wrong}");
    let sure = classes(Metric::LogLoss, &[1], &[0.0, 1.0], 2).unwrap();
    assert!(sure > 0.0 && sure < 1.3e-7, "{sure}");
}

#[test]
#[should_panic(expected = "a probability per row and class")]
fn a_wrong_shape_is_a_bug() {
    classes(Metric::Accuracy, &[0, 1], &[0.5; 3], 2);
}

#[test]
#[should_panic(expected = "a probability for each class code")]
fn a_class_without_a_probability_is_a_bug() {
    classes(Metric::Accuracy, &[0, 2], &[0.5; 4], 2);
}

#[test]
fn scores_that_are_no_probabilities_are_ranked_too() {
    let auc = |low: f32, high: f32| classes(Metric::Auc, &[0, 1], &[0.0, low, 0.0, high], 2);
    for (low, high) in
        [(-2.0, -1.0), (-1.0, 0.0), (-0.0, 1.0e-40), (0.5, f32::INFINITY), (f32::NEG_INFINITY, -3.0)]
    {
        assert_eq!(auc(low, high), Some(1.0), "{low} < {high}");
        assert_eq!(auc(high, low), Some(0.0), "{low} < {high}");
    }
    assert_eq!(auc(-0.0, 0.0), Some(0.5));
}

proptest! {
    /// The naive twin: every pair of a positive and a negative row.
    #[test]
    fn auc_counts_the_pairs(rows in prop::collection::vec((0_u32..2, 0_u8..6), 2..60)) {
        let truth: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let p = |score: u8| f32::from(score) / 8.0;
        let flat: Vec<f32> = rows.iter().flat_map(|row| [1.0 - p(row.1), p(row.1)]).collect();
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (_, positive) in rows.iter().filter(|row| row.0 == 1) {
            for (_, negative) in rows.iter().filter(|row| row.0 == 0) {
                pairs += 1.0;
                wins += match positive.cmp(negative) {
                    Ordering::Greater => 1.0,
                    Ordering::Equal => 0.5,
                    Ordering::Less => 0.0,
                };
            }
        }
        prop_assert_eq!(classes(Metric::Auc, &truth, &flat, 2), (pairs > 0.0).then(|| wins / pairs));
    }

    #[test]
    fn better_is_a_total_preorder(scores in prop::collection::vec(prop_oneof![Just(f64::NAN), -2.0..2.0], 0..30)) {
        for metric in [Metric::Accuracy, Metric::Rmse] {
            let mut sorted = scores.clone();
            sorted.sort_by(|a, b| metric.better(*b, *a));
            let finite: Vec<f64> = sorted.iter().copied().filter(|score| !score.is_nan()).collect();
            prop_assert!(sorted[..finite.len()].iter().all(|score| !score.is_nan()), "NaN last");
            let ordered = |pair: &[f64]| if metric.higher_is_better() { pair[0] >= pair[1] } else { pair[0] <= pair[1] };
            prop_assert!(finite.windows(2).all(ordered));
        }
    }
}
