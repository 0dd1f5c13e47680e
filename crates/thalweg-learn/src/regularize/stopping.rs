//! Early stopping as techniques: patience, and Prechelt's criteria.
//!
//! They need a validation part; a training without one does all its epochs. The best epoch's weights are kept.

use thalweg_optim::Range;

use super::technique::{Family, Info, Setting, Technique};
use crate::train::StoppingSpec;

/// A criterion of [`StoppingSpec`] as a technique.
pub(super) struct Stops {
    info: Info,
    criterion: fn(&[f64]) -> StoppingSpec,
}

impl Technique for Stops {
    fn info(&self) -> &Info {
        &self.info
    }

    fn stopping(&self, values: &[f64]) -> Option<StoppingSpec> {
        Some((self.criterion)(values))
    }
}

/// A whole number that fits the criteria's counts.
const fn count(least: f64) -> Range {
    Range::between(least, 4_294_967_295.0).whole()
}

const ALPHA: Setting = Setting { key: "alpha", symbol: "α", range: Range::POSITIVE, default: 5.0 };
const STRIP: Setting = Setting { key: "strip", symbol: "k", range: count(1.0), default: 5.0 };

pub(super) static EARLY_STOPPING: Stops = Stops {
    info: Info {
        name: "early-stopping",
        family: Family::Stopping,
        summary: "stops after some epochs without a better validation score",
        formula: "stop if the cost did not fall by more than δ for n epochs",
        source: "Morgan & Bourlard 1990",
        settings: &[
            Setting { key: "epochs", symbol: "n", range: count(1.0), default: 10.0 },
            Setting { key: "min-delta", symbol: "δ", range: Range::NON_NEGATIVE, default: 0.0 },
        ],
        strengths: &[20.0, 10.0, 5.0],
    },
    criterion: |values| StoppingSpec::Patience { epochs: values[0] as u32, min_delta: values[1] },
};

pub(super) static GL: Stops = Stops {
    info: Info {
        name: "early-stopping-gl",
        family: Family::Stopping,
        summary: "stops once the validation loss lies some per cent above its lowest",
        formula: "stop if 100·(E/min E − 1) > α",
        source: "Prechelt 1998",
        settings: &[ALPHA],
        strengths: &[5.0, 2.0, 1.0],
    },
    criterion: |values| StoppingSpec::Gl { alpha: values[0] },
};

pub(super) static PQ: Stops = Stops {
    info: Info {
        name: "early-stopping-pq",
        family: Family::Stopping,
        summary: "stops once the validation loss rises by more than training still makes up for",
        formula: "stop if GL/Pₖ > α, Pₖ = 1000·(mean/min − 1) of the training loss over k epochs",
        source: "Prechelt 1998",
        settings: &[
            Setting { default: 0.5, ..ALPHA },
            // One epoch alone shows no progress.
            Setting { range: count(2.0), ..STRIP },
        ],
        strengths: &[3.0, 1.0, 0.5],
    },
    criterion: |values| StoppingSpec::Pq { alpha: values[0], strip: values[1] as u32 },
};

pub(super) static UP: Stops = Stops {
    info: Info {
        name: "early-stopping-up",
        family: Family::Stopping,
        summary: "stops once the validation loss rose from strip to strip, several times in a row",
        formula: "stop if E(t) > E(t − k) at the ends of s strips of k epochs",
        source: "Prechelt 1998",
        settings: &[Setting { key: "strips", symbol: "s", range: count(1.0), default: 3.0 }, STRIP],
        strengths: &[4.0, 3.0, 2.0],
    },
    criterion: |values| StoppingSpec::Up { strips: values[0] as u32, strip: values[1] as u32 },
};
