//! What a study's trials say together: the ranking, its uncertainty, and the verdict.

use serde::{Deserialize, Serialize};
use thalweg_data::Task;
use thalweg_eval::Metric;
use thalweg_eval::stats::{
    ALPHA, Comparison, Standing, VersusBest, compare_with_best, compare_with_reference,
};
use thalweg_optim::Schedule;

use super::method::NONE;
use super::spec::StudySpec;
use super::trial::{Role, TrialRecord};
use super::verdict::Verdict;

/// What a store keeps of a study beside its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// The settings.
    pub spec: StudySpec,
    /// The data.
    pub data: DataInfo,
    /// What was decided from settings and data together.
    pub protocol: Protocol,
}

impl StudyRecord {
    /// The methods that were compared.
    pub fn methods(&self) -> &[String] {
        if self.protocol.methods.is_empty() { &self.spec.optimizers } else { &self.protocol.methods }
    }

    /// Whether techniques of regularization were compared, and not optimizers.
    pub fn is_of_regularization(&self) -> bool {
        !self.spec.regularizers.is_empty()
    }

    /// What is scored.
    pub fn metric(&self) -> Metric {
        self.spec.metric.unwrap_or(Metric::default_for(self.data.task))
    }
}

/// The data as a report needs to know them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// The built-in name, or the file's stem.
    pub name: String,
    /// Rows that can be learned from.
    pub rows: usize,
    /// Columns that a model may see, before they are prepared.
    pub features: usize,
    /// What is predicted.
    pub task: Task,
    /// The target column.
    pub target: String,
    /// The classes' names; empty for regression.
    pub classes: Vec<String>,
    /// The hash of all content.
    pub fingerprint: String,
    /// What a reader should know about the data.
    pub warnings: Vec<String>,
    /// Inputs of the network in the first fold: the columns that the features were prepared into.
    pub inputs: usize,
    /// What the preparation of the first fold's training part left out or put together.
    pub preparation: Vec<String>,
}

/// How the study was run, as far as settings and data decide it together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// The way the outer folds were made.
    pub cv: String,
    /// Outer folds in each repeat.
    pub folds: usize,
    /// Repeats.
    pub repeats: usize,
    /// Rows left out between past and future.
    pub gap: usize,
    /// Rows of each outer training part.
    pub train_rows: Vec<usize>,
    /// Rows of each outer test part.
    pub test_rows: Vec<usize>,
    /// Rows of each inner validation part.
    pub validation_rows: Vec<usize>,
    /// The mean of test rows / training rows, which the corrected statistics need.
    pub test_over_train: f64,
    /// Whether more of the metric is better.
    pub higher_is_better: bool,
    /// The score of the best constant prediction, fitted on each training part: the mean over the outer folds.
    pub baseline: Option<f64>,
    /// The same on the inner validation parts.
    pub validation_baseline: Option<f64>,
    /// How weights started.
    pub init: String,
    /// The methods that were compared. (Stores of old name them in the settings only.)
    #[serde(default)]
    pub methods: Vec<String>,
    /// Techniques of regularization that were asked for as «all» and do not apply: why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The layers before the output.
    #[serde(default = "mlp")]
    pub network: String,
    /// The learning rates that each method tried in each fold.
    pub learning_rates: Vec<f64>,
    /// What each rate was multiplied by as training went on.
    #[serde(default = "constant")]
    pub schedule: String,
    /// What went around every method, inner to outer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrap: Vec<String>,
    /// What was minimized.
    pub loss: String,
    /// Whose form of each rule.
    pub dialect: String,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// What followed each of them.
    pub activation: String,
    /// Passes over the data, at most.
    pub epochs: u32,
    /// Epochs without improvement before an inner trial stopped; 0 never.
    pub patience: u32,
    /// Rows per step.
    pub batch_size: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The level of the verdict.
    pub alpha: f64,
    /// The CPU's feature level; equal levels give equal bits.
    pub cpu_level: String,
    /// The version of the program.
    pub version: String,
    /// The command that reproduces the study.
    pub command: String,
}

/// Studies that were stored before there were schedules had none.
fn constant() -> String {
    Schedule::default().to_string()
}

/// Studies that were stored before there was a choice had multilayer perceptrons.
fn mlp() -> String {
    "mlp".to_owned()
}

/// A study's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The study's name.
    pub study: String,
    /// The data.
    pub data: DataInfo,
    /// What was scored.
    pub metric: Metric,
    /// How.
    pub protocol: Protocol,
    /// Every trial, in the order of the plan.
    pub trials: Vec<TrialLine>,
    /// The methods, best first.
    pub ranking: Vec<MethodSummary>,
    /// What it means.
    pub verdict: Verdict,
}

/// A trial in a summary: its record without the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialLine {
    /// The outer fold, from 1.
    pub fold: usize,
    /// The method.
    #[serde(alias = "optimizer")]
    pub method: String,
    /// What it was for.
    pub role: Role,
    /// η.
    pub learning_rate: f64,
    /// The technique's strength, in a study of regularization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Why training ended.
    pub stop: thalweg_learn::train::StopReason,
    /// The epoch (from 1) that counts: of an inner trial the one with the best validation score, averaged over the two
    /// epochs on either side; of a refit the last.
    pub epoch: Option<u32>,
    /// Steps done.
    pub steps: u64,
    /// The score on the inner validation part, averaged over the same epochs.
    pub valid_score: Option<f64>,
    /// The score on the outer training part.
    pub train_score: Option<f64>,
    /// The score on the outer test part.
    pub test_score: Option<f64>,
    /// How long it took.
    pub seconds: f64,
}

/// A mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean over the outer folds that finished.
    pub mean: Option<f64>,
    /// The lower end of the 95 % interval, cut at the metric's range.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// A method's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodSummary {
    /// The method's name: of an optimizer, or of a regularization technique.
    #[serde(alias = "optimizer")]
    pub method: String,
    /// The mean outer test score, with the corrected 95 % interval.
    pub score: Score,
    /// The outer test score of each fold; `None` where no refit finished.
    pub scores: Vec<Option<f64>>,
    /// The mean score on the outer training parts.
    pub train_score: Option<f64>,
    /// The generalization gap: how much worse the test score is than the training score; negative if it is better.
    pub gap: Option<f64>,
    /// The median of the chosen learning rates (the lower one of two).
    pub learning_rate: Option<f64>,
    /// The chosen learning rate of each fold; `None` where every rate diverged.
    pub learning_rates: Vec<Option<f64>>,
    /// The median of the chosen strengths (the lower one of two), in a study of regularization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// What the technique changes; `None` for «none» itself, and in a comparison of optimizers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versus_none: Option<VersusNone>,
    /// The median of the epochs that the inner split chose.
    pub epochs: Option<u32>,
    /// Whether the data cannot tell it apart from the best.
    pub tied_with_best: bool,
    /// How it compares with the best; `None` for the best itself.
    pub versus_best: Option<Versus>,
    /// The chosen rates that sat on an edge of the grid.
    pub edge: Edge,
    /// How much the learning rate matters.
    pub sensitivity: Sensitivity,
    /// Trials that ended in NaN or ∞, refits included.
    pub diverged: usize,
    /// Outer folds without a score.
    pub failed_folds: usize,
    /// Time of all its trials, summed over threads.
    pub seconds: f64,
    /// Steps of all its trials.
    pub steps: u64,
}

/// A technique of regularization against none, on the same folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VersusNone {
    /// How much better it scores, in the metric's unit.
    pub score: Versus,
    /// By how much the generalization gap shrinks.
    pub gap: Versus,
}

/// A method against another. Of the best: how much worse it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Versus {
    /// How much worse it is on average, in the metric's unit.
    pub difference: f64,
    /// The lower end of the simultaneous 95 % interval of the difference.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The corrected paired t-test's p-value, after Holm's correction.
    pub p: f64,
}

/// In how many folds the chosen learning rate sat on an edge of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Edge {
    /// At the smallest rate.
    pub low: usize,
    /// At the largest rate.
    pub high: usize,
}

/// How a method's validation score depends on its learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The decades of learning rates around the best one over which the mean validation score keeps at least 95 % of
    /// the way from the baseline to the best; `None` if the method never beat the baseline.
    pub usable_decades: Option<f64>,
    /// For each learning rate of the grid.
    pub curve: Vec<RatePoint>,
}

/// One learning rate of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatePoint {
    /// η.
    pub learning_rate: f64,
    /// The mean validation score over the folds that finished.
    pub valid_score: Option<f64>,
    /// Folds in which it diverged.
    pub diverged: usize,
}

impl Summary {
    /// Whether techniques of regularization were compared, and not optimizers.
    pub fn is_of_regularization(&self) -> bool {
        self.ranking.iter().any(|method| method.method == NONE)
    }

    /// Sums up a study. `records` are all its trials, in the order of the plan.
    pub fn new(study: &StudyRecord, records: &[TrialRecord]) -> Self {
        let metric = study.metric();
        let methods: Vec<Method<'_>> =
            study.methods().iter().map(|name| Method::new(name, study, records)).collect();
        let scores: Vec<Vec<Option<f64>>> = methods.iter().map(Method::test_scores).collect();
        let comparison =
            compare_with_best(&scores, metric.higher_is_better(), study.protocol.test_over_train, ALPHA);
        let mut ranking: Vec<MethodSummary> =
            comparison.ranking.iter().map(|standing| methods[standing.method].summarize(standing)).collect();
        against_none(study, &methods, &mut ranking);
        let verdict = Verdict::new(study, metric, &ranking, resolution(&comparison));
        Self {
            study: study.data.name.clone(),
            data: study.data.clone(),
            metric,
            protocol: study.protocol.clone(),
            trials: records.iter().map(TrialLine::new).collect(),
            ranking,
            verdict,
        }
    }
}

/// Tests each technique against none, where techniques are compared: the scores in one family of tests, the gaps in
/// another.
fn against_none(study: &StudyRecord, methods: &[Method<'_>], ranking: &mut [MethodSummary]) {
    let Some(none) = methods.iter().find(|method| study.is_of_regularization() && method.name == NONE) else {
        return;
    };
    let others: Vec<&Method<'_>> = methods.iter().filter(|method| method.name != NONE).collect();
    let ratio = study.protocol.test_over_train;
    let (least, largest) = study.metric().bounds();
    let range = largest - least;
    let tests = |values: &dyn Fn(&Method<'_>) -> Vec<Option<f64>>, higher_is_better: bool| {
        let family: Vec<_> = others.iter().map(|method| values(method)).collect();
        compare_with_reference(&values(none), &family, higher_is_better, ratio, ALPHA)
    };
    let scores = tests(&|method| method.test_scores(), study.protocol.higher_is_better);
    let gaps = tests(&|method| method.gaps(), false);
    for ((method, score), gap) in others.iter().zip(scores).zip(gaps) {
        if let Some(line) = ranking.iter_mut().find(|line| line.method == method.name) {
            line.versus_none = score.zip(gap).map(|(score, gap)| VersusNone {
                score: Versus::better(score, range),
                gap: Versus::better(gap, 2.0 * range),
            });
        }
    }
}

impl Versus {
    /// No difference of scores is larger than the metric's `range`, whatever a t-interval of few folds says.
    fn better(versus: VersusBest, range: f64) -> Self {
        let cut = |end: f64| end.clamp(-range, range);
        let difference = versus.test.mean_difference;
        Self { difference, low: cut(versus.low), high: cut(versus.high), p: versus.p_adjusted }
    }
}

fn resolution(comparison: &Comparison) -> Option<f64> {
    comparison.resolution().filter(|resolution| resolution.is_finite())
}

impl TrialLine {
    fn new(record: &TrialRecord) -> Self {
        Self {
            fold: record.fold + 1,
            method: record.method.clone(),
            role: record.role,
            learning_rate: record.learning_rate,
            strength: record.strength,
            stop: record.stop,
            epoch: record.epoch,
            steps: record.steps,
            valid_score: record.valid_score,
            train_score: record.train_score,
            test_score: record.test_score,
            seconds: record.seconds,
        }
    }
}

/// A method with its trials.
struct Method<'a> {
    name: &'a str,
    study: &'a StudyRecord,
    inner: Vec<&'a TrialRecord>,
    refits: Vec<&'a TrialRecord>,
}

impl<'a> Method<'a> {
    fn new(name: &'a str, study: &'a StudyRecord, records: &'a [TrialRecord]) -> Self {
        let (inner, refits) = records
            .iter()
            .filter(|record| record.method == name)
            .partition(|record| record.role == Role::Inner);
        Self { name, study, inner, refits }
    }

    fn per_fold<V>(&self, value: impl Fn(&TrialRecord) -> Option<V>) -> Vec<Option<V>> {
        let refit = |fold| self.refits.iter().find(|record| record.fold == fold);
        (0..self.study.protocol.test_rows.len())
            .map(|fold| refit(fold).and_then(|record| value(record)))
            .collect()
    }

    /// How much worse the test score is than the training score, in each fold.
    fn gaps(&self) -> Vec<Option<f64>> {
        let sign = if self.study.protocol.higher_is_better { 1.0 } else { -1.0 };
        self.per_fold(|record| Some(sign * (record.train_score? - record.test_score?)))
    }

    fn test_scores(&self) -> Vec<Option<f64>> {
        self.per_fold(|record| record.test_score)
    }

    fn summarize(&self, standing: &Standing) -> MethodSummary {
        let finished = |record: &&&TrialRecord| record.test_score.is_some();
        let learning_rates = self.per_fold(|record| Some(record.learning_rate));
        let train_score = mean(self.refits.iter().filter(finished).filter_map(|record| record.train_score));
        let sign = if self.study.protocol.higher_is_better { 1.0 } else { -1.0 };
        let all = || self.inner.iter().chain(&self.refits);
        // A t-interval knows nothing of the metric's range; no true mean lies beyond it.
        let (least, largest) = self.study.metric().bounds();
        MethodSummary {
            method: self.name.to_owned(),
            score: Score {
                mean: standing.mean,
                low: standing.interval.map(|interval| interval.low.max(least)),
                high: standing.interval.map(|interval| interval.high.min(largest)),
            },
            scores: self.test_scores(),
            train_score,
            gap: train_score.zip(standing.mean).map(|(train, test)| sign * (train - test)),
            learning_rate: lower_median(learning_rates.iter().copied().flatten(), f64::total_cmp),
            strength: lower_median(self.refits.iter().filter_map(|record| record.strength), f64::total_cmp),
            versus_none: None,
            edge: self.edge(&learning_rates),
            learning_rates,
            epochs: lower_median(self.refits.iter().map(|record| record.epochs), Ord::cmp),
            tied_with_best: standing.tied_with_best,
            versus_best: standing.versus_best.map(|versus| Versus {
                difference: versus.test.mean_difference,
                low: versus.low,
                high: versus.high,
                p: versus.p_adjusted,
            }),
            sensitivity: self.sensitivity(),
            diverged: all().filter(|record| record.diverged()).count(),
            failed_folds: self.study.protocol.test_rows.len() - standing.finished,
            seconds: all().map(|record| record.seconds).sum(),
            steps: all().map(|record| record.steps).sum(),
        }
    }

    fn edge(&self, chosen: &[Option<f64>]) -> Edge {
        let (low, high) = self.study.spec.learning_rates.ends();
        let count = |end| chosen.iter().flatten().filter(|&&rate| rate == end).count();
        if low == high { Edge::default() } else { Edge { low: count(low), high: count(high) } }
    }

    fn sensitivity(&self) -> Sensitivity {
        let curve: Vec<RatePoint> = self
            .study
            .protocol
            .learning_rates
            .iter()
            .map(|&learning_rate| {
                let at = || self.inner.iter().filter(|record| record.learning_rate == learning_rate);
                RatePoint {
                    learning_rate,
                    valid_score: mean(at().filter_map(|record| record.valid_score)),
                    diverged: at().filter(|record| record.diverged()).count(),
                }
            })
            .collect();
        Sensitivity { usable_decades: self.usable_decades(&curve), curve }
    }

    /// See [`Sensitivity::usable_decades`]. A rate that diverged in any fold is not usable.
    fn usable_decades(&self, curve: &[RatePoint]) -> Option<f64> {
        let sign = if self.study.protocol.higher_is_better { 1.0 } else { -1.0 };
        let baseline = self.study.protocol.validation_baseline?;
        let gain = |point: &RatePoint| {
            point.valid_score.filter(|_| point.diverged == 0).map(|score| sign * (score - baseline))
        };
        let gains: Vec<f64> = curve.iter().map(|point| gain(point).unwrap_or(f64::NEG_INFINITY)).collect();
        let best = (0..gains.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b]).then(b.cmp(&a)))?;
        if gains[best] <= 0.0 {
            return None;
        }
        let usable = |&index: &usize| gains[index] >= 0.95 * gains[best];
        let first = (0..=best).rev().take_while(usable).last()?;
        let last = (best..gains.len()).take_while(usable).last()?;
        Some((curve[last].learning_rate / curve[first].learning_rate).log10())
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn lower_median<V: Copy>(
    values: impl Iterator<Item = V>,
    compare: impl FnMut(&V, &V) -> std::cmp::Ordering,
) -> Option<V> {
    let mut sorted: Vec<V> = values.collect();
    sorted.sort_by(compare);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}
