//! `LayerNormalization` over all numbers of a row.

use thalweg_learn::nn::norm::layer::LayerNormSpec;

use super::{Order, Rows, Site};
use crate::model::onnx::graph::{Graph, Setting};

/// An image's scales and shifts lie as our images do.
pub(super) fn convert(graph: &mut Graph, spec: &LayerNormSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsLast);
    let (scale, shift) = (site.constant(graph, "scale"), site.constant(graph, "shift"));
    let settings = [("axis", Setting::Int(1)), ("epsilon", Setting::Float(spec.epsilon as f32))];
    let value = graph.node("LayerNormalization", &[&rows.value, &scale, &shift], &settings);
    rows.with(value)
}
