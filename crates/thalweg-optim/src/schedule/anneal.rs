//! How a factor goes from one value to another.

use std::f64::consts::PI;

use super::shape::words;

words! {
    /// The form of a way from one factor to another, over x from 0 to 1.
    Anneal {
        /// a + (b − a)·x.
        Linear = "linear",
        /// b + (a − b)·(1 + cos πx)/2.
        Cosine = "cosine",
        /// a + (b − a)·√x: fast at first (the «1−sqrt» of Hägele et al. 2024).
        SquareRoot = "square-root",
    }
}

impl Anneal {
    /// The factor at `x` of the way from `from` to `to`; beyond the ends it stays there.
    pub fn between(self, from: f64, to: f64, x: f64) -> f64 {
        if x >= 1.0 {
            return to;
        }
        let x = x.max(0.0);
        match self {
            Self::Linear => from + (to - from) * x,
            Self::Cosine => to + (from - to) / 2.0 * (1.0 + (PI * x).cos()),
            Self::SquareRoot => from + (to - from) * x.sqrt(),
        }
    }
}

/// How far step `step` is in a phase of `steps` steps: 0 at its start, 1 at its end and after; a phase of no steps is over.
pub(super) fn progress(step: u64, steps: u64) -> f64 {
    if step >= steps { 1.0 } else { step as f64 / steps as f64 }
}
