//! `cargo xtask bench train`: training and inference beside PyTorch, scikit-learn and Burn, and the small CNN's way to
//! 90 % on Fashion-MNIST. Writes `benchmarks/train.json` and `train.md`.

mod fashion;
mod page;
mod plan;
mod rival;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::machine;
use crate::error::{ChoreError, pick};
use crate::process::{cargo, command, root, run_logged, target_dir};
use crate::python;
pub(super) use fashion::FASHION_MNIST;
use plan::{CONTENDERS, Contender, NETWORKS, Network, Part, Program, WAYS, Way};
use rival::{Rival, Started};
use table::{Row, check, table, together};

pub(super) const USAGE: &str =
    "train [--repeats N] [--seconds S] [--fashion REPEATS] [--only NETWORK] [--without CONTENDER] [--dirty]";

/// Between two turns: idle threads of the one before spin for a while.
const PAUSE: Duration = Duration::from_millis(300);

/// What the command line said.
struct Options {
    repeats: usize,
    /// Of a turn.
    seconds: f64,
    fashion: u64,
    only: Option<&'static str>,
    without: Vec<&'static str>,
    dirty: bool,
}

impl Options {
    fn of(args: &[String]) -> Result<Self, ChoreError> {
        let mut options =
            Self { repeats: 5, seconds: 1.0, fashion: 3, only: None, without: Vec::new(), dirty: false };
        let mut left = args.iter();
        while let Some(option) = left.next() {
            if option == "--dirty" {
                options.dirty = true;
                continue;
            }
            let value = left.next().map_or("", String::as_str);
            match option.as_str() {
                "--repeats" => match value.parse() {
                    Ok(count @ 1..) => options.repeats = count,
                    _ => return Err(usage("--repeats is a whole number from 1")),
                },
                "--seconds" => match value.parse() {
                    Ok(seconds) if seconds > 0.0 && seconds <= 60.0 => options.seconds = seconds,
                    _ => return Err(usage("--seconds is a number above 0, at most 60")),
                },
                "--fashion" => match value.parse() {
                    Ok(count) => options.fashion = count,
                    _ => return Err(usage("--fashion is a whole number from 0")),
                },
                "--only" => options.only = Some(pick(NETWORKS, |n| n.name, "network", value)?.name),
                "--without" => options.without.push(pick(CONTENDERS, |c| c.name, "contender", value)?.name),
                _ => return Err(usage(&format!("cannot read «{option}»"))),
            }
        }
        Ok(options)
    }

    /// A part of the benchmark is for looking at, not for keeping.
    fn is_whole(&self) -> bool {
        self.fashion > 0 && self.only.is_none() && self.without.is_empty()
    }

    fn networks(&self) -> impl Iterator<Item = &'static Network> {
        NETWORKS.iter().filter(|network| self.only.is_none_or(|only| only == network.name))
    }

    fn contenders(&self) -> impl Iterator<Item = &'static Contender> {
        CONTENDERS.iter().filter(|contender| !self.without.contains(&contender.name))
    }
}

fn usage(problem: &str) -> ChoreError {
    ChoreError::Usage(format!("{problem}\nUsage: cargo xtask bench {USAGE}"))
}

/// Runs the benchmark.
///
/// # Errors
/// Wrong options (exit 2), or a build or contender that fails (exit 1).
pub(super) fn run(args: &[String]) -> Result<(), ChoreError> {
    let options = Options::of(args)?;
    if !options.dirty {
        machine::clean_tree()?;
    }
    if options.fashion > 0 {
        // Now, not after an hour.
        fashion::unpacked()?;
    }
    let programs = Programs::ready(&options)?;
    let machine = machine::describe();
    let (mut tables, mut checks) = (Vec::new(), Vec::new());
    for network in options.networks() {
        for way in WAYS {
            println!("{}: {}", network.title, way.title);
            let measured = measure(network, way, &programs, &options)?;
            tables.push(measured.table);
            if checks.iter().all(|check: &Value| check["network"] != network.name) {
                checks.extend(measured.checks);
            }
        }
    }
    let fashion = match options.fashion {
        0 => Vec::new(),
        repeats => fashion::run(&programs, faster_layout(&tables), repeats)?,
    };
    let result = json!({
        "benchmark": "train", "machine": machine, "repeats": options.repeats, "seconds_a_turn": options.seconds,
        "tables": tables, "checks": checks, "fashion_repeats": options.fashion, "fashion": fashion,
    });
    keep(&result, &options)
}

fn keep(result: &Value, options: &Options) -> Result<(), ChoreError> {
    let page = page::markdown(result);
    if options.dirty || !options.is_whole() {
        println!(
            "\n{page}\nNothing was written: the working tree may differ from its commit, or only a part was measured."
        );
        return Ok(());
    }
    let json = serde_json::to_string_pretty(result).unwrap_or_default() + "\n";
    for (name, text) in [("train.json", &json), ("train.md", &page)] {
        let path = root().join("benchmarks").join(name);
        fs::write(&path, text)
            .map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", path.display())))?;
    }
    println!("\n{page}\nWritten: benchmarks/train.md, benchmarks/train.json");
    Ok(())
}

/// PyTorch in the layout in which it trained the small CNN faster; as it comes if that was not measured.
fn faster_layout(tables: &[Value]) -> &'static Contender {
    let own = tables.iter().find(|table| table["network"] == "lenet" && table["way"] == WAYS[0].title);
    let name = own.and_then(|table| table["measured_against"].as_str());
    let found = CONTENDERS.iter().find(|contender| Some(contender.name) == name);
    let first = CONTENDERS.iter().find(|contender| contender.part == Part::Measure);
    found.or(first).unwrap_or(&CONTENDERS[0])
}

/// The contenders' programs, built.
struct Programs {
    thalweg: PathBuf,
    burn: PathBuf,
    python: PathBuf,
}

impl Programs {
    fn ready(options: &Options) -> Result<Self, ChoreError> {
        let python = python::for_goldens()?;
        let build = ["build", "--release", "--package", "thalweg-learn", "--example", "train_time"];
        run_logged(cargo().args(build), "bench-build")?;
        // Outside the workspace, so with a folder of its own: it stays built while the house is built anew.
        let burn = target_dir().join("burn");
        if options.contenders().any(|contender| contender.program == Program::Burn) {
            println!("Building Burn, which takes minutes the first time");
            let manifest = root().join("benchmarks/burn/Cargo.toml");
            let mut build = cargo();
            build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
            run_logged(build.arg("--target-dir").arg(&burn), "bench-build-burn")?;
        }
        let exe = std::env::consts::EXE_SUFFIX;
        Ok(Self {
            thalweg: target_dir().join(format!("release/examples/train_time{exe}")),
            burn: burn.join(format!("release/thalweg-bench-burn{exe}")),
            python,
        })
    }

    /// The contender's command line with its flags and threads.
    fn command(&self, contender: &Contender, threads: usize) -> Command {
        let threads = threads.to_string();
        let mut line = match contender.program {
            Program::Thalweg => command(&self.thalweg),
            Program::Burn => command(&self.burn),
            Program::Python(script) => {
                let mut line = command(&self.python);
                line.arg("-B").arg(root().join("benchmarks/peers").join(script));
                line
            }
        };
        for pool in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"] {
            line.env(pool, &threads);
        }
        line.args(contender.flags).args(["--threads", &threads]);
        line
    }
}

/// A network in a way: its table, and what each contender said of itself.
struct Measured {
    table: Value,
    checks: Vec<Value>,
}

fn measure(
    network: &'static Network,
    way: &Way,
    programs: &Programs,
    options: &Options,
) -> Result<Measured, ChoreError> {
    let (mut rivals, mut rows, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for contender in options.contenders().filter(|contender| contender.runs(network, way)) {
        let mut trials = Vec::new();
        for seed in 1..=way.trials {
            let mut line = programs.command(contender, way.threads);
            line.args(["--network", network.name, "--task", way.task(), "--seed", &seed.to_string()]);
            line.args(["--seconds", &options.seconds.to_string()]);
            match Rival::start(line, contender.seconds_to_start_max)? {
                Started::Ready(rival) => trials.push(rival),
                Started::Absent(why) => {
                    absent.push((contender, why));
                    break;
                }
            }
        }
        if trials.len() == way.trials {
            rows.push(Row { contender, ready: trials[0].ready.clone(), turns: Vec::new() });
            rivals.push(trials);
        }
    }
    let parameters = rows.first().and_then(|row: &Row| row.ready["parameters"].as_u64());
    for row in &rows {
        check(network, &row.ready, parameters)
            .map_err(|why| ChoreError::failed(format!("{}, {}: {why}", row.contender.name, network.title)))?;
    }
    for repeat in 1..=options.repeats {
        // All take turns within a repeat, so that a slow minute of the machine meets all of them.
        for (row, trials) in rows.iter_mut().zip(&mut rivals) {
            std::thread::sleep(PAUSE);
            trials.iter_mut().try_for_each(Rival::go)?;
            let turns: Vec<_> = trials.iter_mut().map(Rival::answer).collect::<Result<_, _>>()?;
            row.turns.push(together(&turns));
        }
        let speeds: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (row.contender.name, row.turns[repeat - 1].samples_per_second.round()))
            .collect();
        println!("  repeat {repeat} of {}, samples a second: {speeds:?}", options.repeats);
    }
    let checks = rows
        .iter()
        .map(|row| json!({"network": network.name, "title": network.title, "contender": row.contender.name, "said": row.ready}))
        .collect();
    Ok(Measured { table: table(network, way, &rows, &absent), checks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn options_are_read() {
        let options = Options::of(&args(&[
            "--seconds",
            "0.5",
            "--only",
            "lenet",
            "--without",
            "Burn, flex",
            "--dirty",
        ]))
        .expect("good options");
        assert_eq!((options.seconds, options.only, options.dirty), (0.5, Some("lenet"), true));
        assert!(options.contenders().all(|contender| contender.program != Program::Burn));
        assert_eq!(options.networks().map(|network| network.name).collect::<Vec<_>>(), ["lenet"]);
        assert!(!options.is_whole());
        assert!(Options::of(&[]).expect("defaults").is_whole());
        assert!(!Options::of(&args(&["--fashion", "0"])).expect("none of them").is_whole());
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [
            &["--repeats", "0"][..],
            &["--repeats"],
            &["--seconds", "-1"],
            &["--seconds", "NaN"],
            &["--fashion", "many"],
            &["--only", "lenett"],
            &["--without", "Keras"],
            &["--speed", "9"],
        ] {
            assert_eq!(run(&args(wrong)).expect_err("refused").exit_code(), 2, "{wrong:?}");
        }
    }

    #[test]
    fn fashion_is_raced_against_the_layout_that_was_faster() {
        let of = |network: &str, rival: &str| json!({"network": network, "way": WAYS[0].title, "measured_against": rival});
        let tables = [of("resnet8", "PyTorch"), of("lenet", "PyTorch, channels last")];
        assert_eq!(faster_layout(&tables).name, "PyTorch, channels last");
        assert_eq!(faster_layout(&[]).name, "PyTorch");
    }
}
