//! What holds for every row of the table of layers.

use serde::{Deserialize, Serialize};
use thalweg_learn::nn::spec::{KINDS, build};
use thalweg_learn::nn::{Activation, Init, Layer, LayerSpec, Mode, Sequence, Shape};

use crate::run::{Run, shape, wave};

/// A layer that can be built, and one that cannot.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    /// Settings other than the defaults, where there are any.
    pub(crate) settings: &'static str,
    pub(crate) input: &'static [usize],
    /// Settings and an input that do not go together, and a word of why; none if all go.
    wrong: Option<(&'static str, &'static [usize], &'static str)>,
    /// A key misspelt, and what is said of it.
    misspelt: (&'static str, &'static str),
}

/// An example of each row, in the order of the table.
pub(crate) const EXAMPLES: &[Example] = &[
    Example {
        name: "dense",
        settings: r#""units":3,"bias":false"#,
        input: &[4],
        wrong: Some((r#""units":3"#, &[2, 2, 1], "flatten")),
        misspelt: ("unit", "units"),
    },
    Example {
        name: "conv2d",
        settings: r#""filters":4,"kernel":2,"stride":2,"padding":1,"dilation":2,"groups":2,"bias":false"#,
        input: &[5, 6, 2],
        wrong: Some((r#""filters":4,"groups":3"#, &[5, 6, 2], "groups = 3")),
        misspelt: ("filter", "filters"),
    },
    Example {
        name: "max-pool2d",
        settings: r#""kernel":3,"stride":2,"padding":1"#,
        input: &[5, 6, 2],
        wrong: Some((r#""kernel":9"#, &[5, 6, 2], "larger than the image")),
        misspelt: ("kernal", "kernel"),
    },
    Example {
        name: "avg-pool2d",
        settings: r#""kernel":3"#,
        input: &[6, 6, 2],
        wrong: Some(("", &[8], "image")),
        misspelt: ("strides", "stride"),
    },
    Example {
        name: "global-avg-pool",
        settings: "",
        input: &[3, 2, 5],
        wrong: Some(("", &[8], "image")),
        misspelt: ("size", "no fields"),
    },
    Example {
        name: "global-max-pool",
        settings: "",
        input: &[3, 2, 5],
        wrong: Some(("", &[8], "image")),
        misspelt: ("size", "no fields"),
    },
    Example {
        name: "batch-norm",
        settings: r#""epsilon":0.01,"momentum":0.2,"ghost":2"#,
        input: &[3, 2, 5],
        wrong: Some((r#""ghost":1"#, &[8], "at least 2")),
        misspelt: ("eps", "epsilon"),
    },
    Example {
        name: "layer-norm",
        settings: r#""epsilon":0.01"#,
        input: &[3, 2, 5],
        wrong: Some((r#""epsilon":0.0"#, &[8], "epsilon = 0")),
        misspelt: ("eps", "epsilon"),
    },
    Example {
        name: "group-norm",
        settings: r#""groups":3"#,
        input: &[3, 2, 6],
        wrong: Some((r#""groups":4"#, &[3, 2, 6], "must divide its 6 channels")),
        misspelt: ("group", "groups"),
    },
    Example {
        name: "dropout",
        settings: r#""rate":0.3"#,
        input: &[7],
        wrong: Some((r#""rate":1.0"#, &[7], "[0, 1)")),
        misspelt: ("rates", "rate"),
    },
    Example {
        name: "spatial-dropout",
        settings: r#""rate":0.3"#,
        input: &[3, 2, 5],
        wrong: Some(("", &[8], "dropout")),
        misspelt: ("rates", "rate"),
    },
    Example {
        name: "drop-connect",
        settings: r#""rate":0.3,"inner":{"layer":"conv2d","filters":3}"#,
        input: &[3, 2, 5],
        wrong: Some((r#""inner":"relu""#, &[8], "dense")),
        misspelt: ("iner", "inner"),
    },
    Example {
        name: "mix-point",
        settings: r#""alpha":0.5,"point":1,"points":2"#,
        input: &[3],
        wrong: Some((r#""point":2,"points":2"#, &[8], "count from 0")),
        misspelt: ("alpa", "alpha"),
    },
    Example {
        name: "embedding",
        settings: r#""codes":[1],"width":3"#,
        input: &[1],
        wrong: Some((r#""codes":[4,3]"#, &[1], "1 columns in all")),
        misspelt: ("code", "codes"),
    },
    Example { name: "flatten", settings: "", input: &[3, 2, 5], wrong: None, misspelt: ("x", "no fields") },
    Example {
        name: "activation",
        settings: r#""function":"tanh""#,
        input: &[3, 2, 5],
        wrong: None,
        misspelt: ("funktion", "function"),
    },
    Example {
        name: "residual",
        settings: r#""body":[{"layer":"dense","units":3}],"shortcut":["tanh"],"stochastic-depth":0.5"#,
        input: &[3],
        wrong: Some((r#""body":[{"layer":"dense","units":2}]"#, &[3], "shortcut")),
        misspelt: ("bodi", "body"),
    },
];

pub(crate) fn table(name: &str, settings: &str) -> String {
    let comma = if settings.is_empty() { "" } else { "," };
    format!(r#"{{"layer":"{name}"{comma}{settings}}}"#)
}

impl Example {
    pub(crate) fn spec(&self) -> LayerSpec {
        serde_json::from_str(&table(self.name, self.settings)).expect("an example's settings")
    }

    pub(crate) fn shape(&self) -> Shape {
        shape(self.input)
    }

    /// Rows that the layer takes: an embedding's code is 0.
    pub(crate) fn rows(&self, batch: usize) -> Vec<f64> {
        let len = batch * self.shape().len();
        if self.name == "embedding" { vec![0.0; len] } else { wave(len) }
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    layers: Vec<LayerSpec>,
}

#[test]
fn every_kind_has_an_example_and_a_summary() {
    let examples: Vec<_> = EXAMPLES.iter().map(|example| example.name).collect();
    assert_eq!(KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>(), examples);
    for kind in KINDS {
        assert!(kind.summary.len() > 10 && !kind.summary.ends_with('.'), "{}: {}", kind.name, kind.summary);
    }
}

#[test]
fn settings_survive_json_and_toml() {
    for example in EXAMPLES {
        let spec = example.spec();
        assert_eq!(spec.name(), example.name);
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<LayerSpec>(&json).unwrap(), spec, "{json}");
        let text = toml::to_string(&Document { layers: vec![spec.clone(), spec.clone()] }).unwrap();
        assert_eq!(toml::from_str::<Document>(&text).unwrap().layers, [spec.clone(), spec], "{text}");
    }
}

#[test]
fn the_bare_name_is_the_table_without_settings() {
    for example in EXAMPLES {
        let bare = serde_json::from_str::<LayerSpec>(&format!("\"{}\"", example.name));
        let whole = serde_json::from_str::<LayerSpec>(&table(example.name, ""));
        match (bare, whole) {
            (Ok(bare), Ok(whole)) => assert_eq!(bare, whole),
            (Err(bare), Err(whole)) => {
                // What is missing is said in both.
                assert!(bare.to_string().contains("missing field"), "{bare}");
                assert!(whole.to_string().contains("missing field"), "{whole}");
            }
            (bare, whole) => panic!("{}: {bare:?} but {whole:?}", example.name),
        }
    }
}

#[test]
fn an_unknown_key_is_refused_with_a_hint() {
    for example in EXAMPLES {
        let (wrong, hint) = example.misspelt;
        let error = serde_json::from_str::<LayerSpec>(&table(example.name, &format!("\"{wrong}\":1")))
            .expect_err("an unknown key")
            .to_string();
        assert!(error.contains(wrong) && error.contains(hint), "{error}");
        if hint != "no fields" {
            assert!(error.contains(&format!("did you mean «{hint}»?")), "{error}");
        }
        let text = format!("layers = [{{ layer = \"{}\", {wrong} = 1 }}]", example.name);
        let error = toml::from_str::<Document>(&text).map(|_| ()).expect_err("an unknown key").to_string();
        assert!(error.contains(wrong) && error.contains(hint), "{error}");
    }
}

#[test]
fn an_error_names_the_layer_and_its_place() {
    for example in EXAMPLES {
        let Some((settings, input, why)) = example.wrong else { continue };
        let spec = serde_json::from_str(&table(example.name, settings)).unwrap();
        let specs: [LayerSpec; 2] = [LayerSpec::activation(Activation::Relu), spec];
        let error = build::<f32>(&specs, shape(input), Init::Auto).expect_err("it does not fit").to_string();
        let place = format!("layer 1 ({})", example.name);
        assert!(error.contains(&place) && error.contains(why), "{error}");
        assert!(error.contains(&shape(input).to_string()), "{error}");
    }
}

#[test]
fn what_is_written_has_the_inferred_shape() {
    for example in EXAMPLES {
        for mode in [Mode::Evaluate, Mode::step(3, 1)] {
            for batch in [1, 4] {
                let mut run = Run::<f64>::new(&[example.spec()], example.shape(), batch);
                let (x, what) = (example.rows(batch), format!("{}, {mode:?}", example.name));
                let y = run.forward(&x, mode).to_vec();
                assert_eq!(y.len(), batch * run.layers.output().len(), "{what}");
                assert!(y.iter().all(|y| y.is_finite()), "{what}: {y:?}");
                run.backward(&x, &y, mode);
                assert!(run.dx.iter().chain(&run.dw).all(|d| d.is_finite()), "{what}: back");
                let next: Sequence<f64> = build(&[], run.layers.output(), Init::Auto).unwrap();
                assert_eq!(next.output(), run.layers.output(), "{what}");
            }
        }
    }
}

#[test]
fn an_empty_batch_is_no_error() {
    for example in EXAMPLES {
        let mut run = Run::<f32>::new(&[example.spec()], example.shape(), 0);
        assert!(run.forward(&[], Mode::step(1, 1)).is_empty());
        run.backward(&[], &[], Mode::step(1, 1));
        assert!(run.dw.iter().all(|&d| d == 0.0), "{}", example.name);
    }
}
