//! A line search for the strong Wolfe conditions.
//!
//! ```text
//! enough descent:   φ(t) ≤ φ(0) + c₁·t·φ'(0)
//! flat enough:      |φ'(t)| ≤ c₂·|φ'(0)|            φ(t) = f(w + t·d)
//!
//! widen:   from t, go further while φ falls steeply, until a bracket is found (algorithm 3.5)
//! zoom:    put the minimum of the cubic through the bracket's ends in the place of one of them (algorithm 3.6)
//! ```
//! The safeguards (a trial stays away from the bracket's ends, and grows by a factor between 1.01 and 10) are those of
//! Schmidt's minFunc, which PyTorch's L-BFGS follows too, so that the two look at the same points. What differs: a value
//! or slope that is not finite counts as infinitely high, so that the bracket is halved until it is finite.
//!
//! Source: Nocedal & Wright, *Numerical optimization* (2006), algorithms 3.5 and 3.6, equation 3.59.

use super::line::{Line, Trial};
use crate::real::Real;

/// The conditions, and when to give up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StrongWolfe {
    /// c₁.
    pub(super) c1: f64,
    /// c₂.
    pub(super) c2: f64,
    /// Points looked at behind the first, at most.
    pub(super) more: u32,
    /// A bracket in which no number of W changes by more than this is not refined further.
    pub(super) tolerance: f64,
}

impl StrongWolfe {
    /// Searches from the first trial step `t`; the point found is the line's low end. It is the start itself if no lower
    /// one was found.
    pub(super) fn search<T: Real>(&self, line: &mut Line<'_, T>, t: f64) {
        line.look(t);
        if self.widen(line) {
            self.zoom(line);
        }
    }

    fn falls_short<T: Real>(&self, line: &Line<'_, T>) -> bool {
        let trial = &line.memory.trial;
        trial.value > line.start + self.c1 * trial.t * line.slope
    }

    fn is_flat<T: Real>(&self, line: &Line<'_, T>) -> bool {
        line.memory.trial.slope.abs() <= -self.c2 * line.slope
    }

    /// Whether the ends are a bracket, rather than a point that will do.
    fn widen<T: Real>(&self, line: &mut Line<'_, T>) -> bool {
        let mut widened = 0;
        while line.evaluations <= self.more {
            let (last, trial) = (&line.memory.ends[0], &line.memory.trial);
            if self.falls_short(line) || (widened > 1 && trial.value >= last.value) {
                line.replace(1);
                return true;
            }
            if self.is_flat(line) {
                line.replace(0);
                return false;
            }
            if trial.slope >= 0.0 {
                line.replace(1);
                return true;
            }
            let bounds = (trial.t + 0.01 * (trial.t - last.t), 10.0 * trial.t);
            let t = cubic(last, trial, bounds);
            line.replace(0);
            line.look(t);
            widened += 1;
        }
        // Given up: the better of the last two.
        line.replace(1);
        line.order();
        false
    }

    fn zoom<T: Real>(&self, line: &mut Line<'_, T>) {
        line.order();
        let mut stalled = false;
        while line.evaluations <= self.more {
            let (a, b) = (line.low().t, line.high().t);
            let (left, right) = (a.min(b), a.max(b));
            if (right - left) * line.largest < self.tolerance {
                return;
            }
            let [first, second] = &line.memory.ends;
            let mut t = cubic(first, second, (left, right));
            // Near an end: once is tolerated, then a tenth of the bracket away from it.
            let margin = 0.1 * (right - left);
            let near = (right - t).min(t - left) < margin;
            if near && (stalled || t >= right || t <= left) {
                t = if (t - right).abs() < (t - left).abs() { right - margin } else { left + margin };
                stalled = false;
            } else {
                stalled = near;
            }
            line.look(t);
            let low = line.memory.low;
            if self.falls_short(line) || line.memory.trial.value >= line.low().value {
                line.replace(1 - low);
                line.order();
                continue;
            }
            let done = self.is_flat(line);
            if !done && line.memory.trial.slope * (line.high().t - line.low().t) >= 0.0 {
                line.memory.ends.swap(0, 1);
            }
            line.replace(low);
            if done {
                return;
            }
        }
    }
}

/// The minimum of the cubic through two points with their slopes, within the bounds; their middle if it has none. On a
/// straight line it is infinitely far: then a bound.
fn cubic<T>(a: &Trial<T>, b: &Trial<T>, (low, high): (f64, f64)) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.t - b.t);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt();
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    if t.is_nan() { 0.5 * (low + high) } else { t.max(low).min(high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(t: f64) -> Trial<f64> {
        // φ(t) = t³ − 3t + 1 has its minimum at 1.
        Trial { t, value: t * t * t - 3.0 * t + 1.0, slope: 3.0 * t * t - 3.0, grad: Vec::new() }
    }

    #[test]
    fn the_cubic_s_minimum_is_exact_for_a_cubic() {
        assert!((cubic(&at(0.0), &at(3.0), (0.0, 3.0)) - 1.0).abs() < 1e-15);
        assert!((cubic(&at(3.0), &at(0.0), (0.0, 3.0)) - 1.0).abs() < 1e-15);
        assert_eq!(cubic(&at(0.0), &at(3.0), (1.5, 3.0)), 1.5);
        let high = Trial { t: 2.0, value: f64::INFINITY, slope: f64::INFINITY, grad: Vec::new() };
        assert_eq!(cubic(&at(0.0), &high, (0.0, 2.0)), 1.0);
        let straight = |t: f64| Trial { t, value: -t, slope: -1.0, grad: Vec::<f64>::new() };
        assert_eq!(cubic(&straight(0.0), &straight(1.0), (1.01, 10.0)), 10.0);
    }
}
