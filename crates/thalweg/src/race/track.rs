//! What is kept of a walk to draw it: its places at certain steps.

use super::measure::Outcome;
use super::walk::Walk;
use thalweg_optim::functions::TestFunction;

/// Every step up to here is kept.
const WHOLE: u32 = 150;
/// So many steps are kept beyond.
const SPREAD: u32 = 180;

/// The steps that are kept of walks of `steps` steps: all of the first 150, then about 180 spread evenly on a logarithmic
/// axis, and the last.
pub fn frames(steps: u32) -> Vec<u32> {
    let mut frames: Vec<u32> = (0..=steps.min(WHOLE)).collect();
    if steps <= WHOLE {
        return frames;
    }
    let ratio = f64::from(steps) / f64::from(WHOLE);
    for index in 1..=SPREAD {
        let exact = f64::from(WHOLE) * libm::pow(ratio, f64::from(index) / f64::from(SPREAD));
        let step = if index == SPREAD { steps } else { exact as u32 };
        if frames.last().is_some_and(|&last| last < step) {
            frames.push(step);
        }
    }
    frames
}

/// The places, heights and effective learning rates of a walk at the [`frames`] that it reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The places.
    pub points: Vec<[f64; 2]>,
    /// f above its lowest value.
    pub gaps: Vec<f64>,
    /// |ΔW| / |∇f| of the step that follows.
    pub rates: Vec<Option<f64>>,
}

/// One walk as it is kept: in numbers and to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// In numbers.
    pub outcome: Outcome,
    /// To be drawn.
    pub track: Track,
}

impl Leg {
    pub(super) fn new(function: &'static TestFunction, walk: &Walk, frames: &[u32]) -> Self {
        let mut kept: Vec<usize> =
            frames.iter().map(|&step| step as usize).filter(|&step| step < walk.points.len()).collect();
        // A walk that diverges between two frames is drawn to where it was last.
        let last = walk.points.len() - 1;
        if kept.last().is_some_and(|&kept| kept < last) && kept.len() < frames.len() {
            kept.push(last);
        }
        let track = Track {
            points: kept.iter().map(|&step| walk.points[step]).collect(),
            gaps: kept.iter().map(|&step| walk.gaps[step]).collect(),
            rates: kept.iter().map(|&step| walk.effective_rate(step)).collect(),
        };
        Self { outcome: Outcome::new(function, walk), track }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_rise_from_the_start_to_the_last_step() {
        for steps in [1, 2, 149, 150, 151, 152, 400, 1000, 10_000, 100_000] {
            let frames = frames(steps);
            assert_eq!((frames[0], frames[frames.len() - 1]), (0, steps));
            assert!(frames.windows(2).all(|pair| pair[0] < pair[1]), "{steps}: {frames:?}");
            assert!(frames.len() <= 331, "{steps}: {}", frames.len());
        }
        assert_eq!(frames(100).len(), 101);
    }
}
