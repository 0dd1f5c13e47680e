//! One walk: a method, a learning rate, a start.

use thalweg_optim::functions::TestFunction;
use thalweg_optim::{Layout, Objective, OptimError, Optimizer, OptimizerSpec};

/// A walk has diverged when it is this many times as far above the lowest value as it was at the start.
pub(crate) const LOST: f64 = 1e9;

/// Where a walk went: entry k is what was found after k steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// The learning rate of every step.
    pub learning_rate: f64,
    /// The places; all finite.
    pub points: Vec<[f64; 2]>,
    /// f there, less the function's lowest value.
    pub gaps: Vec<f64>,
    /// ∇f there.
    pub slopes: Vec<[f64; 2]>,
    /// The step that led to NaN, to ∞ or too far up; the walk ends before it.
    pub diverged: Option<u32>,
}

impl Walk {
    /// Walks `steps` steps from `start`, or to where it diverges.
    ///
    /// # Errors
    /// If the optimizer cannot be built, or cannot step with this learning rate.
    pub fn new(
        function: &'static TestFunction,
        optimizer: &OptimizerSpec,
        learning_rate: f64,
        start: [f64; 2],
        steps: u32,
    ) -> Result<Self, OptimError> {
        let mut optimizer = build(optimizer)?;
        let mut f = function.objective();
        let mut w = start;
        let mut walk = Self { learning_rate, points: vec![], gaps: vec![], slopes: vec![], diverged: None };
        walk.look(function, &mut f, w, f64::INFINITY);
        let limit = LOST * walk.gaps.first().copied().unwrap_or(0.0).max(function.tolerance);
        for step in 1..=steps {
            optimizer.step(&mut w, &mut f, learning_rate)?;
            if !walk.look(function, &mut f, w, limit) {
                walk.diverged = Some(step);
                break;
            }
        }
        Ok(walk)
    }

    /// Notes what is found at `w`, unless that is no place to go on from.
    fn look(
        &mut self,
        function: &TestFunction,
        f: &mut impl Objective<f64>,
        w: [f64; 2],
        limit: f64,
    ) -> bool {
        let mut grad = [0.0; 2];
        let gap = f.value_and_grad(&w, &mut grad) - function.lowest;
        let sound = w.iter().chain(&grad).all(|number| number.is_finite()) && gap <= limit;
        if sound {
            self.points.push(w);
            // A minimum known to the last digit may be rounded to a value just below the lowest.
            self.gaps.push(gap.max(0.0));
            self.slopes.push(grad);
        }
        sound
    }

    /// The effective learning rate |ΔW| / |∇f(W)| of the step after the first `step`; `None` where there is no such
    /// step, no slope, or a step so short that rounding decides it.
    pub fn effective_rate(&self, step: usize) -> Option<f64> {
        let (from, to) = (self.points.get(step)?, self.points.get(step + 1)?);
        ratio(distance(*from, *to), length(self.slopes[step]), length(*from))
    }

    /// The same along one coordinate: |Δwᵢ| / |∂f/∂wᵢ|.
    pub fn effective_rate_along(&self, coordinate: usize, step: usize) -> Option<f64> {
        let (from, to) = (self.points.get(step)?[coordinate], self.points.get(step + 1)?[coordinate]);
        ratio((to - from).abs(), self.slopes[step][coordinate].abs(), from.abs())
    }
}

/// How far a step led for the slope at its begin, unless rounding decides it.
fn ratio(moved: f64, slope: f64, size: f64) -> Option<f64> {
    let is_told = moved > 1e-12 * size && slope > 0.0;
    Some(moved / slope).filter(|rate| is_told && rate.is_finite())
}

/// The optimizer of two parameters.
fn build(spec: &OptimizerSpec) -> Result<Box<dyn Optimizer<f64>>, OptimError> {
    spec.build(&Layout::vector(2))
}

/// ‖v‖.
pub(super) fn length(v: [f64; 2]) -> f64 {
    libm::hypot(v[0], v[1])
}

/// ‖a − b‖.
pub(super) fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    length([a[0] - b[0], a[1] - b[1]])
}
