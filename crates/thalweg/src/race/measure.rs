//! What can be said of a walk in numbers.

use serde::Serialize;
use thalweg_optim::Objective;
use thalweg_optim::functions::{Landmark, TestFunction};

use super::walk::{Walk, distance};

/// A place this near to a landmark, as a share of the picture's diagonal, is at the landmark.
const NEAR: f64 = 0.01;
/// A swing across the minimum counts from this share of the first distance on: smaller ones nobody sees.
const SWING: f64 = 1e-3;

/// A walk in numbers. What a diverged walk does not have is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The learning rate.
    pub learning_rate: f64,
    /// The step that led to NaN, to ∞, or above a billion times the first height.
    pub diverged_at: Option<u32>,
    /// The first step from which on the value stays within the function's tolerance of its lowest value.
    pub steps_to_tolerance: Option<u32>,
    /// f where the walk ends.
    pub final_value: Option<f64>,
    /// The final value above the lowest.
    pub final_gap: Option<f64>,
    /// The highest value above the lowest within the last tenth of the steps: where the walk stays, not where it chances
    /// to be at the end.
    pub last_tenth_gap: Option<f64>,
    /// Where the walk ends.
    pub final_point: Option<[f64; 2]>,
    /// Σ |ΔW|.
    pub path_length: Option<f64>,
    /// How far the walk gets beyond the minimum that is nearest to its end, along the steepest direction there, as a
    /// share of its first distance along that direction: 0 is never beyond, 1 as far on the other side.
    pub overshoot: Option<f64>,
    /// How often it swings across the minimum along that direction, by at least a thousandth of its first distance.
    pub swings: Option<u32>,
    /// The same overshoot along the flattest direction.
    pub overshoot_flat: Option<f64>,
    /// |ΔW| / |∇f| of the first step.
    pub first_effective_rate: Option<f64>,
    /// |ΔW| / |∇f| of the last step that is long enough to tell.
    pub last_effective_rate: Option<f64>,
    /// The same two rates along x alone, |Δx| / |∂f/∂x|, and along y alone.
    pub effective_rates_along: [Option<[f64; 2]>; 2],
}

impl Outcome {
    /// Measures a walk.
    pub fn new(function: &'static TestFunction, walk: &Walk) -> Self {
        let steps = walk.points.len() - 1;
        let rates = |step: usize| walk.effective_rate(step);
        let mut outcome = Self {
            learning_rate: walk.learning_rate,
            diverged_at: walk.diverged,
            steps_to_tolerance: None,
            final_value: None,
            final_gap: None,
            last_tenth_gap: None,
            final_point: None,
            path_length: None,
            overshoot: None,
            swings: None,
            overshoot_flat: None,
            first_effective_rate: (0..steps).find_map(rates),
            last_effective_rate: (0..steps).rev().find_map(rates),
            effective_rates_along: [0, 1].map(|coordinate| {
                let rate = |step| walk.effective_rate_along(coordinate, step);
                Some([(0..steps).find_map(rate)?, (0..steps).rev().find_map(rate)?])
            }),
        };
        if walk.diverged.is_none() {
            outcome.measure(function, walk);
        }
        outcome
    }

    fn measure(&mut self, function: &'static TestFunction, walk: &Walk) {
        let end = walk.points[walk.points.len() - 1];
        let gap = walk.gaps[walk.gaps.len() - 1];
        self.steps_to_tolerance = settled(&walk.gaps, function.tolerance);
        self.final_gap = Some(gap);
        self.final_value = Some(function.lowest + gap);
        let tenth = walk.gaps.len().div_ceil(10);
        self.last_tenth_gap = walk.gaps[walk.gaps.len() - tenth..].iter().copied().reduce(f64::max);
        self.final_point = Some(end);
        self.path_length = Some(walk.points.windows(2).map(|pair| distance(pair[0], pair[1])).sum());
        if let Some(minimum) = nearest(&function.minima(), end) {
            let [steep, flat] = principal_directions(function, minimum.at, walk.points[0]);
            let swing = Swing::new(&walk.points, minimum.at, steep);
            self.overshoot = swing.as_ref().map(|swing| swing.overshoot);
            self.swings = swing.map(|swing| swing.count);
            self.overshoot_flat = Swing::new(&walk.points, minimum.at, flat).map(|swing| swing.overshoot);
        }
    }

    /// The landmark that the walk ends at, if any.
    pub fn landmark(&self, function: &TestFunction) -> Option<Landmark> {
        let [x, y] = function.window;
        let near = NEAR * distance([x[0], y[0]], [x[1], y[1]]);
        let end = self.final_point?;
        nearest(&(function.landmarks)(), end).filter(|landmark| distance(landmark.at, end) <= near)
    }
}

/// The first step from which on every gap is within the tolerance.
fn settled(gaps: &[f64], tolerance: f64) -> Option<u32> {
    let outside = gaps.iter().rposition(|&gap| gap > tolerance);
    let first = outside.map_or(0, |last| last + 1);
    (first < gaps.len()).then(|| u32::try_from(first).unwrap_or(u32::MAX))
}

fn nearest(landmarks: &[Landmark], to: [f64; 2]) -> Option<Landmark> {
    landmarks.iter().copied().min_by(|a, b| distance(a.at, to).total_cmp(&distance(b.at, to)))
}

/// The directions of largest and smallest curvature at a minimum, from differences of the exact gradient. Where all
/// directions are alike, the first leads to the start.
fn principal_directions(function: &'static TestFunction, at: [f64; 2], start: [f64; 2]) -> [[f64; 2]; 2] {
    let mut f = function.objective();
    let mut slope = |offset: [f64; 2]| {
        let mut grad = [0.0; 2];
        f.value_and_grad(&[at[0] + offset[0], at[1] + offset[1]], &mut grad);
        grad
    };
    const H: f64 = 1e-5;
    let (right, left) = (slope([H, 0.0]), slope([-H, 0.0]));
    let (up, down) = (slope([0.0, H]), slope([0.0, -H]));
    let [xx, xy, yy] = [right[0] - left[0], up[0] - down[0], up[1] - down[1]].map(|d| d / (2.0 * H));
    // The angle of the steeper axis of the curvature ellipse.
    let (twist, stretch) = (2.0 * xy, xx - yy);
    let angle = if libm::hypot(twist, stretch) > 1e-6 * (xx + yy).abs() {
        0.5 * libm::atan2(twist, stretch)
    } else {
        libm::atan2(start[1] - at[1], start[0] - at[0])
    };
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    [[cos, sin], [-sin, cos]]
}

/// How a walk swings about a minimum along one direction.
struct Swing {
    overshoot: f64,
    count: u32,
}

impl Swing {
    /// `None` if the walk starts beside the minimum and not away from it along this direction.
    fn new(points: &[[f64; 2]], minimum: [f64; 2], direction: [f64; 2]) -> Option<Self> {
        let along = |point: &[f64; 2]| {
            (point[0] - minimum[0]) * direction[0] + (point[1] - minimum[1]) * direction[1]
        };
        let first = along(&points[0]);
        if first.abs() <= 1e-9 * distance(points[0], minimum) {
            return None;
        }
        let (mut overshoot, mut count, mut side) = (0.0_f64, 0, 1.0);
        for point in points {
            let share = along(point) / first;
            overshoot = overshoot.max(-share);
            if share * side < -SWING {
                (count, side) = (count + 1, -side);
            }
        }
        Some(Self { overshoot, count })
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::functions::find;

    use super::*;

    fn walk(points: &[[f64; 2]], gaps: &[f64]) -> Walk {
        Walk {
            learning_rate: 0.1,
            points: points.to_vec(),
            gaps: gaps.to_vec(),
            slopes: vec![[0.0, -2.0]; points.len()],
            diverged: None,
        }
    }

    #[test]
    fn settling_is_to_come_and_to_stay() {
        assert_eq!(settled(&[3.0, 0.1, 2.0, 0.1, 0.0], 0.5), Some(3));
        assert_eq!(settled(&[3.0, 0.1, 0.0, 0.6], 0.5), None);
        assert_eq!(settled(&[0.5], 0.5), Some(0));
    }

    #[test]
    fn overshoot_and_swings_are_measured_along_the_steepest_direction() {
        let quadratic = find("quadratic").expect("a row");
        let points = [[-8.0, 2.0], [-4.0, -1.0], [-2.0, 0.5], [2.0, -0.001], [0.0, 0.0]];
        let outcome = Outcome::new(quadratic, &walk(&points, &[9.0, 8.0, 7.0, 6.0, 0.0]));
        let close = |found: Option<f64>, to: f64| found.is_some_and(|found| (found - to).abs() < 1e-12);
        assert!(close(outcome.overshoot, 0.5) && close(outcome.overshoot_flat, 0.25), "{outcome:?}");
        assert_eq!(outcome.swings, Some(2));
        assert_eq!((outcome.steps_to_tolerance, outcome.final_value), (Some(4), Some(0.0)));
        assert_eq!(outcome.final_point, Some([0.0, 0.0]));
        let length = 5.0 + 2.5 + (16.0 + 0.501_f64 * 0.501).sqrt() + (4.0 + 1e-6_f64).sqrt();
        assert!((outcome.path_length.expect("a length") - length).abs() < 1e-12);
        assert_eq!(outcome.first_effective_rate, Some(2.5));
        assert_eq!(outcome.effective_rates_along, [None, Some([1.5, 0.0005])]);
    }

    #[test]
    fn the_steepest_direction_turns_with_the_valley() {
        let rotated = find("rotated").expect("a row");
        let [steep, flat] = principal_directions(rotated, [0.0, 0.0], rotated.start);
        assert!((steep[0] * -0.6 + steep[1] * 0.8).abs() > 1.0 - 1e-9, "{steep:?}");
        assert!((flat[0] * 0.8 + flat[1] * 0.6).abs() > 1.0 - 1e-9, "{flat:?}");
        let plateau = find("plateau").expect("a row");
        let [steep, _] = principal_directions(plateau, [0.0, 0.0], [-3.0, 2.0]);
        assert!((steep[0] * -3.0 + steep[1] * 2.0 - 13_f64.sqrt()).abs() < 1e-9, "{steep:?}");
    }

    #[test]
    fn a_bouncing_walk_is_as_high_as_it_bounces() {
        let booth = find("booth").expect("a row");
        let gaps: Vec<f64> = (0..20).map(|step| if step == 19 { 1.0 } else { f64::from(step) }).collect();
        let outcome = Outcome::new(booth, &walk(&[[0.0, 0.0]; 20], &gaps));
        assert_eq!((outcome.final_gap, outcome.last_tenth_gap), (Some(1.0), Some(18.0)));
    }

    #[test]
    fn a_diverged_walk_has_no_end() {
        let quadratic = find("quadratic").expect("a row");
        let outcome = Outcome::new(
            quadratic,
            &Walk { diverged: Some(2), ..walk(&[[1.0, 1.0], [2.0, -3.0]], &[9.0, 99.0]) },
        );
        assert_eq!((outcome.diverged_at, outcome.final_value, outcome.path_length), (Some(2), None, None));
        assert_eq!(outcome.landmark(quadratic), None);
    }
}
