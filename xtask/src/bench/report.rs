//! The page that a benchmark leaves behind: Markdown made from its JSON alone.

use std::collections::BTreeSet;

use serde_json::Value;

/// A larger share of busy cores before the start means that others were at work.
const BUSY_MAX: f64 = 0.1;

const NOT_EQUAL: &str = "\
## What is not equal

- Thalweg's seconds are those of the whole process: start, reading the data, training, scoring, the store on disk and
  the report. The peers' are measured inside, from after the imports to the last score; they store nothing.
- Thalweg scores the validation part after every epoch, for its learning curves; the peers score once, at the end.
- Splits and starting weights come from each tool's own random streams. All draw them once per trial, from a fixed
  seed, and all choose the learning rate by the inner validation part.
- PyTorch runs the plain loop of its tutorials: batches by index from a shuffled order, no `DataLoader`, no
  compilation, the optimizers' defaults. scikit-learn runs `MLPClassifier` with `alpha=0` and without early stopping.
- Momentum and NAG use 0.9 everywhere. Adadelta's rate is its multiplier.
- Thalweg refits for the number of epochs that its inner split chose, the peers for all epochs; a trial that diverges
  ends at once in Thalweg, in the peers it runs to its last epoch. So the steps differ by a few per cent: they are given
  for each, and the ratios are those of the time of one step.
";

/// The page.
pub(super) fn markdown(result: &Value) -> String {
    let mut page = String::from("# Benchmark: `compare digits`, the same protocol in three tools\n\n");
    page += "Made by `cargo xtask bench compare`; do not edit. The figures are in `compare.json`.\n\n";
    page += "## Machine and protocol\n\n";
    for part in ["machine", "protocol"] {
        for (key, value) in result[part].as_object().into_iter().flatten() {
            page += &format!("- {}: {}\n", key.replace('_', " "), plain(value));
        }
    }
    page += &busy_note(&result["machine"]);
    page += "\n## Time\n";
    for heat in list(&result["heats"]) {
        page += &times(heat);
    }
    let default = &result["default_settings"];
    page += &format!(
        "\n`thalweg compare digits` with its default settings: **{}** s, {} steps.\n\n",
        fixed(&default["seconds_median"], 2),
        plain(&default["steps"])
    );
    page += "## Do they learn the same thing?\n";
    for heat in list(&result["heats"]) {
        page += &scores(heat, default);
    }
    page + "\n" + NOT_EQUAL
}

fn times(heat: &Value) -> String {
    let mut table = format!("\n**{}**, seconds (median)\n\n", plain(&heat["name"]));
    table += "| tool | version | seconds | steps | µs a step | times as long as Thalweg, per step |\n|---|---|---|---|---|---|\n";
    for contender in list(&heat["contenders"]) {
        let ratio = contender["name"].as_str().map(|name| &heat["times_as_long_as_thalweg"][name]);
        let ratio =
            ratio.filter(|r| r.is_number()).map_or("1".to_string(), |r| format!("**{}**", fixed(r, 1)));
        table += &format!(
            "| {} | {} | {} | {} | {} | {ratio} |\n",
            plain(&contender["name"]),
            plain(&contender["version"]),
            fixed(&contender["seconds_median"], 2),
            plain(&contender["steps"]),
            fixed(&contender["microseconds_per_step"], 1),
        );
    }
    table + &headline(heat) + &step_note(heat)
}

/// The ratio that may be quoted: against the rival's fastest way.
fn headline(heat: &Value) -> String {
    let ratios = heat["times_as_long_as_thalweg"].as_object().into_iter().flatten();
    let fastest =
        ratios.filter_map(|(name, ratio)| Some((name, ratio.as_f64()?))).min_by(|a, b| a.1.total_cmp(&b.1));
    fastest.map_or(String::new(), |(name, ratio)| {
        format!("\nThe rival's fastest way ({name}) takes **{ratio:.1}** times as long a step as Thalweg.\n")
    })
}

/// Times on a machine that others use are not to be trusted: rivals with many threads suffer most.
fn busy_note(machine: &Value) -> String {
    match machine["busy_before"].as_f64() {
        Some(share) if share > BUSY_MAX => {
            let percent = 100.0 * share;
            format!(
                "\n**Others used {percent:.0} % of the machine before the start: do not quote these times.**\n"
            )
        }
        _ => String::new(),
    }
}

/// Says whether every contender took the same steps, method by method.
fn step_note(heat: &Value) -> String {
    let contenders = list(&heat["contenders"]);
    let mut notes = Vec::new();
    for method in methods(heat) {
        let counts: BTreeSet<u64> =
            contenders.iter().filter_map(|c| c["methods"][&method]["steps"].as_u64()).collect();
        if counts.len() > 1 {
            let each: Vec<String> = contenders
                .iter()
                .map(|c| format!("{} {}", plain(&c["name"]), plain(&c["methods"][&method]["steps"])))
                .collect();
            notes.push(format!("{method}: {}", each.join(", ")));
        }
    }
    if notes.is_empty() {
        return "\nEvery contender took the same number of gradient steps with every method.\n".into();
    }
    format!("\nGradient steps differ: {}.\n", notes.join("; "))
}

fn scores(heat: &Value, default: &Value) -> String {
    let contenders: Vec<&Value> = list(&heat["contenders"]).iter().chain([default]).collect();
    let names: Vec<String> = contenders.iter().map(|c| plain(&c["name"])).collect();
    let mut table = format!("\nMean outer accuracy, 5 folds\n\n| method | {} |\n", names.join(" | "));
    table += &format!("|---|{}\n", "---|".repeat(names.len()));
    for method in methods(heat) {
        let row: Vec<String> =
            contenders.iter().map(|c| fixed(&c["methods"][&method]["accuracy"], 4)).collect();
        table += &format!("| {method} | {} |\n", row.join(" | "));
    }
    table
}

fn methods(heat: &Value) -> Vec<String> {
    heat["contenders"][0]["methods"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn fixed(value: &Value, digits: usize) -> String {
    value.as_f64().map_or("–".into(), |v| format!("{v:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(peer_steps: u64) -> Value {
        let contender = |name: &str, seconds: f64, steps: u64| {
            json!({"name": name, "version": "1.0", "seconds_median": seconds, "steps": steps,
                "microseconds_per_step": 5.0, "methods": {"sgd": {"steps": steps, "accuracy": 0.96}}})
        };
        json!({
            "machine": {"cpu": "Abacus"}, "protocol": {"epochs": 10},
            "heats": [{"name": "Rival", "contenders": [contender("Thalweg", 2.0, 100), contender("Rival", 50.0, peer_steps)],
                "times_as_long_as_thalweg": {"Rival": 25.0}}],
            "default_settings": contender("Thalweg, default settings", 4.0, 300),
        })
    }

    #[test]
    fn the_page_holds_times_ratios_scores_and_what_is_not_equal() {
        let page = markdown(&result(100));
        for part in
            ["Abacus", "| Rival | 1.0 | 50.00 | 100 | 5.0 | **25.0** |", "| sgd | 0.9600 | 0.9600 | 0.9600 |"]
        {
            assert!(page.contains(part), "{part} is missing in\n{page}");
        }
        assert!(
            page.contains("the same number of gradient steps")
                && page.contains("fastest way (Rival) takes **25.0**")
                && page.contains("What is not equal")
        );
    }

    #[test]
    fn a_busy_machine_is_told() {
        let mut busy = result(100);
        busy["machine"]["busy_before"] = json!(0.6);
        assert!(markdown(&busy).contains("Others used 60 % of the machine"));
        assert!(!markdown(&result(100)).contains("Others used"));
    }

    #[test]
    fn unequal_steps_are_told() {
        let page = markdown(&result(90));
        assert!(page.contains("Gradient steps differ: sgd: Thalweg 100, Rival 90."), "{page}");
    }
}
