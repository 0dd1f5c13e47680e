//! The learning curves of the chosen learning rates: a small chart per method, all on the same axes.

use plotly::common::{DashType, HoverInfo, Line, Mode, TickMode};
use plotly::layout::AxisType;
use plotly::{Plot, Scatter};

use super::charts::{self, COLORS, Chart, rounded};
use super::text;
use crate::study::summary::{MethodSummary, Summary};
use crate::study::trial::{Role, TrialRecord};
use crate::study::verdict;

type Lines = Scatter<u32, Option<f64>>;

const HEIGHT: usize = 250;
/// More points than this a small chart cannot show.
const POINTS: usize = 200;
/// About how many points all charts may have together, so that the page stays light.
const POINTS_IN_ALL: usize = 40_000;
/// How many decades of loss a chart shows at most.
const DECADES: f64 = 4.0;

/// Colours of the training and the validation loss.
pub(super) const TRAINING: &str = COLORS[0];
pub(super) const VALIDATION: &str = COLORS[1];

/// The section of learning curves.
pub(super) struct Curves {
    pub(super) training: &'static str,
    pub(super) validation: &'static str,
    pub(super) panels: Vec<Panel>,
    pub(super) notes: Vec<String>,
}

/// One method.
pub(super) struct Panel {
    pub(super) title: String,
    /// What is shown, in a few words.
    pub(super) subtitle: String,
    /// `None` if no fold has a curve.
    pub(super) chart: Option<Chart>,
}

pub(super) fn curves(summary: &Summary, records: &[TrialRecord]) -> Curves {
    let folds = shown_folds(summary);
    let points = (POINTS_IN_ALL / (2 * folds * summary.ranking.len()).max(1)).clamp(40, POINTS);
    let losses: Vec<Losses> =
        summary.ranking.iter().map(|method| Losses::new(&chosen(method, records, folds), points)).collect();
    let axes = Axes::new(&losses);
    let panel = |(index, method): (usize, &MethodSummary)| {
        let losses = &losses[index];
        let title = verdict::title(&method.method).to_owned();
        let label = format!("Training and validation loss of {title} for each epoch");
        let chart = (!losses.epochs.is_empty())
            .then(|| Chart::new(format!("curve-{index}"), &plot(losses, &axes), label, HEIGHT, Vec::new()));
        let subtitle =
            format!("median η {}, {}", text::rate(method.learning_rate), text::plural(losses.folds, "fold"));
        Panel { title, subtitle, chart }
    };
    Curves {
        training: TRAINING,
        validation: VALIDATION,
        panels: summary.ranking.iter().enumerate().map(panel).collect(),
        notes: notes(summary, &axes, &losses),
    }
}

/// The folds of the first repeat: more would make the page heavy and the charts full.
fn shown_folds(summary: &Summary) -> usize {
    let all = summary.protocol.test_rows.len();
    if summary.protocol.repeats > 1 { summary.protocol.folds.clamp(1, all.max(1)) } else { all }
}

/// The inner trial whose learning rate each fold chose.
fn chosen<'a>(method: &MethodSummary, records: &'a [TrialRecord], folds: usize) -> Vec<&'a TrialRecord> {
    let of_fold = |(fold, rate): (usize, &Option<f64>)| {
        let rate = (*rate)?;
        records.iter().find(|record| {
            record.role == Role::Inner
                && record.fold == fold
                && record.method == method.method
                && record.learning_rate == rate
        })
    };
    method.learning_rates.iter().enumerate().take(folds).filter_map(of_fold).collect()
}

/// The losses of one method.
struct Losses {
    /// The folds that are shown.
    folds: usize,
    /// The epochs that are shown, from 1.
    epochs: Vec<u32>,
    training: Series,
    validation: Series,
    thinned: bool,
}

/// One loss over the epochs.
struct Series {
    /// Of each fold.
    folds: Vec<Vec<Option<f64>>>,
    /// The median of the folds, while at least half of them train.
    median: Vec<Option<f64>>,
}

impl Losses {
    fn new(records: &[&TrialRecord], points: usize) -> Self {
        let longest = records.iter().map(|record| record.history.len()).max().unwrap_or(0);
        let stride = longest.div_ceil(points).max(1);
        let shown: Vec<usize> =
            (0..longest).filter(|epoch| epoch % stride == 0 || epoch + 1 == longest).collect();
        let series = |loss: &dyn Fn(&thalweg_learn::train::EpochRecord) -> Option<f64>| {
            let fold = |record: &&TrialRecord| {
                shown
                    .iter()
                    .map(|&epoch| record.history.get(epoch).and_then(loss).and_then(rounded))
                    .collect()
            };
            Series::new(records.iter().map(fold).collect())
        };
        Self {
            folds: records.len(),
            epochs: shown.iter().map(|&epoch| epoch as u32 + 1).collect(),
            training: series(&|epoch| Some(epoch.train_loss)),
            validation: series(&|epoch| epoch.valid_loss),
            thinned: stride > 1,
        }
    }

    fn series(&self) -> [&Series; 2] {
        [&self.training, &self.validation]
    }
}

impl Series {
    fn new(folds: Vec<Vec<Option<f64>>>) -> Self {
        let epochs = folds.first().map_or(0, Vec::len);
        let median = |epoch: usize| {
            let mut values: Vec<f64> = folds.iter().filter_map(|fold| fold[epoch]).collect();
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            if values.is_empty() || 2 * values.len() < folds.len() {
                None
            } else if values.len() % 2 == 1 {
                Some(values[middle])
            } else {
                rounded(0.5 * (values[middle - 1] + values[middle]))
            }
        };
        Self { median: (0..epochs).map(median).collect(), folds }
    }
}

/// What all panels share, so that methods can be compared by eye.
struct Axes {
    epochs: u32,
    low: f64,
    high: f64,
    log: bool,
    /// Whether some median lies beyond.
    cut: bool,
}

impl Axes {
    fn new(losses: &[Losses]) -> Self {
        let medians =
            || losses.iter().flat_map(Losses::series).flat_map(|series| &series.median).flatten().copied();
        let positive = medians().all(|loss| loss > 0.0);
        let lowest = medians().reduce(f64::min).unwrap_or(0.1);
        let worst = medians().reduce(f64::max).unwrap_or(1.0);
        let log = positive && worst > 5.0 * lowest;
        // What is worth seeing lies around the usual validation loss: a spike far above it, or a training loss that
        // goes to zero, would squeeze it.
        let mut usual: Vec<f64> =
            losses.iter().flat_map(|losses| &losses.validation.median).flatten().copied().collect();
        usual.sort_by(f64::total_cmp);
        let usual = usual.get(usual.len() / 2).copied().unwrap_or(worst);
        let high = if log { worst.min(100.0 * usual.max(lowest)) } else { worst };
        let low = if log { lowest.max(high / 10_f64.powf(DECADES)) } else { lowest };
        let epochs = losses.iter().filter_map(|losses| losses.epochs.last()).max().copied().unwrap_or(1);
        Self { epochs, low, high, log, cut: worst > high || lowest < low }
    }

    fn loss_range(&self) -> Vec<f64> {
        let (low, high) =
            if self.log { (self.low.log10(), self.high.log10()) } else { (self.low, self.high) };
        let pad = (0.06 * (high - low)).max(1e-9);
        vec![low - pad, high + pad]
    }
}

fn plot(losses: &Losses, axes: &Axes) -> Plot {
    let mut plot = Plot::new();
    for (series, color) in losses.series().into_iter().zip([TRAINING, VALIDATION]) {
        plot.add_trace(folds(losses, series, color));
    }
    let line = |color, dash| Line::new().color(color).width(2.5).dash(dash);
    plot.add_trace(median(losses, &losses.training, line(TRAINING, DashType::Solid), "training"));
    plot.add_trace(median(losses, &losses.validation, line(VALIDATION, DashType::Dash), "validation"));
    let x_axis = charts::axis("epoch")
        .range(vec![0.5_f64.min(f64::from(axes.epochs) * 0.02), f64::from(axes.epochs) + 0.5]);
    let mut y_axis = charts::axis("loss").range(axes.loss_range());
    if axes.log {
        let ticks = charts::log_ticks(axes.low, axes.high);
        let texts = ticks.iter().map(|&tick| text::rate(Some(tick))).collect();
        y_axis = y_axis.type_(AxisType::Log).tick_mode(TickMode::Array).tick_values(ticks).tick_text(texts);
    }
    plot.set_layout(charts::layout(HEIGHT).x_axis(x_axis).y_axis(y_axis));
    plot.set_configuration(charts::configuration());
    plot
}

/// All folds as one faint trace, with gaps between them.
fn folds(losses: &Losses, series: &Series, color: &'static str) -> Box<Lines> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for fold in &series.folds {
        for (&epoch, &loss) in losses.epochs.iter().zip(fold).filter(|(_, loss)| loss.is_some()) {
            x.push(epoch);
            y.push(loss);
        }
        if let Some(&last) = losses.epochs.last() {
            x.push(last);
            y.push(None);
        }
    }
    Lines::new(x, y)
        .mode(Mode::Lines)
        .opacity(0.3)
        .line(Line::new().color(color).width(1.0))
        .hover_info(HoverInfo::Skip)
}

fn median(losses: &Losses, series: &Series, line: Line, name: &str) -> Box<Lines> {
    let hover = losses
        .epochs
        .iter()
        .zip(&series.median)
        .map(|(epoch, &loss)| format!("epoch {epoch}: median {name} loss {}", text::score(loss)));
    Lines::new(losses.epochs.clone(), series.median.clone())
        .mode(if losses.epochs.len() == 1 { Mode::Markers } else { Mode::Lines })
        .line(line)
        .hover_text_array(hover.collect())
        .hover_info(HoverInfo::Text)
}

fn notes(summary: &Summary, axes: &Axes, losses: &[Losses]) -> Vec<String> {
    let mut notes = vec![format!(
        "The loss is {}; the axis is {}, and the same in every panel.",
        summary.protocol.loss,
        if axes.log { "logarithmic" } else { "linear" }
    )];
    notes.push("A median may jump where a fold stops early.".to_owned());
    if summary.protocol.repeats > 1 {
        notes.push(format!(
            "Only the {} of the first of {} repeats are shown.",
            text::plural(shown_folds(summary), "fold"),
            summary.protocol.repeats
        ));
    }
    if axes.cut {
        notes.push("Some losses lie beyond the axis, which shows four decades at most.".to_owned());
    }
    if losses.iter().any(|losses| losses.thinned) {
        notes.push("Of long curves only every few epochs are shown.".to_owned());
    }
    notes
}
