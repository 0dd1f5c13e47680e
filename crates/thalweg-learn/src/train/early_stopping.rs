//! Early stopping: when a training that is watched ends, as a state machine without data.

mod spec;
#[cfg(test)]
mod tests;

pub use spec::{StoppingError, StoppingSpec};

/// Remembers the best epoch, and says when the criterion of a [`StoppingSpec`] is met.
///
/// The best epoch does not depend on the criterion. Epochs are compared by cost, ties by loss: a metric such as accuracy
/// takes few values on a small validation part, and the loss tells apart what it cannot. NaN is never better, and every
/// number is better than it.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlyStopping {
    best: Option<Best>,
    criterion: Criterion,
}

/// What is seen of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// The validation cost: smaller is better; negative where a metric grows (−accuracy).
    pub cost: f64,
    /// The validation loss.
    pub loss: f64,
    /// The loss on the training rows.
    pub train_loss: f64,
}

/// The best epoch so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// Counted from 1.
    pub epoch: u32,
    /// Its validation cost.
    pub cost: f64,
    /// Its validation loss.
    pub loss: f64,
}

/// What an observed epoch means. Both may be true: a cost can fall by too little to count, or while the loss grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// It is the best so far: keep its weights.
    pub improved: bool,
    /// The criterion is met.
    pub stop: bool,
}

impl EarlyStopping {
    /// Stops as `spec` says.
    pub fn new(spec: StoppingSpec) -> Self {
        Self { best: None, criterion: Criterion::new(spec) }
    }

    /// Takes the scores of an epoch (counted from 1). Epochs are observed in order, none left out.
    pub fn observe(&mut self, epoch: u32, scores: Scores) -> Progress {
        let Scores { cost, loss, .. } = scores;
        let less_loss = |best: Best| loss < best.loss || (best.loss.is_nan() && !loss.is_nan());
        let better = self.best.is_none_or(|best| cost < best.cost || (cost == best.cost && less_loss(best)));
        let improved = better && !cost.is_nan();
        if improved {
            self.best = Some(Best { epoch, cost, loss });
        }
        Progress { improved, stop: self.criterion.stops(epoch, scores, improved) }
    }

    /// The best epoch, if any had a cost.
    pub fn best(&self) -> Option<Best> {
        self.best
    }
}

/// A criterion with what it remembers.
#[derive(Debug, Clone, PartialEq)]
enum Criterion {
    Never,
    Patience { epochs: u32, min_delta: f64, waited: u32, counted: Option<f64> },
    Loss { alpha: f64, lowest: Lowest },
    Quotient { alpha: f64, length: u32, lowest: Lowest, strip: Strip },
    Up { strips: u32, length: u32, rises: u32, last: Option<f64> },
}

impl Criterion {
    fn new(spec: StoppingSpec) -> Self {
        let lowest = Lowest(f64::INFINITY);
        match spec {
            StoppingSpec::None => Self::Never,
            StoppingSpec::Patience { epochs, min_delta } => {
                Self::Patience { epochs, min_delta, waited: 0, counted: None }
            }
            StoppingSpec::Gl { alpha } => Self::Loss { alpha, lowest },
            StoppingSpec::Pq { alpha, strip } => {
                Self::Quotient { alpha, length: strip, lowest, strip: Strip::EMPTY }
            }
            StoppingSpec::Up { strips, strip } => Self::Up { strips, length: strip, rises: 0, last: None },
        }
    }

    fn stops(&mut self, epoch: u32, scores: Scores, improved: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Patience { epochs, min_delta, waited, counted } => {
                let enough = |before: f64| before - scores.cost > *min_delta;
                // Without a threshold the best epoch counts, ties that the loss decides included.
                let counts = improved && (*min_delta == 0.0 || counted.is_none_or(enough));
                if counts {
                    *counted = Some(scores.cost);
                    *waited = 0;
                    return false;
                }
                *waited += 1;
                waited >= epochs
            }
            Self::Loss { alpha, lowest } => lowest.generalization_loss(scores.loss) > *alpha,
            Self::Quotient { alpha, length, lowest, strip } => {
                let loss = lowest.generalization_loss(scores.loss);
                strip.take_in(scores.train_loss);
                if !ends_strip(epoch, *length) {
                    return false;
                }
                let progress = std::mem::replace(strip, Strip::EMPTY).progress(*length);
                // Not as a quotient: a training at rest would divide by 0.
                loss > *alpha * progress
            }
            Self::Up { strips, length, rises, last } => {
                if !ends_strip(epoch, *length) {
                    return false;
                }
                let loss = or_infinite(scores.loss);
                *rises = if last.is_some_and(|last| loss > last) { *rises + 1 } else { 0 };
                *last = Some(loss);
                *rises >= *strips
            }
        }
    }
}

/// Whether a training strip of `length` epochs ends with this one.
fn ends_strip(epoch: u32, length: u32) -> bool {
    epoch.is_multiple_of(length)
}

/// The lowest validation loss so far; infinite before there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lowest(f64);

impl Lowest {
    /// Takes a loss in; by how many per cent it lies above the lowest. 0 as long as there was no number.
    fn generalization_loss(&mut self, loss: f64) -> f64 {
        let loss = or_infinite(loss);
        self.0 = self.0.min(loss);
        if loss == self.0 {
            return 0.0;
        }
        // A lowest loss of 0 makes any other infinitely worse; there is no percentage of a negative one either.
        if self.0 > 0.0 { 100.0 * (loss / self.0 - 1.0) } else { f64::INFINITY }
    }
}

/// The training losses of a strip that has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Strip {
    sum: f64,
    lowest: f64,
}

impl Strip {
    const EMPTY: Self = Self { sum: 0.0, lowest: f64::INFINITY };

    fn take_in(&mut self, loss: f64) {
        let loss = or_infinite(loss);
        self.sum += loss;
        self.lowest = self.lowest.min(loss);
    }

    /// By how many per mille the mean of its losses lies above the lowest: how fast training still goes.
    fn progress(self, length: u32) -> f64 {
        let (mean, lowest) = (self.sum / f64::from(length), self.lowest);
        if mean > lowest && lowest > 0.0 {
            1000.0 * (mean / lowest - 1.0)
        } else if mean > lowest {
            f64::INFINITY
        } else {
            0.0
        }
    }
}

/// NaN counts as the worst loss there is.
fn or_infinite(loss: f64) -> f64 {
    if loss.is_nan() { f64::INFINITY } else { loss }
}
