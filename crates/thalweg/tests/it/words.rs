//! What the command says of itself: help, lists and completions.

use thalweg::learn::nn::spec::KINDS;
use thalweg::learn::nn::{Activation, Architecture};
use thalweg::learn::regularize::TECHNIQUES;
use thalweg::optim::registry::REGISTRY;
use thalweg::optim::wrap::WRAPPERS;
use thalweg::optim::{Dialect, functions};

use crate::common::Folder;

#[test]
fn every_verb_has_help_with_examples() {
    let folder = Folder::new("help");
    for (arguments, words) in [
        ("--help", &["Examples:", "compare", "report", "race", "list", "completions", "Exit codes"][..]),
        (
            "compare --help",
            &[
                "Examples:",
                "--target",
                "--learning-rates",
                "--schedule",
                "--config",
                "1e-4..1:9]",
                "nested cross-validation",
                "again to go on",
            ],
        ),
        (
            "find-lr --help",
            &["Examples:", "--optimizer", "--from", "[default: 200]", "--batch-size", "falls fastest"],
        ),
        (
            "train --help",
            &[
                "Examples:",
                "--network",
                "--learning-rate",
                "--validation",
                "--force",
                "models/<name>",
                "[default: 0.2]",
            ],
        ),
        ("predict --help", &["Examples:", "--out", "p(CLASS)", "standard error", "lag_1"]),
        ("export --help", &["Examples:", "onnxruntime", "NaN where missing", "opset 17", "days since 1970"]),
        ("report --help", &["Examples:", "--format", "runs/digits"]),
        (
            "race --help",
            &["Examples:", "--function", "--lr", "1e-4..10:21]", "level lines", "runs/race-<function>.html"],
        ),
        ("list --help", &["Examples:", "optimizers", "schedules", "datasets", "metrics"]),
        ("completions --help", &["Examples:", "bash", "zsh", "fish", "powershell"]),
        ("help compare", &["Examples:", "--optimizers"]),
        ("compare -h", &["Examples:", "--optimizers"]),
    ] {
        let ran = folder.good(arguments);
        assert_eq!(ran.err, "");
        for word in words {
            assert!(ran.out.contains(word), "{arguments}: no «{word}» in:\n{}", ran.out);
        }
    }
    assert!(folder.good("--version").out.starts_with(concat!("thalweg ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_shell_gets_completions() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.good(&format!("completions {shell}")).out;
        for word in ["compare", "learning-rates", "optimizers"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
}

#[test]
fn everything_can_be_listed_in_every_format() {
    let folder = Folder::new("list");
    for (what, rows, words) in [
        ("optimizers", REGISTRY.len() * Dialect::ALL.len(), &["adam", "textbook", "Kingma"][..]),
        ("wrappers", WRAPPERS.len(), &["lookahead", "Foret", "min(1, c/(‖g‖ + 1e-6))", "{1, 2, …}"]),
        ("schedules", 13, &["cosine", "reduce-on-plateau", "Loshchilov", "final", "[0, ∞)"]),
        ("regularizers", TECHNIQUES.len(), &["mixup", "DeVries", "dropout", "(0, ∞)"]),
        ("datasets", 9, &["digits", "air-passengers", "1797", "fashion-mnist-test", "70000"]),
        ("metrics", 8, &["auc", "r2"]),
        ("splitters", 4, &["stratified", "time-series"]),
        ("functions", functions::REGISTRY.len(), &["rosenbrock", "(−1.2, 1)", "100(y − x²)²"]),
        ("architectures", Architecture::ALL.len(), &["resnet8", "resmlp"]),
        ("layers", KINDS.len(), &["conv2d", "drop-connect", "fully connected"]),
        ("activations", Activation::ALL.len(), &["gelu"]),
        ("losses", 4, &["cross-entropy"]),
    ] {
        for format in ["table", "json", "csv", "markdown"] {
            let text = folder.good(&format!("list {what} --format {format}")).out;
            for word in words {
                assert!(text.contains(word), "list {what} --format {format}: no «{word}» in:\n{text}");
            }
        }
        let json = folder.good(&format!("list {what} --format json")).out;
        let items: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(items.as_array().map(Vec::len), Some(rows), "{what}");
        assert!(items[0]["name"].is_string(), "{what}");
        let text = folder.good(&format!("list {what} --format csv")).out;
        let records = csv::Reader::from_reader(text.as_bytes()).into_records().count();
        assert_eq!(records, rows, "{what}");
    }
}
