//! `cargo xtask bench optim`: one step of every rule, beside PyTorch's (as it comes and fused) and beside a plain sweep of
//! the same bytes, which is as fast as the memory goes. Writes `benchmarks/optim.json` and `optim.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::machine;
use crate::error::ChoreError;
use crate::process::{cargo, command, root, run_logged, stdout_of, target_dir};
use crate::python;

pub(super) const USAGE: &str = "optim [--repeats N] [--dirty]";

/// Parameters as they lie in memory.
struct Case {
    name: &'static str,
    title: &'static str,
    /// Steps of PyTorch per repeat; ours are more, and short.
    rounds: usize,
    ways: &'static [(&'static str, &'static [&'static str])],
}

const CASES: &[Case] = &[
    Case { name: "flat", title: "20 million numbers in one tensor", rounds: 3, ways: WAYS },
    Case { name: "small", title: "500 tensors of 1,000 numbers", rounds: 9, ways: WAYS },
    Case {
        name: "resnet",
        title: "the 62 tensors of ResNet-18, 11.7 million numbers",
        rounds: 3,
        ways: WAYS,
    },
    Case {
        name: "transformer",
        title: "the 48 tensors of four blocks of a transformer, 3.2 million numbers",
        rounds: 3,
        ways: &[("full", &["--shaped"])],
    },
];
const THREADS: [usize; 2] = [1, 2];

/// Ways to run our step: a name and what the example is told.
const WAYS: &[(&str, &[&str])] = &[
    ("full", &[]),
    ("bf16", &["--precision", "bf16"]),
    ("byte", &["--precision", "byte"]),
    ("half", &["--half", "master"]),
    ("riders", &["--riders"]),
];

/// Runs the benchmark.
///
/// # Errors
/// Wrong options (exit 2), or a build or contender that fails (exit 1).
pub(super) fn run(args: &[String]) -> Result<(), ChoreError> {
    let (mut repeats, mut dirty, mut left) = (5, false, args.iter());
    while let Some(option) = left.next() {
        match option.as_str() {
            "--dirty" => dirty = true,
            "--repeats" => match left.next().and_then(|count| count.parse().ok()) {
                Some(count @ 1..) => repeats = count,
                _ => return Err(usage("--repeats is a whole number from 1".into())),
            },
            _ => return Err(usage(format!("cannot read «{option}»"))),
        }
    }
    if !dirty {
        machine::clean_tree()?;
    }
    let python = python::for_goldens()?;
    let build = ["build", "--release", "--package", "thalweg-optim", "--example", "step_time"];
    run_logged(cargo().args(build), "bench-build")?;
    let binary =
        target_dir().join("release/examples").join(format!("step_time{}", std::env::consts::EXE_SUFFIX));
    let mut machine = machine::describe();
    let version = stdout_of(command(&python).args(["-c", "import torch; print(torch.__version__)"]))?;
    machine["pytorch"] = json!(version.trim());
    let mut tables = Vec::new();
    for case in CASES {
        for threads in THREADS {
            // All take turns within a repeat, so that a slow minute of the machine meets all of them.
            let mut figures = Figures::default();
            for repeat in 1..=repeats {
                println!("{}, {threads} threads: repeat {repeat} of {repeats}", case.title);
                measure(case, threads, &binary, &python, &mut figures)?;
            }
            tables.push(
                json!({"case": case.name, "title": case.title, "threads": threads, "rows": figures.rows()}),
            );
        }
    }
    let result = json!({"benchmark": "optim", "machine": machine, "repeats": repeats, "tables": tables});
    let page = markdown(&result);
    if dirty {
        println!("\n{page}\nNothing was written: the working tree may differ from its commit.");
        return Ok(());
    }
    let json = serde_json::to_string_pretty(&result).unwrap_or_default() + "\n";
    for (name, text) in [("optim.json", &json), ("optim.md", &page)] {
        let path = root().join("benchmarks").join(name);
        fs::write(&path, text)
            .map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", path.display())))?;
    }
    println!("\n{page}\nWritten: benchmarks/optim.md, benchmarks/optim.json");
    Ok(())
}

fn usage(problem: String) -> ChoreError {
    ChoreError::Usage(format!("{problem}\nUsage: cargo xtask bench {USAGE}"))
}

/// The figures of all repeats, per rule and kind of figure.
#[derive(Default)]
struct Figures {
    /// In the order in which the rules came.
    rules: Vec<(String, u64)>,
    values: BTreeMap<(String, String), Vec<f64>>,
}

impl Figures {
    fn add(&mut self, rule: &str, kind: impl Into<String>, value: f64) {
        self.values.entry((rule.to_owned(), kind.into())).or_default().push(value);
    }

    fn median(&self, rule: &str, kind: &str) -> Option<f64> {
        median(self.values.get(&(rule.to_owned(), kind.to_owned()))?.clone())
    }

    /// The least and the largest of a figure over the repeats.
    fn range(&self, rule: &str, kind: &str) -> Option<[f64; 2]> {
        let values = self.values.get(&(rule.to_owned(), kind.to_owned()))?;
        let fold = |f: fn(f64, f64) -> f64| values.iter().copied().reduce(f);
        Some([fold(f64::min)?, fold(f64::max)?])
    }

    /// The median over the repeats of one figure over another of the same repeat.
    fn ratio(&self, rule: &str, over: &str, under: &str) -> Option<f64> {
        let of = |kind: &str| self.values.get(&(rule.to_owned(), kind.to_owned()));
        median(of(over)?.iter().zip(of(under)?).map(|(a, b)| a / b).collect())
    }

    fn rows(&self) -> Vec<Value> {
        let row = |(rule, bytes): &(String, u64)| {
            let mut row = Map::new();
            row.insert("rule".into(), json!(rule));
            row.insert("bytes_per_parameter".into(), json!(bytes));
            let figures = [
                ("step_us", self.median(rule, "full")),
                ("of_the_sweep", self.median(rule, "full of the sweep")),
                ("pytorch_default_us", self.median(rule, "default")),
                ("times_pytorch_default", self.ratio(rule, "default", "full")),
                ("pytorch_fused_us", self.median(rule, "fused")),
                ("times_pytorch_fused", self.ratio(rule, "fused", "full")),
                ("times_full_with_bf16_state", self.ratio(rule, "full", "bf16")),
                ("times_full_with_byte_state", self.ratio(rule, "full", "byte")),
                ("times_full_with_half_parameters", self.ratio(rule, "full", "half")),
                ("riders_over_bare", self.ratio(rule, "riders", "full").map(|ratio| ratio - 1.0)),
                ("riders_of_the_sweep", self.median(rule, "riders of the sweep")),
            ];
            for (name, value) in figures {
                row.insert(name.into(), json!(value));
            }
            row.insert("of_the_sweep_range".into(), json!(self.range(rule, "full of the sweep")));
            Value::Object(row)
        };
        self.rules.iter().map(row).collect()
    }
}

/// Of an even number, the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    Some((values.get((n.checked_sub(1)?) / 2)? + values.get(n / 2)?) / 2.0)
}

/// One turn of all contenders.
fn measure(
    case: &Case,
    threads: usize,
    binary: &Path,
    python: &Path,
    figures: &mut Figures,
) -> Result<(), ChoreError> {
    let (count, rounds) = (threads.to_string(), case.rounds.to_string());
    let common = ["--case", case.name, "--threads", &count, "--rounds", &rounds];
    for (way, flags) in case.ways {
        for line in stdout_of(command(binary).args(common).args(*flags))?.lines() {
            let row = parsed(line)?;
            let rule = text(&row, "rule");
            if *way == "full" && !figures.rules.iter().any(|(known, _)| *known == rule) {
                figures.rules.push((rule.clone(), row["bytes"].as_u64().unwrap_or(0)));
            }
            figures.add(&rule, *way, number(&row, "step_us"));
            figures.add(&rule, format!("{way} of the sweep"), number(&row, "of_ceiling"));
        }
    }
    let script = root().join("benchmarks/peers/pytorch_optim.py");
    for line in stdout_of(command(python).arg("-B").arg(script).args(common))?.lines() {
        let row = parsed(line)?;
        figures.add(&text(&row, "rule"), text(&row, "kind"), number(&row, "step_us"));
    }
    Ok(())
}

fn parsed(line: &str) -> Result<Value, ChoreError> {
    serde_json::from_str(line).map_err(|e| ChoreError::failed(format!("«{line}» is not a row of JSON: {e}")))
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

const LEGEND: &str = "\
`of the sweep`: the time of a plain in-place sweep (x ← a·x + b) over the same number of bytes, over the time of the step;
1 is as fast as the CPU fetches memory by itself; a step calls ahead for its own, so that more is possible. Rule and sweep
take turns. PyTorch's times are of its Python calls, ours of the Rust call. `× default`, `× fused`: PyTorch's time over ours. `× bf16`, `× byte`:
our full-precision step's time over that with a state of 16 or 8 bits a number. `× half`: over that with W and its gradient
in bf16 and W's lower halves beside them (`Keep::Master`). `riders`: what a clip by the global norm, a
decoupled decay, an average of W, a check for NaN and ∞, and the clearing of the gradient add to the step; they read the
gradient once more, write it, and read and write the average: 16 bytes a parameter, which is `bytes` more. Every figure is a
median over the repeats, in brackets the least and the largest; ratios are taken within a repeat. A rule that computes with
whole matrices (Muon, SOAP) is bound by their products, not by the memory.
";

fn markdown(result: &Value) -> String {
    let mut page = String::from("# Benchmark: one step of every rule\n\n");
    page += "Made by `cargo xtask bench optim`; do not edit. The figures are in `optim.json`. f32; defaults of PyTorch.\n\n";
    for (key, value) in result["machine"].as_object().into_iter().flatten() {
        page += &format!(
            "- {}: {}\n",
            key.replace('_', " "),
            value.as_str().map_or(value.to_string(), str::to_owned)
        );
    }
    page += &format!("- repeats: {}\n\n{LEGEND}", result["repeats"]);
    for table in result["tables"].as_array().into_iter().flatten() {
        let threads = table["threads"].as_u64().unwrap_or(1);
        let title = table["title"].as_str().unwrap_or_default();
        page += &format!("\n## {title}, {threads} thread{}\n\n", if threads == 1 { "" } else { "s" });
        page += "| rule | bytes | µs | of the sweep | × default | × fused | × bf16 | × byte | × half | riders |\n";
        page += "|---|---|---|---|---|---|---|---|---|---|\n";
        for row in table["rows"].as_array().into_iter().flatten() {
            page += &line(row);
        }
    }
    page
}

fn line(row: &Value) -> String {
    let fixed =
        |key: &str, digits: usize| row[key].as_f64().map_or("–".into(), |v| format!("{v:.digits$}"));
    let riders = row["riders_over_bare"].as_f64().map_or("–".into(), |v| format!("{:+.0} %", 100.0 * v));
    let range = match &row["of_the_sweep_range"].as_array().map(Vec::as_slice) {
        Some([least, largest]) => {
            format!(
                " ({:.2}–{:.2})",
                least.as_f64().unwrap_or_default(),
                largest.as_f64().unwrap_or_default()
            )
        }
        _ => String::new(),
    };
    format!(
        "| {} | {} | {} | {}{range} | {} | {} | {} | {} | {} | {riders} |\n",
        row["rule"].as_str().unwrap_or_default(),
        row["bytes_per_parameter"],
        fixed("step_us", 0),
        fixed("of_the_sweep", 2),
        fixed("times_pytorch_default", 1),
        fixed("times_pytorch_fused", 2),
        fixed("times_full_with_bf16_state", 2),
        fixed("times_full_with_byte_state", 2),
        fixed("times_full_with_half_parameters", 2),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_repeat() {
        let mut figures = Figures { rules: vec![("adam".into(), 28)], ..Figures::default() };
        for (own, theirs) in [(10.0, 40.0), (20.0, 60.0), (30.0, 150.0)] {
            figures.add("adam", "full", own);
            figures.add("adam", "default", theirs);
        }
        let rows = figures.rows();
        assert_eq!(rows[0]["times_pytorch_default"], 4.0);
        assert_eq!(rows[0]["step_us"], 20.0);
        assert!(rows[0]["times_pytorch_fused"].is_null());
        let table = json!({"title": "two", "threads": 1, "rows": rows});
        let page = markdown(&json!({"machine": {"cpu": "Abacus"}, "repeats": 3, "tables": [table]}));
        assert!(page.contains("| adam | 28 | 20 | – | 4.0 | – | – | – | – | – |"), "{page}");
        assert!(page.contains("## two, 1 thread\n") && page.contains("- cpu: Abacus"));
    }

    #[test]
    fn a_median_is_of_the_middle() {
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [&["--repeats", "0"][..], &["--repeats"], &["--speed", "9"]] {
            let args: Vec<String> = wrong.iter().map(|a| a.to_string()).collect();
            assert_eq!(run(&args).expect_err("refused").exit_code(), 2, "{wrong:?}");
        }
    }
}
