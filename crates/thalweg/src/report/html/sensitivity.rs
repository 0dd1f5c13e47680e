//! The chart of learning rates: the mean validation score of each, a line per method.

use plotly::common::{HoverInfo, Line, Marker, MarkerSymbol, Mode, TickMode};
use plotly::layout::AxisType;
use plotly::{Plot, Scatter};

use super::charts::{self, Chart, Styles, Window, rounded};
use super::text;
use crate::study::summary::{MethodSummary, RatePoint, Summary};

type Points = Scatter<f64, Option<f64>>;

const HEIGHT: usize = 430;

pub(super) fn chart(summary: &Summary, styles: &Styles) -> Chart {
    let window = window(summary);
    let mut plot = Plot::new();
    let mut counts = Counts::default();
    let mut piles = vec![0; summary.protocol.learning_rates.len()];
    for (index, method) in summary.ranking.iter().enumerate() {
        let marks = Marks::new(method, window, &mut piles);
        counts.add(&marks);
        plot.add_traces(traces(summary, method, &marks, styles, index));
    }
    let x_axis = charts::axis("learning rate η")
        .type_(AxisType::Log)
        .tick_mode(TickMode::Array)
        .tick_values(ticks(&summary.protocol.learning_rates))
        .tick_text(
            ticks(&summary.protocol.learning_rates).into_iter().map(|rate| text::rate(Some(rate))).collect(),
        )
        .range(rate_range(&summary.protocol.learning_rates));
    let y_axis =
        charts::axis(&format!("mean validation {}", summary.metric)).range(vec![window.low, window.high]);
    plot.set_layout(charts::layout(HEIGHT).x_axis(x_axis).y_axis(y_axis));
    plot.set_configuration(charts::configuration());
    let label = format!("Mean validation {} against the learning rate, a line per method", summary.metric);
    Chart::new("sensitivity".to_owned(), &plot, label, HEIGHT, counts.notes())
}

/// From the best score to the worst, but not much further than the baseline.
fn window(summary: &Summary) -> Window {
    let points = summary.ranking.iter().flat_map(|method| &method.sensitivity.curve);
    let scores: Vec<f64> = points.filter_map(|point| point.valid_score).collect();
    let best = scores.iter().copied().max_by(|&a, &b| summary.metric.better(a, b));
    let reach = best
        .zip(summary.protocol.validation_baseline)
        .map_or(0.0, |(best, baseline)| 1.25 * (best - baseline).abs());
    Window::new(&scores, if reach.is_finite() { reach } else { 0.0 }, summary.protocol.higher_is_better)
}

/// Round rates within the grid, or its ends where there are none.
fn ticks(rates: &[f64]) -> Vec<f64> {
    let (Some(&low), Some(&high)) = (rates.first(), rates.last()) else { return Vec::new() };
    let ticks = charts::log_ticks(low, high);
    if ticks.is_empty() { vec![low, high] } else { ticks }
}

/// The ends of the axis, as exponents.
fn rate_range(rates: &[f64]) -> Vec<f64> {
    let (low, high) = (rates.first().copied().unwrap_or(1e-4), rates.last().copied().unwrap_or(1.0));
    let pad = (0.04 * (high / low).log10()).max(0.1);
    vec![low.log10() - pad, high.log10() + pad]
}

/// How each rate of a method is drawn.
struct Marks<'a> {
    /// The line: `None` where no fold finished.
    line: Vec<Option<f64>>,
    /// Rates that diverged in some folds, where their score is.
    partly: Vec<(&'a RatePoint, f64)>,
    /// Rates that diverged in every fold, at the bad edge.
    wholly: Vec<(&'a RatePoint, f64)>,
    /// Rates whose score lies beyond the axis, at the bad edge.
    beyond: Vec<(&'a RatePoint, f64)>,
}

impl<'a> Marks<'a> {
    /// `piles` counts, for each rate, the marks that lie at the bad edge already.
    fn new(method: &'a MethodSummary, window: Window, piles: &mut [usize]) -> Self {
        let mut marks = Self { line: Vec::new(), partly: Vec::new(), wholly: Vec::new(), beyond: Vec::new() };
        for (point, pile) in method.sensitivity.curve.iter().zip(piles) {
            let edge = window.worst_edge(*pile);
            let score = point.valid_score.filter(|score| score.is_finite());
            let beyond = score.is_some_and(|score| !window.holds(score));
            let shown = score.map(|score| if beyond { edge } else { score });
            marks.line.push(shown.and_then(rounded));
            *pile += usize::from(beyond || (score.is_none() && point.diverged > 0));
            match shown {
                Some(at) if beyond => marks.beyond.push((point, at)),
                Some(at) if point.diverged > 0 => marks.partly.push((point, at)),
                None if point.diverged > 0 => marks.wholly.push((point, edge)),
                _ => {}
            }
        }
        marks
    }
}

fn traces(
    summary: &Summary,
    method: &MethodSummary,
    marks: &Marks<'_>,
    styles: &Styles,
    index: usize,
) -> Vec<Box<dyn plotly::Trace>> {
    let style = styles.of(index);
    let group = format!("m{index}");
    let folds = summary.protocol.test_rows.len();
    let hover = |point: &RatePoint| {
        let name = styles.title(index);
        let rate = text::rate(Some(point.learning_rate));
        let score = text::score(point.valid_score);
        match point.diverged {
            0 => format!("{name}, η = {rate}: {score}"),
            diverged => format!("{name}, η = {rate}: {score}<br>diverged in {diverged} of {folds} folds"),
        }
    };
    let curve = &method.sensitivity.curve;
    let line = Points::new(curve.iter().map(|point| point.learning_rate).collect(), marks.line.clone())
        .name(styles.title(index))
        .legend_group(group.clone())
        .mode(Mode::LinesMarkers)
        .line(Line::new().color(style.color).width(2.0).dash(style.dash))
        .marker(Marker::new().color(style.color).size(8).symbol(style.marker))
        .hover_text_array(curve.iter().map(hover).collect())
        .hover_info(HoverInfo::Text);
    let marked = |points: &[(&RatePoint, f64)], symbol: MarkerSymbol, size: usize| {
        let x = points.iter().map(|(point, _)| point.learning_rate).collect();
        Points::new(x, points.iter().map(|&(_, at)| rounded(at)).collect())
            .legend_group(group.clone())
            .mode(Mode::Markers)
            .marker(
                Marker::new()
                    .color(style.color)
                    .size(size)
                    .symbol(symbol)
                    .line(Line::new().color(style.color).width(2.0)),
            )
            .hover_text_array(points.iter().map(|(point, _)| hover(point)).collect())
            .hover_info(HoverInfo::Text)
    };
    let outward = if summary.protocol.higher_is_better {
        MarkerSymbol::TriangleDownOpen
    } else {
        MarkerSymbol::TriangleUpOpen
    };
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![line];
    for (points, symbol, size) in [
        (&marks.wholly, MarkerSymbol::XThinOpen, 9),
        (&marks.partly, MarkerSymbol::XThinOpen, 13),
        (&marks.beyond, outward, 13),
    ] {
        if !points.is_empty() {
            traces.push(marked(points, symbol, size));
        }
    }
    traces
}

/// What is marked in the whole chart.
#[derive(Default)]
struct Counts {
    diverged: usize,
    beyond: usize,
}

impl Counts {
    fn add(&mut self, marks: &Marks<'_>) {
        self.diverged += marks.wholly.len() + marks.partly.len();
        self.beyond += marks.beyond.len();
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.diverged > 0 {
            notes.push(
                "A cross marks a rate that diverged: on its line where only some folds did (the mean is over the \
                 others), piled up at the edge of the chart where all did."
                    .to_owned(),
            );
        }
        if self.beyond > 0 {
            notes.push(
                "An open triangle at the edge marks a score beyond the axis (marks at the same rate pile up); point at it for its value."
                    .to_owned(),
            );
        }
        notes
    }
}
