//! `Gather` of each code's vector, behind the numbers.

use thalweg_learn::nn::embedding::EmbeddingSpec;

use super::{Rows, Site};
use crate::model::onnx::graph::{Graph, Setting, Value};
use crate::model::onnx::proto::DataType;

pub(super) fn convert(graph: &mut Graph, spec: &EmbeddingSpec, rows: Rows, site: &Site<'_>) -> Rows {
    let numbers = rows.shape.len() - spec.codes.len();
    let along = [("axis", Setting::Int(1))];
    let mut parts: Vec<Value> = Vec::new();
    if numbers > 0 {
        let columns: Vec<i64> = (0..numbers as i64).collect();
        let columns = graph.ints("numbers", &[numbers], &columns);
        parts.push(graph.node("Gather", &[&rows.value, &columns], &along));
    }
    for index in 0..spec.codes.len() {
        // A place without axes: one number a row.
        let column = graph.ints("column", &[], &[(numbers + index) as i64]);
        let code = graph.node("Gather", &[&rows.value, &column], &along);
        let code = graph.cast(&code, DataType::Int64);
        let table = site.constant(graph, &format!("table{index}"));
        parts.push(graph.node("Gather", &[&table, &code], &[("axis", Setting::Int(0))]));
    }
    let value = graph.side_by_side(&parts);
    rows.with(value)
}
