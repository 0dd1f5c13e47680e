//! The command that reproduces a study.

use thalweg_data::{HeaderMode, TaskChoice};
use thalweg_learn::train::{NetworkSpec, RangeTest};

use super::spec::StudySpec;

/// The `thalweg compare` command with every setting that differs from its default.
pub(super) fn command(spec: &StudySpec) -> String {
    let default = StudySpec::default();
    let usual =
        if spec.regularizers.is_empty() { default.optimizers.clone() } else { vec!["adam".to_owned()] };
    let mut words = vec!["thalweg".to_owned(), "compare".to_owned(), quoted(&spec.data)];
    let mut flag = |name: &str, value: String, differs: bool| {
        if differs {
            words.push(format!("--{name} {}", quoted(&value)));
        }
    };
    let data = &spec.dataset;
    for (name, value) in [("target", &data.target), ("group", &data.group), ("time", &data.time)] {
        flag(name, value.clone().unwrap_or_default(), value.is_some());
    }
    flag("task", word(&data.task), data.task != TaskChoice::Auto);
    flag("header", word(&data.header), data.header != HeaderMode::Auto);
    flag("lags", data.lags.unwrap_or_default().to_string(), data.lags.is_some());
    flag("image", data.image.map(|shape| shape.to_string()).unwrap_or_default(), data.image.is_some());
    flag("labels", data.labels.clone().unwrap_or_default(), data.labels.is_some());
    for (name, values) in [("ignore", &data.ignore), ("keep", &data.keep), ("missing", &data.missing)] {
        for value in values {
            flag(name, value.clone(), true);
        }
    }
    flag("optimizers", spec.optimizers.join(","), spec.optimizers != usual);
    flag("dialect", spec.dialect.name().to_owned(), spec.dialect != default.dialect);
    let wrap: Vec<String> = spec.wrap.iter().map(ToString::to_string).collect();
    flag("wrap", wrap.join(","), !wrap.is_empty());
    flag("learning-rates", spec.learning_rates.to_string(), spec.learning_rates != default.learning_rates);
    flag("schedule", spec.schedule.to_string(), spec.schedule != default.schedule);
    flag("regularizers", spec.regularizers.join(","), !spec.regularizers.is_empty());
    flag("regularize", spec.regularize.to_string(), !spec.regularize.is_empty());
    flag("label-noise", spec.label_noise.to_string(), spec.label_noise != 0.0);
    flag("train-size", spec.train_size.unwrap_or_default().to_string(), spec.train_size.is_some());
    if let NetworkSpec::Named(architecture) = &spec.network {
        flag("network", architecture.name().to_owned(), !spec.network.is_default());
    }
    flag("hidden", widths_text(&spec.hidden), spec.hidden != default.hidden);
    flag("activation", spec.activation.name().to_owned(), spec.activation != default.activation);
    flag("init", word(&spec.init), spec.init != default.init);
    flag("loss", spec.loss.to_string(), spec.loss != default.loss);
    flag("epochs", spec.epochs.to_string(), spec.epochs != default.epochs);
    flag("patience", spec.patience.to_string(), spec.patience != default.patience);
    flag("batch-size", spec.batch_size.to_string(), spec.batch_size != default.batch_size);
    flag("cv", spec.split.policy.to_string(), spec.split.policy != default.split.policy);
    flag("folds", spec.split.folds.to_string(), spec.split.folds != default.split.folds);
    flag("repeats", spec.split.repeats.to_string(), spec.split.repeats != default.split.repeats);
    flag("gap", spec.split.gap.to_string(), spec.split.gap != default.split.gap);
    flag("validation", spec.validation.to_string(), spec.validation != default.validation);
    let metric = spec.metric.map(|metric| metric.to_string());
    flag("metric", metric.clone().unwrap_or_default(), metric.is_some());
    flag("seed", spec.seed.to_string(), true);
    let mut text = words.join(" ");
    // A list of layers has no flag.
    if let (NetworkSpec::Layers(layers), Ok(list)) = (&spec.network, toml::Value::try_from(spec)) {
        let list = list.get("network").map(ToString::to_string).unwrap_or_default();
        text += &format!(" --config FILE, with these {} layers in FILE: network = {list}", layers.len());
    }
    text
}

/// The `thalweg find-lr` command with every setting that differs from its default.
pub(super) fn find_lr(spec: &StudySpec, test: &RangeTest) -> String {
    let default = RangeTest::default();
    let method = spec.optimizers.first().map_or("adam", String::as_str);
    let shared = StudySpec { optimizers: StudySpec::default().optimizers, metric: None, ..spec.clone() };
    let mut text = command(&shared).replacen("thalweg compare", "thalweg find-lr", 1);
    let ends =
        [("from", test.from, default.from), ("to", test.to, default.to), ("beta", test.beta, default.beta)];
    text += &format!(" --optimizer {method}");
    for (name, value, _) in ends.iter().filter(|(_, value, default)| value != default) {
        text += &format!(" --{name} {value:?}");
    }
    if test.steps != default.steps {
        text += &format!(" --steps {}", test.steps);
    }
    text
}

/// As `--hidden` reads it.
fn widths_text(hidden: &[usize]) -> String {
    if hidden.is_empty() {
        return "none".to_owned();
    }
    hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// The name that serde gives a unit variant.
fn word<V: serde::Serialize>(value: &V) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// As a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/,:+=@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_said_and_strange_names_are_quoted() {
        let mut spec = StudySpec { data: "my data.csv".to_owned(), ..StudySpec::default() };
        assert_eq!(command(&spec), "thalweg compare 'my data.csv' --seed 0");
        spec.dataset.target = Some("it's".to_owned());
        spec.hidden = vec![];
        assert_eq!(
            command(&spec),
            "thalweg compare 'my data.csv' --target 'it'\\''s' --hidden none --seed 0"
        );
    }
}
