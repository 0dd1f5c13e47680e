//! `BatchNormalization` with the running statistics.

use thalweg_learn::nn::norm::batch::BatchNormSpec;

use super::{Order, Rows, Site};
use crate::model::onnx::graph::{Graph, Setting};

pub(super) fn convert(graph: &mut Graph, spec: &BatchNormSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let parts = ["scale", "shift", "running_mean", "running_variance"].map(|part| site.constant(graph, part));
    let inputs: Vec<_> = std::iter::once(&rows.value).chain(&parts).collect();
    let epsilon = [("epsilon", Setting::Float(spec.epsilon as f32))];
    let value = graph.node("BatchNormalization", &inputs, &epsilon);
    rows.with(value)
}
