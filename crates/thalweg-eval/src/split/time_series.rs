//! Past to future, by an expanding window.

use thalweg_data::{Rows, Split};

use super::deal::share;
use super::{Policy, SplitError, Splitter, SplitterRow};

pub(super) const ROW: SplitterRow = SplitterRow {
    policy: Policy::TimeSeries,
    name: "time-series",
    summary: "fits on the past and scores the part of time that follows; the past grows from fold to fold",
    chosen_for: "a time axis",
    needs: |rows| times(rows).map(|_| ()),
    build: |spec| {
        if spec.repeats > 1 {
            return Err(SplitError::RepeatsInTime { repeats: spec.repeats });
        }
        Ok(Box::new(ExpandingWindow { folds: spec.folds, gap: spec.gap }))
    },
};

/// The expanding window: of n rows in time order, each of `folds` test parts has n / (folds + 1) rows (rounded down),
/// the last one ends at the last row, and each is scored by a fit on all rows before it but the `gap` nearest.
///
/// Index for index scikit-learn's `TimeSeriesSplit(folds, gap=gap)` where all times differ. Where they do not, rows of
/// equal time are never divided: each border falls back to the first row of its time, so that all of them are tested
/// (or left out by the gap) together, and whatever is fitted on is strictly earlier. scikit-learn knows no times and
/// would divide them. The gap is counted in rows. Rows may be of any group; the seed changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpandingWindow {
    /// The number of folds, at least 2.
    pub folds: usize,
    /// The rows left out between what is fitted on and what is scored.
    pub gap: usize,
}

impl Splitter for ExpandingWindow {
    fn name(&self) -> &'static str {
        ROW.name
    }

    fn split(&self, rows: &Rows<'_>, _seed: u64) -> Result<Vec<Split>, SplitError> {
        let (times, folds) = (times(rows)?, self.folds);
        if folds < 2 {
            return Err(SplitError::TooFewFolds { folds });
        }
        if folds >= rows.len {
            return Err(SplitError::WindowTooSmall { rows: rows.len, folds, gap: self.gap });
        }
        let size = rows.len / (folds + 1);
        let first = rows.len - folds * size;
        if first <= self.gap {
            return Err(SplitError::WindowTooSmall { rows: rows.len, folds, gap: self.gap });
        }
        let border = |fold| if fold == folds { rows.len } else { run_start(times, first + fold * size) };
        let one_fold = |fold| {
            let (start, end) = (border(fold), border(fold + 1));
            let past = self.past(times, start);
            if past == 0 || start == end {
                return Err(SplitError::TimesTied { fold: fold + 1, folds });
            }
            Ok(Split::new(rows.len, (0..past as u32).collect(), (start as u32..end as u32).collect()))
        };
        (0..folds).map(one_fold).collect()
    }

    /// The last rows, after the gap. If equal times or the gap would leave nothing to fit on, the border moves on to
    /// the first time that leaves something.
    fn holdout(&self, rows: &Rows<'_>, fraction: f64, _seed: u64) -> Result<Split, SplitError> {
        let times = times(rows)?;
        let mut start = run_start(times, rows.len - share(rows.len, fraction)?);
        while start < rows.len && self.past(times, start) == 0 {
            start = times.partition_point(|&time| time <= times[start]);
        }
        if start == rows.len {
            let reason = "the gap and rows of equal time leave nothing to fit on";
            return Err(SplitError::NoHoldout { rows: rows.len, reason });
        }
        let past = self.past(times, start) as u32;
        Ok(Split::new(rows.len, (0..past).collect(), (start as u32..rows.len as u32).collect()))
    }
}

impl ExpandingWindow {
    /// How many rows may be fitted on when row `start` is the first to be scored.
    fn past(&self, times: &[f64], start: usize) -> usize {
        run_start(times, start.saturating_sub(self.gap))
    }
}

/// The times of `rows`.
fn times<'a>(rows: &'a Rows<'_>) -> Result<&'a [f64], SplitError> {
    let times = rows.times.as_deref().ok_or(SplitError::TimesMissing)?;
    assert_eq!(times.len(), rows.len, "a time per row");
    assert!(times.is_sorted(), "rows are stored in time order");
    Ok(times)
}

/// The first row whose time is that of row `at`.
fn run_start(times: &[f64], at: usize) -> usize {
    times.partition_point(|&time| time < times[at])
}
