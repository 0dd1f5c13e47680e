//! A model as an ONNX file, its preparation included: raw columns in, probabilities or values out.
//!
//! The operators are those of ONNX 1.12 (set 17) and of `ai.onnx.ml` (set 3). The inputs are described in `inputs.rs`; the
//! outputs are `probabilities` `[N, classes]` and `label` `[N]`, or `value` `[N, 1]` in the target's own unit. Where a column
//! has the name of an output, or of the input `image`, that one gets an underscore.

mod graph;
mod inputs;
mod layers;
mod outputs;
mod proto;

use prost::Message;
use thalweg_data::Form;
use thalweg_learn::nn::architecture::with_head;
use thalweg_learn::nn::{Init, Sequence, spec};
use thalweg_learn::train::NetworkSpec;

use self::graph::{Graph, ML};
use self::layers::{Numbers, Order, Rows};
use super::SavedModel;

/// The version of the format, and of the two sets of operators.
const IR: i64 = 8;
const OPERATORS: [(&str, i64); 2] = [("", 17), (ML, 3)];

/// The bytes of the ONNX file.
pub(super) fn export(saved: &SavedModel) -> Vec<u8> {
    let mut graph = Graph::default();
    let (model, schema) = (&saved.model, &saved.schema);
    let network = model.network();
    let prepared = inputs::prepare(&mut graph, &saved.preparation, schema);
    let specs = {
        let body = saved.recipe.layers();
        let built: Sequence<f32> = spec::build(&body, network.input(), Init::Auto)
            .expect("the network was built of the same layers");
        with_head(body, thalweg_learn::nn::Layer::output(&built), network.outputs())
    };
    let rows = Rows { value: prepared, shape: network.input(), order: Order::ChannelsLast };
    let numbers = Numbers::of(network, model.parameters(), model.buffers());
    let outputs = layers::layers(&mut graph, &specs, rows, numbers, "").value;
    match (&schema.target.classes, saved.preparation.target()) {
        (Some(names), _) => outputs::classes(&mut graph, &outputs, saved.recipe.loss, names),
        (None, Some(target)) => outputs::value(&mut graph, &outputs, target, &schema.target.name),
        (None, None) => unreachable!("a model predicts classes or numbers"),
    }
    let property = |key: &str, value: String| proto::Property { key: key.to_owned(), value };
    let form = match saved.preparation.form() {
        Form::Table => "table",
        Form::Images => "images",
        Form::Codes => "codes",
    };
    let network_name = match &saved.recipe.network {
        NetworkSpec::Named(architecture) => architecture.name().to_owned(),
        NetworkSpec::Layers(_) => "a list of layers".to_owned(),
    };
    let model = proto::Model {
        ir_version: IR,
        producer_name: "thalweg".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!(
            "Predicts «{}» from raw columns; the preparation is included.",
            schema.target.name
        ),
        graph: Some(graph.finish(&saved.data)),
        opset_import: OPERATORS
            .map(|(domain, version)| proto::OperatorSet { domain: domain.to_owned(), version })
            .to_vec(),
        metadata_props: vec![
            property("target", schema.target.name.clone()),
            property("form", form.to_owned()),
            property("network", network_name),
        ],
    };
    model.encode_to_vec()
}
