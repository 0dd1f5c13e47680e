//! Layers in ONNX: one file a kind. A layer that is added to the recipes' list is missing in [`layer`]'s table, and the
//! compiler says so.

mod activation;
mod batch_norm;
mod conv2d;
mod dense;
mod embedding;
mod group_norm;
mod layer_norm;
mod pool;
mod residual;

use thalweg_learn::nn::{Init, LayerSpec, Network, Sequence, Shape, spec};
use thalweg_optim::Layout;

use super::graph::{Graph, Value};

/// Rows on their way through the network.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) value: Value,
    pub(super) shape: Shape,
    pub(super) order: Order,
}

/// How the axes of an image lie; plain numbers have but one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Rows, columns, channels: ours.
    ChannelsLast,
    /// Channels, rows, columns: that of ONNX's convolutions.
    ChannelsFirst,
}

impl Rows {
    /// The same numbers with the axes in another order.
    fn ordered(self, graph: &mut Graph, order: Order) -> Self {
        if self.order == order || matches!(self.shape, Shape::Flat(_)) {
            return self;
        }
        let axes = match order {
            Order::ChannelsFirst => [0, 3, 1, 2],
            Order::ChannelsLast => [0, 2, 3, 1],
        };
        Self { value: graph.transpose(&self.value, axes), order, ..self }
    }

    fn with(self, value: Value) -> Self {
        Self { value, ..self }
    }
}

/// The network's numbers, by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) layout: &'a Layout,
    pub(super) w: &'a [f32],
    pub(super) buffer_layout: &'a Layout,
    pub(super) buffers: &'a [f32],
}

impl<'a> Numbers<'a> {
    pub(super) fn of(network: &'a Network<f32>, w: &'a [f32], buffers: &'a [f32]) -> Self {
        Self { layout: network.layout(), w, buffer_layout: network.buffers(), buffers }
    }

    /// The numbers of a name and their shape, if there are such.
    fn find(&self, name: &str) -> Option<(&'a [usize], &'a [f32])> {
        let all = [(self.layout, self.w), (self.buffer_layout, self.buffers)];
        all.into_iter().find_map(|(layout, numbers)| {
            let block = layout.blocks().iter().find(|block| block.name == name)?;
            Some((block.shape.as_slice(), &numbers[block.range.clone()]))
        })
    }
}

/// A layer's place in the network: whose numbers are its own.
pub(super) struct Site<'a> {
    numbers: Numbers<'a>,
    /// Such as `3.conv2d`.
    prefix: String,
    /// The shape behind it.
    output: Shape,
}

impl Site<'_> {
    /// A parameter or buffer as it lies in the network, if the layer has it.
    fn optional(&self, graph: &mut Graph, part: &str) -> Option<Value> {
        let name = format!("{}.{part}", self.prefix);
        let (sizes, values) = self.numbers.find(&name)?;
        Some(graph.floats(&name, sizes, values))
    }

    /// # Panics
    /// If the layer has none of that name: then it and its conversion do not speak of the same.
    fn constant(&self, graph: &mut Graph, part: &str) -> Value {
        let found = self.optional(graph, part);
        found.unwrap_or_else(|| panic!("there is no «{}.{part}» in the network", self.prefix))
    }
}

/// Adds layers in a row; their numbers' names start with `prefix`.
pub(super) fn layers(
    graph: &mut Graph,
    specs: &[LayerSpec],
    mut rows: Rows,
    numbers: Numbers<'_>,
    prefix: &str,
) -> Rows {
    for (index, spec) in specs.iter().enumerate() {
        let built: Sequence<f32> = spec::build(std::slice::from_ref(spec), rows.shape, Init::Auto)
            .expect("the network was built of the same layers");
        let name = built.layers().next().map_or("", |layer| layer.name());
        let output = thalweg_learn::nn::Layer::output(&built);
        let site = Site { numbers, prefix: format!("{prefix}{index}.{name}"), output };
        rows = layer(graph, spec, rows, &site);
        rows.shape = output;
    }
    rows
}

/// Adds one layer. What only training does (dropping out, noise) is nothing here.
fn layer(graph: &mut Graph, spec: &LayerSpec, rows: Rows, site: &Site<'_>) -> Rows {
    match spec {
        LayerSpec::Dense(_) => dense::convert(graph, rows, site),
        LayerSpec::Conv2d(spec) => conv2d::convert(graph, spec, rows, site),
        LayerSpec::MaxPool2d(spec) => pool::max(graph, spec, rows),
        LayerSpec::AvgPool2d(spec) => pool::average(graph, spec, rows),
        LayerSpec::GlobalAvgPool(_) => pool::global(graph, "GlobalAveragePool", rows, site),
        LayerSpec::GlobalMaxPool(_) => pool::global(graph, "GlobalMaxPool", rows, site),
        LayerSpec::BatchNorm(spec) => batch_norm::convert(graph, spec, rows, site),
        LayerSpec::LayerNorm(spec) => layer_norm::convert(graph, spec, rows, site),
        LayerSpec::GroupNorm(spec) => group_norm::convert(graph, spec, rows, site),
        LayerSpec::Embedding(spec) => embedding::convert(graph, spec, rows, site),
        LayerSpec::DropConnect(spec) => layer(graph, &spec.inner, rows, site),
        LayerSpec::Dropout(_) | LayerSpec::SpatialDropout(_) | LayerSpec::MixPoint(_) => rows,
        LayerSpec::Flatten(_) => flatten(graph, rows, site),
        LayerSpec::Activation(spec) => {
            let value = activation::convert(graph, spec.function, &rows.value);
            rows.with(value)
        }
        LayerSpec::Residual(spec) => residual::convert(graph, spec, rows, site),
    }
}

/// An image's numbers in a row, in our order.
fn flatten(graph: &mut Graph, rows: Rows, site: &Site<'_>) -> Rows {
    if matches!(rows.shape, Shape::Flat(_)) {
        return rows;
    }
    let rows = rows.ordered(graph, Order::ChannelsLast);
    let value = graph.reshape(&rows.value, &[site.output.len()]);
    rows.with(value)
}
