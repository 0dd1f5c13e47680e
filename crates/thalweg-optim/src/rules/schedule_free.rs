//! What the schedule-free rules share: three points, and how fast one follows another.
//!
//! The gradient is taken at y (the W that is trained). z makes the steps, x averages the z and is where the model is
//! judged, and y lies between: y = (1−β)z + βx. Kept are y and z; x = y + (1 − 1/β)(z − y).

use crate::hyper::Range;
use crate::real::Real;

/// How the average x weighs the newest z (c), and how a warm-up counts, at step t with the learning rate ηₜ. The warm-up
/// multiplies η by min(1, t/T).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// c = η_max²/Σ η_max², where η_max is the largest rate so far: the authors' code.
    LargestRate,
    /// The same c, but the steps of z warm up with t−1 instead of t: optax.
    LargestRateLate,
    /// c = ηₜ²/Σ η²: algorithm 1 of the paper.
    OwnRate,
    /// c = 1/t: Keras.
    Equal,
    /// c = 1/(t+1), so that the start counts as one z: equation 5 of the paper.
    EqualWithStart,
}

/// The names of the shared numbers that [`Pace::weigh`] moves on.
pub(super) const SCALARS: &[&str] = &["largest_rate", "weight_sum"];

/// `[0.01, 1]`: x is found from y and z by dividing by β.
pub(super) const BETA: Range = Range::between(0.01, 1.0);

impl Pace {
    /// The learning rate of z at this step, warmed up.
    pub(super) fn rate(self, step: u64, learning_rate: f64, warmup: f64) -> f64 {
        let step = if self == Self::LargestRateLate { step - 1 } else { step };
        warm(step, learning_rate, warmup)
    }

    /// c. `rate` is the one that weighs, before any correction for the late start of a warm-up.
    pub(super) fn weigh(self, step: u64, rate: f64, scalars: &mut [f64]) -> f64 {
        let [largest, sum] = scalars else { unreachable!("there are two shared numbers") };
        *largest = largest.max(rate);
        let weight = if self == Self::OwnRate { rate * rate } else { *largest * *largest };
        *sum += weight;
        match self {
            Self::Equal => 1.0 / step as f64,
            Self::EqualWithStart => 1.0 / (step as f64 + 1.0),
            // Nothing has moved yet: there is nothing to follow.
            _ if *sum == 0.0 => 0.0,
            _ => weight / *sum,
        }
    }
}

/// η·min(1, t/T).
pub(super) fn warm(step: u64, learning_rate: f64, warmup: f64) -> f64 {
    let step = step as f64;
    if step < warmup { learning_rate * (step / warmup) } else { learning_rate }
}

/// How y and z move along a direction u.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points<T> {
    /// z ← kept·z + first·y before anything else: z starts as y does.
    kept: T,
    first: T,
    /// y ← y − decay·y: a decay that only y sees.
    decay: T,
    /// c.
    follow: T,
    /// Of u, into y: η(1 − β(1−c)).
    ahead: T,
    /// Of u, into z: η.
    rate: T,
}

impl<T: Real> Points<T> {
    pub(super) fn new(step: u64, rate: f64, beta: f64, follow: f64, decay_of_y: f64) -> Self {
        let first = if step == 1 { 1.0 } else { 0.0 };
        Self {
            kept: T::from_f64(1.0 - first),
            first: T::from_f64(first),
            decay: T::from_f64(decay_of_y),
            follow: T::from_f64(follow),
            ahead: T::from_f64(rate * (1.0 - beta * (1.0 - follow))),
            rate: T::from_f64(rate),
        }
    }

    /// y after x ← (1−c)x + cz′ with z′ = z − ηu, without x: y + c(z − y) − η(1 − β(1−c))u. Exactly y where z = y and
    /// ηu = 0.
    #[inline(always)]
    pub(super) fn step(&self, y: T, z: &mut T, direction: impl FnOnce(T) -> T) -> T {
        let old = self.kept * *z + self.first * y;
        let y = y - self.decay * y;
        let u = direction(y);
        *z = old - self.rate * u;
        y + self.follow * (old - y) - self.ahead * u
    }
}

/// x.
#[inline(always)]
pub(super) fn average<T: Real>(beta: f64, y: T, z: T) -> T {
    y + T::from_f64(1.0 - 1.0 / beta) * (z - y)
}
