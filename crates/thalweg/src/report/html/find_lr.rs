//! The page of a learning-rate range test.

use askama::Template;
use plotly::common::{HoverInfo, Line, Marker, MarkerSymbol, Mode, TickMode};
use plotly::layout::AxisType;
use plotly::{Plot, Scatter};

use super::charts::{self, COLORS, Chart, rounded};
use super::{HtmlError, text};
use crate::report::find_lr::sentences;
use crate::study::RateSearch;
use crate::study::verdict::title;

type Points = Scatter<f64, Option<f64>>;

const HEIGHT: usize = 460;
const RAW: &str = COLORS[6];
const SMOOTHED: &str = COLORS[0];
const STEEPEST: &str = COLORS[1];
const MINIMUM: &str = COLORS[2];

/// The test as one self-contained page.
///
/// # Errors
/// [`HtmlError::Template`] if the page cannot be written.
pub fn render(search: &RateSearch) -> Result<String, HtmlError> {
    let page = Page {
        search,
        title: title(&search.optimizer),
        facts: facts(search),
        sentences: sentences(search),
        suggestions: suggestions(search),
        chart: chart(search),
        from: text::rate(Some(search.test.from)),
        to: text::rate(Some(search.test.to)),
        raw: RAW,
        smoothed: SMOOTHED,
        lag: format!("{:.0}", search.test.beta / (1.0 - search.test.beta)),
        plotly: charts::plotly_script(),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "find_lr.html")]
struct Page<'a> {
    search: &'a RateSearch,
    title: &'a str,
    facts: Vec<(&'static str, String)>,
    sentences: Vec<String>,
    suggestions: Vec<Suggestion>,
    chart: Chart,
    from: String,
    to: String,
    raw: &'static str,
    smoothed: &'static str,
    /// By how many steps the average lags.
    lag: String,
    plotly: String,
}

/// A suggestion, as the legend and the chart mark it.
struct Suggestion {
    name: &'static str,
    rate: f64,
    text: String,
    color: &'static str,
    path: &'static str,
    symbol: MarkerSymbol,
}

fn suggestions(search: &RateSearch) -> Vec<Suggestion> {
    let suggestion = |name, rate: Option<f64>, color, symbol, path| {
        let rate = rate?;
        Some(Suggestion { name, rate, text: text::rate(Some(rate)), color, path, symbol })
    };
    let diamond = "M0,-6L6,0L0,6L-6,0z";
    let square = "M-5,-5h10v10h-10z";
    let found = search.suggestions;
    [
        suggestion("steepest descent", found.steepest_descent, STEEPEST, MarkerSymbol::Diamond, diamond),
        suggestion("minimum / 10", found.minimum_over_10, MINIMUM, MarkerSymbol::Square, square),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn facts(search: &RateSearch) -> Vec<(&'static str, String)> {
    let hidden: Vec<String> = search.hidden.iter().map(usize::to_string).collect();
    vec![
        ("Optimizer", format!("{} ({})", title(&search.optimizer), search.dialect)),
        ("Training rows", format!("{} of {}", text::count(search.train_rows), text::count(search.rows))),
        ("Network", search.network.clone()),
        ("Hidden layers", if hidden.is_empty() { "none".to_owned() } else { hidden.join(", ") }),
        ("Loss", search.loss.clone()),
        ("Batch size", search.batch_size.clone()),
        ("Steps", format!("{} of {}", search.points.len(), search.test.steps)),
    ]
}

fn chart(search: &RateSearch) -> Chart {
    let rates: Vec<f64> = search.points.iter().map(|point| point.learning_rate).collect();
    let (low, high) = loss_range(search);
    let mut plot = Plot::new();
    let raw = search.points.iter().map(|point| rounded(point.loss)).collect();
    plot.add_trace(
        Points::new(rates.clone(), raw)
            .mode(Mode::Lines)
            .opacity(0.6)
            .line(Line::new().color(RAW).width(1.0))
            .hover_info(HoverInfo::Skip),
    );
    let hover = search.points.iter().enumerate().map(|(index, point)| {
        format!(
            "step {}: rate {}<br>smoothed loss {}, loss of the batch {}",
            index + 1,
            text::rate(Some(point.learning_rate)),
            text::score(Some(point.smoothed)),
            text::score(Some(point.loss))
        )
    });
    plot.add_trace(
        Points::new(rates, search.points.iter().map(|point| rounded(point.smoothed)).collect())
            .mode(Mode::Lines)
            .line(Line::new().color(SMOOTHED).width(3.0))
            .hover_text_array(hover.collect())
            .hover_info(HoverInfo::Text),
    );
    for suggestion in suggestions(search) {
        plot.add_traces(marks(search, &suggestion, low, high));
    }
    let ticks = charts::log_ticks(search.test.from, search.test.to);
    // Every other label where there are many: a phone has room for five.
    let apart = if ticks.len() > 6 { 2 } else { 1 };
    let label = |(index, &tick): (usize, &f64)| {
        if index % apart == 0 { text::rate(Some(tick)) } else { String::new() }
    };
    let texts = ticks.iter().enumerate().map(label).collect();
    let pad = 0.02 * (search.test.to / search.test.from).log10();
    let x_axis = charts::axis("learning rate η")
        .type_(AxisType::Log)
        .tick_mode(TickMode::Array)
        .tick_values(ticks)
        .tick_text(texts)
        .range(vec![search.test.from.log10() - pad, search.test.to.log10() + pad]);
    let y_axis = charts::axis(&format!("{} loss", search.loss)).range(vec![low, high]);
    plot.set_layout(charts::layout(HEIGHT).x_axis(x_axis).y_axis(y_axis));
    plot.set_configuration(charts::configuration());
    let label = "The smoothed loss and the loss of each batch against the learning rate".to_owned();
    let beyond = search.points.iter().any(|point| point.loss > high || point.smoothed > high);
    let notes = if beyond { vec!["Larger losses lie above the axis.".to_owned()] } else { Vec::new() };
    Chart::new("range".to_owned(), &plot, label, HEIGHT, notes)
}

/// A line through the chart at the suggested rate, and a marker on the smoothed curve.
fn marks(search: &RateSearch, suggestion: &Suggestion, low: f64, high: f64) -> Vec<Box<dyn plotly::Trace>> {
    let Suggestion { rate, color, .. } = *suggestion;
    let distance = |learning_rate: f64| (learning_rate / rate).ln().abs();
    let nearest = search
        .points
        .iter()
        .min_by(|a, b| distance(a.learning_rate).total_cmp(&distance(b.learning_rate)))
        .and_then(|point| rounded(point.smoothed));
    let line = Points::new(vec![rate, rate], vec![rounded(low), rounded(high)])
        .mode(Mode::Lines)
        .line(Line::new().color(color).width(1.5).dash(plotly::common::DashType::Dash))
        .hover_info(HoverInfo::Skip);
    let marker = Points::new(vec![rate], vec![nearest])
        .mode(Mode::Markers)
        .marker(Marker::new().color(color).size(13).symbol(suggestion.symbol.clone()))
        .hover_text_array(vec![format!("{}: {}", suggestion.name, suggestion.text)])
        .hover_info(HoverInfo::Text);
    vec![line, marker]
}

/// From the lowest smoothed loss to somewhat above where the fall began: what explodes lies beyond.
fn loss_range(search: &RateSearch) -> (f64, f64) {
    let smoothed = || search.points.iter().map(|point| point.smoothed);
    let lowest = smoothed().fold(f64::INFINITY, f64::min);
    let lowest = if lowest.is_finite() { lowest } else { 0.0 };
    let to_lowest = smoothed().take_while(|&loss| loss > lowest).fold(lowest, f64::max);
    let top = if to_lowest > lowest { to_lowest } else { smoothed().fold(lowest, f64::max) };
    let height = (top - lowest).max(1e-3 * top.abs()).max(1e-9);
    ((lowest - 0.12 * height).max(if lowest >= 0.0 { -0.02 * height } else { f64::MIN }), top + 0.5 * height)
}
