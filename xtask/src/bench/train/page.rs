//! The page, made from the JSON alone.

use serde_json::Value;

/// A larger share of busy cores before the start means that others were at work.
const BUSY_MAX: f64 = 0.1;

const LEGEND: &str = "\
All contenders are started for a table, do two epochs as a check, and take turns then: a turn each within a repeat. Every
figure is a median over the repeats, in brackets the least and the largest; ratios are taken within a repeat. f32; Adam at
1e-3; 2,048 made-up rows, gathered by a shuffled index. A step is gather, forward, backward and Adam, with its loss read.
Inference is the forward pass in evaluation mode on batches of the same size that lie together.
`PyTorch` is its eager mode with `Adam(fused=True)` and `zero_grad(set_to_none=True)`; inference in `inference_mode`. For
images it was run with channels first and last; the wanted ratio is of whichever is faster in that table. `compiled` is
`torch.compile` with its defaults on one thread, where it is ready within 90 s; it is reported, not measured against.
One training on two threads cuts each batch into two parts in Thalweg; `batch undivided` is the same with one part, for
batches that are too small to share. The faster of the two counts.
Two trainings at once are two processes; their samples add up.
";

const NOT_EQUAL: &str = "\
## What is not equal

- On two threads, Thalweg predicts two batches at a time, in the benchmark's own loop; PyTorch and Burn divide the work
  within a batch, as their users get it.
- One training on two threads: batch normalization sees a part of the batch in Thalweg (as in PyTorch's
  `DistributedDataParallel`), the whole batch in PyTorch.
- scikit-learn trains by `partial_fit` on all rows, an epoch a call: what it checks of its input is paid once an epoch. It
  predicts by `predict_proba`, checks and softmax included. It has no way to tell its loss before the first step.
- Burn 0.22 uses its `flex` backend with AVX-512 (`x86-v4`), on as many threads as its pool is given.
- Every contender starts with its own default weights, from its own random stream.
- Thalweg's dense layers leave out zeros that rectifiers make; the others multiply them. So its time of 784-256-128-10, and
  less so of the small CNN, depends on the data and on how long the network has trained: `train-profile.md`.
- PyTorch and Burn meet denormal numbers as they come; Thalweg flushes them to zero, as its training does.
";

/// The page.
pub(super) fn markdown(result: &Value) -> String {
    let mut page =
        String::from("# Benchmark: training and inference beside PyTorch, scikit-learn and Burn\n\n");
    page += "Made by `cargo xtask bench train`; do not edit. The figures are in `train.json`.\n\n";
    for (key, value) in result["machine"].as_object().into_iter().flatten() {
        page += &format!("- {}: {}\n", key.replace('_', " "), plain(value));
    }
    page += &format!(
        "- repeats: {}, turns of {} s\n{}\n{LEGEND}",
        result["repeats"],
        result["seconds_a_turn"],
        busy_note(&result["machine"])
    );
    let tables = list(&result["tables"]);
    page += &verdicts(tables);
    let mut title = String::new();
    for table in tables {
        if plain(&table["title"]) != title {
            title = plain(&table["title"]);
            page += &format!("\n## {title}\n");
        }
        page += &speeds(table);
    }
    page += &fashion(result);
    page += &checks(list(&result["checks"]));
    page + "\n" + NOT_EQUAL
}

/// Asked and measured, a row a table.
fn verdicts(tables: &[Value]) -> String {
    let mut text = String::from(
        "\n## Asked and measured\n\nHow many times as many samples a second as PyTorch, at the same number of threads:\n\n",
    );
    text += "| network | way | asked | measured | met | own | against |\n|---|---|---|---|---|---|---|\n";
    for table in tables {
        let met = match table["met"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not measured",
        };
        text += &format!(
            "| {} | {} | {} | {}{} | {met} | {} | {} |\n",
            plain(&table["title"]),
            plain(&table["way"]),
            table["asked"],
            fixed(&table["times_pytorch"], 2),
            range(&table["times_pytorch_range"], 2),
            plain(&table["own"]),
            plain(&table["measured_against"]),
        );
    }
    text
}

fn speeds(table: &Value) -> String {
    let mut text = format!("\n**{}**\n\n", plain(&table["way"]));
    text += "| contender | version | samples/s | µs a step | Thalweg is × as fast |\n|---|---|---|---|---|\n";
    for row in list(&table["rows"]) {
        text += &format!(
            "| {} | {} | {}{} | {} | {} |\n",
            plain(&row["contender"]),
            plain(&row["version"]),
            fixed(&row["samples_per_second"], 0),
            range(&row["samples_per_second_range"], 0),
            fixed(&row["step_us"], 1),
            fixed(&row["times_as_fast_is_thalweg"], 2),
        );
    }
    for row in list(&table["absent"]) {
        text += &format!("| {} | – | {} | – | – |\n", plain(&row["contender"]), plain(&row["why"]));
    }
    text
}

fn fashion(result: &Value) -> String {
    let tables = list(&result["fashion"]);
    if tables.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n## Fashion-MNIST: the small CNN to 90 % of the test images\n\n\
         60,000 images, batch 64, Adam at 1e-3; after every quarter of an epoch all 10,000 test images are looked at. \
         Seconds of training, the looks excluded for both (their seconds beside); medians of {} repeats, each with another \
         seed.\n\n",
        result["fashion_repeats"]
    );
    text += "| threads | contender | version | seconds | seconds of looking | steps | PyTorch's seconds over Thalweg's |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for table in tables {
        for row in list(&table["rows"]) {
            let seconds = match (row["absent"].as_str(), row["seconds"].as_f64()) {
                (Some(why), _) => why.to_owned(),
                (None, Some(_)) => fixed(&row["seconds"], 1),
                (None, None) => "not reached in 10 epochs by every seed".into(),
            };
            text += &format!(
                "| {} | {} | {} | {seconds} | {} | {} | {} |\n",
                table["threads"],
                plain(&row["contender"]),
                plain(&row["version"]),
                fixed(&row["seconds_looking"], 1),
                fixed(&row["steps"], 0),
                if row["contender"] == "Thalweg" { fixed(&table["times_pytorch"], 2) } else { String::new() },
            );
        }
    }
    text
}

fn checks(checks: &[Value]) -> String {
    let mut text = String::from(
        "\n## Do they learn the same thing?\n\n\
         Expected: equally many parameters, a start near the loss of chance (ln 2 or ln 10 = 2.30), a loss that falls, and \
         accuracy near 0.75, the most that is possible (half of the pairs of equal rows have two classes). Who differs (by \
         more than half or twice, at the start) is not timed.\n\n",
    );
    text += "| network | contender | parameters | loss at the start | epoch 1 | epoch 2 | accuracy then |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for check in checks {
        let said = &check["said"];
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            plain(&check["title"]),
            plain(&check["contender"]),
            said["parameters"],
            fixed(&said["loss_start"], 3),
            fixed(&said["loss_epoch_1"], 3),
            fixed(&said["loss_epoch_2"], 3),
            fixed(&said["accuracy"], 3),
        );
    }
    text
}

/// Times on a machine that others use are not to be trusted.
fn busy_note(machine: &Value) -> String {
    match machine["busy_before"].as_f64() {
        Some(share) if share > BUSY_MAX => format!(
            "\n**Others used {:.0} % of the machine before the start: do not quote these figures.**\n",
            100.0 * share
        ),
        _ => String::new(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fixed(value: &Value, digits: usize) -> String {
    value.as_f64().map_or("–".into(), |v| format!("{v:.digits$}"))
}

fn range(value: &Value, digits: usize) -> String {
    match list(value) {
        [least, largest] => format!(" ({}–{})", fixed(least, digits), fixed(largest, digits)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result() -> Value {
        let table = |way: &str, times: Value, met: Value| {
            json!({"title": "small", "way": way, "asked": 40.0, "own": "Thalweg", "times_pytorch": times, "times_pytorch_range": [39.0, 44.0],
                "measured_against": "PyTorch", "met": met,
                "rows": [{"contender": "PyTorch", "version": "2", "samples_per_second": 1000.4,
                    "samples_per_second_range": [900.0, 1100.0], "step_us": 16.25, "times_as_fast_is_thalweg": 41.0}],
                "absent": [{"contender": "Burn, flex", "why": "too slow to start"}]})
        };
        json!({
            "machine": {"cpu": "Abacus", "busy_before": 0.0}, "repeats": 3, "seconds_a_turn": 0.5, "fashion_repeats": 3,
            "tables": [table("training", json!(41.0), json!(true)), table("inference", json!(null), json!(null))],
            "checks": [{"title": "small", "contender": "PyTorch",
                "said": {"parameters": 7, "loss_start": null, "loss_epoch_1": 0.6, "loss_epoch_2": 0.5, "accuracy": 0.74}}],
            "fashion": [{"threads": 1, "times_pytorch": 2.5, "rows": [
                {"contender": "Thalweg", "version": "0", "seconds": 20.0, "seconds_looking": 3.0, "steps": 1410},
                {"contender": "PyTorch", "version": "2", "seconds": null, "absent": null}]}],
        })
    }

    #[test]
    fn the_page_says_asked_measured_and_met() {
        let page = markdown(&result());
        for part in [
            "- cpu: Abacus\n",
            "| small | training | 40.0 | 41.00 (39.00–44.00) | yes | Thalweg | PyTorch |",
            "| small | inference | 40.0 | – (39.00–44.00) | not measured | Thalweg | PyTorch |",
            "| PyTorch | 2 | 1000 (900–1100) | 16.2 | 41.00 |",
            "| Burn, flex | – | too slow to start | – | – |",
            "| small | PyTorch | 7 | – | 0.600 | 0.500 | 0.740 |",
            "| 1 | Thalweg | 0 | 20.0 | 3.0 | 1410 | 2.50 |",
            "| 1 | PyTorch | 2 | not reached in 10 epochs by every seed |",
        ] {
            assert!(page.contains(part), "{part} is missing in\n{page}");
        }
        assert_eq!(page.matches("\n## small\n").count(), 1);
        assert!(!page.contains("Others used"));
    }

    #[test]
    fn a_miss_and_a_busy_machine_are_told() {
        let mut missed = result();
        missed["tables"][0]["met"] = json!(false);
        missed["machine"]["busy_before"] = json!(0.4);
        let page = markdown(&missed);
        assert!(page.contains("| **no** |") && page.contains("Others used 40 %"), "{page}");
    }
}
