//! A graph under construction: nodes in order, each value with a name of its own.

use std::collections::HashSet;

use super::proto::{self, DataType};

/// The name of a value in the graph.
pub(super) type Value = String;

/// The domain of the operators for classical models: `LabelEncoder` among them.
pub(super) const ML: &str = "ai.onnx.ml";

/// Nodes, constants, inputs and outputs so far.
#[derive(Debug, Default)]
pub(super) struct Graph {
    graph: proto::Graph,
    taken: HashSet<String>,
}

/// A setting of a node.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Strings(Vec<String>),
}

impl Graph {
    /// `name`, or if it is taken the name with underscores behind it.
    pub(super) fn fresh(&mut self, name: &str) -> Value {
        let mut name = name.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// An input of the model; `sizes` are those behind the number of rows.
    pub(super) fn input(&mut self, name: &str, kind: DataType, sizes: &[usize], doc: &str) -> Value {
        let name = self.fresh(name);
        self.graph.input.push(described(&name, kind, sizes, doc));
        name
    }

    /// Makes a value an output of the model.
    pub(super) fn output(&mut self, name: &str, from: &Value, kind: DataType, sizes: &[usize], doc: &str) {
        let name = self.fresh(name);
        self.push("", "Identity", &[from], vec![name.clone()], &[]);
        self.graph.output.push(described(&name, kind, sizes, doc));
    }

    /// A node of one output, which it answers.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&Value], settings: &[(&str, Setting)]) -> Value {
        self.of_domain("", operator, inputs, settings)
    }

    /// The same of the operators in [`ML`].
    pub(super) fn ml(&mut self, operator: &str, inputs: &[&Value], settings: &[(&str, Setting)]) -> Value {
        self.of_domain(ML, operator, inputs, settings)
    }

    /// A tensor of another type.
    pub(super) fn cast(&mut self, from: &Value, to: DataType) -> Value {
        self.node("Cast", &[from], &[("to", Setting::Int(to as i64))])
    }

    /// Several side by side, along the last of two axes; one alone stays as it is.
    pub(super) fn side_by_side(&mut self, parts: &[Value]) -> Value {
        match parts {
            [only] => only.clone(),
            _ => self.node("Concat", &parts.iter().collect::<Vec<_>>(), &[("axis", Setting::Int(1))]),
        }
    }

    /// Rows of another shape: `sizes` behind the number of rows.
    pub(super) fn reshape(&mut self, from: &Value, sizes: &[usize]) -> Value {
        // 0 takes over the size that is there.
        let sizes: Vec<i64> = std::iter::once(0).chain(sizes.iter().map(|&size| size as i64)).collect();
        let shape = self.ints("shape", &[sizes.len()], &sizes);
        self.node("Reshape", &[from, &shape], &[])
    }

    /// The axes in another order.
    pub(super) fn transpose(&mut self, from: &Value, order: [i64; 4]) -> Value {
        self.node("Transpose", &[from], &[("perm", Setting::Ints(order.to_vec()))])
    }

    /// A constant of 32 bits.
    pub(super) fn floats(&mut self, name: &str, sizes: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Float, sizes, bytes, values.len())
    }

    /// A constant of 64 bits.
    pub(super) fn doubles(&mut self, name: &str, sizes: &[usize], values: &[f64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Double, sizes, bytes, values.len())
    }

    /// A constant of whole numbers.
    pub(super) fn ints(&mut self, name: &str, sizes: &[usize], values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Int64, sizes, bytes, values.len())
    }

    /// The finished graph.
    pub(super) fn finish(mut self, name: &str) -> proto::Graph {
        name.clone_into(&mut self.graph.name);
        self.graph
    }

    fn constant(&mut self, name: &str, kind: DataType, sizes: &[usize], bytes: Vec<u8>, len: usize) -> Value {
        assert_eq!(sizes.iter().product::<usize>(), len, "«{name}» has not as many numbers as its shape");
        let name = self.fresh(name);
        self.graph.initializer.push(proto::Tensor {
            dims: sizes.iter().map(|&size| size as i64).collect(),
            data_type: kind as i32,
            name: name.clone(),
            raw_data: Some(bytes),
        });
        name
    }

    fn of_domain(
        &mut self,
        domain: &str,
        operator: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting)],
    ) -> Value {
        let name = self.fresh(&operator.to_lowercase());
        self.push(domain, operator, inputs, vec![name.clone()], settings);
        name
    }

    fn push(
        &mut self,
        domain: &str,
        operator: &str,
        inputs: &[&Value],
        outputs: Vec<Value>,
        settings: &[(&str, Setting)],
    ) {
        self.graph.node.push(proto::Node {
            input: inputs.iter().map(|&input| input.clone()).collect(),
            name: format!("make {}", outputs[0]),
            output: outputs,
            op_type: operator.to_owned(),
            attribute: settings.iter().map(|(name, setting)| attribute(name, setting)).collect(),
            domain: domain.to_owned(),
        });
    }
}

fn attribute(name: &str, setting: &Setting) -> proto::Attribute {
    let mut attribute = proto::Attribute { name: name.to_owned(), ..proto::Attribute::default() };
    // The numbers of `AttributeProto.AttributeType`.
    attribute.r#type = match setting.clone() {
        Setting::Float(value) => {
            attribute.f = Some(value);
            1
        }
        Setting::Int(value) => {
            attribute.i = Some(value);
            2
        }
        Setting::Floats(values) => {
            attribute.floats = values;
            6
        }
        Setting::Ints(values) => {
            attribute.ints = values;
            7
        }
        Setting::Strings(values) => {
            attribute.strings = values.into_iter().map(String::into_bytes).collect();
            8
        }
    };
    attribute
}

/// A tensor of N rows.
fn described(name: &str, kind: DataType, sizes: &[usize], doc: &str) -> proto::ValueInfo {
    let rows = proto::Dimension { dim_param: Some("N".to_owned()), dim_value: None };
    let sizes = sizes.iter().map(|&size| proto::Dimension { dim_value: Some(size as i64), dim_param: None });
    let shape = proto::TensorShape { dim: std::iter::once(rows).chain(sizes).collect() };
    let tensor = proto::TensorType { elem_type: kind as i32, shape: Some(shape) };
    proto::ValueInfo {
        name: name.to_owned(),
        r#type: Some(proto::Type { tensor_type: Some(tensor) }),
        doc_string: doc.to_owned(),
    }
}
