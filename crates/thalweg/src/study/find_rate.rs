//! The learning-rate range test of one method, on the rows that a study would first fit on.

use serde::Serialize;
use thalweg_data::View;
use thalweg_learn::estimator::{network_targets, prepare, row_shape};
use thalweg_learn::train::{RangeCurve, RangePoint, RangeStop, RangeTest, Samples, range_test};

use super::plan::Plan;
use super::reproduce;

/// What a range test saw and what it suggests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateSearch {
    /// The data's name.
    pub data: String,
    /// All rows of the data.
    pub rows: usize,
    /// The rows that were trained on.
    pub train_rows: usize,
    /// Numbers per row, once prepared.
    pub inputs: usize,
    /// What to keep in mind about the data.
    pub warnings: Vec<String>,
    /// The optimizer's name.
    pub optimizer: String,
    /// Whose form of it.
    pub dialect: String,
    /// What was minimized.
    pub loss: String,
    /// The layers before the output.
    pub network: String,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Rows per step.
    pub batch_size: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The rates, the steps and the smoothing.
    pub test: RangeTest,
    /// Why it ended.
    pub stop: RangeStop,
    /// The rates to try.
    pub suggestions: Suggestions,
    /// The version of the program.
    pub version: String,
    /// The command that does it again.
    pub command: String,
    /// Every step.
    pub points: Vec<RangePoint>,
}

/// Two readings of the curve; none if the smoothed loss did not fall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Suggestions {
    /// Where the smoothed loss falls fastest.
    pub steepest_descent: Option<f64>,
    /// A tenth of the rate at which the smoothed loss is lowest.
    pub minimum_over_10: Option<f64>,
}

impl Suggestions {
    fn new(curve: &RangeCurve) -> Self {
        let rate = |index: Option<usize>| index.map(|index| curve.points[index].learning_rate);
        let steepest_descent = rate(curve.steepest());
        // A lowest loss without a fall before it is chance.
        let minimum_over_10 = steepest_descent.and(rate(curve.lowest())).map(|rate| rate / 10.0);
        Self { steepest_descent, minimum_over_10 }
    }

    /// What to compare next: a decade on either side of both, one rate for each half.
    pub fn grid(&self) -> Option<String> {
        let (a, b) = (self.steepest_descent?, self.minimum_over_10?);
        let power = |exponent: f64| format!("1e{}", exponent as i32);
        let (low, high) = ((a.min(b).log10() - 0.5).floor(), (a.max(b).log10() + 0.5).ceil());
        Some(format!("{}..{}:{}", power(low), power(high), 2.0 * (high - low) + 1.0))
    }
}

/// Tests the plan's first optimizer on the first fold's inner training part, prepared by what these rows show; `None` if
/// interrupted. `keep_going` is asked before each step.
///
/// # Panics
/// If the settings were not checked.
pub fn find_rate(plan: &Plan<'_>, test: &RangeTest, keep_going: &dyn Fn() -> bool) -> Option<RateSearch> {
    let fold = &plan.folds[0];
    let (train, _) = fold.outer.views(plan.data);
    let (train, _) = train.inner(&fold.inner);
    let prepared = prepare(&plan.spec.network, &train).expect("the plan has checked the data").apply(&train);
    let samples =
        Samples { shape: row_shape(&prepared), x: &prepared.x, targets: network_targets(&prepared.y) };
    let recipe = plan.inner_trials(0, 0).swap_remove(0).recipe;
    let curve = range_test(&recipe, samples, plan.outputs, fold.seed, test, keep_going)
        .expect("the plan has checked the recipe");
    if curve.stop == RangeStop::Interrupted {
        return None;
    }
    let (spec, data) = (&plan.spec, plan.data);
    Some(RateSearch {
        data: data.name.clone(),
        rows: data.rows(),
        train_rows: train.rows().len(),
        inputs: prepared.width,
        warnings: data.warnings.clone(),
        optimizer: recipe.optimizer.name,
        dialect: spec.dialect.name().to_owned(),
        loss: recipe.loss.name().to_owned(),
        network: spec.network.to_string(),
        hidden: spec.hidden.clone(),
        batch_size: spec.batch_size.to_string(),
        seed: spec.seed,
        test: *test,
        stop: curve.stop,
        suggestions: Suggestions::new(&curve),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: reproduce::find_lr(spec, test),
        points: curve.points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_holds_both_suggestions() {
        let grid = |a, b| Suggestions { steepest_descent: Some(a), minimum_over_10: Some(b) }.grid().unwrap();
        assert_eq!(grid(3e-3, 1e-2), "1e-4..1e-1:7");
        assert_eq!(grid(0.05, 0.002), "1e-4..1e0:9");
        assert_eq!(grid(0.0168, 0.172), "1e-3..1e0:7");
        grid(1e-9, 30.0).parse::<crate::study::LearningRates>().unwrap();
    }
}
