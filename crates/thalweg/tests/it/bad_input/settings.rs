//! Flags and settings files that are refused.

use super::{Case, file, files, good};

/// Settings that nobody can run.
pub(super) fn wrong_settings() -> Vec<Case> {
    vec![
        ("an optimizer", vec![], "compare iris --optimizers sgd,adm", &["--optimizers", "«adm»", "«adam»?"]),
        (
            "no optimizer",
            vec![],
            "compare iris --optimizers ,",
            &["--optimizers (none)", "at least one name"],
        ),
        (
            "an optimizer twice",
            vec![],
            "compare iris --optimizers sgd,adam,sgd",
            &["--optimizers sgd", "named once"],
        ),
        ("a wrapper", vec![], "compare iris --wrap clip-nrm=1", &["--wrap", "«clip-nrm»", "«clip-norm»?"]),
        ("a wrapper's range", vec![], "compare iris --wrap guard,ema=1", &["--wrap", "decay = 1", "[0, 1)"]),
        ("a wrapper's number", vec![], "compare iris --wrap ema=x", &["--wrap", "«x»", "ema=decay:debias"]),
        (
            "a wrapper around a search",
            vec![],
            "compare iris --optimizers sgd,lbfgs --wrap accumulate=4",
            &["--wrap: accumulate cannot go around lbfgs", "sam"],
        ),
        ("a metric", vec![], "compare iris --metric acuracy", &["--metric", "acuracy", "«accuracy»?"]),
        ("a metric of numbers", vec![], "compare iris --metric rmse", &["--metric rmse", "accuracy"]),
        ("a metric of classes", vec![], "compare diabetes --metric auc", &["--metric auc", "rmse"]),
        (
            "a loss",
            vec![],
            "compare iris --loss hinge",
            &["--loss", "«hinge». There are: auto, cross-entropy"],
        ),
        (
            "a loss of numbers",
            vec![],
            "compare iris --loss squared-error",
            &["--loss squared-error", "cross-entropy"],
        ),
        ("binary of three", vec![], "compare iris --loss binary", &["--loss binary", "cross-entropy"]),
        (
            "a loss of classes",
            vec![],
            "compare diabetes --loss cross-entropy",
            &["--loss cross-entropy", "squared-error"],
        ),
        ("a dialect", vec![], "compare iris --dialect keras9", &["--dialect", "keras9", "torch", "textbook"]),
        ("an activation", vec![], "compare iris --activation rellu", &["--activation", "rellu", "relu"]),
        ("a start", vec![], "compare iris --init zeros", &["--init", "zeros", "glorot"]),
        ("a task", vec![], "compare iris --task ranking", &["--task", "ranking", "regression"]),
        ("a header", vec![], "compare iris --header maybe", &["--header", "maybe", "auto"]),
        ("a policy", vec![], "compare iris --cv bootstrap", &["--cv", "bootstrap", "stratified"]),
        ("a format", vec![], "compare iris --format xml", &["--format", "xml", "markdown"]),
        (
            "a grid downwards",
            vec![],
            "compare iris --learning-rates 1..0.1:3",
            &["--learning-rates", "first must be smaller"],
        ),
        ("no grid", vec![], "compare iris --learning-rates 0.1..1:0", &["--learning-rates", "2 to 1000"]),
        (
            "a grid without a count",
            vec![],
            "compare iris --learning-rates 0.1..1",
            &["--learning-rates", "LO..HI:N"],
        ),
        ("NaN as a rate", vec![], "compare iris --learning-rates nan", &["--learning-rates", "(0, ∞)"]),
        ("∞ as a rate", vec![], "compare iris --learning-rates 0.1,inf", &["--learning-rates", "(0, ∞)"]),
        ("a negative rate", vec![], "compare iris --learning-rates=-0.1", &["--learning-rates", "(0, ∞)"]),
        ("a rate of 0", vec![], "compare iris --learning-rates 0..1:3", &["--learning-rates", "(0, ∞)"]),
        ("a rate twice", vec![], "compare iris --learning-rates 0.1,0.1", &["0.1", "twice"]),
        (
            "words as rates",
            vec![],
            "compare iris --learning-rates fast",
            &["«fast»", "not a number", "1e-4..1:9"],
        ),
        (
            "a schedule",
            vec![],
            "compare iris --schedule cosin",
            &["--schedule", "«cosin»", "«cosine»?", "one-cycle"],
        ),
        (
            "no schedule",
            vec![],
            "compare iris --schedule {}",
            &["--schedule", "is not a schedule", "name = "],
        ),
        (
            "a schedule's setting",
            vec![],
            r#"compare iris --schedule {name="cosine",finl=0.1}"#,
            &["--schedule", "«finl»", "«final»?", "(known: steps, final, power)"],
        ),
        (
            "a schedule's range",
            vec![],
            r#"compare iris --schedule {name="step",gamma=2}"#,
            &["--schedule", "step: gamma = 2", "[0, 1]"],
        ),
        (
            "a schedule's length",
            vec![],
            r#"compare iris --schedule {name="warm-up",steps="ten"}"#,
            &["steps = \"ten\"", "\"2.5 epochs\""],
        ),
        (
            "half a schedule",
            vec![],
            r#"compare iris --schedule {name="cosine""#,
            &["--schedule", "expected `}`"],
        ),
        ("epochs 0", vec![], "compare iris --epochs 0", &["--epochs 0", "1"]),
        ("epochs in words", vec![], "compare iris --epochs many", &["--epochs", "many", "whole number"]),
        ("epochs beyond u32", vec![], "compare iris --epochs 5000000000", &["--epochs", "5000000000"]),
        ("jobs 0", vec![], "compare iris --jobs 0", &["--jobs 0", "--jobs 1 or more"]),
        ("a negative fold", vec![], "compare iris --folds=-1", &["--folds", "-1", "whole number"]),
        ("a batch of 0", vec![], "compare iris --batch-size 0", &["--batch-size", "full"]),
        ("a batch in words", vec![], "compare iris --batch-size abc", &["--batch-size", "abc", "full"]),
        ("a layer of 0", vec![], "compare iris --hidden 64,0", &["--hidden", "0", "65536"]),
        ("a layer in words", vec![], "compare iris --hidden abc", &["--hidden abc", "whole number"]),
        ("a huge layer", vec![], "compare iris --hidden 99999999", &["--hidden 99999999", "65536"]),
        ("huge layers", vec![], "compare iris --hidden 65536,65536,65536", &["--hidden", "weights"]),
        (
            "a layer beyond usize",
            vec![],
            "compare iris --hidden 99999999999999999999999",
            &["--hidden", "65536"],
        ),
        ("a seed in words", vec![], "compare iris --seed x", &["--seed", "x", "whole number"]),
        ("a flag", vec![], "compare iris --epoch 3", &["--epoch", "--epochs"]),
        ("find-lr of nothing", vec![], "find-lr", &["which data?"]),
        ("find-lr's optimizer", vec![], "find-lr iris --optimizer adm", &["«adm»", "«adam»?"]),
        ("find-lr's start", vec![], "find-lr iris --from 0", &["--from 0", "(0, ∞)"]),
        ("find-lr's end", vec![], "find-lr iris --from 1 --to 0.1", &["--to 0.1", "above --from"]),
        ("find-lr's steps", vec![], "find-lr iris --steps 3", &["--steps 3", "from 10 to 100000"]),
        ("find-lr's smoothing", vec![], "find-lr iris --beta 1", &["--beta 1", "[0, 1)"]),
        (
            "find-lr's epochs",
            vec![],
            "find-lr iris --epochs 3",
            &["--epochs is no setting of find-lr", "--steps"],
        ),
        (
            "find-lr's optimizers",
            vec![],
            "find-lr iris --optimizers sgd,adam",
            &["--optimizers is no setting of find-lr", "--optimizer"],
        ),
        ("a verb", vec![], "compere iris", &["compere", "compare"]),
        ("no verb", vec![], "", &["Usage"]),
        ("two data sets", vec![], "compare iris wine", &["wine"]),
        ("a list", vec![], "list optimisers", &["optimisers", "optimizers"]),
        ("a shell", vec![], "completions cmd", &["cmd", "bash"]),
    ]
}

/// What is wrong with a TOML file.
pub(super) fn wrong_configs() -> Vec<Case> {
    const RUN: &str = "compare t.csv --config s.toml";
    vec![
        ("no config", file(good()), RUN, &["--config s.toml", "no file", "check the spelling"]),
        ("a folder as config", files([("s.toml/x", b"")]), RUN, &["--config s.toml", "folder"]),
        (
            "a config's syntax",
            with_config("target = \"y\"\nfolds = = 3\n"),
            RUN,
            &["--config s.toml, line 2", "`=`"],
        ),
        (
            "a config's key",
            with_config("folds = 3\nepoch = 5\n"),
            RUN,
            &["«epoch»", "did you mean «epochs»?"],
        ),
        (
            "a config's type",
            with_config("target = \"y\"\n\nfolds = \"many\"\n"),
            RUN,
            &["line 3, folds", "expected a whole number"],
        ),
        ("a config's sign", with_config("target = \"y\"\nepochs = -5\n"), RUN, &["line 2", "epochs", "-5"]),
        (
            "a config's range",
            with_config("target = \"y\"\nvalidation = 1.5\n"),
            RUN,
            &["--validation 1.5", "between 0 and 1"],
        ),
        (
            "a config's word",
            with_config("target = \"y\"\nactivation = \"rellu\"\n"),
            RUN,
            &["line 2", "rellu", "relu"],
        ),
        (
            "a config's rates",
            with_config("target = \"y\"\nlearning-rates = [0.1, -1]\n"),
            RUN,
            &["line 2", "(0, ∞)"],
        ),
        (
            "a config's schedule",
            with_config("target = \"y\"\nschedule = { name = \"cosine\", final = -1 }\n"),
            RUN,
            &["line 2, schedule", "final = -1.0", "[0, ∞)"],
        ),
        (
            "a config's optimizer",
            with_config("target = \"y\"\noptimizers = [\"adm\"]\n"),
            RUN,
            &["«adm»", "«adam»?"],
        ),
        ("a config in Latin-1", with_config(b"target = \"\xe9\"\n"), RUN, &["--config s.toml", "UTF-8"]),
        (
            "a config's table",
            with_config("[compare]\nfolds = 3\n"),
            RUN,
            &["«compare». There are: data", "epochs"],
        ),
        ("a key twice", with_config("folds = 3\nfolds = 4\n"), RUN, &["line 2", "duplicate key"]),
        (
            "a config without data",
            files([("s.toml", b"folds = 3\n")]),
            "compare --config s.toml",
            &["which data?"],
        ),
    ]
}

fn with_config(toml: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    files([("t.csv", good().as_bytes()), ("s.toml", toml.as_ref())])
}
