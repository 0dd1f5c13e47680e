//! What all charts share: the script that draws them, how a method looks, which part of a score axis is worth showing.

use plotly::common::{DashType, Font, Label, MarkerSymbol, Title};
use plotly::configuration::DisplayModeBar;
use plotly::layout::{Axis, DragMode, HoverMode, Margin};
use plotly::{Configuration, Layout, Plot};

use super::text;
use crate::study::{Summary, verdict};

/// Colours that keep at least 3 : 1 against the light and the dark page and differ for all common kinds of colour
/// vision; four of them are those of Okabe and Ito (Color Universal Design, 2008). Dashes and markers differ too.
pub(super) const COLORS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#c46d9d", "#a88200", "#8a63d2", "#808080"];

const DASHES: [(DashType, &str); 4] =
    [(DashType::Solid, ""), (DashType::Dash, "6 4"), (DashType::Dot, "2 3"), (DashType::DashDot, "7 3 2 3")];

/// Each marker as the charts know it, and as a path around (0, 0) for the legend.
const MARKERS: [(MarkerSymbol, &str); 7] = [
    (MarkerSymbol::Circle, "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z"),
    (MarkerSymbol::Square, "M-4,-4h8v8h-8z"),
    (MarkerSymbol::Diamond, "M0,-5L5,0L0,5L-5,0z"),
    (MarkerSymbol::TriangleUp, "M0,-5L5,4H-5z"),
    (MarkerSymbol::Star, "M0,-6L1.4,-1.9H5.7L2.2,0.7L3.5,4.9L0,2.3L-3.5,4.9L-2.2,0.7L-5.7,-1.9H-1.4z"),
    (MarkerSymbol::Hexagon, "M0,-5L4.3,-2.5V2.5L0,5L-4.3,2.5V-2.5z"),
    (MarkerSymbol::Pentagon, "M0,-5L4.8,-1.5L2.9,4H-2.9L-4.8,-1.5z"),
];

/// A chart, ready for the page.
pub(super) struct Chart {
    /// Its element's name, unique in the page.
    pub(super) id: String,
    /// Its data, layout and configuration, safe inside a script element.
    pub(super) json: String,
    /// What a screen reader says.
    pub(super) label: String,
    /// Pixels.
    pub(super) height: usize,
    /// What the reader should know beside the picture.
    pub(super) notes: Vec<String>,
}

impl Chart {
    pub(super) fn new(id: String, plot: &Plot, label: String, height: usize, notes: Vec<String>) -> Self {
        Self { id, json: script_safe(&plot.to_json()), label, height, notes }
    }
}

/// The script that draws the charts, as a script element. Its crate bundles another for formulas, which no chart
/// here has: half the weight of the page is saved without it.
pub(super) fn plotly_script() -> String {
    let mut scripts = Plot::offline_js_sources();
    const END: &str = "</script>";
    if let Some(end) = scripts.find(END) {
        scripts.truncate(end + END.len());
    }
    scripts
}

/// JSON that cannot end the script element it stands in: outside of its strings these characters do not occur, and
/// inside they may be escaped.
pub(super) fn script_safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => safe.push(other),
        }
    }
    safe
}

/// A name as a chart's label: charts read a little HTML, so it is escaped.
pub(super) fn label(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number with five significant digits: what a chart can show, at a third of the bytes.
pub(super) fn rounded(value: f64) -> Option<f64> {
    if value.is_finite() { format!("{value:.4e}").parse().ok() } else { None }
}

/// How one method looks in every chart.
#[derive(Clone)]
pub(super) struct Style {
    pub(super) color: &'static str,
    pub(super) dash: DashType,
    pub(super) marker: MarkerSymbol,
    dash_array: &'static str,
    marker_path: &'static str,
}

impl Style {
    fn of(index: usize) -> Self {
        let round = index / COLORS.len();
        let (dash, dash_array) = DASHES[round % DASHES.len()].clone();
        let (marker, marker_path) = MARKERS[(index + round) % MARKERS.len()].clone();
        Self { color: COLORS[index % COLORS.len()], dash, marker, dash_array, marker_path }
    }
}

/// How a method looks where a page draws by itself: its colour, its dashes and its marker as a path around (0, 0).
pub(super) fn look(index: usize) -> (&'static str, &'static str, &'static str) {
    let Style { color, dash_array, marker_path, .. } = Style::of(index);
    (color, dash_array, marker_path)
}

/// How each method of a ranking looks.
pub(super) struct Styles {
    titles: Vec<String>,
}

/// A method in the legend.
pub(super) struct LegendItem {
    pub(super) index: usize,
    pub(super) title: String,
    pub(super) color: &'static str,
    pub(super) dash_array: &'static str,
    pub(super) marker_path: &'static str,
}

impl Styles {
    pub(super) fn new(summary: &Summary) -> Self {
        let title = |name: &String| verdict::title(name).to_owned();
        Self { titles: summary.ranking.iter().map(|method| title(&method.method)).collect() }
    }

    /// The look of the method with this place in the ranking.
    pub(super) fn of(&self, index: usize) -> Style {
        Style::of(index)
    }

    /// The method's whole name, as a chart's label.
    pub(super) fn title(&self, index: usize) -> String {
        label(&self.titles[index])
    }

    /// Its name, cut to fit an axis.
    pub(super) fn short_title(&self, index: usize) -> String {
        label(&text::shorten(&self.titles[index], 18))
    }

    pub(super) fn legend(&self) -> Vec<LegendItem> {
        let item = |(index, title): (usize, &String)| {
            let Style { color, dash_array, marker_path, .. } = Style::of(index);
            LegendItem { index, title: title.clone(), color, dash_array, marker_path }
        };
        self.titles.iter().enumerate().map(item).collect()
    }
}

/// The layout that all charts start from. The page's style sheet colours text and grid, for light, dark and print.
pub(super) fn layout(height: usize) -> Layout {
    let font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
    Layout::new()
        .auto_size(true)
        .height(height)
        .show_legend(false)
        .font(Font::new().family(font).size(13))
        .paper_background_color("rgba(0,0,0,0)")
        .plot_background_color("rgba(0,0,0,0)")
        .margin(Margin::new().left(56).right(16).top(12).bottom(48))
        .hover_mode(HoverMode::Closest)
        .hover_label(Label::new().align("left"))
        // Dragging scrolls the page on a phone; nobody should get lost in a zoomed chart.
        .drag_mode(DragMode::False)
}

/// The configuration of all charts: no tool bar, no link to anywhere.
pub(super) fn configuration() -> Configuration {
    Configuration::new()
        .responsive(true)
        .display_mode_bar(DisplayModeBar::False)
        .display_logo(false)
        .show_link(false)
        .show_edit_in_chart_studio(false)
        .typeset_math(false)
        .plotly_server_url("")
        .topojson_url("")
}

/// An axis with a title, a light grid and no line through zero.
pub(super) fn axis(title: &str) -> Axis {
    let title = Title::with_text(title).font(Font::new().size(13));
    Axis::new().title(title).zero_line(false).show_grid(true).auto_margin(true).fixed_range(true)
}

/// Ticks of a logarithmic axis between two positive numbers: the powers of ten, and where there are fewer than three
/// of them, their multiples by two and five as well.
pub(super) fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let within = |multiples: &[f64]| {
        // Powers of ten as they are written: 0.001, and not 0.0010000000000000002.
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let powers = decades.filter_map(|exponent| format!("1e{exponent}").parse::<f64>().ok());
        let all = powers.flat_map(|power| multiples.iter().map(move |multiple| multiple * power));
        all.filter(|tick| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(tick)).collect::<Vec<_>>()
    };
    let powers = within(&[1.0]);
    if powers.len() >= 3 { powers } else { within(&[1.0, 2.0, 5.0]) }
}

/// The part of a score axis that is worth showing.
///
/// A method that fails can score a million times worse than the others; on an axis that reaches it, all others look
/// alike. So the axis reaches from the best score only so far towards the worse ones; what lies beyond is drawn at
/// the edge, marked and told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// The lower end of the axis.
    pub(super) low: f64,
    /// The upper end.
    pub(super) high: f64,
    higher_is_better: bool,
}

impl Window {
    /// The window over `scores`, which reaches from the best of them to the worst, but at most `reach`, or four times
    /// the median distance from the best if that is more.
    pub(super) fn new(scores: &[f64], reach: f64, higher_is_better: bool) -> Self {
        let sign = if higher_is_better { 1.0 } else { -1.0 };
        let mut costs: Vec<f64> =
            scores.iter().filter(|score| score.is_finite()).map(|score| -sign * score).collect();
        costs.sort_by(f64::total_cmp);
        let best = costs.first().copied().unwrap_or(0.0);
        let median = costs.get(costs.len() / 2).copied().unwrap_or(1.0);
        let worst = costs.last().copied().unwrap_or(1.0).min(best + reach.max(4.0 * (median - best)));
        // Equal scores still get an axis of some length.
        let shortest = (best.abs() * 1e-3).max(1e-9);
        let pad = if worst - best < shortest { shortest } else { 0.06 * (worst - best) };
        let ends = [-sign * (best - pad), -sign * (worst + pad)];
        Self { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]), higher_is_better }
    }

    /// Whether a score can be shown where it is.
    pub(super) fn holds(&self, score: f64) -> bool {
        (self.low..=self.high).contains(&score)
    }

    /// Widens the window so that it holds `score`, if it need not become more than half as wide again.
    pub(super) fn widened(mut self, score: f64) -> Self {
        let room = 0.5 * (self.high - self.low);
        if (self.low - room..=self.high + room).contains(&score) {
            let pad = 0.03 * (self.high - self.low);
            if score < self.low + pad {
                self.low = score - pad;
            }
            if score > self.high - pad {
                self.high = score + pad;
            }
        }
        self
    }

    /// A little inside the edge where bad scores are; further inside for each of `above`, so that marks pile up.
    pub(super) fn worst_edge(&self, above: usize) -> f64 {
        let inset = (0.02 + 0.035 * (above % 20) as f64) * (self.high - self.low);
        if self.higher_is_better { self.low + inset } else { self.high - inset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_its_script() {
        let json = serde_json::to_string("</script><!-- & \u{2028}").unwrap();
        let safe = script_safe(&json);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}']), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!-- & \u{2028}");
    }

    /// The contrast of two colours (WCAG 2.2).
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |color: &str| {
            let linear = |at: usize| {
                let c = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_stands_out_on_both_pages() {
        for color in COLORS {
            for page in ["#ffffff", "#14171c"] {
                assert!(contrast(color, page) >= 3.0, "{color} on {page}: {}", contrast(color, page));
            }
        }
    }

    #[test]
    fn twenty_eight_methods_all_look_different() {
        let looks: std::collections::BTreeSet<String> = (0..28)
            .map(Style::of)
            .map(|s| format!("{} {} {}", s.color, s.dash_array, s.marker_path))
            .collect();
        assert_eq!(looks.len(), 28);
    }

    #[test]
    fn logarithmic_axes_have_round_ticks() {
        assert_eq!(log_ticks(1e-4, 1.0), [1e-4, 1e-3, 1e-2, 1e-1, 1.0]);
        assert_eq!(log_ticks(0.3, 3.0), [0.5, 1.0, 2.0]);
        assert_eq!(log_ticks(0.01, 0.01), [0.01]);
    }

    #[test]
    fn a_window_leaves_out_what_would_flatten_the_rest() {
        let window = Window::new(&[0.97, 0.96, 0.95, -1e6], 0.0, true);
        assert!(window.holds(0.97) && window.holds(0.95) && !window.holds(-1e6), "{window:?}");
        let costs = Window::new(&[1.0, 1.1, 1.2, 1e9], 0.0, false);
        assert!(costs.holds(1.2) && !costs.holds(1e9) && costs.worst_edge(0) > 1.2, "{costs:?}");
        let flat = Window::new(&[0.5, 0.5], 0.0, true);
        assert!(flat.low < 0.5 && flat.high > 0.5);
        assert!(Window::new(&[], 0.0, true).low.is_finite());
        assert!(flat.widened(0.5008).holds(0.5008) && !flat.widened(0.1).holds(0.1));
    }
}
