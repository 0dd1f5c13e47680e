//! A model's folder: whole or not there, replaced only when asked, read with every doubt told.

use std::path::Path;
use std::time::Duration;

use super::{MIXED, with_model};
use crate::common::{Folder, Ran};

/// Training that takes longer than any test.
const LONG: &str = "train digits --hidden 512,512 --epochs 100000 --patience 0 --out m";

#[test]
fn a_killed_training_leaves_nothing() {
    let folder = Folder::new("model-killed");
    let mut child = folder.command(LONG).spawn().expect("it starts");
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().expect("a child").is_none(), "it ended too soon to be killed");
    child.kill().expect("a kill");
    let ran = Ran::new(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.code, ran.out.as_str()), (None, ""));
    assert!(folder.contents().is_empty(), "half a model was left");
}

#[cfg(unix)]
#[test]
fn ctrl_c_says_that_nothing_was_written() {
    let folder = Folder::new("model-ctrl-c");
    let mut child = folder.command(LONG).spawn().expect("it starts");
    std::thread::sleep(Duration::from_secs(2));
    let kill =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success() && child.try_wait().is_ok());
    let ran = Ran::new(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.code, ran.out.as_str()), (Some(130), ""), "{}", ran.err);
    assert!(ran.err.contains("no model was written"), "{}", ran.err);
    assert!(folder.contents().is_empty());
}

#[test]
fn divergence_is_a_result_with_a_remedy() {
    let folder = Folder::new("model-diverged");
    let ran = folder.run("train diabetes --optimizer sgd --learning-rate 1e9 --out m");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    for word in ["diverged in step", "sgd", "smaller --learning-rate, such as", "No model was written"] {
        assert!(ran.err.contains(word), "no «{word}» in {}", ran.err);
    }
    assert!(folder.contents().is_empty());
}

#[test]
fn a_model_is_replaced_only_with_force_and_nothing_else_ever_is() {
    let folder = with_model("model-force");
    let before = folder.contents();
    let again = folder.run(&format!("train mixed.csv {MIXED} --seed 1 --out m"));
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("there is a model already; add --force"), "{}", again.err);
    assert!(folder.contents() == before);
    folder.good(&format!("train mixed.csv {MIXED} --seed 1 --out m/ --force"));
    let after = folder.contents();
    assert!(after != before && after.len() == before.len(), "replaced, and no draft left");
    folder.write("m/notes.txt", "mine");
    let before = folder.contents();
    let foreign = folder.run(&format!("train mixed.csv {MIXED} --out m --force"));
    assert_eq!(foreign.code, Some(2));
    assert!(foreign.err.contains("«notes.txt»"), "{}", foreign.err);
    assert!(folder.contents() == before);
}

#[test]
fn the_table_tells_what_came_of_it() {
    let folder = Folder::new("model-table");
    let ran = folder.good("train iris --epochs 4 --out deep/in/m");
    for word in
        ["iris: 150 rows, 4 inputs, 515 parameters; Adam at rate 0.001", "accuracy", "training", "validation"]
    {
        assert!(ran.out.contains(word), "no «{word}» in {}", ran.out);
    }
    assert!(ran.err.contains("Model: deep/in/m"), "{}", ran.err);
    let all = folder.json("train iris --epochs 4 --validation 0 --out all");
    assert_eq!((&all["training"]["rows"], &all["validation"]), (&150.into(), &serde_json::Value::Null));
    assert_eq!((&all["kept_epoch"], &all["epochs"]), (&4.into(), &4.into()));
    let csv = folder.good("train iris --epochs 4 --format csv --quiet --out csv").out;
    assert_eq!(csv.lines().count(), 3, "{csv}");
}

#[test]
fn the_best_epochs_weights_are_kept() {
    let folder = Folder::new("model-best");
    // A rate at which the score goes up and down.
    let told = folder.json(
        "train wine --optimizer sgd --learning-rate 0.5 --epochs 30 --patience 4 --metric log-loss --out m",
    );
    let (kept, epochs) = (told["kept_epoch"].as_u64().expect("one"), told["epochs"].as_u64().expect("some"));
    assert!(kept < epochs, "{told}");
    assert_eq!(told["stop"], "the validation score did not get better for 4 epochs");
    // As many epochs and no more end in the same weights.
    let short = format!(
        "train wine --optimizer sgd --learning-rate 0.5 --epochs {kept} --patience 0 --metric log-loss --quiet --out n"
    );
    folder.good(&short);
    let weights =
        |model: &str| std::fs::read(folder.path().join(model).join("model.safetensors")).expect("a file");
    assert!(weights("m") == weights("n"));
}

#[test]
fn what_stopped_a_training_early_is_told() {
    let folder = Folder::new("model-stopped");
    for (criterion, words) in [
        ("early-stopping=3:0.5", "the validation score did not get better by more than 0.5 for 3 epochs"),
        ("early-stopping-gl=0.001", "GL: the validation loss lay more than 0.001 % above its lowest"),
        ("early-stopping-pq=0.001:2", "PQ: the rise of the validation loss"),
        ("early-stopping-up=1:1", "UP: the validation loss was higher than 1 epoch before"),
    ] {
        let train = "train wine --optimizer sgd --learning-rate 0.5 --epochs 500 --force --out m";
        let told = folder.json(&format!("{train} --regularize {criterion}"));
        assert!(told["stop"].as_str().expect("words").starts_with(words), "{criterion}: {told}");
        assert!(told["epochs"].as_u64().expect("some") < 500, "{criterion}: {told}");
    }
}

/// What is done to a model, and what must be said of it.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("a text");
    assert!(text.contains(from), "no «{from}» in {text}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("a file");
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).expect("a file");
    std::fs::write(path, &bytes[..bytes.len() / 2]).expect("a file");
}

const DAMAGES: &[Damage] = &[
    (
        "no weights",
        |m| std::fs::remove_file(m.join("model.safetensors")).expect("it was there"),
        &["model.safetensors is missing", "train again"],
    ),
    (
        "no recipe",
        |m| std::fs::remove_file(m.join("recipe.toml")).expect("it was there"),
        &["recipe.toml is missing"],
    ),
    (
        "no preparation",
        |m| std::fs::remove_file(m.join("preparation.json")).expect("it was there"),
        &["preparation.json is missing"],
    ),
    (
        "half the weights",
        |m| cut(&m.join("model.safetensors")),
        &["model.safetensors", "no safetensors file", "damaged"],
    ),
    ("half the recipe", |m| cut(&m.join("recipe.toml")), &["recipe.toml", "damaged"]),
    ("half the preparation", |m| cut(&m.join("preparation.json")), &["preparation.json", "EOF", "damaged"]),
    (
        "a weight that is no number",
        |m| {
            let path = m.join("model.safetensors");
            let mut bytes = std::fs::read(&path).expect("a file");
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
            std::fs::write(path, bytes).expect("a file");
        },
        &["NaN", "no finite number"],
    ),
    (
        "another width",
        |m| edit(&m.join("recipe.toml"), "hidden = [6]", "hidden = [7]"),
        &["0.dense", "7]", "model.safetensors"],
    ),
    ("another network", |m| edit(&m.join("recipe.toml"), "hidden = [6]", "hidden = []"), &["0.dense.", "1]"]),
    ("more layers", |m| edit(&m.join("recipe.toml"), "hidden = [6]", "hidden = [6, 2]"), &["dense", "wants"]),
    ("an unknown key", |m| edit(&m.join("recipe.toml"), "epochs", "epoch"), &["recipe.toml", "epoch"]),
    (
        "another loss",
        |m| edit(&m.join("recipe.toml"), "\"binary\"", "\"cross-entropy\""),
        &["cross-entropy", "binary"],
    ),
    (
        "a later format",
        |m| edit(&m.join("preparation.json"), "\"format\": 1", "\"format\": 2"),
        &["format 2", "reads format 1", "0.1.0"],
    ),
    ("another column", |m| edit(&m.join("preparation.json"), "\"age\"", "\"aeg\""), &["«age»", "«aeg»"]),
    (
        "no spread",
        |m| {
            let path = m.join("preparation.json");
            let text = std::fs::read_to_string(&path).expect("a text");
            let at = text.find("\"std\": ").expect("a deviation") + 7;
            let end = at + text[at..].find('\n').expect("a line");
            std::fs::write(&path, format!("{}0.0{}", &text[..at], &text[end..])).expect("a file");
        },
        &["numbers of «age» are not usable"],
    ),
];

#[test]
fn a_damaged_model_is_told_with_its_file() {
    let folder = with_model("model-damaged");
    let whole = folder.contents();
    for (name, damage, words) in DAMAGES {
        damage(&folder.path().join("m"));
        for command in ["predict m mixed.csv", "export m m.onnx"] {
            let ran = folder.run(command);
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{name}: {}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{name}: {}", ran.err);
            for word in *words {
                assert!(ran.err.contains(word), "{name}: no «{word}» in {}", ran.err);
            }
        }
        for (path, bytes) in whole.iter().filter(|(path, _)| path.is_file() || path.extension().is_some()) {
            std::fs::write(path, bytes).expect("a file");
        }
        folder.good("predict m mixed.csv --quiet");
    }
}
