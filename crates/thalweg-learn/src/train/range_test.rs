//! The learning-rate range test: one short training whose rate grows from step to step.
//!
//! Sources: Smith, *Cyclical learning rates for training neural networks* (2017); the growth by a constant factor, the
//! smoothing and the stop are those of fastai's `lr_find`.

use serde::{Deserialize, Serialize};
use thalweg_optim::Threads;
use thalweg_optim::kernel::denormal::FlushDenormals;

use super::fit::{Pace, Samples, Training};
use super::history::StopReason;
use super::recipe::{Recipe, RecipeError};
use crate::regularize::Finds;

/// The test ends once the smoothed loss is this many times its lowest value.
pub const GROWTH_MAX: f64 = 4.0;

/// The settings of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RangeTest {
    /// The first learning rate.
    pub from: f64,
    /// The last one.
    pub to: f64,
    /// Steps, each with its batch.
    pub steps: u32,
    /// β: how much of the smoothed loss each step keeps.
    pub beta: f64,
}

impl Default for RangeTest {
    /// fastai's ends; 200 steps, and a β of 0.9 instead of its 0.98, which lags by 49 steps.
    fn default() -> Self {
        Self { from: 1e-7, to: 10.0, steps: 200, beta: 0.9 }
    }
}

/// What is wrong with the settings of a range test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{name} {value}: it must be {expected}")]
pub struct RangeTestError {
    /// The setting.
    pub name: &'static str,
    /// What was given.
    pub value: String,
    /// What is allowed.
    pub expected: String,
}

impl RangeTest {
    /// Refuses settings out of their ranges.
    ///
    /// # Errors
    /// [`RangeTestError`], which names the setting and its range.
    pub fn check(&self) -> Result<(), RangeTestError> {
        let wrong = |name, value: String, expected: String| Err(RangeTestError { name, value, expected });
        let Self { from, to, steps, beta } = *self;
        if !(from > 0.0 && from.is_finite()) {
            return wrong("from", from.to_string(), "a learning rate in (0, ∞)".to_owned());
        }
        // Networks are trained in f32.
        let largest = f64::from(f32::MAX);
        if !(to > from && to <= largest) {
            let expected = format!("a learning rate in ({from}, ∞), above --from, and at most {largest:.7e}");
            return wrong("to", to.to_string(), expected);
        }
        if !(10..=100_000).contains(&steps) {
            return wrong("steps", steps.to_string(), "from 10 to 100000".to_owned());
        }
        if !(0.0..1.0).contains(&beta) {
            return wrong("beta", beta.to_string(), "in [0, 1)".to_owned());
        }
        Ok(())
    }

    /// The learning rate of each step: from the first to the last by a constant factor.
    pub fn rates(&self) -> Vec<f64> {
        let last = f64::from(self.steps.max(2) - 1);
        let (low, high) = (self.from.ln(), self.to.ln());
        let mut rates: Vec<f64> =
            (0..self.steps).map(|step| (low + (high - low) * (f64::from(step) / last)).exp()).collect();
        if let [first, .., end] = rates.as_mut_slice() {
            (*first, *end) = (self.from, self.to);
        }
        rates
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RangePoint {
    /// η of the step.
    pub learning_rate: f64,
    /// The batch's loss, before the weights moved with this rate.
    pub loss: f64,
    /// The exponential moving average of the losses up to here, corrected for its start at zero.
    pub smoothed: f64,
}

/// Why a range test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeStop {
    /// All rates were tried.
    Completed,
    /// The smoothed loss grew beyond [`GROWTH_MAX`] times its lowest value.
    Grew,
    /// The loss or a weight became NaN or infinite.
    Diverged,
    /// The caller asked to stop.
    Interrupted,
}

/// What a range test saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeCurve {
    /// The steps with a finite loss.
    pub points: Vec<RangePoint>,
    /// Why it ended.
    pub stop: RangeStop,
}

/// Trains the recipe's network on `train` while its learning rate grows.
///
/// The recipe's own rate, schedule, epochs and patience play no part. The bits of the result depend on the arguments and
/// the CPU's feature level only; start weights and batches are those of [`fit`](super::fit()) with the same seed.
/// `keep_going` is asked before each step.
///
/// # Errors
/// If the recipe's optimizer is not valid.
///
/// # Panics
/// If the settings were not checked.
pub fn range_test(
    recipe: &Recipe,
    train: Samples<'_>,
    outputs: usize,
    seed: u64,
    test: &RangeTest,
    keep_going: &dyn Fn() -> bool,
) -> Result<RangeCurve, RecipeError> {
    assert_eq!(test.check(), Ok(()));
    let _fast = FlushDenormals::start();
    let rates = test.rates();
    let (threads, finds) = (Threads::default(), Finds::default());
    let mut training = Training::new(&threads, &finds, recipe, train, outputs, seed)?;
    training.pace = Pace::Listed(rates.clone());
    let mut watch = Watch::new(test.beta, &rates);
    let mut epoch = 0;
    let reason = loop {
        epoch += 1;
        if let Err(reason) = training.epoch(epoch, keep_going, &mut |loss| watch.see(loss)) {
            break reason;
        }
    };
    let stop = match reason {
        StopReason::Diverged { .. } => RangeStop::Diverged,
        _ => watch.stop.unwrap_or(RangeStop::Interrupted),
    };
    Ok(RangeCurve { points: watch.points, stop })
}

/// Smooths the losses and knows when it is enough.
struct Watch<'a> {
    beta: f64,
    rates: &'a [f64],
    points: Vec<RangePoint>,
    mean: f64,
    weight: f64,
    lowest: f64,
    stop: Option<RangeStop>,
}

impl<'a> Watch<'a> {
    fn new(beta: f64, rates: &'a [f64]) -> Self {
        let points = Vec::with_capacity(rates.len());
        Self { beta, rates, points, mean: 0.0, weight: 0.0, lowest: f64::INFINITY, stop: None }
    }

    /// Takes a step's loss; false if it was the last.
    fn see(&mut self, loss: f64) -> bool {
        self.mean = self.beta * self.mean + (1.0 - self.beta) * loss;
        self.weight = self.beta * self.weight + (1.0 - self.beta);
        let smoothed = self.mean / self.weight;
        let learning_rate = self.rates[self.points.len()];
        self.points.push(RangePoint { learning_rate, loss, smoothed });
        self.lowest = self.lowest.min(smoothed);
        if smoothed > GROWTH_MAX * self.lowest {
            self.stop = Some(RangeStop::Grew);
        } else if self.points.len() == self.rates.len() {
            self.stop = Some(RangeStop::Completed);
        }
        self.stop.is_none()
    }
}

impl RangeCurve {
    /// The step of the lowest smoothed loss, if it is not the first.
    pub fn lowest(&self) -> Option<usize> {
        let smoothed = |index: &usize| self.points[*index].smoothed;
        let lowest = (0..self.points.len()).min_by(|a, b| smoothed(a).total_cmp(&smoothed(b)));
        lowest.filter(|&index| index > 0)
    }

    /// The step at which the smoothed loss falls fastest over ln η, before its lowest value: the most negative slope of
    /// the least-squares line through a step and its neighbours, a fortieth of the steps on either side.
    ///
    /// The first tenth of the steps is left out, where the average rests on few losses. `None` if it falls nowhere.
    pub fn steepest(&self) -> Option<usize> {
        let lowest = self.lowest()?;
        let reach = (self.points.len() / 40).max(1);
        let first = (self.points.len() / 10).max(reach).min(lowest);
        (first..=lowest)
            .filter_map(|index| Some((index, self.slope(index, reach)?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .filter(|(_, slope)| *slope < 0.0)
            .map(|(index, _)| index)
    }

    /// The slope of the least-squares line over ln η through the points up to `reach` steps from `index`.
    fn slope(&self, index: usize, reach: usize) -> Option<f64> {
        let around = self.points.get(index.checked_sub(reach)?..=index + reach)?;
        let count = around.len() as f64;
        let x = |point: &RangePoint| point.learning_rate.ln();
        let (x_mean, y_mean) = (
            around.iter().map(x).sum::<f64>() / count,
            around.iter().map(|point| point.smoothed).sum::<f64>() / count,
        );
        let covariance: f64 =
            around.iter().map(|point| (x(point) - x_mean) * (point.smoothed - y_mean)).sum();
        let variance: f64 = around.iter().map(|point| (x(point) - x_mean).powi(2)).sum();
        Some(covariance / variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve whose raw losses are given by ln η.
    fn curve(test: &RangeTest, loss: impl Fn(f64) -> f64) -> RangeCurve {
        let rates = test.rates();
        let mut watch = Watch::new(test.beta, &rates);
        let _ = rates.iter().all(|rate| watch.see(loss(rate.ln())));
        RangeCurve { stop: watch.stop.expect("all were seen"), points: watch.points }
    }

    #[test]
    fn rates_grow_by_a_constant_factor_and_meet_both_ends() {
        let rates = RangeTest { from: 1e-4, to: 1.0, steps: 41, beta: 0.0 }.rates();
        assert_eq!((rates.len(), rates[0], rates[40]), (41, 1e-4, 1.0));
        assert!(rates.windows(2).all(|pair| (pair[1] / pair[0] / 10_f64.powf(0.1) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn a_constant_loss_is_smoothed_to_itself_and_suggests_nothing() {
        let flat = curve(&RangeTest::default(), |_| 0.7);
        assert!(flat.points.iter().all(|point| (point.smoothed - 0.7).abs() < 1e-12));
        assert_eq!((flat.stop, flat.points.len()), (RangeStop::Completed, 200));
        let rising = curve(&RangeTest::default(), |x| 30.0 + x);
        assert_eq!((rising.lowest(), rising.steepest()), (None, None));
    }

    #[test]
    fn the_average_is_the_closed_form() {
        let test = RangeTest { beta: 0.8, ..RangeTest::default() };
        let loss = |x: f64| 2.0 + (3.0 * x).sin();
        let seen = curve(&test, loss);
        for (index, point) in seen.points.iter().enumerate() {
            let weights: Vec<f64> = (0..=index).map(|back| 0.8_f64.powi(back as i32)).collect();
            let sum: f64 =
                weights.iter().zip(seen.points[..=index].iter().rev()).map(|(w, p)| w * p.loss).sum();
            assert!((point.smoothed - sum / weights.iter().sum::<f64>()).abs() < 1e-12);
        }
    }

    #[test]
    fn the_steepest_descent_and_the_minimum_are_where_they_are() {
        // Falls as −tanh around ln η = −6, rises as a parabola from −1 on; no smoothing, so nothing lags.
        let loss = |x: f64| 2.0 - (x + 6.0).tanh() + 5.0 * (x + 1.0).max(0.0).powi(2);
        let seen = curve(&RangeTest { beta: 0.0, steps: 400, ..RangeTest::default() }, loss);
        assert_eq!(seen.stop, RangeStop::Grew);
        let at = |index: Option<usize>| seen.points[index.expect("it falls")].learning_rate.ln();
        assert!((at(seen.steepest()) + 6.0).abs() < 0.1, "{}", at(seen.steepest()));
        assert!((at(seen.lowest()) + 1.0).abs() < 0.1, "{}", at(seen.lowest()));
        // It ends with the first smoothed loss above four times the lowest.
        let lowest = seen.points[seen.lowest().expect("it falls")].smoothed;
        let (last, before) = seen.points.split_last().expect("points");
        assert!(last.smoothed > 4.0 * lowest && before.iter().all(|point| point.smoothed <= 4.0 * lowest));
    }

    #[test]
    fn settings_are_checked() {
        let good = RangeTest::default();
        assert_eq!(good.check(), Ok(()));
        for (bad, name) in [
            (RangeTest { from: 0.0, ..good }, "from"),
            (RangeTest { from: f64::NAN, ..good }, "from"),
            (RangeTest { to: 1e-7, ..good }, "to"),
            (RangeTest { to: f64::INFINITY, ..good }, "to"),
            (RangeTest { to: 1e39, ..good }, "to"),
            (RangeTest { steps: 9, ..good }, "steps"),
            (RangeTest { beta: 1.0, ..good }, "beta"),
        ] {
            assert_eq!(bad.check().expect_err("out of range").name, name);
        }
    }
}
