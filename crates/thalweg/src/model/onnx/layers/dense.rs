//! `Gemm`: y = x·W + b.

use super::{Rows, Site};
use crate::model::onnx::graph::Graph;

/// W is `[inputs, outputs]` in both.
pub(super) fn convert(graph: &mut Graph, rows: Rows, site: &Site<'_>) -> Rows {
    let weight = site.constant(graph, "weight");
    let bias = site.optional(graph, "bias");
    let inputs: Vec<_> = [Some(&rows.value), Some(&weight), bias.as_ref()].into_iter().flatten().collect();
    let value = graph.node("Gemm", &inputs, &[]);
    rows.with(value)
}
