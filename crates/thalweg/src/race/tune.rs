//! Choosing a learning rate: every method tries the same ones.

use std::cmp::Ordering;

use thalweg_optim::functions::TestFunction;
use thalweg_optim::{OptimError, OptimizerSpec, registry};

use super::measure::Outcome;
use super::walk::Walk;

/// One walk per learning rate, in numbers.
pub(super) fn try_all(
    function: &'static TestFunction,
    optimizer: &OptimizerSpec,
    rates: &[f64],
    start: [f64; 2],
    steps: u32,
) -> Result<Vec<Outcome>, OptimError> {
    let outcome =
        |&rate: &f64| Ok(Outcome::new(function, &Walk::new(function, optimizer, rate, start, steps)?));
    rates.iter().map(outcome).collect()
}

/// The better one first: that which diverges last; that which settles within the tolerance sooner; that which stays lower
/// over the last tenth of its steps (the last value alone would favour a walk that bounces and is lucky once). (Ties come from rules that scale their own steps; see [`best`].)
pub(super) fn compare(a: &Outcome, b: &Outcome) -> Ordering {
    let steps = |outcome: &Outcome| outcome.steps_to_tolerance.unwrap_or(u32::MAX);
    let gap = |outcome: &Outcome| outcome.last_tenth_gap.unwrap_or(f64::INFINITY);
    a.diverged_at
        .is_some()
        .cmp(&b.diverged_at.is_some())
        .then(steps(a).cmp(&steps(b)))
        .then(gap(a).total_cmp(&gap(b)))
        // Of two that diverge, the one that lasted longer.
        .then(b.diverged_at.cmp(&a.diverged_at))
}

/// The place of the best outcome; of equally good ones that whose rate is nearest to the rule's default, then the smaller.
pub(super) fn best(optimizer: &OptimizerSpec, tried: &[Outcome]) -> Result<usize, OptimError> {
    let default = registry::find(&optimizer.name)?.info.learning_rate.get(optimizer.dialect);
    let off = |outcome: &Outcome| libm::log(outcome.learning_rate / default).abs();
    let order = |a: &Outcome, b: &Outcome| {
        let nearer = || off(a).total_cmp(&off(b));
        compare(a, b).then_with(nearer).then(a.learning_rate.total_cmp(&b.learning_rate))
    };
    Ok((0..tried.len()).min_by(|&a, &b| order(&tried[a], &tried[b])).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use thalweg_optim::functions::find;

    use super::*;

    fn outcome(learning_rate: f64, steps: Option<u32>, gap: Option<f64>) -> Outcome {
        let function = find("booth").expect("a row");
        let spec = OptimizerSpec::named("sgd");
        let walk = Walk::new(function, &spec, 0.01, function.start, 3).expect("it is built");
        Outcome {
            learning_rate,
            steps_to_tolerance: steps,
            last_tenth_gap: gap,
            diverged_at: gap.is_none().then_some(2),
            ..Outcome::new(function, &walk)
        }
    }

    #[test]
    fn the_best_settles_first_then_stays_lowest_and_a_tie_goes_to_the_default() {
        let spec = OptimizerSpec::named("sgd");
        let choose = |tried: &[Outcome]| best(&spec, tried).expect("a rule");
        let lost = outcome(1.0, None, None);
        assert_eq!(
            choose(&[outcome(0.1, Some(90), Some(0.0)), outcome(0.2, Some(80), Some(0.1)), lost.clone()]),
            1
        );
        assert_eq!(choose(&[outcome(0.1, None, Some(3.0)), outcome(0.2, None, Some(2.0)), lost.clone()]), 1);
        assert_eq!(choose(&[lost.clone(), outcome(0.2, None, Some(1e30))]), 1);
        // The default of SGD is 0.001.
        let tied = [1e-4, 2e-3, 1.0].map(|rate| outcome(rate, Some(5), Some(0.0)));
        assert_eq!(choose(&tied), 1);
        assert_eq!(choose(&[lost]), 0);
    }
}
