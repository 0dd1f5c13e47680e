//! Early stopping with patience, as a state machine without data.

/// Remembers the best epoch and counts those since.
///
/// Epochs are compared by cost, ties by loss: a metric such as accuracy takes few values on a small validation part, and
/// the loss tells apart what it cannot. NaN is never better, and every number is better than it.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlyStopping {
    patience: Option<u32>,
    best: Option<Best>,
    waited: u32,
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

/// What an observed epoch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is the best so far: keep its weights.
    Improved,
    /// It is not, but there is patience left.
    Wait,
    /// It is not, and patience is over.
    Stop,
}

impl EarlyStopping {
    /// Stops after `patience` epochs without a better one; `None` never stops.
    pub fn new(patience: Option<u32>) -> Self {
        Self { patience, best: None, waited: 0 }
    }

    /// Takes the validation cost and loss of an epoch (counted from 1).
    pub fn observe(&mut self, epoch: u32, cost: f64, loss: f64) -> Progress {
        let less_loss = |best: Best| loss < best.loss || (best.loss.is_nan() && !loss.is_nan());
        let better = self.best.is_none_or(|best| cost < best.cost || (cost == best.cost && less_loss(best)));
        if better && !cost.is_nan() {
            self.best = Some(Best { epoch, cost, loss });
            self.waited = 0;
            return Progress::Improved;
        }
        self.waited += 1;
        if self.patience.is_some_and(|patience| self.waited >= patience) {
            Progress::Stop
        } else {
            Progress::Wait
        }
    }

    /// The best epoch, if any had a cost.
    pub fn best(&self) -> Option<Best> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_its_patience_and_keeps_the_best() {
        let mut stopping = EarlyStopping::new(Some(2));
        let costs = [0.5, 0.3, 0.3, 0.4];
        let losses = [1.0, 0.9, 0.8, 0.1];
        let seen: Vec<_> = (0..4).map(|i| stopping.observe(i as u32 + 1, costs[i], losses[i])).collect();
        assert_eq!(seen, [Progress::Improved, Progress::Improved, Progress::Improved, Progress::Wait]);
        assert_eq!(stopping.observe(5, f64::NAN, 0.0), Progress::Stop);
        assert_eq!(stopping.best().map(|best| best.epoch), Some(3));
    }

    #[test]
    fn nan_is_never_best() {
        let mut stopping = EarlyStopping::new(None);
        assert_eq!(stopping.observe(1, f64::NAN, 0.1), Progress::Wait);
        assert_eq!(stopping.best(), None);
        assert_eq!(stopping.observe(2, f64::INFINITY, 0.1), Progress::Improved);
        assert_eq!(stopping.observe(3, 1.0, f64::NAN), Progress::Improved);
        assert_eq!(stopping.observe(4, 1.0, f64::NAN), Progress::Wait);
        assert_eq!(stopping.observe(5, 1.0, 0.7), Progress::Improved);
    }
}
