//! Warm-up, a long constant stretch, and a decay at the end.

use super::FRACTION;
use super::anneal::{Anneal, progress};
use super::length::Length;
use super::shape::{Field, Info, Shape};
use crate::hyper::Range;

/// From s up to 1 over w steps, 1 until step n − d, then down to f over the last d of n steps; then f.
///
/// Where the parts are longer than the whole, the warm-up keeps its length and the decay gives way. The forms of the
/// decay in use: linear, cosine, and 1 − √x (`square-root`).
///
/// Sources: Hu et al., *MiniCPM* (2024); Hägele et al., *Scaling laws and compute-optimal training beyond fixed training
/// durations* (2024), whose decay over the last 20 % is the default.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmUpStableDecay {
    /// n.
    pub steps: Length,
    /// w.
    pub warm_up: Length,
    /// d.
    pub decay: Length,
    /// s: the first factor.
    pub start: f64,
    /// f (`final` in settings): the last one.
    pub last: f64,
    /// The form of the decay.
    pub anneal: Anneal,
}

impl Default for WarmUpStableDecay {
    fn default() -> Self {
        Self {
            steps: Length::ALL,
            warm_up: Length::Percent(5.0),
            decay: Length::Percent(20.0),
            start: 0.0,
            last: 0.0,
            anneal: Anneal::Linear,
        }
    }
}

pub(super) static INFO: Info = Info {
    name: "warm-up-stable-decay",
    title: "Warm-up, stable, decay",
    summary: "rises from s over w steps, stays, and falls to f over the last d of n steps",
    formula: "s + (1−s)·t/w for t < w; 1 for t < n−d; then 1 → f over d",
    source: "Hu et al. 2024; Hägele et al. 2024",
};

impl Shape for WarmUpStableDecay {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::length("steps", "n", &mut self.steps),
            Field::length("warm-up", "w", &mut self.warm_up),
            Field::length("decay", "d", &mut self.decay),
            Field::number("start", "s", FRACTION, &mut self.start),
            Field::number("final", "f", Range::NON_NEGATIVE, &mut self.last),
            Field::word("anneal", "anneal", &mut self.anneal),
        ]
    }

    fn factor(&self, step: u64) -> f64 {
        let [steps, warm_up, decay] = [self.steps, self.warm_up, self.decay].map(Length::steps);
        if step < warm_up {
            return Anneal::Linear.between(self.start, 1.0, progress(step, warm_up));
        }
        let falls_at = steps.saturating_sub(decay).max(warm_up);
        if step < falls_at {
            return 1.0;
        }
        self.anneal.between(1.0, self.last, progress(step - falls_at, steps.saturating_sub(falls_at)))
    }
}
