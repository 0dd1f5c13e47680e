//! The chart of scores: a row per method with its mean, its interval and the score of each fold.

use plotly::common::{ErrorData, ErrorType, HoverInfo, Line, Marker, MarkerSymbol, Mode, Position, TickMode};
use plotly::layout::{Shape, ShapeLine, ShapeType};
use plotly::{Plot, Scatter};

use super::charts::{self, Chart, Styles, Window, rounded};
use super::text;
use crate::study::summary::{MethodSummary, Summary};
use crate::study::verdict;

type Points = Scatter<f64, f64>;

pub(super) fn chart(summary: &Summary, styles: &Styles) -> Chart {
    let rows = summary.ranking.len();
    let baseline = summary.protocol.baseline.filter(|score| score.is_finite());
    let window = window(summary, baseline);
    let mut plot = Plot::new();
    for (index, method) in summary.ranking.iter().enumerate() {
        // The best on top: rows are counted downwards.
        let y = (rows - index) as f64;
        plot.add_trace(fold_dots(summary, method, styles, index, y, window));
        plot.add_traces(mean_dot(method, styles, index, y, window));
    }
    let height = 76 + 40 * rows.max(2);
    let ticks = (0..rows).map(|index| (rows - index) as f64).collect();
    let names = (0..rows).map(|index| styles.short_title(index));
    let y_axis = charts::axis("")
        .tick_mode(TickMode::Array)
        .tick_values(ticks)
        .tick_text(names.collect())
        .range(vec![0.4, rows as f64 + 0.6]);
    let x_axis = charts::axis(&format!("outer test {}", summary.metric)).range(vec![window.low, window.high]);
    let mut layout = charts::layout(height).x_axis(x_axis).y_axis(y_axis);
    if let Some(baseline) = baseline.filter(|&score| window.holds(score)) {
        layout.add_shape(baseline_line(baseline, rows));
    }
    plot.set_layout(layout);
    plot.set_configuration(charts::configuration());
    let label = format!(
        "Mean {} of each method with its 95 % interval; the table above holds the numbers",
        summary.metric
    );
    Chart::new("scores".to_owned(), &plot, label, height, notes(summary, baseline, window))
}

/// All means and folds, each interval as far as it goes; the baseline if it is near.
fn window(summary: &Summary, baseline: Option<f64>) -> Window {
    let interval = |method: &MethodSummary| [method.score.low, method.score.high, method.score.mean];
    let scores: Vec<f64> = summary
        .ranking
        .iter()
        .flat_map(|method| interval(method).into_iter().chain(method.scores.iter().copied()).flatten())
        .collect();
    let window = Window::new(&scores, 0.0, summary.protocol.higher_is_better);
    baseline.map_or(window, |baseline| window.widened(baseline))
}

fn fold_dots(
    summary: &Summary,
    method: &MethodSummary,
    styles: &Styles,
    index: usize,
    y: f64,
    window: Window,
) -> Box<Points> {
    let shown = || {
        let scores = method.scores.iter().enumerate();
        scores
            .filter_map(|(fold, score)| score.filter(|&score| window.holds(score)).map(|score| (fold, score)))
    };
    let hover = shown().map(|(fold, score)| {
        let fold = text::fold(&summary.protocol, fold);
        format!("{}, fold {fold}: {}", styles.title(index), text::score(Some(score)))
    });
    // Below the interval, so that neither hides the other.
    let points = Scatter::new(
        shown().filter_map(|(_, score)| rounded(score)).collect(),
        shown().map(|_| y - 0.24).collect(),
    );
    points
        .mode(Mode::Markers)
        .marker(Marker::new().color(styles.of(index).color).size(7).opacity(0.45))
        .hover_text_array(hover.collect())
        .hover_info(HoverInfo::Text)
}

/// The mean with its interval; at the edge, with its value, if it lies beyond; words if there is none.
fn mean_dot(
    method: &MethodSummary,
    styles: &Styles,
    index: usize,
    y: f64,
    window: Window,
) -> Vec<Box<dyn plotly::Trace>> {
    let Some(mean) = method.score.mean.filter(|mean| mean.is_finite()) else {
        let middle = 0.5 * (window.low + window.high);
        let text =
            Points::new(vec![middle], vec![y]).mode(Mode::Text).text_array(vec!["no score in any fold"]);
        return vec![text.hover_info(HoverInfo::Skip)];
    };
    let style = styles.of(index);
    let value = text::score(Some(mean));
    let hover = match (method.score.low, method.score.high) {
        (Some(low), Some(high)) => format!(
            "{}: {value}<br>95 % interval {} to {}",
            styles.title(index),
            text::score(Some(low)),
            text::score(Some(high))
        ),
        _ => format!("{}: {value} (no interval: fewer than two folds)", styles.title(index)),
    };
    if !window.holds(mean) {
        let edge = window.worst_edge(0);
        let left = edge < 0.5 * (window.low + window.high);
        let (symbol, side) = if left {
            (MarkerSymbol::TriangleLeftOpen, Position::MiddleRight)
        } else {
            (MarkerSymbol::TriangleRightOpen, Position::MiddleLeft)
        };
        return vec![
            Points::new(vec![edge], vec![y])
                .mode(Mode::MarkersText)
                .marker(Marker::new().color(style.color).size(11).symbol(symbol))
                .text_array(vec![value])
                .text_position(side)
                .hover_text_array(vec![hover])
                .hover_info(HoverInfo::Text),
        ];
    }
    let dot = Points::new(vec![mean], vec![y])
        .mode(Mode::Markers)
        .marker(
            Marker::new()
                .color(style.color)
                .size(11)
                .symbol(style.marker)
                .line(Line::new().color(style.color).width(1.0)),
        )
        .hover_text_array(vec![hover])
        .hover_info(HoverInfo::Text);
    let finite = |end: Option<f64>| end.filter(|end| end.is_finite());
    match (finite(method.score.low), finite(method.score.high)) {
        (Some(low), Some(high)) => vec![
            dot.error_x(
                ErrorData::new(ErrorType::Data)
                    .array(vec![high - mean])
                    .array_minus(vec![mean - low])
                    .symmetric(false)
                    .color(style.color)
                    .thickness(2.5)
                    .width(6),
            ),
        ],
        _ => vec![dot],
    }
}

fn baseline_line(baseline: f64, rows: usize) -> Shape {
    Shape::new()
        .shape_type(ShapeType::Line)
        .x0(baseline)
        .x1(baseline)
        .y0(0.4)
        .y1(rows as f64 + 0.6)
        .line(ShapeLine::new().color("#808080").width(1.5).dash(plotly::common::DashType::Dash))
}

fn notes(summary: &Summary, baseline: Option<f64>, window: Window) -> Vec<String> {
    let mut notes = Vec::new();
    match baseline {
        Some(score) if window.holds(score) => notes.push(format!(
            "Dashed: the baseline, {}, which ignores every feature.",
            text::score(Some(score))
        )),
        Some(score) => notes.push(format!(
            "The baseline, which ignores every feature, lies off the axis, at {}.",
            text::score(Some(score))
        )),
        None => {}
    }
    let folds = summary.protocol.test_rows.len();
    let partly = summary.ranking.iter().filter(|method| (1..folds).contains(&method.failed_folds));
    for method in partly {
        notes.push(format!(
            "{}: the mean is over the {} of {folds} folds that finished.",
            verdict::title(&method.method),
            folds - method.failed_folds
        ));
    }
    let outside = |score: &f64| score.is_finite() && !window.holds(*score);
    let means =
        summary.ranking.iter().filter(|method| method.score.mean.as_ref().is_some_and(outside)).count();
    if means > 0 {
        notes.push(format!(
            "An open triangle at the edge stands for a mean beyond the axis, its value beside it ({}).",
            text::plural(means, "method")
        ));
    }
    let folds = summary
        .ranking
        .iter()
        .flat_map(|method| method.scores.iter().flatten())
        .filter(|score| outside(score));
    let folds = folds.count();
    if folds > 0 {
        notes.push(format!(
            "{} beyond the axis {} in the table of folds.",
            text::plural(folds, "fold score"),
            if folds == 1 { "is" } else { "are" }
        ));
    }
    notes
}
