//! `MaxPool`, `AveragePool`, `GlobalAveragePool` and `GlobalMaxPool`.

use thalweg_learn::nn::pool::PoolWindow;
use thalweg_learn::nn::pool::avg::AvgPool2dSpec;
use thalweg_learn::nn::pool::max::MaxPool2dSpec;

use super::{Order, Rows, Site};
use crate::model::onnx::graph::{Graph, Setting};

/// The largest number of each window; padding is −∞ in both.
pub(super) fn max(graph: &mut Graph, spec: &MaxPool2dSpec, rows: Rows) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let value = graph.node("MaxPool", &[&rows.value], &window(spec.0));
    rows.with(value)
}

/// The mean of each window; padding counts as zeros.
pub(super) fn average(graph: &mut Graph, spec: &AvgPool2dSpec, rows: Rows) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let mut settings = window(spec.0);
    settings.push(("count_include_pad", Setting::Int(1)));
    let value = graph.node("AveragePool", &[&rows.value], &settings);
    rows.with(value)
}

/// One number for each channel, by the operator of that name.
pub(super) fn global(graph: &mut Graph, operator: &str, rows: Rows, site: &Site<'_>) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let pooled = graph.node(operator, &[&rows.value], &[]);
    let value = graph.reshape(&pooled, &[site.output.len()]);
    rows.with(value)
}

fn window(window: PoolWindow) -> Vec<(&'static str, Setting)> {
    let (kernel, padding) = (window.kernel as i64, window.padding as i64);
    let stride = window.stride.unwrap_or(window.kernel) as i64;
    vec![
        ("kernel_shape", Setting::Ints(vec![kernel; 2])),
        ("strides", Setting::Ints(vec![stride; 2])),
        ("pads", Setting::Ints(vec![padding; 4])),
    ]
}
