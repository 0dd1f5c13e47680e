//! Who is best, and who cannot be told apart from it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{MeanInterval, PairedTest, corrected_paired_t, half_width, holm, mean_interval};
use crate::metric::better;

/// Every method, best first.
///
/// **What it does not say.** The best is picked from the very scores that it is then tested on. So its mean is, on
/// average, too good (the more so, the more methods are nearly equal and the fewer the rows), and the differences from
/// it too large. What holds about (α under the t-test's approximations): the method that is truly best is among the
/// tied ones with probability of at least 1 − α, because it is left out only if some other beats it significantly, and
/// that is one of (methods − 1) corrected tests of it. What does not hold: that among equally good methods none is
/// called worse more often than α; any of the pairs may happen to be the extreme one. Simulated (seven equally good
/// methods, 10 independent folds, α = 0.05): one given method is called worse in 2 % of the studies, some method in 11 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The methods: those that finished every fold by their mean, then the others by how many folds they finished,
    /// then by their mean; equals in the order of the input.
    pub ranking: Vec<Standing>,
    /// J: the scores that a method should have.
    pub folds: usize,
    /// The n_test/n_train of the correction.
    pub test_over_train: f64,
    /// The level of the verdict.
    pub alpha: f64,
}

/// One method's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Its number in the input.
    pub method: usize,
    /// The folds that it finished.
    pub finished: usize,
    /// The mean score over these folds; `None` if there are none.
    pub mean: Option<f64>,
    /// The interval of the mean, at confidence 1 − α; `None` for fewer than two scores.
    pub interval: Option<MeanInterval>,
    /// The test against the best; `None` for the best itself, where one of the two did not finish every fold, and
    /// where there is a single fold.
    pub versus_best: Option<VersusBest>,
    /// Whether the data cannot tell it apart from the best: both finished every fold, and the adjusted p-value is at
    /// least α (or one fold allows no test). True for the best.
    pub tied_with_best: bool,
}

/// A method against the best. Differences are how much *worse* the method is, in the metric's unit: best − method
/// where more is better, method − best where less is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VersusBest {
    /// The corrected paired test, by itself.
    pub test: PairedTest,
    /// Its p-value after Holm's correction over all tests against the best.
    pub p_adjusted: f64,
    /// The lower end of the simultaneous interval: all of them hold together with confidence 1 − α (Bonferroni: each
    /// at 1 − α/m). Holm's method, being sharper, may tell two methods apart whose interval still touches 0.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl VersusBest {
    /// Half the width of the simultaneous interval: about the smallest difference that this design could have told
    /// from 0, in the metric's unit.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

impl Comparison {
    /// The best method's number in the input; `None` if no method finished every fold.
    pub fn best(&self) -> Option<usize> {
        self.ranking.first().filter(|first| self.finished(first)).map(|first| first.method)
    }

    /// How fine the design could see: the largest [`VersusBest::half_width`] among the methods tied with the best. A
    /// difference beyond it would have shown. `None` if no tied method was tested.
    pub fn resolution(&self) -> Option<f64> {
        let tied = self.ranking.iter().filter(|standing| standing.tied_with_best);
        tied.filter_map(|standing| standing.versus_best)
            .map(|versus| versus.half_width())
            .max_by(f64::total_cmp)
    }

    fn finished(&self, standing: &Standing) -> bool {
        self.folds > 0 && standing.finished == self.folds
    }
}

/// Ranks methods by their scores on the same folds and tests each against the best.
///
/// `scores` holds, per method, a score per fold and repeat, in the same order for all; `None` (or a score that is not
/// finite) is a fold that diverged. `test_over_train` is n_test/n_train, `alpha` the level ([`super::ALPHA`]).
///
/// # Panics
/// If methods differ in their number of folds, or `alpha` is not strictly between 0 and 1.
pub fn compare_with_best(
    scores: &[Vec<Option<f64>>],
    higher_is_better: bool,
    test_over_train: f64,
    alpha: f64,
) -> Comparison {
    assert!(alpha > 0.0 && alpha < 1.0, "a level of {alpha}");
    let folds = scores.first().map_or(0, Vec::len);
    assert!(scores.iter().all(|method| method.len() == folds), "a score per method and fold");
    let finite: Vec<Vec<f64>> = scores
        .iter()
        .map(|method| method.iter().flatten().copied().filter(|score| score.is_finite()).collect())
        .collect();
    let mut ranking: Vec<Standing> =
        (0..scores.len()).map(|method| standing(method, &finite[method], test_over_train, alpha)).collect();
    ranking
        .sort_by(|a, b| b.finished.cmp(&a.finished).then_with(|| by_mean(higher_is_better, b.mean, a.mean)));
    let mut comparison = Comparison { ranking, folds, test_over_train, alpha };
    if let Some(best) = comparison.best() {
        judge(&mut comparison, &finite, best, if higher_is_better { 1.0 } else { -1.0 });
    }
    comparison
}

/// A method by itself.
fn standing(method: usize, scores: &[f64], test_over_train: f64, alpha: f64) -> Standing {
    let interval = mean_interval(scores, test_over_train, 1.0 - alpha);
    Standing {
        method,
        finished: scores.len(),
        mean: interval.map(|interval| interval.mean).or(scores.first().copied()),
        interval,
        versus_best: None,
        tied_with_best: false,
    }
}

fn by_mean(higher_is_better: bool, a: Option<f64>, b: Option<f64>) -> Ordering {
    better(higher_is_better, a.unwrap_or(f64::NAN), b.unwrap_or(f64::NAN))
}

/// Tests every method that finished against the best; `sign` turns a difference into «how much worse».
fn judge(comparison: &mut Comparison, scores: &[Vec<f64>], best: usize, sign: f64) {
    let Comparison { folds, test_over_train, alpha, .. } = *comparison;
    let finished = comparison.ranking.iter_mut().filter(|standing| standing.finished == folds);
    let (mut tested, mut differences) = (Vec::new(), Vec::new());
    for standing in finished {
        standing.tied_with_best = true;
        if standing.method != best {
            let pairs = scores[best].iter().zip(&scores[standing.method]);
            differences.push(pairs.map(|(best, other)| sign * (best - other)).collect());
            tested.push(standing);
        }
    }
    for (standing, versus) in tested.into_iter().zip(family(&differences, test_over_train, alpha)) {
        if let Some(versus) = versus {
            standing.versus_best = Some(versus);
            standing.tied_with_best = versus.p_adjusted >= alpha;
        }
    }
}

/// A family of paired tests: each with Holm's correction and with simultaneous intervals. `None` where there are fewer
/// than two differences.
fn family(differences: &[Vec<f64>], test_over_train: f64, alpha: f64) -> Vec<Option<VersusBest>> {
    let tests: Vec<Option<PairedTest>> =
        differences.iter().map(|differences| corrected_paired_t(differences, test_over_train)).collect();
    let p_values: Vec<f64> = tests.iter().flatten().map(|test| test.p).collect();
    let confidence = 1.0 - alpha / p_values.len().max(1) as f64;
    let mut adjusted = holm(&p_values).into_iter();
    let judge = |(test, differences): (PairedTest, &Vec<f64>), p_adjusted| {
        let half =
            half_width(test.spread, differences.len(), test_over_train, confidence).unwrap_or(f64::INFINITY);
        let (low, high) = (test.mean_difference - half, test.mean_difference + half);
        VersusBest { test, p_adjusted, low, high }
    };
    let pairs = tests.into_iter().zip(differences);
    pairs.map(|(test, differences)| Some(judge((test?, differences), adjusted.next()?))).collect()
}

/// Tests each of some methods against one that was chosen before anything was seen: how much *better* it is, in the unit
/// of the scores (method − reference where more is better, reference − method where less is).
///
/// All tests are one family: p-values carry Holm's correction, intervals hold together. A method of which a fold, or of
/// whose reference a fold, has no finite score is not tested.
///
/// # Panics
/// If methods differ in their number of folds, or `alpha` is not strictly between 0 and 1.
pub fn compare_with_reference(
    reference: &[Option<f64>],
    others: &[Vec<Option<f64>>],
    higher_is_better: bool,
    test_over_train: f64,
    alpha: f64,
) -> Vec<Option<VersusBest>> {
    assert!(alpha > 0.0 && alpha < 1.0, "a level of {alpha}");
    let sign = if higher_is_better { 1.0 } else { -1.0 };
    let differences: Vec<Vec<f64>> = others
        .iter()
        .map(|other| {
            assert_eq!(other.len(), reference.len(), "a score per method and fold");
            let pairs = other.iter().zip(reference).map(|(other, reference)| {
                other.zip(*reference).map(|(other, reference)| sign * (other - reference))
            });
            let all: Option<Vec<f64>> =
                pairs.map(|difference| difference.filter(|difference| difference.is_finite())).collect();
            all.unwrap_or_default()
        })
        .collect();
    family(&differences, test_over_train, alpha)
}
