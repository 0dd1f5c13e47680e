//! States in other forms: safetensors files, and PyTorch's `state_dict`.

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::state::torch::{Parameter, TorchTensor};
use thalweg_optim::state::{Tensor, Values};
use thalweg_optim::{Layout, Optimizer, OptimizerSpec, Role, StateDict};

/// Made by Python's package: `safetensors.numpy.save` of the three arrays that the test names, as a dict.
const FROM_PYTHON: &[u8] = include_bytes!("../goldens/adam_state.safetensors");

/// A state of Adam after a few steps, with everything in it that a file must keep.
fn adam() -> (Box<dyn Optimizer<f32>>, Vec<u8>) {
    let mut adam = OptimizerSpec::named("adam").build::<f32>(&layout()).expect("in range");
    let mut w = [0.5_f32; 8];
    for step in 0..3 {
        let grad: Vec<f32> = (0..8).map(|i| (i as f32 - 3.5) * 0.3 + step as f32).collect();
        adam.step_with(&mut w, &grad, 0.01).expect("no look-ahead");
    }
    let bytes = adam.save().to_safetensors("adam");
    (adam, bytes)
}

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[2, 3], Role::Weight);
    layout.push("bias", &[2], Role::Bias);
    layout
}

#[test]
fn a_file_that_python_s_package_made_is_read() {
    let state = StateDict::from_safetensors(FROM_PYTHON, "adam").expect("a sound file");
    let mut expected = StateDict::default();
    expected.insert_count("steps", 3);
    expected.insert("gradient_average/weight", &[2, 2], Values::F32(vec![0.5, -1.25, 2.0, 1e-3]));
    expected.insert("square_average/weight", &[2, 2], Values::F32(vec![0.25, 1.5, 4.0, 1e-6]));
    assert_eq!(state, expected);
    let mut layout = Layout::default();
    layout.push("weight", &[2, 2], Role::Weight);
    let mut adam = OptimizerSpec::named("adam").build::<f32>(&layout).expect("in range");
    adam.load(&state).expect("it fits");
    assert_eq!((adam.steps(), adam.save()), (3, expected));
}

#[test]
fn equal_states_give_equal_bytes_and_the_metadata_is_one_line() {
    let (adam, bytes) = adam();
    assert_eq!(bytes, adam.save().to_safetensors("adam"));
    let header = String::from_utf8_lossy(&bytes[8..]).into_owned();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("{{\"__metadata__\":{{\"made_by\":\"thalweg-optim {version} adam\"}},");
    assert!(header.starts_with(&expected), "{header}");
}

#[test]
fn every_number_type_keeps_its_bits() {
    let mut state = StateDict::default();
    let special = [0.0, -0.0, f64::NAN, f64::INFINITY, 5e-324, 1.0 / 3.0];
    state.insert("f64", &[2, 3], Values::F64(special.to_vec()));
    state.insert("f32", &[3], Values::F32(vec![-0.0, 1e-45, f32::MAX]));
    state.insert("bf16", &[1, 2], Values::Bf16(vec![0x7fc0, 1]));
    state.insert("u8", &[5], Values::U8(vec![0, 1, 127, 128, 255]));
    state.insert("u64", &[], Values::U64(vec![u64::MAX]));
    state.insert("nothing", &[3, 0], Values::F32(vec![]));
    let bytes = state.to_safetensors("any");
    let read = StateDict::from_safetensors(&bytes, "any").expect("its own bytes");
    assert_eq!(read.entries().keys().collect::<Vec<_>>(), state.entries().keys().collect::<Vec<_>>());
    // NaN equals nothing: bits are compared by the bytes.
    assert_eq!(read.to_safetensors("any"), bytes);
    assert!(matches!(&read.entries()["f64"].values, Values::F64(v) if v[2].is_nan() && v[4] == 5e-324));
}

#[test]
fn a_file_that_is_cut_short_anywhere_is_refused() {
    let (_, bytes) = adam();
    for length in 0..bytes.len() {
        let error = StateDict::from_safetensors(&bytes[..length], "adam").expect_err("cut short").to_string();
        assert!(error.contains("no safetensors file") && error.contains("nothing was changed"), "{error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(StateDict::from_safetensors(&longer, "adam").is_err());
    assert!(StateDict::from_safetensors(&bytes, "adam").is_ok());
}

/// A file with one entry `steps` of some type, as bytes.
fn file_of(dtype: &str, size: usize, metadata: &str) -> Vec<u8> {
    let header =
        format!("{{{metadata}\"steps\":{{\"dtype\":\"{dtype}\",\"shape\":[],\"data_offsets\":[0,{size}]}}}}");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(vec![0; size]);
    bytes
}

#[test]
fn a_file_of_another_type_or_optimizer_is_refused() {
    let refused = |bytes: &[u8], optimizer: &str| {
        StateDict::from_safetensors(bytes, optimizer).expect_err("it must be refused").to_string()
    };
    assert!(StateDict::from_safetensors(&file_of("U64", 8, ""), "adam").is_ok());
    for (dtype, size) in [("I64", 8), ("F16", 2), ("BOOL", 1)] {
        let error = refused(&file_of(dtype, size, ""), "adam");
        assert!(error.contains(&format!("«steps» has the type {dtype}")), "{error}");
    }
    let (_, bytes) = adam();
    let error = refused(&bytes, "adamw");
    assert!(error.contains(" adam»") && error.contains("expected one of adamw"), "{error}");
    // Someone else's metadata says nothing of an optimizer.
    let foreign = "\"__metadata__\":{\"format\":\"pt\",\"made_by\":\"hand\"},";
    assert!(StateDict::from_safetensors(&file_of("U64", 8, foreign), "adam").is_ok());
}

#[derive(Deserialize)]
struct Golden {
    torch: String,
    w0: Vec<f64>,
    slope: Vec<f64>,
    centre: Vec<f64>,
    states: Vec<Row>,
    others: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    optimizer: String,
    hyperparameters: BTreeMap<String, f64>,
    w10: Vec<f64>,
    w20: Vec<f64>,
    #[serde(default)]
    state: Vec<(usize, String, Vec<usize>, Vec<f64>)>,
}

impl Row {
    fn optimizer(&self) -> Box<dyn Optimizer<f64>> {
        let mut spec = OptimizerSpec::named(&self.optimizer);
        for (name, &value) in self.hyperparameters.iter().filter(|(name, _)| *name != "learning_rate") {
            spec = spec.with(name, value);
        }
        spec.build(&layout()).expect("the script's settings are in range")
    }

    fn tensors(&self) -> Vec<TorchTensor> {
        let tensors = self.state.iter().map(|(index, name, shape, values)| TorchTensor {
            parameter: Parameter::Index(*index),
            name: name.clone(),
            tensor: Tensor { shape: shape.clone(), values: Values::F64(values.clone()) },
        });
        tensors.collect()
    }

    fn state(&self) -> StateDict {
        StateDict::from_torch::<f64>(&self.optimizer, &layout(), &self.tensors())
            .expect("PyTorch's own state")
    }
}

impl Golden {
    fn read() -> Self {
        let golden: Self =
            serde_json::from_str(include_str!("../goldens/torch_state.json")).expect("readable");
        assert_eq!(golden.torch, "2.15.0");
        golden
    }

    /// As in the script, left to right.
    fn gradient(&self, w: &[f64]) -> Vec<f64> {
        let total: f64 = w.iter().fold(0.0, |total, w| total + w);
        let terms = self.slope.iter().zip(&self.centre).zip(w);
        terms.map(|((a, c), w)| a * (w - c) + 0.3 * w * w * w + 0.1 * total).collect()
    }

    /// Ten steps, and how far W is then from where it should be, relative to its largest element.
    fn ten(&self, optimizer: &mut dyn Optimizer<f64>, w: &mut [f64], rate: f64, expected: &[f64]) -> f64 {
        for _ in 0..10 {
            let grad = self.gradient(w);
            optimizer.step_with(w, &grad, rate).expect("no look-ahead");
        }
        let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
        w.iter().zip(expected).map(|(w, e)| (w - e).abs() / size).fold(0.0, f64::max)
    }
}

#[test]
fn ten_steps_of_pytorch_and_ten_more_here_are_twenty_of_pytorch() {
    let golden = Golden::read();
    for row in &golden.states {
        let (rate, mut w) = (row.hyperparameters["learning_rate"], golden.w0.clone());
        let error = golden.ten(&mut *row.optimizer(), &mut w, rate, &row.w10);
        assert!(error < 1e-13, "{}, from the start: {error:e}", row.optimizer);

        let (mut optimizer, mut w) = (row.optimizer(), row.w10.clone());
        let fresh = golden.ten(&mut *row.optimizer(), &mut w.clone(), rate, &row.w20);
        optimizer.load(&row.state()).expect("a state of the same rule");
        let counted = row.state.iter().any(|(_, name, ..)| name == "step");
        assert_eq!(optimizer.steps(), if counted { 10 } else { u64::from(!row.state.is_empty()) });
        let error = golden.ten(&mut *optimizer, &mut w, rate, &row.w20);
        assert!(error < 1e-13, "{}, from PyTorch's state: {error:e}", row.optimizer);
        assert!(row.optimizer == "sgd" || fresh > 1e-4, "{}: the state makes no difference", row.optimizer);
    }
    let known: Vec<_> = REGISTRY.iter().filter(|entry| entry.torch_states.is_some()).collect();
    for entry in known {
        let name = entry.info.name;
        assert!(golden.states.iter().any(|row| row.optimizer == name), "{name} is not in the golden file");
    }
}

/// PyTorch lacks these three; another package's paths check their `torch` dialect.
#[test]
fn adan_lion_and_prodigy_follow_pytorch_optimizer() {
    let golden = Golden::read();
    assert_eq!(golden.others.len(), 3);
    for row in &golden.others {
        let (mut optimizer, mut w, rate) =
            (row.optimizer(), golden.w0.clone(), row.hyperparameters["learning_rate"]);
        let first = golden.ten(&mut *optimizer, &mut w, rate, &row.w10);
        let second = golden.ten(&mut *optimizer, &mut w, rate, &row.w20);
        assert!(first < 1e-10 && second < 1e-10, "{}: {first:e}, {second:e}", row.optimizer);
    }
}

#[test]
fn a_state_goes_to_pytorch_s_names_and_back() {
    for row in Golden::read().states {
        let state = row.state();
        let tensors = state.to_torch(&row.optimizer, &layout()).expect("a state of the rule");
        for found in &tensors {
            let Some(TorchTensor { tensor, .. }) =
                row.tensors().into_iter().find(|t| t.parameter == found.parameter && t.name == found.name)
            else {
                // What PyTorch leaves out is zero.
                assert!(matches!(&found.tensor.values, Values::F64(v) if v.iter().all(|v| *v == 0.0)));
                continue;
            };
            assert_eq!(tensor.shape, found.tensor.shape, "{}: {}", row.optimizer, found.name);
            assert!(found.name == "step" || tensor.values == found.tensor.values);
        }
        assert!(tensors.len() >= row.state.len(), "{}", row.optimizer);
        let back =
            StateDict::from_torch::<f64>(&row.optimizer, &layout(), &tensors).expect("its own tensors");
        assert_eq!(back, state, "{}", row.optimizer);
    }
}

#[test]
fn pytorch_tensors_that_do_not_fit_are_refused_with_what_is_wrong() {
    let golden = Golden::read();
    let row = golden.states.iter().find(|row| row.optimizer == "nadam").expect("NAdam has all kinds");
    let good = row.tensors();
    let refused = |tensors: &[TorchTensor], part: &str| {
        let error = StateDict::from_torch::<f64>("nadam", &layout(), tensors).expect_err("it does not fit");
        let error = error.to_string();
        assert!(error.contains(part) && error.contains("nothing was changed"), "«{error}» must say {part}");
    };
    let changed = |name: &str, change: fn(&mut TorchTensor)| {
        let mut tensors = good.clone();
        change(tensors.iter_mut().rfind(|tensor| tensor.name == name).expect("it is there"));
        tensors
    };
    for index in 0..good.len() {
        let mut fewer = good.clone();
        let gone = fewer.remove(index).name;
        refused(&fewer, &format!("«{gone}» of "));
        let mut twice = good.clone();
        twice.push(good[index].clone());
        refused(&twice, "is there twice");
    }
    refused(&[], "«step» of weight is missing");
    refused(&changed("exp_avg", |t| t.name = "exp_avgs".into()), "did you mean «exp_avg»?");
    refused(&changed("exp_avg", |t| t.parameter = Parameter::Index(2)), "there is no parameter 2");
    refused(&changed("exp_avg", |t| t.parameter = Parameter::Name("bia".into())), "did you mean «bias»?");
    refused(&changed("exp_avg", |t| t.tensor.shape = vec![2, 1]), "has the shape [2, 1], expected [2]");
    let narrow = |t: &mut TorchTensor| t.tensor.values = Values::F32(vec![0.0; 2]);
    refused(&changed("exp_avg_sq", narrow), "has the type F32, expected F64");
    refused(&changed("step", |t| t.tensor.values = Values::F64(vec![11.0])), "«step» of bias is 11");
    refused(
        &changed("mu_product", |t| t.tensor.values = Values::F64(vec![0.5])),
        "«mu_product» of bias is 0.5",
    );
    let many = |t: &mut TorchTensor| t.tensor.values = Values::F64(vec![1.0; 2]);
    refused(&changed("step", many), "must be one number");
    let half = |value: f64| {
        let mut tensors = good.clone();
        for tensor in tensors.iter_mut().filter(|tensor| tensor.name == "step") {
            tensor.tensor.values = Values::F64(vec![value]);
        }
        tensors
    };
    for bad in [9.5, -1.0, f64::NAN, f64::INFINITY] {
        refused(&half(bad), "«step»");
    }

    let named: Vec<_> = good
        .iter()
        .cloned()
        .map(|tensor| match tensor.parameter {
            Parameter::Index(index) => {
                TorchTensor { parameter: Parameter::Name(layout().blocks()[index].name.clone()), ..tensor }
            }
            Parameter::Name(_) => tensor,
        })
        .collect();
    let by_name = StateDict::from_torch::<f64>("nadam", &layout(), &named).expect("names do as well");
    assert_eq!(by_name, row.state());
    let error = StateDict::from_torch::<f64>("lion", &layout(), &[]).expect_err("PyTorch has no Lion");
    assert!(error.to_string().contains("PyTorch has no optimizer") && error.to_string().contains("lion"));
    let other = row.state().to_torch("amsgrad", &layout()).expect_err("another rule's state").to_string();
    assert!(other.contains("«largest_square_average/weight» is missing"), "{other}");
}
