//! `Conv`.

use thalweg_learn::nn::conv2d::Conv2dSpec;

use super::{Order, Rows, Site};
use crate::model::onnx::graph::{Graph, Setting};

/// Our weights `[height, width, channels / groups, filters]` become `[filters, channels / groups, height, width]`.
pub(super) fn convert(graph: &mut Graph, spec: &Conv2dSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let rows = rows.ordered(graph, Order::ChannelsFirst);
    let name = format!("{}.weight", site.prefix);
    let (sizes, ours) = site.numbers.find(&name).expect("a convolution has weights");
    let &[height, width, channels, filters] = sizes else { panic!("«{name}» has not four axes") };
    let theirs: Vec<f32> = (0..filters)
        .flat_map(|filter| (0..channels).map(move |channel| (filter, channel)))
        .flat_map(|(filter, channel)| {
            (0..height * width).map(move |tap| ours[(tap * channels + channel) * filters + filter])
        })
        .collect();
    let weight = graph.floats(&name, &[filters, channels, height, width], &theirs);
    let bias = site.optional(graph, "bias");
    let inputs: Vec<_> = [Some(&rows.value), Some(&weight), bias.as_ref()].into_iter().flatten().collect();
    let (stride, dilation) = (spec.stride as i64, spec.dilation as i64);
    // As the layer's own default: so many zeros that stride 1 keeps the size.
    let padding = spec.padding.unwrap_or(spec.dilation * (spec.kernel - 1) / 2) as i64;
    let settings = [
        ("kernel_shape", Setting::Ints(vec![height as i64, width as i64])),
        ("strides", Setting::Ints(vec![stride; 2])),
        ("pads", Setting::Ints(vec![padding; 4])),
        ("dilations", Setting::Ints(vec![dilation; 2])),
        ("group", Setting::Int(spec.groups as i64)),
    ];
    let value = graph.node("Conv", &inputs, &settings);
    rows.with(value)
}
