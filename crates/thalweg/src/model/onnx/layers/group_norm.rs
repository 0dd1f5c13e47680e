//! Group normalization: `InstanceNormalization` of the groups, then each channel scaled and shifted. (The operator of that
//! name came with a later set of operators.)

use thalweg_learn::nn::Shape;
use thalweg_learn::nn::norm::group::{GroupNormSpec, usual_groups};

use super::{Order, Rows, Site};
use crate::model::onnx::graph::{Graph, Setting};

pub(super) fn convert(graph: &mut Graph, spec: &GroupNormSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let channels = rows.shape.channels();
    let groups = spec.groups.unwrap_or_else(|| usual_groups(channels));
    let grouped = graph.reshape(&rows.value, &[groups, rows.shape.len() / groups]);
    let one = graph.floats("ones", &[groups], &vec![1.0; groups]);
    let zero = graph.floats("zeros", &[groups], &vec![0.0; groups]);
    let epsilon = [("epsilon", Setting::Float(spec.epsilon as f32))];
    let normal = graph.node("InstanceNormalization", &[&grouped, &one, &zero], &epsilon);
    // One number a channel, for every pixel.
    let (sizes, each) = match rows.shape {
        Shape::Flat(features) => (vec![features], vec![channels]),
        Shape::Image { height, width, channels } => (vec![channels, height, width], vec![channels, 1, 1]),
    };
    let normal = graph.reshape(&normal, &sizes);
    let [scale, shift] = ["scale", "shift"].map(|part| {
        let (_, values) =
            site.numbers.find(&format!("{}.{part}", site.prefix)).expect("a normalization has both");
        graph.floats(part, &each, values)
    });
    let scaled = graph.node("Mul", &[&normal, &scale], &[]);
    let value = graph.node("Add", &[&scaled, &shift], &[]);
    rows.with(value)
}
