//! Input that `train`, `predict` and `export` refuse: exit code 2, one sentence with a remedy, nothing left behind.

use super::{mixed, with_model};
use crate::bad_input::doubled_stop;

const REFUSED: &[(&str, &[&str])] = &[
    ("train", &["which data?", "thalweg train digits"]),
    ("train iris --network lnet", &["--network", "«lnet»", "«lenet»?"]),
    ("train iris --network lenet", &["--network lenet looks at images", "--image", "mlp"]),
    ("train iris --optimizer adm", &["--optimizer", "«adm»", "«adam»?"]),
    ("train iris --wrap clip-nrm=1", &["--wrap", "«clip-nrm»", "«clip-norm»?"]),
    ("train iris --learning-rate -1", &["--learning-rate", "-1"]),
    ("train iris --learning-rate fast", &["--learning-rate", "fast"]),
    ("train iris --hidden 0", &["--hidden 0", "1 to 65536"]),
    ("train digits --regularize batch-norm=1", &["--regularize: batch-norm does not apply", "ghost"]),
    ("train iris --hidden 65536,65536", &["--network, --hidden: layer 2 (dense)", "100000000 weights"]),
    ("train iris --epochs 0", &["--epochs 0", "1000000"]),
    ("train iris --validation 1", &["--validation 1", "less than 1"]),
    ("train iris --loss squared-error", &["--loss squared-error", "cross-entropy"]),
    ("train iris --metric rmse", &["--metric rmse", "accuracy"]),
    ("train iris --cv group", &["--cv group", "--group"]),
    ("train iris --out mixed.csv", &["mixed.csv", "no model", "another folder"]),
    ("train iris --out .", &["no model", "another folder"]),
    ("train iris --config bad.toml", &["bad.toml", "«learning_rates»", "«learning-rate»?"]),
    ("train iris --config layers.toml", &["layers.toml, line 1, network", "convd2", "«conv2d»?"]),
    ("train iris --config conv.toml", &["--network", "layer 0 (conv2d)", "wants an image"]),
    ("train iris --regularize dropuot=0.3", &["--regularize", "«dropuot»", "«dropout»?"]),
    ("train iris --regularize l2=1e39", &["--regularize: l2 is refused", "1e39 is infinite in f32"]),
    ("train iris --shards 99", &["--shards 99: it must be from 1 to 32"]),
    ("train iris --config dens.toml", &["«dens»; did you mean «dense»? There are: dense"]),
    ("train iris --regularize cutmix", &["--regularize", "cutmix"]),
    (
        "train mixed.csv --target y --config codes.toml",
        &["--network", "layer 0 (embedding)", "write codes = ["],
    ),
    ("train mixed.csv --target y --config late.toml", &["--network", "must be the first layer"]),
    ("train mixed.csv", &["--target", "age"]),
    ("predict nope mixed.csv", &["nope", "thalweg train"]),
    ("predict mixed.csv mixed.csv", &["mixed.csv", "no model folder"]),
    ("predict m nope.csv", &["nope.csv"]),
    ("predict m short.csv", &["short.csv", "«joined»", "columns are: age, y, other"]),
    ("predict m words.csv", &["words.csv, line 2", "«old»", "a number"]),
    ("predict m infinite.csv", &["infinite.csv, line 20002", "«age»", "«inf»"]),
    ("predict m mixed.csv --out mixed.csv", &["would be lost"]),
    ("predict m mixed.csv --out no/p.csv", &["no folder no"]),
    ("predict m mixed.csv --out m", &["m: this is a folder"]),
    ("predict m mixed.csv --labels y.npy", &["--labels", "target «y»", "leave the flag out"]),
    ("predict m mixed.csv --format xml", &["--format", "xml", "json"]),
    ("export nope n.onnx", &["nope", "thalweg train"]),
    ("export m mixed.csv", &["there is a file already", "--force"]),
    ("export m no/m.onnx", &["no folder no"]),
];

#[test]
fn wrong_models_and_rows_are_refused() {
    let folder = with_model("model-refused");
    folder.write("short.csv", "age,y,other\n1,low,2\n");
    folder.write("infinite.csv", mixed(20_000) + "inf,2020-01-01,no,Rome,j01,5,low,1\n");
    folder.write("words.csv", "age,joined,member,city,job,flat\nold,2020-01-01,no,Rome,j01,5\n");
    folder.write("bad.toml", "learning_rates = 0.1\n");
    folder.write("layers.toml", "network = [{ layer = \"convd2\" }]\n");
    folder.write("dens.toml", "network = [\"dens\"]\n");
    folder.write("conv.toml", "network = [{ layer = \"conv2d\", filters = 2 }]\n");
    folder.write("codes.toml", "network = [{ layer = \"embedding\", codes = [3] }]\n");
    folder.write("late.toml", "network = [\"relu\", { layer = \"embedding\", codes = [3] }]\n");
    let before = folder.contents();
    let mut wrong = Vec::new();
    for (arguments, words) in REFUSED {
        let ran = folder.run(arguments);
        let mut fail = |what: &str| wrong.push(format!("{arguments}: {what}\n    {}", ran.err));
        if ran.code != Some(2) || !ran.out.is_empty() || !ran.err.starts_with("error: ") {
            fail(&format!("exit code {:?}", ran.code));
        }
        if ran.err.lines().count() != 1 && !ran.err.contains("For more information, try '--help'") {
            fail("more than one line");
        }
        if doubled_stop(&ran.err) {
            fail("two marks at the end of a sentence");
        }
        words.iter().filter(|word| !ran.err.contains(**word)).for_each(|word| fail(&format!("no «{word}»")));
        if folder.contents() != before {
            fail("something was left behind or changed");
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
