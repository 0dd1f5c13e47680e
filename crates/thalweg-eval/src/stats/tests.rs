//! The statistics against scipy, statsmodels, a transcription of the formula, and simulated truth.

use proptest::prelude::*;
use rand::Rng;
use serde_json::Value;
use thalweg_optim::random::stream;

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../goldens/stats.json")).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn assert_near(ours: f64, expected: f64, tolerance: f64, what: &dyn std::fmt::Debug) {
    let error = (ours - expected).abs();
    assert!(error <= tolerance * expected.abs(), "{what:?}: {ours} is not {expected}");
}

#[test]
fn student_t_is_that_of_scipy() {
    let golden = golden();
    for [probability, freedom, expected] in read::<Vec<[f64; 3]>>(&golden["quantiles"]) {
        let ours = quantile(probability, freedom);
        // Beside the center, where the quantile is near 0, only its absolute error is small.
        let scale = if probability == 0.5005 { 10.0 } else { expected.abs() };
        assert!((ours - expected).abs() <= 5e-13 * scale, "{probability} {freedom}: {ours}");
    }
    for [t, freedom, expected] in read::<Vec<[f64; 3]>>(&golden["tails"]) {
        assert_near(two_sided_p(t, freedom), expected, 2e-12, &(t, freedom));
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    for case in golden()["holm"].as_array().unwrap() {
        let ours = holm(&read::<Vec<f64>>(&case["p"]));
        for (ours, expected) in ours.iter().zip(read::<Vec<f64>>(&case["adjusted"])) {
            assert_near(*ours, expected, 1e-14, case);
        }
    }
    assert!(holm(&[]).is_empty());
}

#[test]
fn the_paired_test_is_the_transcription_and_uncorrected_that_of_scipy() {
    for case in golden()["paired"].as_array().unwrap() {
        let differences: Vec<f64> = read(&case["differences"]);
        for (ratio, expected) in [(read(&case["ratio"]), &case["corrected"]), (0.0, &case["ttest_rel"])] {
            let test = corrected_paired_t(&differences, ratio).unwrap();
            assert_near(test.t.unwrap(), read(&expected["t"]), 1e-10, case);
            assert_near(test.p, read(&expected["p"]), 1e-10, case);
            let width = test.high - test.low;
            for (ours, name) in [(test.low, "low"), (test.high, "high")] {
                assert!((ours - read::<f64>(&expected[name])).abs() <= 1e-10 * width, "{case}");
            }
            let interval = mean_interval(&differences, ratio, CONFIDENCE).unwrap();
            assert_eq!(
                (interval.mean, interval.low, interval.high),
                (test.mean_difference, test.low, test.high)
            );
            let half = half_width(test.spread, differences.len(), ratio, CONFIDENCE).unwrap();
            assert_eq!(interval.high, interval.mean + half);
        }
    }
}

#[test]
fn differences_that_do_not_vary() {
    let none = corrected_paired_t(&[0.0; 5], 0.25).unwrap();
    assert_eq!((none.p, none.t, none.low, none.high), (1.0, None, 0.0, 0.0));
    let shift = corrected_paired_t(&[0.1; 3], 0.25).unwrap();
    assert_eq!((shift.p, shift.t, shift.low, shift.high), (0.25, None, 0.1, 0.1));
    assert_eq!(corrected_paired_t(&[0.3], 0.25), None);
    assert_eq!(mean_interval(&[0.3], 0.25, CONFIDENCE), None);
    assert_eq!(half_width(1.0, 1, 0.25, CONFIDENCE), None);
}

fn some(scores: &[f64]) -> Vec<Option<f64>> {
    scores.iter().copied().map(Some).collect()
}

fn order(comparison: &Comparison) -> Vec<usize> {
    comparison.ranking.iter().map(|standing| standing.method).collect()
}

#[test]
fn the_best_the_tied_the_worse_and_the_diverged() {
    let mut broken = some(&[0.99, 0.99, 0.99, 0.99, 0.99]);
    broken[3] = None;
    let mut nan = some(&[0.99, 0.99, 0.99, 0.99, 0.99]);
    (nan[1], nan[2]) = (Some(f64::NAN), Some(f64::INFINITY));
    let scores = [
        some(&[0.70, 0.71, 0.69, 0.72, 0.70]),
        nan,
        some(&[0.90, 0.93, 0.88, 0.91, 0.92]),
        broken,
        some(&[0.91, 0.92, 0.90, 0.90, 0.92]),
        vec![None; 5],
    ];
    let comparison = compare_with_best(&scores, true, 0.25, ALPHA);
    assert_eq!(order(&comparison), [4, 2, 0, 3, 1, 5]);
    assert_eq!(comparison.best(), Some(4));
    let tied: Vec<bool> = comparison.ranking.iter().map(|standing| standing.tied_with_best).collect();
    assert_eq!(tied, [true, true, false, false, false, false]);
    let finished: Vec<usize> = comparison.ranking.iter().map(|standing| standing.finished).collect();
    assert_eq!(finished, [5, 5, 5, 4, 3, 0]);
    assert_eq!(comparison.ranking[5].mean, None);

    let worse = comparison.ranking[2].versus_best.unwrap();
    assert!((worse.test.mean_difference - 0.206).abs() < 1e-12, "how much worse, positive");
    assert!(worse.low > 0.0 && worse.p_adjusted < 0.05);
    assert!(worse.low < worse.test.low && worse.high > worse.test.high, "simultaneous is wider");
    // Two tests: each of the simultaneous intervals stands at 1 − 0.05/2.
    assert!((worse.half_width() - half_width(worse.test.spread, 5, 0.25, 0.975).unwrap()).abs() < 1e-15);
    let close = comparison.ranking[1].versus_best.unwrap();
    assert_eq!(comparison.resolution(), Some(close.half_width()));
    assert!(close.low < 0.0 && 0.0 < close.high);
    assert_eq!(holm(&[close.test.p, worse.test.p]), [close.p_adjusted, worse.p_adjusted]);
}

#[test]
fn where_less_is_better_the_signs_turn() {
    let scores = [some(&[2.0, 2.2, 2.1]), some(&[1.0, 1.1, 1.2])];
    let comparison = compare_with_best(&scores, false, 0.5, ALPHA);
    assert_eq!(order(&comparison), [1, 0]);
    assert!(comparison.ranking[1].versus_best.unwrap().test.mean_difference > 0.9);
}

#[test]
fn equals_keep_the_order_of_the_input_and_one_fold_tests_nothing() {
    let scores = vec![some(&[0.5, 0.7]); 3];
    let comparison = compare_with_best(&scores, true, 0.25, ALPHA);
    assert_eq!(order(&comparison), [0, 1, 2]);
    assert!(comparison.ranking.iter().all(|standing| standing.tied_with_best));
    assert_eq!(comparison.ranking[2].versus_best.unwrap().p_adjusted, 1.0);

    let single = compare_with_best(&[some(&[0.5]), some(&[0.9])], true, 0.25, ALPHA);
    assert_eq!(order(&single), [1, 0]);
    let standing = &single.ranking[1];
    assert!(standing.tied_with_best && standing.versus_best.is_none() && standing.interval.is_none());
    assert_eq!(single.resolution(), None);
}

#[test]
fn where_nobody_finished_nobody_is_best() {
    let scores = [vec![None, None], vec![Some(0.4), None]];
    let comparison = compare_with_best(&scores, true, 0.25, ALPHA);
    assert_eq!(order(&comparison), [1, 0]);
    assert_eq!(comparison.best(), None);
    assert!(comparison.ranking.iter().all(|standing| !standing.tied_with_best));
    assert_eq!(compare_with_best(&[], true, 0.25, ALPHA).best(), None);
    assert_eq!(compare_with_best(&[vec![], vec![]], true, 0.25, ALPHA).best(), None);
}

#[test]
fn a_comparison_survives_json() {
    let scores = [some(&[0.5, 0.7]), some(&[0.4, 0.6]), vec![None, Some(0.1)]];
    let comparison = compare_with_best(&scores, true, 0.25, ALPHA);
    let json = serde_json::to_string(&comparison).unwrap();
    assert!(json.contains("\"tied_with_best\":"), "{json}");
    assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
}

/// A standard normal draw (Box & Muller 1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Scores of methods whose true means are `means`, in `folds` independent folds (so the correction is off).
fn simulate(means: &[f64], folds: usize, run: u64) -> Vec<Vec<Option<f64>>> {
    let mut rng = stream(8, "simulate", run);
    let fold_effect: Vec<f64> = (0..folds).map(|_| normal(&mut rng)).collect();
    let method = |mean: &f64| fold_effect.iter().map(|fold| Some(mean + fold + normal(&mut rng))).collect();
    means.iter().map(method).collect()
}

const RUNS: u64 = 2000;

/// The share of simulated runs for which `event` holds.
fn share(event: impl Fn(u64) -> bool) -> f64 {
    (0..RUNS).filter(|&run| event(run)).count() as f64 / RUNS as f64
}

#[test]
fn holm_controls_false_rejections_and_nothing_less_does() {
    // Five methods against a fixed one; the first two are really worse, three hypotheses are true.
    let p_values = |run| {
        let scores = simulate(&[0.0, -3.0, -3.0, 0.0, 0.0, 0.0], 10, run);
        let against = |method: usize| {
            let pairs = scores[0].iter().zip(&scores[method]);
            let differences: Vec<f64> = pairs.map(|(a, b)| a.unwrap() - b.unwrap()).collect();
            corrected_paired_t(&differences, 0.0).unwrap().p
        };
        (1..6).map(against).collect::<Vec<f64>>()
    };
    let any_false = |p: &[f64]| p[2..].iter().any(|&p| p < ALPHA);
    let with_holm = share(|run| any_false(&holm(&p_values(run))));
    let without = share(|run| any_false(&p_values(run)));
    // Three standard errors of a share of 0.05 in 2000 runs are 0.015.
    assert!(with_holm < 0.05 + 0.015, "{with_holm}");
    assert!(without > 0.09, "the correction is needed: {without}");
    let found = share(|run| holm(&p_values(run))[..2].iter().all(|&p| p < ALPHA));
    assert!(found > 0.9, "real differences are found: {found}");
}

#[test]
fn the_correction_is_exact_where_its_assumption_holds() {
    // Ten folds whose scores correlate by ρ = n_test/(n_test + n_train) = 1/10, so that n_test/n_train = 1/9.
    let rejected = |ratio: f64| {
        share(|run| {
            let mut rng = stream(8, "correlated", run);
            let shared = normal(&mut rng) * 0.1_f64.sqrt();
            let differences: Vec<f64> = (0..10).map(|_| shared + normal(&mut rng) * 0.9_f64.sqrt()).collect();
            corrected_paired_t(&differences, ratio).unwrap().p < ALPHA
        })
    };
    let (corrected, plain) = (rejected(1.0 / 9.0), rejected(0.0));
    assert!((corrected - 0.05).abs() < 0.015, "{corrected}");
    assert!(plain > 0.12, "the plain test rejects far too often: {plain}");
}

#[test]
fn the_truly_best_is_rarely_left_out_and_the_price_of_picking_is_known() {
    let left_out = |means: &'static [f64]| {
        share(|run| {
            let comparison = compare_with_best(&simulate(means, 10, run), true, 0.0, ALPHA);
            comparison.ranking.iter().any(|standing| standing.method == 0 && !standing.tied_with_best)
        })
    };
    for means in
        [&[0.0; 7], &[0.0, -0.2, -0.2, -0.2, -0.2, -0.2, -0.2], &[0.0, 0.0, -1.0, -1.0, -2.0, -2.0, -3.0]]
    {
        let share = left_out(means);
        assert!(share < 0.05, "{means:?}: {share}");
    }
    // Seven equal methods: some method is called worse more often than in one of twenty studies.
    let any = share(|run| {
        let comparison = compare_with_best(&simulate(&[0.0; 7], 10, run), true, 0.0, ALPHA);
        comparison.ranking.iter().any(|standing| !standing.tied_with_best)
    });
    assert!((0.08..0.14).contains(&any), "the documentation of `Comparison` says one in nine: {any}");
}

proptest! {
    #[test]
    fn holm_keeps_order_and_lies_between_p_and_bonferroni(p in prop::collection::vec(0.0_f64..=1.0, 1..20)) {
        let adjusted = holm(&p);
        for (i, &a) in p.iter().enumerate() {
            prop_assert!(adjusted[i] >= a && adjusted[i] <= (a * p.len() as f64).min(1.0));
            for (j, &b) in p.iter().enumerate() {
                prop_assert!(a > b || adjusted[i] <= adjusted[j]);
            }
        }
    }

    #[test]
    fn two_sided_p_inverts_the_quantile(p in 0.0001_f64..0.9999, freedom in 1_u32..200) {
        let t = quantile(1.0 - p / 2.0, f64::from(freedom));
        prop_assert!((two_sided_p(t, f64::from(freedom)) - p).abs() < 1e-9);
    }
}

#[test]
fn a_reference_is_compared_as_the_best_is() {
    let scores = |shift: f64| -> Vec<Option<f64>> {
        (0..6).map(|fold| Some(0.8 + shift + 0.01 * (f64::from(fold) * (1.0 + shift)).sin())).collect()
    };
    let (reference, better, worse) = (scores(0.0), scores(0.05), scores(-0.02));
    let mut missing = scores(0.1);
    missing[3] = None;
    let others = [better.clone(), missing, worse.clone()];
    let found = compare_with_reference(&reference, &others, true, 0.25, ALPHA);
    let [better_test, none, worse_test] = found.as_slice() else { panic!("one for each") };
    assert!(none.is_none(), "a method without a fold is not tested");
    // A single test by hand: Holm's factor is 2 for the smaller p of two.
    let differences: Vec<f64> = better.iter().zip(&reference).map(|(b, r)| b.unwrap() - r.unwrap()).collect();
    let alone = corrected_paired_t(&differences, 0.25).unwrap();
    let (better_test, worse_test) = (better_test.unwrap(), worse_test.unwrap());
    assert_eq!(better_test.test, alone);
    let smaller = better_test.test.p.min(worse_test.test.p);
    assert_eq!(better_test.p_adjusted.min(worse_test.p_adjusted), (2.0 * smaller).min(1.0));
    assert!(better_test.test.mean_difference > 0.0 && worse_test.test.mean_difference < 0.0);
    // Bonferroni over both: wider than the interval alone.
    assert!(better_test.low < alone.low && better_test.high > alone.high);
    // Where less is better, the signs turn.
    let turned = compare_with_reference(&reference, &others, false, 0.25, ALPHA);
    assert_eq!(turned[0].unwrap().test.mean_difference, -alone.mean_difference);
    // The same numbers as against the best, the other way round.
    let all = compare_with_best(&[better, reference.clone()], true, 0.25, ALPHA);
    let against_best = all.ranking[1].versus_best.unwrap();
    assert_eq!(against_best.test.mean_difference, alone.mean_difference);
    assert!(compare_with_reference(&reference, &[], true, 0.25, ALPHA).is_empty());
}
