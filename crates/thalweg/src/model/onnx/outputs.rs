//! From the network's outputs to what the model says: probabilities and a label, or a value in the target's own unit.

use thalweg_data::prepare::standardize::Standard;
use thalweg_learn::nn::Loss;

use super::graph::{Graph, Setting, Value};
use super::proto::DataType;

/// Adds the outputs `probabilities` and `label`.
///
/// # Panics
/// If the loss is not one of classes.
pub(super) fn classes(graph: &mut Graph, outputs: &Value, loss: Loss, names: &[String]) {
    let probabilities = match loss {
        Loss::CrossEntropy => graph.node("Softmax", &[outputs], &[("axis", Setting::Int(1))]),
        Loss::Binary => {
            let against = graph.node("Neg", &[outputs], &[]);
            let (no, yes) = (graph.node("Sigmoid", &[&against], &[]), graph.node("Sigmoid", &[outputs], &[]));
            graph.side_by_side(&[no, yes])
        }
        Loss::SquaredError | Loss::AbsoluteError => panic!("the loss {} has no probabilities", loss.name()),
    };
    let settings = [("axis", Setting::Int(1)), ("keepdims", Setting::Int(0))];
    let code = graph.node("ArgMax", &[&probabilities], &settings);
    let label = graph.ml(
        "LabelEncoder",
        &[&code],
        &[
            ("keys_int64s", Setting::Ints((0..names.len() as i64).collect())),
            ("values_strings", Setting::Strings(names.to_vec())),
        ],
    );
    let doc = format!("the probability of each class: {}", names.join(", "));
    graph.output("probabilities", &probabilities, DataType::Float, &[names.len()], &doc);
    graph.output("label", &label, DataType::String, &[], "the most probable class");
}

/// Adds the output `value`.
pub(super) fn value(graph: &mut Graph, outputs: &Value, target: Standard, name: &str) {
    let wide = graph.cast(outputs, DataType::Double);
    let std = graph.doubles("target deviation", &[], &[target.std]);
    let mean = graph.doubles("target mean", &[], &[target.mean]);
    let scaled = graph.node("Mul", &[&wide, &std], &[]);
    let shifted = graph.node("Add", &[&scaled, &mean], &[]);
    let value = graph.cast(&shifted, DataType::Float);
    graph.output("value", &value, DataType::Float, &[1], &format!("«{name}» in its own unit"));
}
