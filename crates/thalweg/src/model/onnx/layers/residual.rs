//! `Add` of two ways.

use thalweg_learn::nn::residual::ResidualSpec;

use super::{Rows, Site, layers};
use crate::model::onnx::graph::Graph;

/// Nothing is left out when a model predicts: stochastic depth is of training only.
pub(super) fn convert(graph: &mut Graph, spec: &ResidualSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let prefix = |way: &str| format!("{}.{way}.", site.prefix);
    let body = layers(graph, &spec.body, rows.clone(), site.numbers, &prefix("body"));
    let shortcut = layers(graph, &spec.shortcut, rows, site.numbers, &prefix("shortcut"));
    let shortcut = shortcut.ordered(graph, body.order);
    let value = graph.node("Add", &[&body.value, &shortcut.value], &[]);
    body.with(value)
}
