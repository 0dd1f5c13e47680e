//! States in other forms: safetensors files, and PyTorch's `state_dict`.

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::state::torch::{Parameter, TorchTensor};
use thalweg_optim::state::{Maker, Tensor, Values};
use thalweg_optim::{
    Adam, BlockRule, Dialect, GroupSpec, Layout, Lbfgs, Method, Muon, Optimizer, OptimizerSpec, Precision,
    Role, Rule, Search, Sgd, StateDict, from_fn,
};

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
    let bytes = adam.save().to_safetensors();
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
    let state = StateDict::from_safetensors(FROM_PYTHON).expect("a sound file");
    let mut expected = StateDict::of("adam", Dialect::Torch);
    expected.insert_count("steps", 3);
    expected.insert("gradient_average/weight", &[2, 2], Values::F32(vec![0.5, -1.25, 2.0, 1e-3]));
    expected.insert("square_average/weight", &[2, 2], Values::F32(vec![0.25, 1.5, 4.0, 1e-6]));
    assert_eq!((state.entries(), state.maker()), (expected.entries(), None));
    let mut layout = Layout::default();
    layout.push("weight", &[2, 2], Role::Weight);
    let mut adam = OptimizerSpec::named("adam").build::<f32>(&layout).expect("in range");
    adam.load(&state).expect("it fits");
    assert_eq!((adam.steps(), adam.save()), (3, expected));
}

#[test]
fn equal_states_give_equal_bytes_and_the_metadata_is_one_line() {
    let (adam, bytes) = adam();
    assert_eq!(bytes, adam.save().to_safetensors());
    let header = String::from_utf8_lossy(&bytes[8..]).into_owned();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("{{\"__metadata__\":{{\"made_by\":\"thalweg-optim {version} adam torch\"}},");
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
    let bytes = state.to_safetensors();
    let read = StateDict::from_safetensors(&bytes).expect("its own bytes");
    assert_eq!(read.entries().keys().collect::<Vec<_>>(), state.entries().keys().collect::<Vec<_>>());
    // NaN equals nothing: bits are compared by the bytes.
    assert_eq!(read.to_safetensors(), bytes);
    assert!(matches!(&read.entries()["f64"].values, Values::F64(v) if v[2].is_nan() && v[4] == 5e-324));
}

#[test]
fn a_file_that_is_cut_short_anywhere_is_refused() {
    let (_, bytes) = adam();
    for length in 0..bytes.len() {
        let error = StateDict::from_safetensors(&bytes[..length]).expect_err("cut short").to_string();
        assert!(error.contains("no safetensors file") && error.contains("nothing was changed"), "{error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(StateDict::from_safetensors(&longer).is_err());
    assert!(StateDict::from_safetensors(&bytes).is_ok());
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
fn a_file_of_another_type_is_refused() {
    let refused =
        |bytes: &[u8]| StateDict::from_safetensors(bytes).expect_err("it must be refused").to_string();
    assert!(StateDict::from_safetensors(&file_of("U64", 8, "")).is_ok());
    for (dtype, size) in [("I64", 8), ("F16", 2), ("BOOL", 1)] {
        let error = refused(&file_of(dtype, size, ""));
        assert!(error.contains(&format!("«steps» has the type {dtype}")), "{error}");
    }
    // Someone else's metadata says nothing of an optimizer; ours must be whole.
    let made_by = |line: &str| format!("\"__metadata__\":{{\"format\":\"pt\",\"made_by\":\"{line}\"}},");
    let read = StateDict::from_safetensors(&file_of("U64", 8, &made_by("hand"))).expect("a sound file");
    assert_eq!(read.maker(), None);
    for line in
        ["adam", "0.1.0", "0.1.0 adam", "0.1.0 adam jax", "0.1.0 a adam torch x", "0.1.0 adam torch, x"]
    {
        let error = refused(&file_of("U64", 8, &made_by(&format!("thalweg-optim {line}"))));
        assert!(error.contains(&format!("«thalweg-optim {line}»")), "{error}");
    }
    let newer = file_of("U64", 8, &made_by("thalweg-optim 9.8.7 adam keras, group0 sgd optax"));
    let read = StateDict::from_safetensors(&newer).expect("the version may differ");
    assert_eq!(read.maker(), Some(&Maker { method: "adam".into(), dialect: Dialect::Keras }));
    let of_group = read.part("group0");
    assert_eq!(of_group.maker(), Some(&Maker { method: "sgd".into(), dialect: Dialect::Optax }));
}

/// Every method and dialect, bare, in a wrapper and in a group, refuses the state of any other, of itself as a file too.
#[test]
fn a_state_of_another_method_or_dialect_is_refused_and_changes_nothing() {
    let bare = |name: &str, dialect| OptimizerSpec::named(name).dialect(dialect);
    let wrapped = |spec: OptimizerSpec| spec.wrapped("ema=0.9".parse().expect("valid"));
    let grouped = |spec| OptimizerSpec::named("sgd").group(GroupSpec::of("*").optimizer(spec));
    let build = |spec: &OptimizerSpec| spec.build::<f32>(&layout()).expect("valid");
    let step = |optimizer: &mut dyn Optimizer<f32>| {
        let mut f = from_fn(8, |w: &[f32], grad: &mut [f32]| {
            grad.copy_from_slice(w);
            0.5 * w.iter().map(|w| w * w).sum::<f32>()
        });
        optimizer.step(&mut [0.5; 8], &mut f, 0.01).expect("a step");
    };
    for entry in REGISTRY {
        let name = entry.info.name;
        for dialect in Dialect::ALL {
            let mut specs = vec![bare(name, dialect), wrapped(bare(name, dialect))];
            if entry.kind != Kind::Search {
                specs.extend([grouped(bare(name, dialect)), wrapped(grouped(bare(name, dialect)))]);
            }
            for (form, spec) in specs.iter().enumerate() {
                let mut own = build(spec);
                step(&mut *own);
                let before = own.save();
                let others =
                    Dialect::ALL.iter().filter(|other| **other != dialect).map(|other| (name, *other));
                // Momentum and NAG, Adam and AdamW keep equal names and shapes.
                let twins = [("momentum", "nag"), ("adam", "adamw"), ("lars", "momentum")];
                let twin = twins.iter().find(|(one, _)| *one == name).map(|(_, other)| (*other, dialect));
                for (method, other) in others.chain(twin) {
                    let spec = bare(method, other);
                    let spec = match form {
                        0 => spec,
                        1 => wrapped(spec),
                        2 => grouped(spec),
                        _ => wrapped(grouped(spec)),
                    };
                    let state = build(&spec).save();
                    let file = StateDict::from_safetensors(&state.to_safetensors()).expect("its own bytes");
                    assert_eq!(file, state);
                    for state in [state, file] {
                        let error = own.load(&state).expect_err("another's").to_string();
                        let says = [
                            format!("it is of {method} in the dialect {},", other.name()),
                            format!("expected {name} in the dialect {};", dialect.name()),
                        ];
                        assert!(says.iter().all(|part| error.contains(part)), "{error}");
                        assert_eq!(error.contains("in group0, "), form > 1, "{error}");
                        assert_eq!(own.save(), before, "{name}");
                    }
                }
                own.load(&StateDict::from_safetensors(&before.to_safetensors()).expect("its own"))
                    .expect("its own");
            }
        }
    }
}

#[test]
fn a_method_built_by_its_type_knows_its_dialect() {
    let maker = |state: StateDict| state.maker().cloned().expect("it says so");
    let of = |method: &str, dialect| Maker { method: method.into(), dialect };
    let adam = |adam: Adam| maker(adam.optimizer::<f64>(2).expect("in range").save());
    for dialect in Dialect::ALL {
        // The formula and numbers of optax's Adam are PyTorch's: the first of the two, unless it is said.
        let computes_alike = if dialect == Dialect::Optax { Dialect::Torch } else { dialect };
        assert_eq!(adam(Adam::preset(dialect)), of("adam", computes_alike));
        let said = Adam::preset(dialect).optimizer::<f64>(2).expect("in range").of_dialect(dialect);
        assert_eq!(maker(said.save()), of("adam", dialect));
        let optimizer = Muon::preset(dialect).optimizer_of::<f64>(&layout()).expect("in range");
        assert_eq!(maker(optimizer.save()), of("muon", dialect));
        let by_name = OptimizerSpec::named("sgd").dialect(dialect).build::<f64>(&layout()).expect("in range");
        assert_eq!(maker(by_name.save()), of("sgd", dialect));
    }
    // Its own numbers do not hide whose formula it is; where all agree, it is the first one's.
    assert_eq!(adam(Adam { beta1: 0.123, ..Adam::preset(Dialect::Keras) }), of("adam", Dialect::Keras));
    assert_eq!(maker(Sgd.optimizer::<f32>(2).expect("in range").save()), of("sgd", Dialect::Torch));
    let lbfgs = Lbfgs::preset(Dialect::Optax).optimizer::<f32>(2).expect("in range");
    assert_eq!(maker(lbfgs.save()), of("lbfgs", Dialect::Keras), "PyTorch's keeps a longer history");
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
    w50: Vec<f64>,
    w60: Vec<f64>,
    w100: Vec<f64>,
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
    fn gradient(&self, w: &[f64], step: u32) -> Vec<f64> {
        let side = if step / 7 % 2 == 1 { -1.0 } else { 1.0 };
        let total: f64 = w.iter().fold(0.0, |total, w| total + w);
        let terms = self.slope.iter().zip(&self.centre).zip(w);
        terms.map(|((a, c), w)| a * (w - side * c) + 0.3 * w * w * w + 0.1 * total).collect()
    }

    /// The steps behind `from` up to `to`, and how far W is then from where it should be, relative to its largest element.
    fn walk(
        &self,
        optimizer: &mut dyn Optimizer<f64>,
        w: &mut [f64],
        rate: f64,
        (from, to): (u32, u32),
        expected: &[f64],
    ) -> f64 {
        for step in from + 1..=to {
            let grad = self.gradient(w, step);
            optimizer.step_with(w, &grad, rate).expect("no look-ahead");
        }
        let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
        w.iter().zip(expected).map(|(w, e)| (w - e).abs() / size).fold(0.0, f64::max)
    }
}

#[test]
fn fifty_steps_of_pytorch_and_fifty_more_here_are_a_hundred_of_pytorch() {
    let golden = Golden::read();
    for row in &golden.states {
        let (name, rate, mut w) = (&row.optimizer, row.hyperparameters["learning_rate"], golden.w0.clone());
        let error = golden.walk(&mut *row.optimizer(), &mut w, rate, (0, 50), &row.w50);
        assert!(error < 1e-12, "{name}, from the start: {error:e}");

        let (mut optimizer, mut w) = (row.optimizer(), row.w50.clone());
        let fresh = golden.walk(&mut *row.optimizer(), &mut w.clone(), rate, (50, 60), &row.w60);
        optimizer.load(&row.state()).expect("a state of the same rule");
        let counted = row.state.iter().any(|(_, name, ..)| name == "step");
        assert_eq!(optimizer.steps(), if counted { 50 } else { u64::from(!row.state.is_empty()) });
        for (steps, expected) in [((50, 60), &row.w60), ((60, 100), &row.w100)] {
            let error = golden.walk(&mut *optimizer, &mut w, rate, steps, expected);
            assert!(error < 1e-12, "{name}, from PyTorch's state, steps {steps:?}: {error:e}");
        }
        assert!(name == "sgd" || fresh > 1e-3, "{name}: the state makes no difference, {fresh:e}");
    }
    let known: Vec<_> = REGISTRY.iter().filter(|entry| entry.torch_states.is_ok()).collect();
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
        let first = golden.walk(&mut *optimizer, &mut w, rate, (0, 50), &row.w50);
        let second = golden.walk(&mut *optimizer, &mut w, rate, (50, 100), &row.w100);
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
    assert!(
        error.to_string().contains("the state of lion") && error.to_string().contains("no such optimizer")
    );
    let error = StateDict::from_torch::<f64>("lbfgs", &layout(), &[]).expect_err("it lacks a gradient");
    assert!(error.to_string().contains("with a gradient that its state does not hold"), "{error}");
}

#[test]
fn what_is_no_torch_state_does_not_go_to_pytorch() {
    let spec = OptimizerSpec::named("adam");
    let refused = |spec: &OptimizerSpec, says: &str| {
        let state = spec.build::<f32>(&layout()).expect("valid").save();
        let error = state.to_torch("adam", &layout()).expect_err("it must be refused").to_string();
        assert!(error.contains(says), "«{error}» must say {says}");
    };
    for (precision, dtype) in [(Precision::Bf16, "BF16"), (Precision::Byte, "U8")] {
        let packed = format!("«gradient_average/weight» is packed in {dtype}");
        refused(&spec.clone().precision(precision), &packed);
        refused(&spec.clone().precision(precision), "build the optimizer in full precision");
    }
    refused(
        &spec.clone().dialect(Dialect::Keras),
        "it is of adam in the dialect keras, expected adam in the dialect torch",
    );
    refused(&OptimizerSpec::named("adamw"), "it is of adamw in the dialect torch");
    let ema = spec.clone().wrapped("ema=0.9".parse().expect("valid"));
    refused(&ema, "has no place for «ema/average/bias»; save what is inside of the wrapper");
    let state = spec.build::<f32>(&layout()).expect("valid").save();
    let error = state.to_torch("adam", &Layout::vector(8)).expect_err("another layout").to_string();
    assert!(error.contains("«gradient_average/w» is missing"), "{error}");
    let mut turned = Layout::default();
    turned.push("weight", &[3, 2], Role::Weight);
    turned.push("bias", &[2], Role::Bias);
    let error = state.to_torch("adam", &turned).expect_err("another shape").to_string();
    assert!(error.contains("has the shape [2, 3], expected [3, 2]"), "{error}");

    // The other way round: PyTorch's own states in few bits.
    let mut tensors = state.to_torch("adam", &layout()).expect("a state of Adam");
    for (values, dtype) in [(Values::Bf16(vec![0; 2]), "BF16"), (Values::U8(vec![0; 2]), "U8")] {
        let average = tensors.iter_mut().rfind(|tensor| tensor.name == "exp_avg").expect("it is there");
        average.tensor.values = values;
        let error =
            StateDict::from_torch::<f32>("adam", &layout(), &tensors).expect_err("packed").to_string();
        assert!(error.contains(dtype) && error.contains("`.to(torch.float32)`"), "{error}");
    }
}
