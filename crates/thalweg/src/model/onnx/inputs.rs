//! The preparation in ONNX: from raw columns to what the network sees.
//!
//! | raw | input |
//! |---|---|
//! | numbers | `float [N, 1]`, NaN = missing |
//! | dates | `float [N, 1]`, days since 1970-01-01T00:00, NaN = missing |
//! | booleans | `float [N, 1]`, 0 and 1, NaN = missing |
//! | categories | `string [N, 1]`, the empty text (and every text that means «missing» in a file) = missing |
//! | pixels | one input `image`, `float [N, height, width, channels]`, NaN = missing |
//!
//! Inputs are named as the columns. Computed as in training: in 64 bits, rounded once; what a 32-bit input cannot hold is
//! lost before.

use thalweg_data::prepare::{FeaturePlan, PixelPlan, ValuesPlan};
use thalweg_data::{ColumnKind, Form, Preparation, Schema};

use super::graph::{Graph, Setting, Value};
use super::proto::DataType;

/// The input of pixels.
const IMAGE: &str = "image";

/// The columns that were made so far, each with its place in a row.
#[derive(Default)]
struct Columns {
    parts: Vec<Value>,
    places: Vec<usize>,
}

impl Columns {
    fn push(&mut self, part: Value, places: impl IntoIterator<Item = usize>) {
        self.parts.push(part);
        self.places.extend(places);
    }
}

/// Adds the inputs and the preparation; answers the prepared rows, `[N, width]` or `[N, height, width, channels]`.
pub(super) fn prepare(graph: &mut Graph, preparation: &Preparation, schema: &Schema) -> Value {
    let plans = preparation.features();
    let inputs: Vec<Value> = match preparation.form() {
        Form::Images => Vec::new(),
        Form::Table | Form::Codes => schema
            .columns
            .iter()
            .map(|column| {
                let (kind, doc) = match &column.kind {
                    ColumnKind::Number => (DataType::Float, "a number; NaN is missing".to_owned()),
                    ColumnKind::Date => {
                        (DataType::Float, "days since 1970-01-01T00:00; NaN is missing".to_owned())
                    }
                    ColumnKind::Boolean([no, yes]) => {
                        (DataType::Float, format!("0 for «{no}», 1 for «{yes}»; NaN is missing"))
                    }
                    ColumnKind::Category => {
                        (DataType::String, "a text; the empty text is missing".to_owned())
                    }
                };
                graph.input(&column.name, kind, &[1], &doc)
            })
            .collect(),
    };
    let named: Vec<(&FeaturePlan<'_>, &Value)> = plans.iter().zip(&inputs).collect();
    let mut columns = Columns::default();
    numbers(graph, &named, &mut columns);
    number_gaps(graph, &named, &mut columns);
    for (plan, input) in &named {
        categories(graph, plan, input, &schema.missing_texts(), preparation.form(), &mut columns);
    }
    if let Some(plan) = preparation.pixels() {
        let image = pixels(graph, plan);
        if preparation.form() == Form::Images {
            return image;
        }
        let flat = graph.reshape(&image, &[plan.shape.len()]);
        columns.push(flat, plan.at..plan.at + plan.shape.len());
    }
    let all = graph.side_by_side(&columns.parts);
    in_order(graph, all, &columns.places)
}

/// All numbers at once: the median for what is missing, then (x − mean) / std.
fn numbers(graph: &mut Graph, named: &[(&FeaturePlan<'_>, &Value)], columns: &mut Columns) {
    let (mut inputs, mut places, mut medians, mut means, mut stds) = (vec![], vec![], vec![], vec![], vec![]);
    for (plan, input) in named {
        if let ValuesPlan::Number { at, median, standard } = &plan.values {
            inputs.push((*input).clone());
            places.push(*at);
            medians.push(*median);
            means.push(standard.mean);
            stds.push(standard.std);
        }
    }
    if inputs.is_empty() {
        return;
    }
    let raw = graph.side_by_side(&inputs);
    let raw = graph.cast(&raw, DataType::Double);
    let gaps = graph.node("IsNaN", &[&raw], &[]);
    let medians = graph.doubles("medians", &[1, places.len()], &medians);
    let whole = graph.node("Where", &[&gaps, &medians, &raw], &[]);
    let scaled = standardize(graph, &whole, &means, &stds);
    columns.push(scaled, places);
}

/// (x − mean) / std along the last axis, held within the finite numbers of 32 bits.
fn standardize(graph: &mut Graph, from: &Value, means: &[f64], stds: &[f64]) -> Value {
    let means = graph.doubles("means", &[means.len()], means);
    let stds = graph.doubles("deviations", &[stds.len()], stds);
    let shifted = graph.node("Sub", &[from, &means], &[]);
    let scaled = graph.node("Div", &[&shifted, &stds], &[]);
    let least = graph.doubles("least", &[], &[f64::from(f32::MIN)]);
    let most = graph.doubles("most", &[], &[f64::from(f32::MAX)]);
    let held = graph.node("Clip", &[&scaled, &least, &most], &[]);
    graph.cast(&held, DataType::Float)
}

/// The columns that say which numbers are missing.
fn number_gaps(graph: &mut Graph, named: &[(&FeaturePlan<'_>, &Value)], columns: &mut Columns) {
    let is_number = |plan: &FeaturePlan<'_>| {
        matches!(plan.values, ValuesPlan::Number { .. } | ValuesPlan::DroppedNumbers)
    };
    let (mut inputs, mut places) = (Vec::new(), Vec::new());
    for (plan, input) in named.iter().filter(|(plan, _)| is_number(plan)) {
        if let Some(at) = plan.indicator {
            inputs.push((*input).clone());
            places.push(at);
        }
    }
    if inputs.is_empty() {
        return;
    }
    let raw = graph.side_by_side(&inputs);
    let gaps = graph.node("IsNaN", &[&raw], &[]);
    let gaps = graph.cast(&gaps, DataType::Float);
    columns.push(gaps, places);
}

/// A category's columns, and the one that says where it is missing.
fn categories(
    graph: &mut Graph,
    plan: &FeaturePlan<'_>,
    input: &Value,
    missing: &[&str],
    form: Form,
    columns: &mut Columns,
) {
    if let ValuesPlan::Categories { at, one_hot, most_frequent } = &plan.values {
        let column = |level: &str| one_hot.column(level).map_or(-1, i64::from);
        let own = one_hot.width() - usize::from(one_hot.infrequent().is_some());
        let known = one_hot.level_names().take(own).map(|level| (level, column(level)));
        let gaps = missing.iter().map(|&text| (text, column(most_frequent)));
        let (texts, codes): (Vec<String>, Vec<i64>) =
            known.chain(gaps).map(|(text, code)| (text.to_owned(), code)).unzip();
        // A level that was not seen is infrequent, if some are, and none of the columns otherwise.
        let other = if one_hot.infrequent().is_some() { own as i64 } else { -1 };
        let code = graph.ml(
            "LabelEncoder",
            &[input],
            &[
                ("keys_strings", Setting::Strings(texts)),
                ("values_int64s", Setting::Ints(codes)),
                ("default_int64", Setting::Int(other)),
            ],
        );
        if form == Form::Codes {
            let one = graph.ints("one", &[], &[1]);
            let code = graph.node("Add", &[&code, &one], &[]);
            let code = graph.cast(&code, DataType::Float);
            columns.push(code, [*at]);
        } else {
            let every: Vec<i64> = (0..one_hot.width() as i64).collect();
            let every = graph.ints("columns", &[1, one_hot.width()], &every);
            let hot = graph.node("Equal", &[&code, &every], &[]);
            let hot = graph.cast(&hot, DataType::Float);
            columns.push(hot, *at..at + one_hot.width());
        }
    }
    let is_text = matches!(plan.values, ValuesPlan::Categories { .. } | ValuesPlan::DroppedCategories);
    if let Some(at) = plan.indicator.filter(|_| is_text) {
        let gap = graph.ml(
            "LabelEncoder",
            &[input],
            &[
                ("keys_strings", Setting::Strings(missing.iter().map(|&text| text.to_owned()).collect())),
                ("values_floats", Setting::Floats(vec![1.0; missing.len()])),
                ("default_float", Setting::Float(0.0)),
            ],
        );
        columns.push(gap, [at]);
    }
}

/// The pixels, standardized by channel; a missing one is its channel's mean, 0.
fn pixels(graph: &mut Graph, plan: PixelPlan<'_>) -> Value {
    let sizes = [plan.shape.height, plan.shape.width, plan.shape.channels];
    let doc = "pixels as they were in training, rows, columns, channels; NaN is missing";
    let raw = graph.input(IMAGE, DataType::Float, &sizes, doc);
    let (means, stds): (Vec<f64>, Vec<f64>) =
        plan.channels.iter().map(|standard| (standard.mean, standard.std)).unzip();
    let gaps = graph.node("IsNaN", &[&raw], &[]);
    let raw = graph.cast(&raw, DataType::Double);
    let scaled = standardize(graph, &raw, &means, &stds);
    let zero = graph.floats("zero", &[], &[0.0]);
    graph.node("Where", &[&gaps, &zero, &scaled], &[])
}

/// Columns in their places: `places` says where each of `all` belongs.
fn in_order(graph: &mut Graph, all: Value, places: &[usize]) -> Value {
    if places.iter().enumerate().all(|(at, &place)| at == place) {
        return all;
    }
    let mut order = vec![0_i64; places.len()];
    places.iter().enumerate().for_each(|(at, &place)| order[place] = at as i64);
    let order = graph.ints("order", &[order.len()], &order);
    graph.node("Gather", &[&all, &order], &[("axis", Setting::Int(1))])
}
