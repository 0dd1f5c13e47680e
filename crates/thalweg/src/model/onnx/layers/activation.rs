//! Activations: an operator each, or a few.

use thalweg_learn::nn::Activation;

use crate::model::onnx::graph::{Graph, Setting, Value};

pub(super) fn convert(graph: &mut Graph, function: Activation, x: &Value) -> Value {
    match function {
        Activation::Relu => graph.node("Relu", &[x], &[]),
        Activation::Tanh => graph.node("Tanh", &[x], &[]),
        Activation::Sigmoid => graph.node("Sigmoid", &[x], &[]),
        Activation::LeakyRelu => graph.node("LeakyRelu", &[x], &[("alpha", Setting::Float(0.01))]),
        Activation::Elu => graph.node("Elu", &[x], &[("alpha", Setting::Float(1.0))]),
        Activation::Softplus => graph.node("Softplus", &[x], &[]),
        Activation::Silu => {
            let gate = graph.node("Sigmoid", &[x], &[]);
            graph.node("Mul", &[x, &gate], &[])
        }
        Activation::Gelu => gelu(graph, x),
    }
}

/// ½·x·(1 + erf(x/√2)): the operator of that name came with a later set of operators.
fn gelu(graph: &mut Graph, x: &Value) -> Value {
    let mut number = |value: f32| graph.floats("number", &[], &[value]);
    let (root, one, half) = (number(std::f32::consts::FRAC_1_SQRT_2), number(1.0), number(0.5));
    let scaled = graph.node("Mul", &[x, &root], &[]);
    let erf = graph.node("Erf", &[&scaled], &[]);
    let twice = graph.node("Add", &[&erf, &one], &[]);
    let share = graph.node("Mul", &[&twice, &half], &[]);
    graph.node("Mul", &[x, &share], &[])
}
